"""What the three applications of ``support.defaults`` are asked, in this order, and what each pair is known to do
otherwise: the names under which a comparison must count it."""

import itertools
import json
from dataclasses import dataclass, replace
from typing import Any

from strangler.model.shadow import KNOWN_DIFFERENCES, Comparing
from strangler.shadow.answer import Question

FRAMEWORKS = ("flask", "django", "fastapi")
PAIRS = tuple(itertools.permutations(FRAMEWORKS, 2))
EVERYTHING = Comparing(
    normalise=KNOWN_DIFFERENCES,
    generated=("body.code", "body.results[].code"),
)
_TOLERANCES = (("body.added_at", 10.0), ("body.results[].added_at", 1.0))
"""Flask's format has no fractions; and what is made is made by each application at its own moment."""
GOOD = {"title": "New", "subtitle": None, "price": "3.50", "rating": 2.5, "published": "2020-02-03"}
_HOST = ((b"Host", b"books.example"),)
_JSON = ((b"Content-Type", b"application/json"),)
_BOOK = "date-format generated json-key-order", "date-format generated null-or-absent", "generated null-or-absent"


@dataclass(frozen=True, slots=True)
class Row:
    """One request, and for each pair of frameworks the names that are counted.

    ``server-headers`` is not named: each answer of three servers has it, unless the rest is not looked at.
    """

    name: str
    method: str
    target: str
    flask_django: str
    flask_fastapi: str
    django_fastapi: str
    document: Any = None
    perhaps: str = ""
    """Names that depend on the moment."""

    def __str__(self) -> str:
        return self.name

    @property
    def question(self) -> Question:
        document = self.document
        body = document if isinstance(document, bytes) else b"" if document is None else json.dumps(document).encode()
        return Question(self.method.encode(), self.target.encode(), _HOST + (_JSON if body else ()), body)

    def rules(self, pair: tuple[str, str]) -> Comparing:
        """All names switched on; times may be apart where nothing else will do."""
        tolerant = "tolerance" in self.labels(pair) or self.perhaps
        return replace(EVERYTHING, tolerances=_TOLERANCES) if tolerant else EVERYTHING

    def labels(self, pair: tuple[str, str]) -> set[str]:
        """What is counted for a pair, in either order."""
        by_pair = {
            ("flask", "django"): self.flask_django,
            ("flask", "fastapi"): self.flask_fastapi,
            ("django", "fastapi"): self.django_fastapi,
        }
        found = by_pair.get(pair) or by_pair.get((pair[1], pair[0])) or ""
        return set(found.split()) | (set() if "head-refused" in found else {"server-headers"})


def _same(name: str, method: str, target: str, labels: str, **more: Any) -> Row:
    return Row(name, method, target, labels, labels, labels, **more)


def _against_fastapi(name: str, method: str, target: str, alike: str, labels: str, **more: Any) -> Row:
    return Row(name, method, target, alike, labels, labels, **more)


ROWS = (
    Row("a list", "GET", "/books/", "date-format generated json-key-order tolerance",
        "date-format generated json-key-order null-or-absent tolerance",
        "date-notation generated json-key-order null-or-absent"),
    Row("a list with ties", "GET", "/books/?sort=-rating",
        "array-order-among-ties date-format generated json-key-order tolerance",
        "date-format generated json-key-order null-or-absent tolerance",
        "array-order-among-ties date-notation generated json-key-order null-or-absent"),
    Row("a book", "GET", "/books/1/", *_BOOK),
    Row("a moment with a fraction", "GET", "/books/2/", f"{_BOOK[0]} tolerance", f"{_BOOK[1]} tolerance",
        f"{_BOOK[2]} date-notation"),
    Row("a book with all members", "GET", "/books/3/", _BOOK[0], _BOOK[0], "generated json-key-order"),
    Row("decimals and moments of no model", "GET", "/books/summary/", "date-format json-key-order",
        "date-format json-key-order number-or-text", "date-notation number-or-text"),
    Row("a table", "GET", "/books/export.csv", "charset", "", "charset"),
    _same("no such book", "GET", "/books/99/", "error-envelope"),
    _same("no such path", "GET", "/nothing/", "error-envelope"),
    _same("no slash", "GET", "/books", "trailing-slash-redirect"),
    _same("no slash before a query", "GET", "/books/1?full=1", "trailing-slash-redirect"),
    _same("no slash, asked for the head", "HEAD", "/books", "trailing-slash-redirect"),
    _same("a write without slash", "POST", "/books", "trailing-slash-redirect", document=GOOD),
    _against_fastapi("the head of a book", "HEAD", "/books/1/", "", "head-refused"),
    _against_fastapi("the head of a list", "HEAD", "/books/", "", "head-refused"),
    _against_fastapi("the head of no book", "HEAD", "/books/99/", "", "head-refused"),
    _same("a method that a list has not", "DELETE", "/books/", "error-envelope"),
    _same("a method that a book has not", "PATCH", "/books/1/", "error-envelope"),
    _against_fastapi("nothing to add", "POST", "/books/", "error-envelope", "error-envelope validation-status",
                     document={}),
    _against_fastapi("a price that is none", "POST", "/books/", "error-envelope", "error-envelope validation-status",
                     document={"title": "x", "price": "a", "rating": 1, "published": "2020-02-03"}),
    _against_fastapi("half a document", "POST", "/books/", "error-envelope", "error-envelope validation-status",
                     document=b"{"),
    Row("a new book", "POST", "/books/", *_BOOK, document=GOOD, perhaps="tolerance"),
    Row("a changed book", "PUT", "/books/6/", *_BOOK, document={**GOOD, "price": "4.00"}, perhaps="tolerance"),
    _against_fastapi("nothing to change", "PUT", "/books/6/", "error-envelope", "error-envelope validation-status",
                     document={}),
    _same("a change of no book", "PUT", "/books/99/", "error-envelope", document=GOOD),
    _against_fastapi("a book is deleted", "DELETE", "/books/6/", "", "header-notation"),
    _same("a book was deleted", "DELETE", "/books/6/", "error-envelope"),
)  # fmt: skip
"""All that differs here is known."""

FIELDS = {
    "array-order-among-ties": ("body.results",),
    "charset": ("header.content-type",),
    "date-format": ("body.added_at", "body.newest", "body.published", "body.results[].added_at",
                    "body.results[].published", "body.results"),
    "date-notation": ("body.added_at", "body.newest", "body.results[].added_at"),
    "error-envelope": ("body", "header.allow", "header.content-type"),
    "head-refused": ("header.allow", "header.content-type", "status"),
    "header-notation": ("header.allow", "header.content-type"),
    "json-key-order": ("body", "body.results[]"),
    "null-or-absent": ("body.subtitle", "body.results[].subtitle"),
    "number-or-text": ("body.total",),
    "server-headers": ("header.date", "header.server", "header.set-cookie"),
    "trailing-slash-redirect": ("body", "header.content-type", "header.location", "status"),
    "validation-status": ("status",),
}  # fmt: skip
"""Where each name's differences appear when it is switched off; of errors and cookies anything below."""

REAL = (
    (Row("FastAPI knows no OPTIONS", "OPTIONS", "/books/", "header-notation", "", ""), {"status"}),
    (Row("an id that is none is a path to two and a value to one", "GET", "/books/abc/", "error-envelope",
         "error-envelope", "error-envelope"), {"status"}),
    (Row("FastAPI's cookies are for one site", "GET", "/visit/", "", "", ""),
     {"header.set-cookie.visitor.samesite"}),
)  # fmt: skip
"""What no normaliser may hide: FastAPI against each of the others, and the fields that differ."""
