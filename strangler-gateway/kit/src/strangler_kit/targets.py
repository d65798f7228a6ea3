"""The target of a request's first line, byte by byte, as servers hand it to applications; standard library only."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote


def of_wsgi(environ: Mapping[str, Any]) -> tuple[str, ...]:
    """What the target may have been: one text, or two where a server does not say.

    gunicorn calls it ``RAW_URI``, uWSGI, Waitress, Cheroot and mod_wsgi ``REQUEST_URI``. Another server has decoded the
    path, which is quoted again here: then only paths that come out as they were have marks that hold.
    """
    raw = environ.get("RAW_URI") or environ.get("REQUEST_URI")
    if isinstance(raw, str) and raw:
        return (raw,)
    path = (environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")).encode("latin-1")
    return _with_query(quote(path, safe="/:@!$&'()*+,;=~"), environ.get("QUERY_STRING", ""))


def of_asgi(scope: Mapping[str, Any]) -> tuple[str, ...]:
    """As ``of_wsgi``, for an HTTP scope."""
    raw = scope.get("raw_path")
    path = raw.decode("latin-1") if raw else quote(scope["path"], safe="/:@!$&'()*+,;=~")
    return _with_query(path, scope.get("query_string", b"").decode("latin-1"))


def _with_query(path: str, query: str) -> tuple[str, ...]:
    # A question mark with nothing behind it does not come through.
    return (f"{path}?{query}",) if query else (path, f"{path}?")
