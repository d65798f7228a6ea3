"""JSON read exactly: no digit and no repeated name is lost on the way, and nothing nests without bound."""

import json
from collections.abc import Sequence

_MOST_DIGITS = 4000
"""Of an integer that is read as one; Python refuses 4,300, because reading more takes long."""


class Unreadable(ValueError):
    """A text is not what it says it is. The message says where it goes wrong."""


class Real(str):
    """A number with a fraction or an exponent, or a very long one, as it was written: ``1.50`` keeps its zero."""

    __slots__ = ()


Key = str | tuple[str, int]
"""The name of a member. Of a repeated name the last stands under the name, as every reader takes it; those before it
under the name and their number, from 1."""
Value = None | bool | int | str | list["Value"] | dict[Key, "Value"]
"""What JSON can say. A ``str`` may be a ``Real``, which is no text."""


def read_json(text: str) -> Value:
    """A document of RFC 8259. Raises ``Unreadable``, also for what nests too deeply, and for ``NaN`` and ``Infinity``,
    which some frameworks write and no standard reader takes."""
    try:
        value: Value = _decoder.decode(text)
    except json.JSONDecodeError as error:
        raise Unreadable(f"not JSON at character {error.pos}: {error.msg}") from None
    except RecursionError:
        raise Unreadable("JSON that nests too deeply") from None
    return value


def _integer(text: str) -> int | Real:
    return int(text) if len(text) <= _MOST_DIGITS else Real(text)


def _no_number(text: str) -> Value:
    raise json.JSONDecodeError(f"{text} is no number", text, 0)


def _members(pairs: Sequence[tuple[str, Value]]) -> dict[Key, Value]:
    members: dict[Key, Value] = dict(pairs)
    if len(members) != len(pairs):
        _keep_repeated(members, pairs)
    return members


def _keep_repeated(members: dict[Key, Value], pairs: Sequence[tuple[str, Value]]) -> None:
    last = {name: index for index, (name, _) in enumerate(pairs)}
    seen: dict[str, int] = {}
    for index, (name, value) in enumerate(pairs):
        if index != last[name]:
            seen[name] = seen.get(name, 0) + 1
            members[name, seen[name]] = value


_decoder = json.JSONDecoder(object_pairs_hook=_members, parse_float=Real, parse_int=_integer, parse_constant=_no_number)
