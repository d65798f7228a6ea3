"""Domain and Path of the cookies that an arm sets; everything else of them stays as it was sent.

A Set-Cookie is cut at semicolons and nowhere else: quotes do not protect them (RFC 6265 §5.2).
"""

from strangler.model.transform import CookieRewrite


class Cookies:
    """Compiled changes."""

    def __init__(self, rewrite: CookieRewrite) -> None:
        self._domains = {_domain(old.encode()): new.encode() for old, new in rewrite.domains}
        pairs = sorted(rewrite.paths, key=lambda pair: -len(pair[0]))
        self._paths = tuple((old.rstrip("/").encode(), new.rstrip("/").encode()) for old, new in pairs)

    def rewrite(self, value: bytes) -> bytes:
        """The new value of one Set-Cookie."""
        first, *attributes = value.split(b";")
        if first.lstrip(b" \t").lower().startswith(b"__host-"):
            return value  # Browsers take it without Domain and with the path / only.
        kept = [first]
        for attribute in attributes:
            name, equals, old = attribute.partition(b"=")
            key = name.strip(b" \t").lower()
            if equals and key == b"domain" and _domain(old) in self._domains:
                domain = self._domains[_domain(old)]
                if domain:
                    kept.append(name + b"=" + domain)
            elif equals and key == b"path":
                kept.append(name + b"=" + self._path(old))
            else:
                kept.append(attribute)
        return b";".join(kept)

    def _path(self, old: bytes) -> bytes:
        path = old.strip(b" \t")
        for prefix, new in self._paths:
            if path == (prefix or b"/") or path.startswith(prefix + b"/"):
                tail = path[len(prefix) :]
                return new + (b"" if tail == b"/" and new else tail) or b"/"
        return old


def _domain(text: bytes) -> bytes:
    """A leading dot means nothing (RFC 6265 §5.2.3)."""
    return text.strip(b" \t").lower().removeprefix(b".")
