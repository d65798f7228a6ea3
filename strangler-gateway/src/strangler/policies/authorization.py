"""The guard that asks whether an identity may do what it asks for: scopes, roles, claims."""

from strangler.model import authentication as model
from strangler.model.failure import Failure
from strangler.policies.authentication import REALM
from strangler.policies.guard import Denied, Guarded
from strangler.policies.identity import Identity, text_of


class Authorization:
    """What one route demands; all that is given must hold."""

    __slots__ = ("_any_role", "_any_scope", "_claims", "_fields", "_roles", "_scopes")

    def __init__(self, demands: model.Authorization) -> None:
        self._scopes = frozenset(demands.scopes)
        self._any_scope = frozenset(demands.any_scope)
        self._roles = frozenset(demands.roles)
        self._any_role = frozenset(demands.any_role)
        self._claims = tuple((name, frozenset(values)) for name, values in demands.claims)
        scope = " ".join((*demands.scopes, *demands.any_scope)).encode("ascii", "replace")
        self._fields = b"\r\nWWW-Authenticate: Bearer" + REALM + b', error="insufficient_scope"'
        if scope:
            self._fields += b', scope="%b"' % scope

    def admit(self, request: Guarded) -> None:
        """Raises ``Denied``: 403 for who is known, 401 for who is not."""
        identity = request.identity
        if not isinstance(identity, Identity):
            raise Denied(
                Failure.UNAUTHENTICATED,
                "This needs a credential, and there is none.",
                b"\r\nWWW-Authenticate: Bearer" + REALM,
            )
        missing = self._missing(identity)
        if missing:
            # RFC 6750 §3.1; of a role or claim a client cannot be told more than that it lacks it.
            raise Denied(Failure.FORBIDDEN, f"Whoever asks lacks {missing}.", self._fields)

    def _missing(self, identity: Identity) -> str:
        if not self._scopes <= identity.scopes:
            return f"the scope {min(self._scopes - identity.scopes)}"
        if self._any_scope and self._any_scope.isdisjoint(identity.scopes):
            return f"one of the scopes {', '.join(sorted(self._any_scope))}"
        if not self._roles <= identity.roles or (self._any_role and self._any_role.isdisjoint(identity.roles)):
            return "a role that this needs"
        for name, allowed in self._claims:
            if allowed.isdisjoint(_texts(identity.claims.get(name))):
                return f"a claim that this needs ({name})"
        return ""


def _texts(value: object) -> list[str]:
    """A claim's value, or the members of one that is a list, as text; truth values as in JSON."""
    members = value if isinstance(value, list) else [value]
    texts = (("true" if member else "false") if isinstance(member, bool) else text_of(member) for member in members)
    return [text for text in texts if text is not None]
