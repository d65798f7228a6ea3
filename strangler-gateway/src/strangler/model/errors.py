"""Errors that carry what a person needs to act: what was wrong, where, and what to do."""

from dataclasses import dataclass


class StranglerError(Exception):
    """The base of every error that this package raises on purpose; its text is for the user."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in a configuration file."""

    line: int
    """Counted from 1; 0 when the file as a whole is meant."""
    place: str
    """A path into the document, such as ``routes[2].match.path``."""
    message: str
    """What is wrong, and the remedy."""

    def __str__(self) -> str:
        return f"line {self.line}: {self.place}: {self.message}" if self.line else f"{self.place}: {self.message}"


class ConfigError(StranglerError):
    """A configuration that is refused as a whole; every problem in it is listed."""

    def __init__(self, source: str, problems: tuple[Problem, ...]) -> None:
        self.source = source
        self.problems = problems
        super().__init__("\n".join(f"{source}: {problem}" for problem in problems))


class FlipRefused(StranglerError):
    """A flip that may not be done; nothing was changed."""
