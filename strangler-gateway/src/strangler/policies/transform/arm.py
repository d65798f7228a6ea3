"""All that is changed between a route and one of its arms, compiled: what goes to the arm, and what comes back."""

from collections.abc import Sequence
from typing import Protocol
from urllib.parse import parse_qsl

from strangler.http1.fields import Fields
from strangler.http1.request import RequestHead
from strangler.http1.response import NO_LENGTH, ResponseHead, has_body
from strangler.model.transform import JsonShaping, JsonVariant, Transform
from strangler.policies.transform.cookies import Cookies
from strangler.policies.transform.fields import changes
from strangler.policies.transform.location import Authority, Locations
from strangler.policies.transform.path import rewriter
from strangler.policies.transform.shape import Shape, Unshapeable
from strangler.policies.transform.shaping import Lines, Shaping, block, is_encoded, is_json, reshaped, value_of
from strangler.policies.transform.values import Facts
from strangler.telemetry.families.policies import LOCATIONS, SHAPED
from strangler.telemetry.meters import Meters

LOCATED = frozenset((b"content-location", b"location", b"refresh"))
_WHOLE = frozenset((200, 201, 202, 203))
"""Statuses whose content is a whole document that the arm means (RFC 9110 §15.3)."""
_NEGOTIATED = frozenset((b"accept-encoding", b"if-range", b"range"))
_PLAIN = b"\r\nAccept-Encoding: identity"


class Ids(Protocol):
    """How a request is called."""

    @property
    def request_id(self) -> bytes:
        """In the log and in both heads."""


class Asked(Protocol):
    """A request that is under way; the data plane's exchange is one."""

    head: RequestHead
    client: str
    endpoint: str
    """The authority that it was sent to."""

    @property
    def ids(self) -> Ids:
        """How it is called."""

    @property
    def bodiless(self) -> bool:
        """Whether the answer has no content whatever its head says."""


class ArmTransform:
    """The changes of one arm of one route."""

    __slots__ = (
        "_arm",
        "_cookies",
        "_dropped",
        "_json",
        "_labels",
        "_locations",
        "_meters",
        "_path",
        "_request",
        "_response",
        "_route",
        "asks",
        "every_answer",
        "rewrites_path",
    )  # fmt: skip

    def __init__(
        self,
        transform: Transform,
        *,
        route: str,
        route_path: str,
        arm: str,
        endpoints: Sequence[Authority],
        meters: Meters,
    ) -> None:
        self._route = route.encode()
        self._arm = arm.encode()
        self._path = rewriter(transform.path, route_path) if transform.path is not None else None
        self._request = changes(transform.request)
        self._response = changes(transform.response)
        self._json = _Json(transform.json, route, arm, meters) if transform.json is not None else None
        self._locations = Locations(endpoints, self._path) if transform.locations else None
        self._meters = meters
        self._labels = (route, arm)
        cookies = transform.cookies
        self._cookies = Cookies(cookies) if cookies.domains or cookies.paths else None
        self._dropped: dict[tuple[frozenset[bytes], bool], frozenset[bytes]] = {}
        self.rewrites_path = self._path is not None
        self.asks = self._path is not None or self._request is not None or self._json is not None
        """Whether anything of a request is changed."""
        self.every_answer = self._response is not None or self._json is not None or self._cookies is not None
        """Whether any answer can be changed, not only those that say where something is."""

    # Towards the arm

    def target(self, head: RequestHead) -> bytes:
        """What the arm is asked for; the query stays. Raises ``RequestRefused``."""
        if self._path is None or not head.path.startswith(b"/"):
            return head.target
        return self._path.forward(head.path) + head.target[len(head.path) :]

    def outgoing(self, asked: Asked, dropped: frozenset[bytes], added: bytes) -> tuple[frozenset[bytes], bytes]:
        """The names of fields to leave out of the request, and the block to add, beside those given."""
        plain = self._json is not None and self._json.shape_for(asked.head) is not None
        if plain:
            added += _PLAIN
        if self._request is not None:
            added += self._request.block(self._facts(asked))
        return self._left_out(dropped, plain=plain), added

    def _left_out(self, dropped: frozenset[bytes], *, plain: bool) -> frozenset[bytes]:
        found = self._dropped.get((dropped, plain))
        if found is None:
            found = dropped | (_NEGOTIATED if plain else frozenset())
            if self._request is not None:
                found |= self._request.dropped
            self._dropped[dropped, plain] = found
        return found

    # And back

    def answer(self, asked: Asked, head: ResponseHead) -> Shaping | None:
        """Change the head of an answer; what collects its content if that is to be shaped. Raises ``Unshapeable``."""
        fields = Fields(head.fields + b"\r\n\r\n")
        lines: Lines = list(zip(fields.names, fields.lines, strict=True))
        if self._locations is not None or self._cookies is not None:
            lines = [(name, self._readdressed(name, line, asked)) for name, line in lines]
        added = b""
        if self._json is not None:
            added = self._json.vary(lines)
        if self._response is not None:
            lines = [(name, line) for name, line in lines if name not in self._response.dropped]
            added += self._response.block(self._facts(asked))
        head.fields = block(lines) + added
        if self._json is None:
            return None
        return self._json.begin(asked, head, lines, added)

    def _readdressed(self, name: bytes, line: bytes, asked: Asked) -> bytes:
        old = value_of(name, line)
        new = old
        if self._locations is not None and name in LOCATED:
            new = self._locations.rewrite(name, old, asked.head.host, asked.endpoint.encode())
            if new != old:
                self._meters.of(LOCATIONS, *self._labels).value += 1
        elif self._cookies is not None and name == b"set-cookie":
            new = self._cookies.rewrite(old)
        return line if new == old else line[: len(name) + 1] + b" " + new

    def _facts(self, asked: Asked) -> Facts:
        head = asked.head
        return Facts(
            arm=self._arm,
            client_address=asked.client.encode(),
            host=head.host,
            path=head.path,
            request_id=asked.ids.request_id,
            route=self._route,
        )


class _Variant:
    """A shape with the condition under which it is used."""

    __slots__ = ("_header", "_query", "_values", "shape")

    def __init__(self, variant: JsonVariant) -> None:
        self.shape = Shape(variant.shape)
        self._header = variant.header.encode()
        self._query = variant.query
        self._values = frozenset(variant.values)

    def takes(self, head: RequestHead) -> bool:
        if self._header:
            return any(value.decode("latin-1") in self._values for value in head.fields.values(self._header))
        pairs = parse_qsl(head.query.decode("latin-1"), keep_blank_values=True)
        return any(name == self._query and value in self._values for name, value in pairs)


class _Json:
    """The shapes of one arm."""

    def __init__(self, shaping: JsonShaping, route: str, arm: str, meters: Meters) -> None:
        self._default = Shape(shaping.shape) if shaping.shape is not None else None
        self._variants = tuple(_Variant(variant) for variant in shaping.variants)
        self._headers = tuple(dict.fromkeys(variant.header.encode() for variant in shaping.variants if variant.header))
        self._max_bytes = shaping.max_bytes
        self._refuses = shaping.otherwise == "refuse"
        self._meters = meters
        self._labels = (route, arm)

    def shape_for(self, head: RequestHead) -> Shape | None:
        """The shape of the answer to a request; None for the application's own."""
        return next((variant.shape for variant in self._variants if variant.takes(head)), self._default)

    def vary(self, lines: Lines) -> bytes:
        """The block that tells caches by which headers an answer was chosen, as far as it is not said already."""
        told = b",".join(value_of(name, line) for name, line in lines if name == b"vary").lower()
        known = {name.strip(b" \t") for name in told.split(b",")}
        missing = [] if b"*" in known else [name for name in self._headers if name not in known]
        return b"\r\nVary: " + b", ".join(missing) if missing else b""

    def begin(self, asked: Asked, head: ResponseHead, lines: Lines, added: bytes) -> Shaping | None:
        """What collects the content; None if there is nothing to shape. Raises ``Unshapeable``."""
        shape = self.shape_for(asked.head)
        if shape is None or not (200 <= head.status < 300 or head.status == 304):
            return None
        if not has_body(head, bodiless=asked.bodiless):
            if head.status == 304 or (is_json(lines) and not is_encoded(lines)):
                # What is said of the content is said of that which a GET would get.
                head.fields = block(reshaped(lines)) + added
                head.length = NO_LENGTH if head.length else head.length
            return None
        reason = self._obstacle(head, lines)
        if reason:
            self._count(reason)
            if self._refuses:
                raise Unshapeable(reason, "the answer cannot be brought into the shape that the route asks for")
            return None
        return Shaping(
            head,
            shape,
            lambda: block(reshaped(lines)) + added,
            max_bytes=self._max_bytes,
            refuses=self._refuses,
            count=self._count,
        )

    def _obstacle(self, head: ResponseHead, lines: Lines) -> str:
        if head.status not in _WHOLE:
            return "partial"
        if not is_json(lines):
            return "not_json"
        if is_encoded(lines):
            return "encoded"
        return "too_large" if head.length > self._max_bytes else ""

    def _count(self, outcome: str) -> None:
        self._meters.of(SHAPED, *self._labels, outcome).value += 1
