"""JSON documents in another shape. Values that are not looked into are copied as they were written.

So a number keeps every digit, however large, and a text its escapes: nothing is read and written anew but the objects
and lists on the way to a name that is picked, dropped or renamed. Of names that stand twice in such an object the last
counts, as for most readers.
"""

from typing import Final

import msgspec

from strangler.model.notation import read_json_path
from strangler.model.transform import JsonShape

NESTED_LISTS = 8
"""Lists directly within lists that a path goes through."""
_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
_LIST = msgspec.json.Decoder(list[msgspec.Raw])
_ANY = msgspec.json.Decoder(msgspec.Raw)
_encode = msgspec.json.Encoder().encode
_GONE: Final = object()


class Unshapeable(Exception):
    """A document that cannot be brought into the shape; the first word of it says why, for counting."""

    def __init__(self, reason: str, detail: str) -> None:
        self.reason = reason
        self.detail = detail
        super().__init__(f"{reason}: {detail}")


class _Node:
    """What is to be done below and with one name."""

    __slots__ = ("children", "drop", "name", "on_pick", "whole")

    def __init__(self) -> None:
        self.children: dict[str, _Node] = {}
        self.on_pick = False
        """Whether it, or something below it, is picked."""
        self.whole = False
        """Whether all below it is kept."""
        self.drop = False
        self.name = ""
        """Its new name; empty for its own."""

    @property
    def restricts(self) -> bool:
        """Whether only some of its names are kept."""
        return self.on_pick and not self.whole


class Shape:
    """A compiled shape."""

    def __init__(self, shape: JsonShape) -> None:
        self._root = _Node()
        self._root.on_pick = bool(shape.pick)
        for path in shape.pick:
            self._node(path, picked=True).whole = True
        for path in shape.drop:
            self._node(path).drop = True
        for path, name in shape.rename:
            self._node(path).name = name
        self._opening = b"{%b:" % _encode(shape.wrap) if shape.wrap else b""

    def apply(self, document: bytes) -> bytes:
        """The document in this shape. Raises ``Unshapeable``."""
        try:
            shaped = self._shaped(document)
        except (msgspec.DecodeError, RecursionError) as error:
            raise Unshapeable("malformed", str(error)) from None
        return self._opening + shaped + b"}" if self._opening else shaped

    def _node(self, path: str, *, picked: bool = False) -> _Node:
        node = self._root
        for name in read_json_path(path):
            node = node.children.setdefault(name, _Node())
            node.on_pick = node.on_pick or picked
        return node

    def _shaped(self, document: bytes) -> bytes:
        if not self._root.children:
            _ANY.decode(document)  # Wrapped as it is, if it is JSON at all.
            return document
        document = document.strip(b" \t\r\n")
        if document[:1] not in {b"{", b"["}:
            _ANY.decode(document)
            raise Unshapeable("no_object", "it is neither an object nor a list")
        return _encode(_walk(document, self._root, 0))


def _walk(raw: bytes | msgspec.Raw, node: _Node, lists: int) -> object:
    first = bytes(memoryview(raw)[:1])
    if first == b"{":
        return _object(_OBJECT.decode(raw), node)
    if first == b"[":
        if lists == NESTED_LISTS:
            raise Unshapeable("nested", f"it has more than {NESTED_LISTS} lists within one another")
        walked = (_walk(item, node, lists + 1) for item in _LIST.decode(raw))
        return [item for item in walked if item is not _GONE]
    return raw if not node.restricts or first == b"n" else _GONE


def _object(fields: dict[str, msgspec.Raw], node: _Node) -> dict[str, object]:
    children, restricts = node.children, node.restricts
    result: dict[str, object] = {}
    for name, raw in fields.items():
        child = children.get(name)
        value: object = raw
        if child is None:
            if restricts:
                continue
        elif child.drop or (restricts and not child.on_pick):
            continue
        else:
            if child.children:
                value = _walk(raw, child, 0)
                if value is _GONE:
                    continue
            name = child.name or name  # noqa: PLW2901 - it goes on under its new name
        if name in result:
            raise Unshapeable("collision", f"«{name}» would stand twice")
        result[name] = value
    return result
