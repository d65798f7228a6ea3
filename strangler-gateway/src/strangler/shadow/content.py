"""A body without its content codings, bounded: what is decoded grows to a limit, never beyond, whatever it claims."""

import zlib
from dataclasses import dataclass

_MOST_RATIO = 250
_FREE_BYTES = 64 * 1024
"""So much may come of anything: a small document of one repeated line compresses well."""
_MOST_CODINGS = 2
_MOST_MEMBERS = 64
"""Of a gzip file: each costs a copy of what follows it."""
_GZIP = 31
_ZLIB = 15
_RAW_DEFLATE = -15


@dataclass(frozen=True, slots=True)
class Content:
    """What a body says once its codings are taken off."""

    data: bytes
    cut: str = ""
    """After what, in words, the rest was left out; empty if this is all."""
    trouble: str = ""
    """Why it could not be decoded; ``data`` is the body as it came then."""


def decoded(body: bytes, codings: str, most: int) -> Content:
    """The content of a body with the given ``Content-Encoding`` (lines joined by commas), at most ``most`` bytes."""
    names = [name for name in (part.strip().lower() for part in codings.split(",")) if name not in {"", "identity"}]
    data, cut = body, ""
    if len(names) > _MOST_CODINGS:
        return Content(body, trouble=f"{len(names)} content codings, one over the other")
    for name in reversed(names):
        allowed = min(most, max(_FREE_BYTES, _MOST_RATIO * len(data)))
        try:
            data, more = _undo(name, data, allowed)
        except _Undecodable as error:
            return Content(body, trouble=str(error))
        if more:
            ratio = f", {_MOST_RATIO} times its encoded size" if allowed < most else ""
            cut = f"after {allowed} bytes{ratio}"
            if name is not names[0]:
                return Content(body, trouble=f"content coding {name} over another one, of more than {allowed} bytes")
    if len(data) > most:
        return Content(data[:most], cut=f"after {most} bytes")
    return Content(data, cut)


class _Undecodable(ValueError):
    pass


def _undo(name: str, data: bytes, most: int) -> tuple[bytes, bool]:
    """Up to ``most`` bytes, and whether there were more."""
    if name in {"gzip", "x-gzip"}:
        return _inflate(data, _GZIP, most)
    if name == "deflate":  # RFC 9110 §8.4.1.2 means zlib; some send the bare stream.
        wrapped = len(data) >= 2 and data[0] & 0x0F == 8 and int.from_bytes(data[:2]) % 31 == 0
        return _inflate(data, _ZLIB if wrapped else _RAW_DEFLATE, most)
    raise _Undecodable(f"content coding {name[:20]!a} is not known here")


def _inflate(data: bytes, window: int, most: int) -> tuple[bytes, bool]:
    parts: list[bytes] = []
    left = most + 1
    for _ in range(_MOST_MEMBERS):
        stream = zlib.decompressobj(window)
        try:
            part = stream.decompress(data, left)
        except zlib.error as error:
            raise _Undecodable(f"damaged content coding: {error}") from None
        parts.append(part)
        left -= len(part)
        if left <= 0:
            return b"".join(parts)[:most], True
        if not stream.eof:
            raise _Undecodable("content coding that ends in the middle")
        data = stream.unused_data
        if window != _GZIP or not data.startswith(b"\x1f\x8b"):
            return b"".join(parts), False
    raise _Undecodable(f"more than {_MOST_MEMBERS} gzip members")
