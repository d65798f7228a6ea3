"""In what form an error is told: each framework wraps the same message otherwise."""

from strangler.shadow.exact import Unreadable, Value
from strangler.shadow.sides import Media, Side

_MEMBERS = ("detail", "error", "errors", "message", "msg", "title", "code")
"""By which a form is known, the first that is there."""


def envelope(side: Side) -> object:
    """The form of an error's body: equal for two answers exactly if they can be compared member by member.

    A page and a line of text are for people: each is a form of its own.
    """
    if not side.answer.body:
        return "empty"
    try:
        value = side.json()
    except Unreadable:
        return ("page", side.answer.body) if side.media is not Media.BYTES else "bytes"
    if not isinstance(value, dict):
        return ("JSON", type(value).__name__)
    if side.type.name == "application/problem+json" or {"type", "title", "status"} <= value.keys():
        return "problem"
    named = next((name for name in _MEMBERS if name in value), None)
    if named is not None:
        return (named, _form(value[named]))
    return "fields" if value and all(map(_is_messages, value.values())) else "object"


def _form(value: Value) -> object:
    """A type; of an object also those of its members: whether a field has one message, or a list of them."""
    if not isinstance(value, dict):
        return type(value).__name__
    return frozenset(type(one).__name__ for one in value.values())


def _is_messages(value: Value) -> bool:
    """What a form's validation says of one field."""
    return isinstance(value, list) and all(isinstance(one, str) for one in value)
