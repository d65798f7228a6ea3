"""How a route's answers are compared: what is mirrored, what counts as a difference, and how sure a verdict must be."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from strangler.model.authentication import Secret

KNOWN_DIFFERENCES = (
    "array-order-among-ties",
    "charset",
    "date-format",
    "date-notation",
    "error-envelope",
    "head-refused",
    "header-notation",
    "json-key-order",
    "null-or-absent",
    "number-or-text",
    "server-headers",
    "trailing-slash-redirect",
    "validation-status",
)
"""Names of the normalisers for what Flask, Django and FastAPI are known to do differently; ``strangler.shadow`` has
them. A route uses those that it names."""
HARMLESS = ("charset", "date-notation", "header-notation", "json-key-order", "server-headers")
"""Those in use where nothing is said: no client that reads HTTP and JSON by their standards can tell the difference."""


class Heading(StrEnum):
    """What became of one request of a shadowed route. Each ends under exactly one; the values are stable."""

    EQUIVALENT = "equivalent"
    """Compared: nothing differs but what is ignored or noise."""
    DIFFERENT = "different"
    """Compared: at least one field differs."""

    NOT_SAMPLED = "not_sampled"
    KILLED = "killed"
    """The route is killed: the service is not asked for anything."""
    UNSAFE = "unsafe_method"
    """A write, on a route that does not shadow them."""
    BY_SERVICE = "answered_by_service"
    """A canary that was answered by the service, so that there is nothing to compare it with."""
    REFUSED = "refused"
    """No arm was asked: a limit, a policy or a hold of the route answered, or the client left before."""
    UPGRADE = "upgrade"
    STREAMING = "streaming"
    """An event stream, or another answer that has no end in sight."""
    REQUEST_TOO_LARGE = "request_over_cap"
    ANSWER_TOO_LARGE = "answer_over_cap"
    PRIMARY_FAILED = "primary_failed"
    """The monolith gave no answer, or it or the client left in the middle of that."""
    QUEUE_FULL = "queue_full"
    """The comparator does not keep up: as many exchanges wait in the worker as may."""
    NO_COMPARATOR = "no_comparator"
    """It is not there, and the worker does not keep exchanges for it."""

    TOO_OLD = "too_old"
    """It waited longer in the comparator than the route allows: the data may have changed since."""
    RATE_CAPPED = "rate_capped"
    """The candidate is asked as often as the route allows already."""
    CANDIDATE_TIMEOUT = "candidate_timeout"
    CANDIDATE_UNREACHABLE = "candidate_unreachable"
    CANDIDATE_TOO_LARGE = "candidate_over_cap"
    NOT_ISOLATED = "candidate_not_isolated"
    """A shadowed write that the service did not confirm to have rolled back; no more of the route are mirrored."""
    NO_EFFECTS = "effects_not_reported"
    """A shadowed write whose effects the monolith did not report, or not wholly."""
    LOCKED = "rows_locked"
    """A shadowed write that would have had to wait for a lock."""
    OURS = "error_in_comparator"
    LOST = "comparator_lost"
    """It was in the comparator, or on its way there, when that or its worker died."""
    UNKNOWN = "unknown_heading"
    """A later version of the gateway has counted it, under a heading that this one does not have."""

    @classmethod
    def named(cls, name: str) -> "Heading":
        """The heading of a name in a ledger, which another version may have written."""
        try:
            return cls(name)
        except ValueError:
            return cls.UNKNOWN


COMPARED = frozenset((Heading.EQUIVALENT, Heading.DIFFERENT))
UNANSWERED = frozenset((Heading.CANDIDATE_TIMEOUT, Heading.CANDIDATE_UNREACHABLE, Heading.CANDIDATE_TOO_LARGE))
"""The candidate was asked, and gave no answer that can be compared."""
BY_WORKER = frozenset(
    (
        Heading.NOT_SAMPLED, Heading.KILLED, Heading.UNSAFE, Heading.BY_SERVICE, Heading.REFUSED, Heading.UPGRADE,
        Heading.STREAMING, Heading.REQUEST_TOO_LARGE, Heading.ANSWER_TOO_LARGE, Heading.PRIMARY_FAILED,
        Heading.QUEUE_FULL, Heading.NO_COMPARATOR,
    )
)  # fmt: skip
"""Headings that a worker decides on; the others are the comparator's."""


@dataclass(frozen=True, slots=True)
class Ignored:
    """A field whose differences are not counted, for a reason, and perhaps only for a while."""

    field: str
    """A path of fields, as ``Difference.field`` has them: ``body.items[].updated_at``, ``header.etag``, ``status``;
    a last ``*`` takes everything below."""
    reason: str
    until: str = ""
    """RFC 3339 date from which on it counts again; empty for never."""


@dataclass(frozen=True, slots=True)
class ArrayRule:
    """How the elements of an array find their counterparts."""

    field: str
    """The array's path, such as ``body.items``."""
    by: str = "index"
    """``index``, ``set`` (elements are equal or missing, whatever their order), or ``key``."""
    key: str = ""
    """For ``key``: the member of each element that tells them apart."""


@dataclass(frozen=True, slots=True)
class Comparing:
    """What counts as a difference between two answers."""

    normalise: tuple[str, ...] = HARMLESS
    """Of ``KNOWN_DIFFERENCES``."""
    headers: tuple[str, ...] = (
        "allow", "cache-control", "content-disposition", "content-language", "content-range", "content-type", "etag",
        "last-modified", "link", "location", "retry-after", "set-cookie", "vary", "www-authenticate",
    )  # fmt: skip
    """Lower-case names of the answer's headers that are compared, ``*`` for all; the others are counted as ignored."""
    ignore: tuple[Ignored, ...] = ()
    arrays: tuple[ArrayRule, ...] = ()
    tolerances: tuple[tuple[str, float], ...] = ()
    """Pairs of a field and how far two numbers, or two times in seconds, may be apart in it."""
    generated: tuple[str, ...] = ()
    """Fields that hold identifiers which each side makes for itself: they must stand for each other throughout an
    answer, and are not compared beyond that. Integers are told apart by field; ``body.id as order`` names what they
    count, so that ``body.items[].order_id as order`` must agree with it."""
    max_bytes: int = 2 * 1024 * 1024
    """Most of a content that is taken apart, after decompression; that more was there is told."""
    max_depth: int = 64
    max_values: int = 50_000
    """Values of a document that are visited."""
    max_differences: int = 100
    """Differences that are told of one pair of answers."""


@dataclass(frozen=True, slots=True)
class Redaction:
    """What of an exchange may be kept on disk. All that is not named is replaced by its kind and length."""

    headers: tuple[str, ...] = (
        "accept", "accept-encoding", "accept-language", "allow", "cache-control", "content-encoding",
        "content-language", "content-length", "content-range", "content-type", "date", "etag", "last-modified",
        "location", "retry-after", "vary", "www-authenticate",
    )  # fmt: skip
    """Lower-case names of headers whose values are kept."""
    query: tuple[str, ...] = ("page", "page_size", "limit", "offset", "sort", "order")
    """Query parameters whose values are kept."""
    fields: tuple[str, ...] = ()
    """Fields of a body (paths as in ``Ignored.field``) whose values are replaced, besides those known to be secret."""
    patterns: tuple[str, ...] = ()
    """Regular expressions; what matches is replaced wherever it stands, besides tokens, e-mail and card numbers."""


@dataclass(frozen=True, slots=True)
class Shadow:
    """How one route is shadowed, at stage ``shadow`` and beside ``canary``."""

    sample: float = 1.0
    """The share of its requests that are mirrored."""
    noise: float = 0.05
    """The share of the compared for which the primary is asked again, whether they differ or not. Those that differ are
    asked again in any case."""
    at_most: float = 0.005
    """The share of differing requests that must be ruled out before a route counts as equivalent."""
    alpha: float = 0.001
    """The chance, over all looks at it, that a route is called different though it is not."""
    request_bytes: int = 64 * 1024
    answer_bytes: int = 1024 * 1024
    """Longer bodies are not mirrored."""
    timeout: float = 5.0
    """Seconds for the candidate's answer."""
    max_age: float = 10.0
    """Seconds between the primary's answer and the question to the candidate."""
    rate: float = 100.0
    """Questions per second to the candidate, at most."""
    writes: bool = False
    """Whether unsafe methods are mirrored: their service runs on the chassis, which rolls them back."""
    comparing: Comparing = field(default_factory=Comparing)
    redaction: Redaction = field(default_factory=Redaction)
    samples: int = 20
    """Pairs of answers that are kept per field that differs, the newest."""


SHADOW: Final = Shadow()
"""How a route is shadowed of which nothing is said."""


@dataclass(frozen=True, slots=True)
class Mirroring:
    """What holds for the shadowed routes of a worker together."""

    waiting: int = 2048
    """Exchanges that may wait for the comparator."""
    waiting_bytes: int = 32 * 1024 * 1024
    """Heads and bodies that may, those of requests under way included."""
    secret: Secret | None = None
    """What marks are signed by, for routes that shadow writes."""
