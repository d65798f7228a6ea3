"""JSON without secrets, and still JSON: members of secret names, declared fields, and what a pattern finds."""

import json
from collections.abc import Sequence

from strangler.shadow.effects import Value as Column
from strangler.shadow.exact import Real, Unreadable
from strangler.shadow.places import element, member
from strangler.shadow.redacted_text import TextRedactor
from strangler.shadow.secret_names import is_secret_name
from strangler.shadow.secret_patterns import is_placeholder, placeholder
from strangler.shadow.shown import quoted

_DEEPEST = 100


class _Members(list[tuple[str, "_Node"]]):
    """An object with its members in their order, repeated names included."""


_Node = None | bool | str | list["_Node"] | _Members


def _no_number(text: str) -> _Node:
    raise json.JSONDecodeError(f"{text} is no number", text, 0)


_decoder = json.JSONDecoder(object_pairs_hook=_Members, parse_float=Real, parse_int=Real, parse_constant=_no_number)


class JsonRedactor:
    """Redacts documents. Fields are named as those of a comparison are: ``body.items[].note``."""

    def __init__(self, text: TextRedactor, fields: Sequence[str]) -> None:
        self._text = text
        self._exact = frozenset(fields)
        self._starts = tuple(field[:-1] for field in fields if field.endswith("*"))

    def declares(self, field: str) -> bool:
        """Whether the settings say that this field's value is not to be kept."""
        return field in self._exact or field.startswith(self._starts)

    def redact(self, field: str, text: str, *, hidden: bool = False) -> str:
        """A document whose top is the field. ``hidden``: none of its values is kept. Raises ``Unreadable``."""
        try:
            node: _Node = _decoder.decode(text)
        except (json.JSONDecodeError, RecursionError):
            raise Unreadable("not JSON") from None
        parts: list[str] = []
        self._write(node, field, parts, _DEEPEST, hidden=hidden or self.declares(field))
        return "".join(parts)

    def scalar(self, field: str, name: str, value: Column) -> Column:
        """A column of a row."""
        if value is None:
            return None
        if is_secret_name(name) or self.declares(field):
            text = str(value)
            return value if isinstance(value, bool) or is_placeholder(text) else placeholder("secret", len(text))
        if isinstance(value, bool):
            return value
        text = str(value)
        redacted = self._text.redact(text)
        return value if redacted == text else redacted

    def _write(self, node: _Node, field: str, parts: list[str], deeper: int, *, hidden: bool) -> None:
        if isinstance(node, list):
            if deeper == 0:
                parts.append(f'"{placeholder("nested", len(node))}"')
            elif isinstance(node, _Members):
                self._write_members(node, field, parts, deeper, hidden=hidden)
            else:
                self._write_elements(node, field, parts, deeper, hidden=hidden)
        elif isinstance(node, str):
            parts.append(self._written(node, hidden=hidden))
        else:
            parts.append(json.dumps(node))

    def _written(self, text: str, *, hidden: bool) -> str:
        """A text or a number; what is left of a number that was redacted is a text."""
        if hidden:
            redacted = text if is_placeholder(text) or not text else placeholder("secret", len(text))
        else:
            redacted = self._text.redact(text)
        return text if isinstance(text, Real) and redacted == text else quoted(redacted)

    def _write_members(self, node: _Members, field: str, parts: list[str], deeper: int, *, hidden: bool) -> None:
        parts.append("{")
        names: set[str] = set()
        for index, (name, value) in enumerate(node):
            kept = self._text.redact(name)
            if kept != name:  # Two addresses of one length are still two members.
                kept = next(
                    one for one in (kept, *(f"{kept}#{n}" for n in range(2, len(node) + 3))) if one not in names
                )
                names.add(kept)
            parts.append(f"{', ' if index else ''}{quoted(kept)}: ")
            place = member(field, name)
            hide = hidden or is_secret_name(name) or self.declares(place)
            self._write(value, place, parts, deeper - 1, hidden=hide)
        parts.append("}")

    def _write_elements(self, node: list[_Node], field: str, parts: list[str], deeper: int, *, hidden: bool) -> None:
        parts.append("[")
        place = element(field)
        hide = hidden or self.declares(place)
        for index, value in enumerate(node):
            if index:
                parts.append(", ")
            self._write(value, place, parts, deeper - 1, hidden=hide)
        parts.append("]")
