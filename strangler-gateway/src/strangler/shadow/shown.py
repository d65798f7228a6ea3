"""Values as a person sees them in a report: JSON, shortened, and still JSON after that."""

import json
import re
from collections.abc import Iterable

from strangler.shadow.exact import Key, Real, Value

_LONGEST = 300
"""Characters of JSON, about."""
_DEEPEST = 6
_TAIL = re.compile(r"(?:(?=[^\W\d]{0,14}\d)\w{1,15}[ -]){0,9}[\w+/=.@%~:-]*\Z")
"""What a cut may have gone through: half of a token or of a number in groups is not recognised as one any more."""


def shown(value: Value, longest: int = _LONGEST) -> str:
    """JSON of about ``longest`` characters at most. What was left out is told in its place.

    Can be encoded as UTF-8, whatever the value held.
    """
    parts: list[str] = []
    _write(value, parts, longest, _DEEPEST)
    return "".join(parts)


def quoted(text: str) -> str:
    """A text as JSON, that can be encoded: a lone half of a surrogate pair becomes its escape."""
    written = json.dumps(text, ensure_ascii=False)
    return written if written.isascii() else written.encode("utf-8", "backslashreplace").decode()


def shortened(text: str, longest: int = _LONGEST) -> str:
    """A text cut to ``longest`` characters, before a word through which that would go; says how many are missing."""
    if len(text) <= longest:
        return text
    kept = _TAIL.sub("", text[longest - 200 : longest]) if longest > 200 else _TAIL.sub("", text[:longest])
    kept = text[: max(longest - 200, 0)] + kept
    return f"{kept}… ({len(text) - len(kept)} more characters)"


def _write(value: Value, parts: list[str], room: int, depth: int) -> int:
    """Append the value to ``parts``; return how much room is left."""
    if isinstance(value, list | dict):
        return _write_container(value, parts, room, depth)
    if isinstance(value, Real):
        text = str(value) if len(value) <= max(room, 40) else quoted(f"a number of {len(value)} digits")
    elif isinstance(value, str):
        text = quoted(shortened(value, max(room, 40)))
    elif isinstance(value, int) and not isinstance(value, bool):
        text = _integer(value, max(room, 40))
    else:
        text = json.dumps(value)
    parts.append(text)
    return room - len(text)


def _write_container(value: list[Value] | dict[Key, Value], parts: list[str], room: int, depth: int) -> int:
    """A list or an object, as far as there is room."""
    opening, closing = "[]" if isinstance(value, list) else "{}"
    parts.append(opening)
    room -= 2
    members: Iterable[tuple[Key | None, Value]] = (
        ((None, one) for one in value) if isinstance(value, list) else value.items()
    )
    for index, (key, one) in enumerate(members):
        if index:
            parts.append(", ")
        if room <= 0 or depth == 0:
            more = f"{len(value) - index} more"
            parts.append(quoted(f"… {more}") if key is None else f'"…": "{more}"')
            break
        name = "" if key is None else f"{quoted(shortened(name_of(key), 64))}: "
        parts.append(name)
        room = _write(one, parts, room - len(name) - 2, depth - 1)
    parts.append(closing)
    return room


def _integer(value: int, longest: int) -> str:
    text = str(value)
    return text if len(text) <= longest else quoted(f"a number of {len(text)} digits")


def name_of(key: Key) -> str:
    """A member's name; one that was repeated later says so."""
    return key if isinstance(key, str) else f"{key[0]} (repeated, {key[1]})"
