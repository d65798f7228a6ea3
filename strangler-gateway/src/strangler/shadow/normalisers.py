"""Differences between frameworks that are known: their names, and what each makes equal."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Normaliser:
    """One known difference. ``Comparison.normalised`` counts under its name what it made equal."""

    name: str
    """As in ``strangler.model.shadow.KNOWN_DIFFERENCES``."""
    description: str
    """What it makes equal, and what it does not: one or two sentences for an operator."""
    primary: str
    """An example: how one side says it."""
    candidate: str
    """How the other says the same."""


NORMALISERS: tuple[Normaliser, ...] = (
    Normaliser(
        "array-order-among-ties",
        "The same elements in another order, where both orders are sorted by a member that the request names "
        "(`?sort=price`) or that is seen to rise or fall, and only elements that are alike in it have changed places.",
        '[{"id": 1, "price": 5}, {"id": 2, "price": 5}, {"id": 3, "price": 7}]',
        '[{"id": 2, "price": 5}, {"id": 1, "price": 5}, {"id": 3, "price": 7}]',
    ),
    Normaliser(
        "charset",
        "A `charset` of UTF-8 beside a type that has no other: JSON, CSV, JavaScript, event streams.",
        "Content-Type: application/json",
        "Content-Type: application/json; charset=utf-8",
    ),
    Normaliser(
        "date-format",
        "The same point in time in another format: RFC 3339, a blank in place of the `T`, without a zone (taken for "
        "UTC), in another zone, as HTTP writes it, which has midnight in place of a day. Readers that know one format "
        "only do tell the difference.",
        "2026-01-31T09:30:00Z",
        "2026-01-31 09:30:00",
    ),
    Normaliser(
        "date-notation",
        "The same point in time in the same format, but for `Z` or `+00:00`, and zeros at the end of its fraction.",
        "2026-01-31T09:30:00Z",
        "2026-01-31T09:30:00.000000+00:00",
    ),
    Normaliser(
        "error-envelope",
        "The bodies of two errors (400 and above, of one class) in different forms: a problem of RFC 9457, `detail`, "
        "`error`, a page, nothing; with them the `Allow` of a 405. Errors in one form are compared member by member "
        "all the same, and statuses always.",
        '{"detail": "Not Found"}',
        "<h1>Not Found</h1>",
    ),
    Normaliser(
        "head-refused",
        "405 to a HEAD that the other side answers, and not with a 5xx.",
        "HEAD → 200",
        "HEAD → 405",
    ),
    Normaliser(
        "header-notation",
        "Another way to write the same header: the order of a list that has none (`Vary`, `Allow`, `Cache-Control`), "
        "blanks, lists over several lines, names in another case, a `Location` with or without the client's own host; "
        "a `Content-Type` where there is no content (204).",
        "Vary: Cookie, Accept",
        "Vary: accept,cookie",
    ),
    Normaliser(
        "json-key-order",
        "The members of an object in another order, which no reader may rely on.",
        '{"id": 7, "name": "Oak chair"}',
        '{"name": "Oak chair", "id": 7}',
    ),
    Normaliser(
        "null-or-absent",
        "A member that is null on one side and not there on the other.",
        '{"id": 7, "note": null}',
        '{"id": 7}',
    ),
    Normaliser(
        "number-or-text",
        "The same number as an integer, with a fraction, or as text. Two texts are compared as texts.",
        '{"amount": "1.00"}',
        '{"amount": 1.0}',
    ),
    Normaliser(
        "server-headers",
        "What the server writes about itself: `Date`, `Server`, `Server-Timing`, `Via`, `X-Powered-By`, "
        "`X-Process-Time`, `X-Runtime`; the value and `Expires` of a cookie, not its name and other attributes.",
        "Server: gunicorn",
        "Server: uvicorn",
    ),
    Normaliser(
        "trailing-slash-redirect",
        "Two redirects to the path that was asked for with, or without, a slash at its end: 301, 302, 303, 307 or 308, "
        "relative or absolute, with the client's host or the application's own.",
        "301, Location: /orders/",
        "307, Location: http://127.0.0.1:8000/orders/",
    ),
    Normaliser(
        "validation-status",
        "400 on one side and 422 on the other. Bodies are compared all the same.",
        "400",
        "422",
    ),
)
"""All, in the order of their names."""

DECLARED: tuple[tuple[str, str], ...] = (
    ("array-rule", "Elements in another order, of an array that is declared to be a set, or compared by a key."),
    ("generated", "Identifiers that stand for each other, of fields declared to be generated; texts that hold them."),
    ("tolerance", "Numbers, or times, that are no further apart than is declared for their field."),
)
"""What makes values equal because the route declares it, by the names under which that is counted."""
