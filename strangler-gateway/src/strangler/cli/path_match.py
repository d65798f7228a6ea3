"""A path of an OpenAPI document to the match of a route; parameters are written in many ways there, here in one."""

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote

from strangler.model.errors import StranglerError

_PARAMETER = re.compile(r"\{([^{}]*)\}")
_REST_OF_PATH = re.compile(r"\{(?:\*{1,2}[^{}]*|[^{}]*[+*]|[^{}:]*:(?:path|\.[*+]))\}")
"""``{path:path}`` (Starlette), ``{proxy+}`` (AWS), ``{*path}`` (ASP.NET), ``{p:.*}`` (JAX-RS): many segments."""


class NotARoute(StranglerError):
    """Why no route can take these requests."""


@dataclass(frozen=True, slots=True)
class Match:
    """What stands under ``match:``, but for the method."""

    path: str
    is_prefix: bool = False
    query: tuple[tuple[str, str], ...] = ()

    @property
    def conditions(self) -> tuple[object, ...]:
        """Equal for two matches that take the same requests."""
        return (_PARAMETER.sub("{}", self.path), self.is_prefix, self.query)


def match_of(path: str) -> Match:
    """Raises ``NotARoute``."""
    from strangler.config.templates import check_prefix, check_template  # noqa: PLC0415  # brings Pydantic

    path, _, rest = path.partition("?")
    path = "/" + unquote(path.partition("#")[0]).lstrip("/")
    query = tuple(sorted(parse_qsl(rest.partition("#")[0], keep_blank_values=True)))
    if any("{" in value for _, value in query):
        raise NotARoute("its query has a parameter, and a route can only ask for exact values")
    *before, last = path.split("/")
    is_prefix = bool(_REST_OF_PATH.fullmatch(last))
    try:
        if is_prefix:
            return Match(check_prefix("/".join(before) or "/"), is_prefix, query)
        return Match(check_template(_with_plain_parameters(path)), is_prefix, query)
    except ValueError as error:
        raise NotARoute(str(error)) from error


def _with_plain_parameters(path: str) -> str:
    """``{id:int}`` and ``{product-id}`` to ``{id}`` and ``{product_id}``, each name once."""
    seen: set[str] = set()

    def plain(parameter: re.Match[str]) -> str:
        base = re.sub(r"[^A-Za-z0-9_]+", "_", parameter[1].partition(":")[0]).strip("_") or "value"
        base = f"_{base}" if base[0].isdigit() else base
        name, number = base, 2
        while name in seen:
            name, number = f"{base}_{number}", number + 1
        seen.add(name)
        return f"{{{name}}}"

    segments = path.split("/")
    return "/".join(_PARAMETER.sub(plain, part) if _PARAMETER.fullmatch(part) else part for part in segments)
