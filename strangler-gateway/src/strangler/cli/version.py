"""``strangler version``: which one this is."""

import sys

from strangler.cli.options import Json
from strangler.cli.screen import print_json


def version(as_json: Json = False) -> None:
    """Print the version of strangler and of Python, and whether the data plane is compiled."""
    from importlib.metadata import version as installed_version  # noqa: PLC0415

    from strangler.supervisor import compiled  # noqa: PLC0415

    is_compiled = compiled.find() is not None
    own, python = installed_version("strangler"), sys.version.split()[0]
    if as_json:
        print_json({"version": own, "python": python, "compiled": is_compiled})
    else:
        sys.stdout.write(f"strangler {own} (Python {python}, data plane {'compiled' if is_compiled else 'as it is'})\n")
