"""How requests are changed on their way to an arm, and the arm's answers on their way back."""

from dataclasses import dataclass, field

MAX_SHAPED = 256 * 1024


@dataclass(frozen=True, slots=True)
class PathRewrite:
    """Another path than the client's: either ``prefix`` is replaced by ``to``, or ``template`` is filled in."""

    prefix: str = ""
    to: str = ""
    template: str = ""
    """Parameters ``{name}`` are those of the route's own template."""


@dataclass(frozen=True, slots=True)
class FieldChanges:
    """Changes of header fields, made in this order. Names in the spelling in which they are sent."""

    remove: tuple[str, ...] = ()
    set: tuple[tuple[str, str], ...] = ()
    """Pairs of a name and the one value that it then has; ``{variable}`` stands for a value of the request."""
    add: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class JsonShape:
    """What becomes of a JSON document, in this order. Paths are names with dots, and go through lists."""

    pick: tuple[str, ...] = ()
    """All that is left; empty for everything."""
    drop: tuple[str, ...] = ()
    rename: tuple[tuple[str, str], ...] = ()
    """Pairs of a path and the name that its last part then has."""
    wrap: str = ""
    """The name under which the whole then stands; empty for none."""


@dataclass(frozen=True, slots=True)
class JsonVariant:
    """Another shape for requests with one of these values in a header or a query parameter."""

    shape: JsonShape
    values: tuple[str, ...]
    header: str = ""
    """Lower case; empty if ``query`` is given."""
    query: str = ""


@dataclass(frozen=True, slots=True)
class JsonShaping:
    """The shapes of an arm's answers."""

    shape: JsonShape | None = None
    """Of requests that no variant takes; None leaves them as they are."""
    variants: tuple[JsonVariant, ...] = ()
    max_bytes: int = MAX_SHAPED
    otherwise: str = "refuse"
    """``refuse`` or ``pass``: what becomes of an answer that cannot be shaped."""


@dataclass(frozen=True, slots=True)
class CookieRewrite:
    """Pairs of what a cookie's attribute is and what it becomes; an empty domain removes the attribute."""

    domains: tuple[tuple[str, str], ...] = ()
    paths: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Transform:
    """All that is changed between a route and one of its arms."""

    path: PathRewrite | None = None
    request: FieldChanges = field(default_factory=FieldChanges)
    response: FieldChanges = field(default_factory=FieldChanges)
    json: JsonShaping | None = None
    locations: bool = False
    """Whether addresses of the arm itself are taken out of Location, Content-Location and Refresh."""
    cookies: CookieRewrite = field(default_factory=CookieRewrite)


SERVICE = Transform(locations=True)
"""What is changed for a service arm of which nothing is said."""
