"""Who asks: what an authenticator has found out, and how a token's or session's values become it."""

from collections.abc import Mapping

from strangler.model.authentication import Names


class Identity:
    """Made once per credential and shared by the requests that carry it; not to be changed."""

    __slots__ = ("authenticator", "claims", "form", "roles", "scopes", "subject", "until")

    def __init__(
        self,
        authenticator: str,
        subject: str,
        until: float,
        *,
        scopes: frozenset[str] = frozenset(),
        roles: frozenset[str] = frozenset(),
        claims: Mapping[str, object] | None = None,
    ) -> None:
        self.authenticator = authenticator
        self.subject = subject
        self.until = until
        """In seconds since the epoch: from then on this is not to be believed any more."""
        self.scopes = scopes
        self.roles = roles
        self.claims = claims or {}
        self.form: tuple[object, float, bytes] | None = None
        """What was made of it last to be sent on: by whom, until when that can be used, and what it is."""

    def __repr__(self) -> str:
        return f"<{self.subject!r} by {self.authenticator}>"


def identity_of(values: Mapping[str, object], names: Names, authenticator: str, until: float) -> Identity | None:
    """The identity that verified values speak of; None if they name no subject."""
    subject = text_of(_found(values, names.subject))
    if not subject:
        return None
    return Identity(
        authenticator,
        subject,
        until,
        scopes=words_of(_found(values, names.scopes)),
        roles=words_of(_found(values, names.roles)),
        claims=values,
    )


def _found(values: Mapping[str, object], name: str) -> object:
    """A value by its name, or by the names of what it lies in with dots between, such as ``user.id``."""
    if name in values or "." not in name:
        return values.get(name)
    found: object = values
    for part in name.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def text_of(value: object) -> str | None:
    """A claim as text; None for what is neither text nor a whole number."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None


def words_of(value: object) -> frozenset[str]:
    """Scopes or roles: words with spaces between them (RFC 6749 §3.3), or a list."""
    if isinstance(value, str):
        return frozenset(value.split())
    if isinstance(value, list | tuple):
        return frozenset(item for item in value if isinstance(item, str))
    return frozenset()
