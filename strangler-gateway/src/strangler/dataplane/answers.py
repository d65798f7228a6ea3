"""The answers that the gateway gives itself: problem+json (RFC 9457), never with a word of what lies behind it."""

import json
from http import HTTPStatus


def problem(
    status: int,
    title: str,
    detail: str,
    *,
    request_id: bytes,
    culprit: str,
    close: bool,
    bodiless: bool = False,
    fields: bytes = b"",
) -> bytes:
    """One complete answer, with a block of further ``fields``.

    ``bodiless`` for HEAD: the length is that of the body which GET would get.
    """
    content = json.dumps(
        {
            "type": "about:blank",
            "title": title,
            "status": status,
            "detail": detail,
            "culprit": culprit,
            "request_id": request_id.decode("latin-1"),
        }
    ).encode()
    lines = [
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}",
        "Content-Type: application/problem+json",
        f"Content-Length: {len(content)}",
        "Cache-Control: no-store",
    ]
    if status == HTTPStatus.SERVICE_UNAVAILABLE and b"\r\nRetry-After:" not in fields:
        lines.append("Retry-After: 1")
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        lines.append("Allow: DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT")
    if close:
        lines.append("Connection: close")
    head = "\r\n".join(lines).encode("latin-1") + b"\r\nX-Request-ID: %b%b\r\n\r\n" % (request_id, fields)
    return head if bodiless else head + content
