"""Conditional requests (RFC 9110 §13): has the client this version already, and does it change what it has seen?"""

import re

from starlette.datastructures import Headers

from chassis.problems import Problem

_TAG = re.compile(r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"')  # RFC 9110 §8.8.3


class PreconditionFailed(Problem):
    def __init__(self, current: str) -> None:
        detail = f"The resource has changed: its ETag is now {current}."
        super().__init__(412, "precondition-failed", "Precondition failed", detail)


def etag(version: int) -> str:
    """Return the strong tag of a version: `"3"`."""
    return f'"{version}"'


def not_modified(headers: Headers, tag: str) -> bool:
    """Say whether `If-None-Match` holds `tag`, compared weakly, so that 304 is the answer."""
    sent = _sent(headers, "if-none-match")
    return sent is not None and (sent == "*" or tag in {found.removeprefix("W/") for found in _TAG.findall(sent)})


def check_if_match(headers: Headers, tag: str) -> None:
    """Raise PreconditionFailed unless `If-Match` is absent, `*`, or holds `tag`, compared strongly."""
    sent = _sent(headers, "if-match")
    if sent is not None and sent != "*" and tag not in _TAG.findall(sent):
        raise PreconditionFailed(tag)


def _sent(headers: Headers, name: str) -> str | None:
    lines = headers.getlist(name)
    return ", ".join(lines).strip() if lines else None
