"""Cases that many endpoints have in common: unknown paths, methods, and bodies that cannot be read."""

from collections.abc import Iterable, Mapping

from contract.case import Case

METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
LIMIT = 65_536
JSON = {"Content-Type": "application/json"}
PAD = b" " * LIMIT


def unknown_paths(targets: Iterable[str]) -> list[Case]:
    """Each target is 404 for every method, whatever the body and whoever asks."""
    return [
        Case(
            name=f"{method} {target} is no path",
            method=method,
            target=target,
            body=b"{" if method in {"POST", "PATCH"} else None,
            ambiguous="//" in target or "%0A" in target,
            status=404,
            problem=None if method == "HEAD" else "not-found",
            detail="There is nothing at this path.",
        )
        for target in targets
        for method in ("GET", "HEAD", "POST", "PATCH", "DELETE")
    ]


def refused_methods(allowed: Mapping[str, str]) -> list[Case]:
    """At each target every method that its `Allow` does not name is 405, and says so."""
    return [
        Case(
            name=f"{method} {target} is not allowed",
            method=method,
            target=target,
            status=405,
            problem=None if method == "HEAD" else "method-not-allowed",
            detail=f"{method} is not allowed here.",
            answer_headers={"Allow": allow},
        )
        for target, allow in allowed.items()
        for method in METHODS
        if method not in allow.split(", ")
    ]


MEDIA_TYPES = {
    "no content type": {},
    "text/plain": {"Content-Type": "text/plain"},
    "a form": {"Content-Type": "application/x-www-form-urlencoded"},
    "application/jsonp": {"Content-Type": "application/jsonp"},
    "problem+json": {"Content-Type": "application/problem+json"},
    "another charset": {"Content-Type": "application/json; charset=latin-1"},
    "another parameter": {"Content-Type": "application/json; version=1"},
    "two types": {"Content-Type": "application/json, text/plain"},
    "gzip": {**JSON, "Content-Encoding": "gzip"},
}
MALFORMED = {
    "nothing": b"",
    "white space": b"  \n",
    "half an object": b'{"name": "x"',
    "a trailing comma": b'{"name": "x",}',
    "a comment": b'{"name": "x"} // why',
    "single quotes": b"{'name': 'x'}",
    "NaN": b'{"name": NaN}',
    "Infinity": b'{"name": -Infinity}',
    "a byte order mark": b"\xef\xbb\xbf{}",
    "invalid UTF-8": b'{"name": "\xff"}',
    "overlong UTF-8": b'{"name": "\xc0\xaf"}',
    "an encoded surrogate": b'{"name": "\xed\xa0\x80"}',
    "UTF-16": '{"name": "x"}'.encode("utf-16"),
    "a lone surrogate": b'{"name": "\\ud800"}',
    "a leading zero": b'{"quantity": 01}',
    "a plus sign": b'{"quantity": +1}',
    "a raw control character": b'{"name": "a\nb"}',
    "two documents": b"{} {}",
    "an unknown escape": b'{"name": "\\x41"}',
    "nesting of 5,000": b"[" * 5_000 + b"]" * 5_000,
}
NO_OBJECTS = {"a list": b"[]", "a text": b'"x"', "a number": b"7", "null": b"null", "true": b"true"}


def unreadable_bodies(method: str, target: str) -> list[Case]:
    """What is told before anyone is asked who they are: all of these requests are anonymous."""
    where = f"{method} {target}"
    too_large = [
        Case(
            name=f"{where} of {LIMIT + 1} bytes{' in chunks' if chunked else ''}",
            method=method,
            target=target,
            headers=JSON if chunked else {},  # a chunked body may be refused by its type before its end is seen
            body=b"{" + PAD,
            chunked=chunked,
            status=413,
            problem="content-too-large",
            detail=f"The body is larger than {LIMIT} bytes.",
        )
        for chunked in (False, True)
    ]
    types = [
        Case(
            name=f"{where} with {name}",
            method=method,
            target=target,
            headers=headers,
            body=b"{",
            status=415,
            problem="unsupported-media-type",
            detail="The body must be application/json.",
        )
        for name, headers in MEDIA_TYPES.items()
    ]
    malformed = [
        Case(
            name=f"{where} of {name}",
            method=method,
            target=target,
            headers=JSON,
            body=body,
            status=400,
            problem="malformed-json",
            detail="The body is not valid JSON.",
        )
        for name, body in MALFORMED.items()
    ]
    return [*too_large, *types, *malformed]


def bodies_without_object(method: str, target: str, caller: str) -> list[Case]:
    """Valid JSON that is no object is a body that is not valid as a whole."""
    return [
        Case(
            name=f"{method} {target} of {name}",
            method=method,
            target=target,
            caller=caller,
            headers=JSON,
            body=body,
            status=422,
            problem="validation-failed",
            fields=("",),
        )
        for name, body in NO_OBJECTS.items()
    ]


def needs_caller(endpoints: Iterable[tuple[str, str]], *, role: str | None = None) -> list[Case]:
    """Endpoints that answer 401 to nobody, to a bad scheme and to a bad token, and 403 to who lacks `role`."""
    found = []
    for method, target in endpoints:
        headers = JSON if method in {"POST", "PATCH", "PUT"} else {}
        body = b"{}" if headers else None
        for name, credentials, challenge, detail in (
            ("nobody", {}, "", "This needs a signed-in caller."),
            ("a bad token", {"Authorization": "Bearer x.y.z"}, ', error="invalid_token"', "The token is not valid."),
            ("Basic", {"Authorization": "Basic YTpi"}, ', error="invalid_token"', "The token is not valid."),
            ("an unknown session", {"Cookie": "shop_session=x"}, "", "This needs a signed-in caller."),
        ):
            found.append(
                Case(
                    name=f"{method} {target} by {name}",
                    method=method,
                    target=target,
                    headers={**headers, **credentials},
                    body=body,
                    status=401,
                    problem="unauthenticated",
                    detail=detail,
                    answer_headers={"WWW-Authenticate": f'Bearer realm="shop"{challenge}'},
                )
            )
        if role is not None:
            found.append(
                Case(
                    name=f"{method} {target} by a customer",
                    method=method,
                    target=target,
                    caller="customer",
                    headers=headers,
                    body=body,
                    status=403,
                    problem="forbidden",
                    detail=f"This needs the role {role}.",
                )
            )
    return found
