"""The reference page of the command line, made from the commands: ``python -m strangler.cli.reference > cli.md``."""

import sys
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any

import typer.main

from strangler.cli.app import app

BAR = r"\|"
"""A bar inside a table."""
HEAD = """\
<!-- Made from the commands: python -m strangler.cli.reference > docs/reference/cli.md -->
# The command line

`strangler` has one command for each thing that a person does with a gateway. `--json` prints exactly one JSON document
on stdout; what is said beside it goes to stderr. A command finds the gateway by its state folder (`--state`, default
`.strangler`), and control's address in it, unless `--admin` names one.

Exit status: **0** done · **1** it could not be done (a worker is missing, the gateway does not answer) · **2** wrong
input, usage or configuration, with its place and the remedy · **3** not enough was seen to say (`replay`).

`strangler --install-completion` teaches your shell the commands, and the routes and modules of the gateway here.
"""


def reference() -> str:
    """The page, as Markdown."""
    return "\n".join((HEAD, *_group(typer.main.get_command(app), "strangler")))


def _group(group: Any, path: str) -> Iterator[str]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _group(command, f"{path} {name}")
        else:
            yield from _command(command, f"{path} {name}")


def _command(command: Any, path: str) -> Iterator[str]:
    arguments = [parameter for parameter in command.params if parameter.param_type_name == "argument"]
    options = [parameter for parameter in command.params if parameter.param_type_name == "option"]
    usage = [path, *(_name(each) if each.required else f"[{_name(each)}]" for each in arguments)]
    usage += [f"{each.opts[0]} {_value(each)}" for each in options if each.required]
    usage += ["[OPTIONS]"] if any(not each.required for each in options) else []
    yield from (f"## {path}", "", f"`{' '.join(usage)}`", "", " ".join((command.help or "").split()), "")
    yield from ("| | |", "|---|---|")
    yield from (f"| `{_name(each)}` | {_about(each)} |" for each in arguments)
    for each in options:
        value = "" if each.is_flag else f" {_value(each)}"
        yield f"| `{', '.join(each.opts)}{value.replace('|', BAR)}` | {_about(each)} |"
    yield ""


def _name(argument: Any) -> str:
    return str(argument.metavar or argument.name.upper())


def _value(option: Any) -> str:
    kind = option.type_descriptor.annotation
    return str(option.metavar or {int: "N", float: "SECONDS", Path: "FILE"}.get(kind, "TEXT"))


def _about(parameter: Any) -> str:
    parts = [parameter.help or ""]
    kind = parameter.type_descriptor.annotation
    if isinstance(kind, type) and issubclass(kind, Enum):
        parts.append(f"One of {', '.join(f'`{choice.value}`' for choice in kind)}.")
    if parameter.default is not None and parameter.default is not False:
        parts.append(f"Default: `{parameter.default}`.")
    if parameter.envvar:
        parts.append(f"Environment: `{parameter.envvar}`.")
    return " ".join(filter(None, parts)).replace("|", BAR)


if __name__ == "__main__":
    sys.stdout.write(reference())
