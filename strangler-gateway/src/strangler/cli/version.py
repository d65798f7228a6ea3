"""``strangler version``: which one this is."""

import sys

from strangler.cli.options import Json
from strangler.cli.screen import print_json


def version(as_json: Json = False) -> None:
    """Print the version of strangler and of Python."""
    from importlib.metadata import version as installed_version  # noqa: PLC0415

    own, python = installed_version("strangler"), sys.version.split()[0]
    if as_json:
        print_json({"version": own, "python": python})
    else:
        sys.stdout.write(f"strangler {own} (Python {python})\n")
