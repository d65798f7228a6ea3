"""From the file's sections about who asks to values of the model, and the checks that span them."""

from collections.abc import Iterator, Sequence

from strangler.config import schema
from strangler.config.document import Path as DocumentPath
from strangler.config.document import Report
from strangler.config.nearness import did_you_mean
from strangler.model.authentication import (
    ApiKey,
    ApiKeys,
    Ask,
    Authentication,
    Authenticator,
    Authorization,
    DjangoSession,
    FlaskSession,
    IdentityForm,
    IdentityToken,
    Jwt,
    Names,
    Secret,
    TokenKeys,
)

_SUBJECTS = {
    "jwt": "sub", "api_keys": "sub", "flask_session": "_user_id", "django_session": "_auth_user_id", "ask": "id",
}  # fmt: skip
KINDS = tuple(_SUBJECTS)
_NEVER_IDENTITY = frozenset(
    (
        "authorization", "connection", "content-length", "content-type", "cookie", "date", "expect", "forwarded",
        "host", "keep-alive", "proxy-authorization", "proxy-connection", "te", "traceparent", "tracestate", "trailer",
        "transfer-encoding", "upgrade", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip",
        "x-request-id",
    )
)  # fmt: skip
_MOST_DASHES = 6
"""In a header's name: each doubles the spellings that are taken out of every request."""


def build_authenticators(
    sections: dict[str, schema.AuthenticatorSection], upstreams: set[str] | None, report: Report
) -> tuple[Authenticator, ...]:
    """The authenticators, by their names' order. Where ``report`` was called, the result is not to be used."""
    return tuple(
        _authenticator(name, section, ("authentication", name), upstreams, report)
        for name, section in sorted(sections.items())
    )


def _authenticator(
    name: str, section: schema.AuthenticatorSection, place: DocumentPath, upstreams: set[str] | None, report: Report
) -> Authenticator:
    given = [kind for kind in KINDS if getattr(section, kind) is not None]
    if len(given) != 1:
        told = f"there are {len(given)}: {', '.join(given)}" if given else "there is none"
        report(place, f"an authenticator is of one kind, {', '.join(KINDS)}; {told}")
    kind = given[0] if given else "jwt"
    if section.origins and kind in {"jwt", "api_keys"}:
        report((*place, "origins"), "no browser sends these credentials unasked, whosever page it shows; remove it")
    return Authenticator(
        name,
        Names(section.subject or _SUBJECTS[kind], section.scopes or "scope", section.roles or "roles"),
        tuple(section.origins),
        jwt=_jwt(section.jwt, (*place, "jwt"), report) if section.jwt is not None else None,
        api_keys=_api_keys(section.api_keys, (*place, "api_keys"), report) if section.api_keys is not None else None,
        flask_session=_flask(section.flask_session) if section.flask_session is not None else None,
        django_session=_django(section.django_session) if section.django_session is not None else None,
        ask=_ask(section.ask, (*place, "ask"), upstreams, report) if section.ask is not None else None,
    )


def _flask(section: schema.FlaskSessionSection) -> FlaskSession:
    return FlaskSession(_secrets(section), section.cookie, section.salt, section.max_age)


def _django(section: schema.DjangoSessionSection) -> DjangoSession:
    database = secret_of(section.database) if section.database is not None else None
    return DjangoSession(
        _secrets(section), section.cookie, section.max_age, database, section.table, section.cache, section.timeout
    )


def _secrets(section: schema.FlaskSessionSection | schema.DjangoSessionSection) -> tuple[Secret, ...]:
    return tuple(map(secret_of, (section.secret, *section.old_secrets)))


def _ask(section: schema.AskSection, place: DocumentPath, upstreams: set[str] | None, report: Report) -> Ask:
    if upstreams is not None and section.upstream not in upstreams:
        known = did_you_mean(section.upstream, sorted(upstreams))
        report((*place, "upstream"), f"there is no upstream «{section.upstream}»{known}")
    if not section.cookies and not section.authorization:
        report(place, "there is nothing to ask about; give cookies, or authorization: true")
    for index in _repeated(section.cookies):
        report((*place, "cookies", index), f"«{section.cookies[index]}» stands here a second time; remove one")
    return Ask(
        section.upstream,
        section.path,
        tuple(section.cookies),
        section.authorization,
        section.host or "",
        section.cache,
        section.timeout,
    )


def _jwt(section: schema.JwtSection, place: DocumentPath, report: Report) -> Jwt:
    given = [key for key in ("keys_file", "keys_url", "secret") if getattr(section, key) is not None]
    if len(given) != 1:
        told = f"{' and '.join(given)} are too many" if given else "there is none"
        report(place, f"tokens are verified by one of keys_file, keys_url and secret; {told}")
    shared = [name.startswith("HS") for name in section.algorithms]
    if section.secret is not None and shared and not any(shared):
        report((*place, "algorithms"), "a shared secret is used with HS256, HS384 or HS512; add one, or give keys_file")
    if section.secret is None and any(shared):
        report((*place, "algorithms"), "HS256, HS384 and HS512 need a shared secret; give «secret», or remove them")
    if section.ca_file is not None and not (section.keys_url or "").startswith("https:"):
        report((*place, "ca_file"), "certificates are of use with a keys_url of https only; remove it")
    keys = TokenKeys(
        file=section.keys_file or "",
        url=section.keys_url or "",
        secret=secret_of(section.secret) if section.secret is not None else None,
        ca_file=section.ca_file or "",
        refresh=section.refresh,
        max_stale=section.max_stale,
        timeout=section.timeout,
    )
    return Jwt(section.issuer, tuple(section.audience), keys, tuple(section.algorithms), section.leeway)


def _api_keys(section: schema.ApiKeysSection, place: DocumentPath, report: Report) -> ApiKeys:
    if not section.keys and section.keys_file is None:
        report(place, "there is no key; give keys or keys_file (`strangler auth new-key` makes one)")
    for index in _repeated([key.sha256 for key in section.keys]):
        report((*place, "keys", index, "sha256"), "this key stands here a second time; remove one")
    header = section.header or ("" if section.query else "X-API-Key")
    keys = tuple(ApiKey(key.sha256, key.owner, tuple(key.scopes), tuple(key.roles)) for key in section.keys)
    return ApiKeys(header.lower(), section.query or "", keys, section.keys_file or "")


def query_keys(sections: dict[str, schema.AuthenticatorSection]) -> Iterator[str]:
    """The query parameters in which API keys are sent."""
    for section in sections.values():
        if section.api_keys is not None and section.api_keys.query is not None:
            yield section.api_keys.query


def build_identity(section: schema.IdentitySection, report: Report) -> IdentityForm:
    """The headers; each has a name of its own that nothing else has."""
    token = section.token
    named: list[tuple[DocumentPath, str]] = [
        (("identity", key), getattr(section, key)) for key in schema.IDENTITY_HEADERS
    ]
    if token is not None:
        named.append((("identity", "token", "header"), token.header))
    seen: set[str] = set()
    for place, name in named:
        folded = name.lower().replace("_", "-")
        if folded in _NEVER_IDENTITY or folded.startswith("x-strangler-"):
            report(place, f"{name} means something else to applications; choose a name such as X-Identity-Subject")
        elif folded in seen:
            report(place, f"{name} stands here a second time; give each header a name of its own")
        elif folded.count("-") > _MOST_DASHES:
            report(place, f"{name} has more than {_MOST_DASHES} dashes; choose a shorter name")
        if folded != "off":
            seen.add(folded)
    headers = {key: "" if (name := getattr(section, key)) == "off" else name for key in schema.IDENTITY_HEADERS}
    made = None
    if token is not None:
        made = IdentityToken(secret_of(token.key), token.header, token.issuer, token.audience or "", token.lifetime)
    return IdentityForm(**headers, pass_claims=tuple(section.pass_claims), token=made)


def build_authentication(
    section: schema.AuthenticateSection | None, place: DocumentPath, known: set[str] | None, report: Report
) -> Authentication | None:
    """What a route asks about who asks. ``known`` are the authenticators' names; None if that cannot be told."""
    if section is None:
        return None
    for index, name in enumerate(section.by):
        if known is not None and name not in known:
            report((*place, "by", index), f"there is no authenticator «{name}»{did_you_mean(name, sorted(known))}")
    for index in _repeated(section.by):
        report((*place, "by", index), f"«{section.by[index]}» stands here a second time; remove one")
    return Authentication(tuple(section.by), section.mode == "required", section.when_unavailable)


def build_authorization(route: schema.RouteSection, place: DocumentPath, report: Report) -> Authorization | None:
    """What a route demands of whoever asks."""
    section = route.authorize
    if section is None:
        return None
    if route.authenticate is None:
        report(place, "nobody is asked who they are; add «authenticate», or remove «authorize»")
    elif route.authenticate.when_unavailable == "anonymous":
        report(place, "what must be authorised cannot go on anonymously; remove «when_unavailable»")
    if not any((section.scopes, section.any_scope, section.roles, section.any_role, section.claims)):
        report(place, "nothing is demanded; give scopes, any_scope, roles, any_role or claims")
    for name, values in section.claims.items():
        if not values:
            report((*place, "claims", name), "no value would do; give at least one")
    claims = tuple(sorted((name, tuple(values)) for name, values in section.claims.items()))
    words = (section.scopes, section.any_scope, section.roles, section.any_role)
    scopes, any_scope, roles, any_role = map(tuple, words)
    return Authorization(scopes, any_scope, roles, any_role, claims)


def secret_of(text: str) -> Secret:
    """``env:NAME`` or ``file:PATH``."""
    kind, _, place = text.partition(":")
    return Secret(env=place) if kind == "env" else Secret(file=place)


def _repeated(items: Sequence[str]) -> Iterator[int]:
    return (index for index, item in enumerate(items) if item in items[:index])
