"""What an application has not read of a request's body, read and thrown away, so that the connection can be used again.

gunicorn does so for 64 KiB; with more on the way it closes a connection that it has just called keep-alive, and a proxy
that sends its next request at that moment loses it.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

MAX_BYTES = 8 * 1024 * 1024
"""Whoever sends more than that in vain loses the connection."""
_CHUNK = 64 * 1024


def read_leftovers_wsgi(app: Callable[..., Iterable[bytes]]) -> Callable[..., Iterable[bytes]]:
    """Wrap a WSGI application whose server ends the input stream (`wsgi.input_terminated`)."""

    def wrapped(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        answer = app(environ, start_response)
        has_body = environ.get("CONTENT_LENGTH") not in {None, "", "0"} or "HTTP_TRANSFER_ENCODING" in environ
        return _Answer(answer, environ["wsgi.input"]) if has_body else answer

    return wrapped


class _Answer:
    """An answer after which, once it is sent, the rest of the request is read."""

    def __init__(self, answer: Iterable[bytes], body: Any) -> None:
        self._answer = answer
        self._body = body

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._answer)

    def close(self) -> None:
        try:
            if (close := getattr(self._answer, "close", None)) is not None:
                close()
        finally:
            left = MAX_BYTES
            while left > 0 and (chunk := self._body.read(_CHUNK)):
                left -= len(chunk)
