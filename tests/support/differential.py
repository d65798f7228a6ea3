"""Whether everybody reads alike what the gateway passes on: to applications, and to clients."""

import re
from collections.abc import Sequence

from support import answer_readers, readers
from support.answer_readers import ReadAnswer
from support.nginx import Nginx
from support.raw_http import RawUpstream
from support.readers import ReaderRefuses, Reading

_HEAD = re.compile(rb"[A-Z-]+ [^ ]+ HTTP/1\.1\r\n(?:[^\r\n\0]+\r\n)*\r\n")


def as_applications_read(upstream: RawUpstream, nginx: Nginx | None = None) -> list[Reading]:
    """What each of the upstream's connections carried, on which all readers agree. Raises ``AssertionError``.

    A request that was cut short is none, and is the last of its connection.
    """
    return [
        agreed(bytes(conversation.received), [message.raw for message in conversation.messages], nginx)
        for conversation in upstream.conversations
        if conversation.received
    ]


def agreed(data: bytes, strictly: list[bytes], nginx: Nginx | None = None) -> Reading:
    """What all readers find in ``data``, of which ``strictly`` are the requests that the test's own reader found."""
    for raw in strictly:
        head = raw[: raw.index(b"\r\n\r\n") + 4]
        assert _HEAD.fullmatch(head), f"a bare CR or LF, NUL, or no head at all: {head!r}"
    whole = b"".join(strictly)
    assert data.startswith(whole)
    read = readers.by_h11(data)
    assert len(read) == len(strictly), f"h11 finds {len(read)} requests, not {len(strictly)}: {data!r}"
    assert readers.by_llhttp(data) == read
    # Gunicorn takes a body that was cut short for a whole one, and nginx waits for its rest.
    assert readers.by_gunicorn(whole) == read
    if nginx is not None and whole:
        found = nginx.read(whole)
        assert found == [asked.core for asked in read][: len(found)]
        assert len(found) == len(read) or readers.refused_by_nginx(read[len(found)].method, read[len(found)].target)
    return read


def as_clients_read(data: bytes, methods: Sequence[str]) -> list[ReadAnswer]:
    """The answers to requests with these methods, on which all clients agree. Raises ``AssertionError``."""
    first, *others = answer_readers.CLIENTS
    read = first(data, methods)
    for client in others:
        assert client(data, methods) == read, f"{client.__name__} and {first.__name__} differ on {data!r}"
    return read


def no_client_finds_an_end(data: bytes, methods: Sequence[str]) -> bool:
    """Whether every client sees that the answers are cut short."""
    for client in answer_readers.CLIENTS:
        try:
            client(data, methods)
        except ReaderRefuses:
            continue
        return False
    return True
