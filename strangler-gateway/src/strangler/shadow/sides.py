"""One side's answer, read as far as it is needed: headers by name, content, and what document that is."""

import codecs
from enum import Enum

from strangler.shadow.answer import Answer, Fields
from strangler.shadow.content import Content, decoded
from strangler.shadow.cut_json import read_beginning
from strangler.shadow.exact import Unreadable, Value, read_json
from strangler.shadow.media_types import MediaType, media_type

_CHARSETS = frozenset(("utf-8", "us-ascii", "ascii", "iso-8859-1", "latin-1", "windows-1252", "utf-16", "iso-8859-15"))
"""Some codecs of Python take much longer than a text is long; these do not."""


class Media(Enum):
    """How a content is taken apart."""

    JSON = "JSON"
    FORM = "form"
    TEXT = "text"
    BYTES = "bytes"


class Side:
    """An answer and what has been read of it. ``name`` is ``primary`` or ``candidate``."""

    def __init__(self, name: str, answer: Answer, max_bytes: int) -> None:
        self.name = name
        self.answer = answer
        self.headers = by_name(answer.fields)
        self.type: MediaType = media_type(", ".join(self.headers.get("content-type", ())))
        self.media = media_of(self.type)
        self.cut_containers: frozenset[int] = frozenset()
        """Containers of the JSON document that would have gone on after the cut."""
        self._max_bytes = max_bytes
        self._content: Content | None = None
        self._json: Value | Unreadable | None = None
        self._json_read = False

    @property
    def codings(self) -> str:
        """The content codings, as a list of RFC 9110."""
        return ",".join(self.headers.get("content-encoding", ()))

    @property
    def content(self) -> Content:
        """The body without its codings, within the bound."""
        if self._content is None:
            self._content = decoded(self.answer.body, self.codings, self._max_bytes)
        return self._content

    def json(self) -> Value:
        """The content as JSON, or its beginning if it was cut. Raises ``Unreadable``."""
        if not self._json_read:
            self._json_read = True
            try:
                self._json = self._read()
            except Unreadable as error:
                self._json = error
        if isinstance(self._json, Unreadable):
            raise self._json
        return self._json

    def _read(self) -> Value:
        if self.content.trouble:
            raise Unreadable(self.content.trouble)
        text = unicode_of(self.content.data, "utf-8", whole=not self.content.cut)
        if not self.content.cut:
            return read_json(text)
        value, self.cut_containers = read_beginning(text)
        return value

    def text(self) -> str:
        """The content as text in its charset, UTF-8 if none is given. Raises ``Unreadable``."""
        return unicode_of(self.content.data, charset_of(self.type), whole=not self.content.cut)


def by_name(fields: Fields) -> dict[str, list[str]]:
    """Header values by lower-case name, each name's in their order, without white space around."""
    values: dict[str, list[str]] = {}
    for name, value in fields:
        values.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1").strip(" \t"))
    return values


def charset_of(kind: MediaType) -> str:
    """The charset of a text, UTF-8 if none is given. Raises ``Unreadable`` for one that is not read here."""
    charset = kind.parameter("charset").lower() or "utf-8"
    if charset not in _CHARSETS:
        raise Unreadable(f"text in the charset {charset[:20]!r}")
    return charset


def unicode_of(data: bytes, charset: str, *, whole: bool) -> str:
    """The text; half of a character at the end is left out unless the text is whole. Raises ``Unreadable``."""
    try:
        return codecs.getincrementaldecoder(charset)().decode(data, whole)
    except UnicodeError as error:
        raise Unreadable(f"not {charset}: {error}") from None


def media_of(kind: MediaType) -> Media:
    """How content of that type is taken apart."""
    name = kind.name
    if name == "application/json" or name.endswith("+json"):
        return Media.JSON
    if name == "application/x-www-form-urlencoded":
        return Media.FORM
    if name.startswith("text/") or name.endswith(("/xml", "+xml", "/javascript", "/x-ndjson", "/jsonl", "/yaml")):
        return Media.TEXT
    return Media.BYTES
