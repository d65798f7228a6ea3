"""How a command fails: 2 for what the user gave, 1 for what could not be done; each with its text and its document."""

from typing import Any

from strangler.model.errors import ConfigError, StranglerError
from strangler.supervisor.plan import StartRefused


class BadInput(StranglerError):
    """The user gave something that cannot be used: exit status 2."""


class Failed(StranglerError):
    """It was right to ask, but it could not be done: exit status 1."""


class Unreachable(Failed):
    """The gateway, or its control, does not answer."""


def exit_status(error: StranglerError) -> int:
    """1 or 2."""
    return 2 if isinstance(error, BadInput | ConfigError | StartRefused) else 1


def document(error: StranglerError) -> dict[str, Any]:
    """What ``--json`` prints instead of the result."""
    if isinstance(error, ConfigError):
        return {"error": f"{error.source} is not valid", "problems": problems(error)}
    return {"error": str(error)}


def problems(error: ConfigError) -> list[dict[str, Any]]:
    """Every problem of a configuration with its place."""
    return [{"line": each.line, "place": each.place, "message": each.message} for each in error.problems]
