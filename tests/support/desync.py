"""Sends something doubtful through the gateway, markers behind it on both sides, and judges that all kept step."""

import contextlib
import re
from dataclasses import dataclass

from support.bench import Bench
from support.differential import as_applications_read, as_clients_read
from support.nginx import Nginx
from support.raw_http import Client, RawUpstream, request

MARKER = request("GET", "/marker", "Connection: close")
REUSED = request("GET", "/reused")
_ANSWERS = re.compile(rb"HTTP/1\.1 [0-9]{3} ")
LONGEST_WAIT = 0.1
"""Seconds for the gateway to go on, where it may wait for more of what it was sent."""
LATE = 10.0
"""Seconds for answers that must come, on a busy machine."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of what was sent."""

    targets: tuple[bytes, ...]
    """Of the requests that the application got whole, in their order; the marker's may be the last."""
    statuses: tuple[int, ...]
    """Of the answers that the client got."""
    begun: bytes
    """Everything that the application got."""


def probe(bench: Bench, sent: bytes, nginx: Nginx | None = None) -> Outcome:
    """Send it, with a marker behind it. Raises ``AssertionError`` if

    - two readers differ on what the application or the client got, or a NUL or a bare CR or LF is in a head,
    - an answer is not that of its own request, or is missing, or is one too many,
    - another client, which gets the same connection to the application, does not get its own answer.
    """
    with bench.upstream() as upstream, bench.client() as client:
        with contextlib.suppress(ConnectionError):  # It may be refused before its last byte.
            client.send(sent + MARKER)
        _take_all(client)
        assert bench.ask(REUSED).body == b"/reused", f"another client's answer, behind {sent!r}"
        if len(_ANSWERS.findall(client.received)) < len(upstream.requests) - 1:
            _take_all(client, LATE)  # They are on their way: what was passed on before has been answered.
        as_applications_read(upstream, nginx)
        return _judge(upstream, bytes(client.received), sent)


def _take_all(client: Client, longest: float = LONGEST_WAIT) -> None:
    client.socket.settimeout(longest)
    with contextlib.suppress(TimeoutError):
        client.rest()


def _judge(upstream: RawUpstream, received: bytes, sent: bytes) -> Outcome:
    *asked, last = upstream.requests
    assert last.target == b"/reused"
    methods = [message.method.decode() for message in asked]
    own = len(_ANSWERS.findall(received)) - len(asked)
    assert own in {0, 1}, f"{len(asked)} requests were passed on, but {own:+d} more answered: {sent!r}: {received!r}"
    # A refusal of a HEAD has no content, but its length; of what could not be read as one, it has.
    refused = "HEAD" if received.endswith(b"\r\n\r\n") else "GET"
    answers = as_clients_read(received, [*methods, *[refused] * own])
    for message, answer in zip(asked, answers, strict=False):
        assert answer.status == 200
        assert answer.body == (b"" if message.method == b"HEAD" else message.target)
    if own:
        assert answers[-1].status >= 400
        assert (b"connection", b"close") in answers[-1].fields
    targets = tuple(message.target for message in asked)
    return Outcome(targets, tuple(answer.status for answer in answers), upstream.received())
