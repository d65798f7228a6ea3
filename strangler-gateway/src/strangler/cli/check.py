"""``strangler check``: everything that is wrong in a configuration, each thing with its line."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from strangler.cli.failures import problems
from strangler.cli.options import DEFAULT_CONFIG, Json
from strangler.cli.screen import print_error, print_json, say, warn
from strangler.model.errors import ConfigError


def check(
    file: Annotated[Path, typer.Argument(help="Configuration file.")] = DEFAULT_CONFIG,
    without_files: Annotated[
        bool, typer.Option("--without-files", help="Do not read the certificates, keys and secrets that it names.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Say whether a configuration is valid, and print every error in it with its line, and what is dangerous."""
    from strangler.config import load  # noqa: PLC0415
    from strangler.control.trial import try_files  # noqa: PLC0415

    try:
        loaded = load(file, with_files=not without_files, trial=None if without_files else try_files)
    except ConfigError as error:
        if as_json:
            print_json({"source": error.source, "valid": False, "problems": problems(error)})
        else:
            for problem in error.problems:
                print_error(f"{error.source}:{problem.line}: {problem.place}: {problem.message}")
        raise typer.Exit(2) from None
    topology = loaded.topology
    named = topology.routes[:-1]  # without the catch-all, which nobody wrote
    counts = {
        "routes": len(named),
        "modules": len({route.module for route in named}),
        "upstreams": len(topology.upstreams),
    }
    if as_json:
        warnings = [asdict(warning) for warning in loaded.warnings]
        print_json({"source": str(file), "valid": True, "problems": [], "warnings": warnings, **counts})
    else:
        for warning in loaded.warnings:
            warn(f"{file}:{warning.line}: {warning.place}: warning: {warning.message}")
        say(f"{file} is valid: " + ", ".join(f"{count} {name}" for name, count in counts.items()))
