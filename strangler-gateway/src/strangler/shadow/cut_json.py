"""The beginning of a JSON document as a document: what was complete before the cut, with its brackets closed."""

import re

from strangler.shadow.exact import Unreadable, Value, read_json

_TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)|[\[\]{},]', re.DOTALL)
_CLOSING = {"[": "]", "{": "}"}


def read_beginning(text: str) -> tuple[Value, frozenset[int]]:
    """What stands whole in the beginning of a document, and the ``id()`` of each container that would have gone on.

    Raises ``Unreadable`` if not even its beginning is JSON, or nothing stands whole in it.
    """
    end, open_there = _last_whole(text)
    if not open_there:
        raise Unreadable("not JSON that can be cut: no array and no object is open where it ends")
    value = read_json(text[:end] + "".join(_CLOSING[bracket] for bracket in reversed(open_there)))
    return value, _on_the_edge(value, len(open_there))


def _last_whole(text: str) -> tuple[int, str]:
    """The last position at which everything before it is whole, and the brackets that are open there."""
    stack: list[str] = []
    end, depth = 0, 0
    for found in _TOKEN.finditer(text):
        mark = found.group()
        if mark == ",":
            end, depth = found.start(), len(stack)
        elif mark in _CLOSING:
            stack.append(mark)
            end, depth = found.end(), len(stack)
        elif mark in {"]", "}"}:
            if not stack or _CLOSING[stack.pop()] != mark:
                raise Unreadable(f"not JSON at character {found.start()}: a bracket closes that is not open")
            end, depth = found.end(), len(stack)
    return end, "".join(stack[:depth])


def _on_the_edge(value: Value, depth: int) -> frozenset[int]:
    """The containers that were open: the document, and the last of each down to ``depth``."""
    edge = []
    for _ in range(depth):
        if not isinstance(value, list | dict):
            break
        edge.append(id(value))
        if not value:
            break
        value = value[-1] if isinstance(value, list) else value[next(reversed(value))]
    return frozenset(edge)
