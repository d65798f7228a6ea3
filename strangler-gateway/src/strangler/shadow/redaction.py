"""What of an exchange may be kept: the rest is replaced by its kind and length, before anything touches a disk.

A replacement looks like ``(email:17)``: kind, and length in characters. It needs no escaping in a URL, a header, JSON
or HTML. The same in gives the same out, and what is redacted already stays as it is, so that redacted answers can be
compared with one another.
"""

import re
from dataclasses import replace
from urllib.parse import quote_plus, unquote_plus

from strangler.model.shadow import Redaction
from strangler.shadow.answer import Answer, Fields, Question
from strangler.shadow.comparison import Comparison, Difference
from strangler.shadow.compiled import RuleRefused
from strangler.shadow.content import decoded
from strangler.shadow.effects import Called, Effects, Published, Row, RowWrite
from strangler.shadow.exact import Unreadable
from strangler.shadow.media_types import MediaType, media_type
from strangler.shadow.places import below, member, root
from strangler.shadow.redacted_json import JsonRedactor
from strangler.shadow.redacted_text import TextRedactor
from strangler.shadow.secret_names import is_secret_name
from strangler.shadow.secret_patterns import is_placeholder, placeholder
from strangler.shadow.sides import Media, by_name, charset_of, media_of, unicode_of

_URLS = frozenset((b"location", b"content-location"))
_COOKIES = frozenset((b"cookie", b"set-cookie"))
_QUOTED_OR_PLAIN = re.compile(r'"(?:[^"\\]|\\.)*"|[^.\[\]"]+')


class Redactor:
    """The settings of one route, made ready. Holds nothing of what passes through it."""

    def __init__(self, redaction: Redaction, max_bytes: int = 1024 * 1024) -> None:
        """``max_bytes`` bounds a decoded body; a longer one is replaced as a whole.

        Raises ``RuleRefused`` for a pattern that is no regular expression.
        """
        self._headers = frozenset(name.lower().encode("latin-1", "replace") for name in redaction.headers)
        self._query = frozenset(redaction.query)
        self._max_bytes = max_bytes
        try:
            self._text = TextRedactor([re.compile(pattern) for pattern in redaction.patterns])
        except re.error as error:
            raise RuleRefused(f"redaction: {error.pattern!r} is no regular expression: {error}") from None
        self._json = JsonRedactor(self._text, redaction.fields)

    def question(self, question: Question) -> Question:
        """Target, headers and body redacted. A body that was encoded is kept decoded, without Content-Encoding."""
        body, fields = self._body(question.body, question.fields)
        return Question(question.method, self.target(question.target), self.fields(fields), body)

    def answer(self, answer: Answer) -> Answer:
        """Headers, body and effects redacted; as for a question. JSON stays JSON."""
        body, fields = self._body(answer.body, answer.fields)
        effects = None if answer.effects is None else self.effects(answer.effects)
        return replace(answer, fields=self.fields(fields), body=body, effects=effects)

    def effects(self, effects: Effects) -> Effects:
        """Columns, payloads and arguments as a body's members are; tables, operations, topics and names stay."""
        return Effects(
            tuple(map(self._row_write, effects.rows)),
            tuple(Published(e.topic, self._document(_field_of("events", e.topic), e.payload)) for e in effects.events),
            tuple(
                Called(self.text(c.name), self._document(_field_of("calls", c.name), c.arguments))
                for c in effects.calls
            ),
            effects.complete,
        )

    def comparison(self, comparison: Comparison) -> Comparison:
        """Every difference redacted, and the names of fields everywhere: a document's keys may be somebody's data.

        Redact first, then keep evidence and ledger by the fields of what this returns.
        """
        ignored: dict[str, int] = {}
        for field, count in comparison.ignored.items():
            name = self.text(field)
            ignored[name] = ignored.get(name, 0) + count
        return Comparison(
            tuple(map(self.difference, comparison.differences)),
            comparison.normalised,
            ignored,
            tuple(map(self.text, comparison.cut)),
        )

    def difference(self, difference: Difference) -> Difference:
        """Field, place and both values redacted. A value that was JSON stays JSON."""
        field = difference.field
        hidden = self._is_kept_back(field) if field.startswith("header.") else any(map(is_secret_name, _names(field)))
        return Difference(
            self.text(field),
            self.text(difference.at),
            difference.kind,
            self._shown(field, difference.primary, hidden=hidden),
            self._shown(field, difference.candidate, hidden=hidden),
        )

    def target(self, target: bytes) -> bytes:
        """A request target, or a URL: values of query parameters that are not named are replaced."""
        text, hash_, fragment = target.decode("latin-1").partition("#")
        path, question_mark, query = text.partition("?")
        redacted = self.text(path) + question_mark + "&".join(map(self._parameter, query.split("&")))
        redacted += hash_ + "&".join(map(self._parameter, fragment.split("&")))
        return redacted.encode("latin-1", "replace")

    def fields(self, fields: Fields) -> Fields:
        """Headers in their order; values of those that are not named are replaced."""
        return tuple((self._header_name(name), self._header(name.lower(), value)) for name, value in fields)

    def text(self, text: str) -> str:
        """Any text: whatever a pattern finds in it is replaced, escaped or not."""
        return self._text.redact(text)

    def _header_name(self, name: bytes) -> bytes:
        return name if name.lower() in self._headers else self._latin(name)

    def _header(self, name: bytes, value: bytes) -> bytes:
        if name in self._headers:
            return self.target(value) if name in _URLS else self._latin(value)
        if name in _COOKIES:
            return self._cookie(value.decode("latin-1"), answers=name == b"set-cookie").encode("latin-1", "replace")
        if is_placeholder(value.decode("latin-1")):
            return value
        return placeholder("value", len(value)).encode()

    def _latin(self, value: bytes) -> bytes:
        return self.text(value.decode("latin-1")).encode("latin-1", "replace")

    def _cookie(self, value: str, *, answers: bool) -> str:
        """Names, and what Set-Cookie says besides; no value."""
        parts = value.split(";")
        pairs = 1 if answers else len(parts)
        return ";".join([*map(self._without_value, parts[:pairs]), *map(self.text, parts[pairs:])])

    def _without_value(self, pair: str) -> str:
        name, equals, value = pair.partition("=")
        if not equals:
            return name if is_placeholder(name.strip()) else placeholder("value", len(name))
        return f"{self.text(name)}={value if is_placeholder(value) or not value else placeholder('value', len(value))}"

    def _parameter(self, pair: str) -> str:
        name, equals, value = pair.partition("=")
        if not equals:
            plain = not pair or pair in self._query or is_placeholder(pair)
            return pair if plain else placeholder("value", len(unquote_plus(pair)))
        if unquote_plus(name) in self._query:
            return f"{name}={self.text(value)}"
        kept = not value or is_placeholder(value)
        return f"{self.text(name)}={value if kept else placeholder('value', len(unquote_plus(value)))}"

    def _body(self, body: bytes, fields: Fields) -> tuple[bytes, Fields]:
        """The body redacted, and the headers that go with it."""
        if not body:
            return body, fields
        headers = by_name(fields)
        content = decoded(body, ",".join(headers.get("content-encoding", ())), self._max_bytes)
        fields = tuple(pair for pair in fields if pair[0].lower() != b"content-encoding")
        kind = media_type(", ".join(headers.get("content-type", ())))
        media = media_of(kind) if kind.name else Media.JSON
        try:
            if content.cut or content.trouble:
                raise Unreadable("not whole")
            return self._content(media, content.data, kind), fields
        except Unreadable:
            whole = placeholder("body", len(body))
            return (f'"{whole}"' if media is Media.JSON else whole).encode(), fields

    def _content(self, media: Media, data: bytes, kind: MediaType) -> bytes:
        """Raises ``Unreadable`` for what cannot be looked into."""
        if media is Media.JSON:
            text = unicode_of(data, "utf-8", whole=True)
            try:
                return self._json.redact("body", text).encode()
            except Unreadable:
                return self.text(text).encode()
        if media is Media.FORM:
            return "&".join(map(self._form_field, unicode_of(data, "latin-1", whole=True).split("&"))).encode("latin-1")
        if media is Media.TEXT:
            charset = charset_of(kind)
            return self.text(unicode_of(data, charset, whole=True)).encode(charset, "replace")
        raise Unreadable("bytes")

    def _form_field(self, pair: str) -> str:
        name, equals, value = pair.partition("=")
        plain = unquote_plus(value)
        field = member("body", unquote_plus(name))
        if value and (is_secret_name(unquote_plus(name)) or self._json.declares(field)):
            return f"{self.text(name)}={value if is_placeholder(plain) else placeholder('secret', len(plain))}"
        redacted = self.text(plain)
        return f"{self.text(name)}{equals}{value if redacted == plain else quote_plus(redacted, safe='():')}"

    def _document(self, field: str, text: str) -> str:
        try:
            return self._json.redact(field, text)
        except Unreadable:
            return self.text(text)

    def _shown(self, field: str, value: str, *, hidden: bool) -> str:
        """A value of a difference: JSON as a rule."""
        if not value:
            return value
        try:
            return self._json.redact(field, value, hidden=hidden)
        except Unreadable:
            return placeholder("value", len(value)) if hidden else self.text(value)

    def _is_kept_back(self, field: str) -> bool:
        """Whether it is a header that is not named. What is told of cookies has no value in it."""
        name = field.removeprefix("header.")
        return not name.startswith("set-cookie") and name.encode("latin-1", "replace") not in self._headers

    def _row_write(self, row: RowWrite) -> RowWrite:
        field = member(member("effects.rows", row.table), row.operation)
        return replace(row, key=self._columns(field, row.key), after=self._columns(field, row.after))

    def _columns(self, field: str, row: Row) -> Row:
        return tuple((name, self._json.scalar(member(field, name), name, value)) for name, value in row)


def _field_of(what: str, name: str) -> str:
    """The field of an event's payload, or of a call's arguments."""
    return below(root("effects"), f"effects.{what}", name)[1]


def _names(field: str) -> list[str]:
    """The names of members in a field: without what it is a part of, and without table and operation."""
    parts = [part.strip('"') for part in _QUOTED_OR_PLAIN.findall(field)]
    return parts[4:] if parts[:2] == ["effects", "rows"] else parts[1:]
