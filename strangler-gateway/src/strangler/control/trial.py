"""What workers have to read to use a configuration, tried before it is adopted: secrets, keys, the place of the log.

A worker that cannot read one of them refuses the snapshot, and keeps the old one. By then the new one would be stored
and published: no flip would reach the workers any more, and one that is replaced would have nothing to start with.
"""

import errno
import os
import ssl
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from strangler.adapters.secrets import read_file, read_secret
from strangler.config.document import Path as DocumentPath
from strangler.config.document import Report
from strangler.config.loaded import Topology
from strangler.model.authentication import Authenticator, Jwt, Secret
from strangler.model.errors import StranglerError

Try = Callable[[], object]


def try_out(topology: Topology, report: Report) -> None:
    """Report what the workers of a gateway with this process's environment could not use."""
    for place, attempt in _attempts(topology):
        try:
            attempt()
        except StranglerError as error:
            report(place, str(error))
        except OSError as error:  # also what `ssl` raises
            report(place, f"cannot be used: {error.strerror or error}")


def try_files(topology: Topology, report: Report) -> None:
    """The same without the environment, for whoever checks a file where no gateway runs."""
    try_out(topology, lambda place, message: None if message.startswith(_VARIABLE) else report(place, message))


_VARIABLE = "the environment variable "


def _attempts(topology: Topology) -> Iterator[tuple[DocumentPath, Try]]:
    for authenticator in topology.authenticators:
        yield from _authenticator(authenticator, ("authentication", authenticator.name))
    token = topology.identity.token
    if token is not None:
        yield ("identity", "token", "key"), partial(_sign_by, token.key)
    store = topology.gateway.limit_store
    if store is not None:
        if store.password is not None:
            yield ("gateway", "limit_store", "password"), partial(read_secret, store.password)
        if store.ca_file:
            yield ("gateway", "limit_store", "ca_file"), partial(ssl.create_default_context, cafile=store.ca_file)
    marks = topology.gateway.shadow.secret
    if marks is not None and any(route.shadow is not None and route.shadow.writes for route in topology.routes):
        yield ("gateway", "shadow", "secret"), partial(_mark_by, marks)
    log = topology.gateway.access_log
    if log.to not in {"off", "stdout"}:
        yield ("gateway", "access_log"), partial(_append_to, log.to)


def _authenticator(authenticator: Authenticator, place: DocumentPath) -> Iterator[tuple[DocumentPath, Try]]:
    if authenticator.jwt is not None:
        yield from _jwt(authenticator.jwt, (*place, "jwt"))
    if authenticator.api_keys is not None and authenticator.api_keys.file:
        yield (*place, "api_keys", "keys_file"), partial(_api_keys, authenticator.api_keys.file)
    for kind in ("flask_session", "django_session"):
        session = getattr(authenticator, kind)
        if session is not None:
            present, *former = session.secrets
            yield (*place, kind, "secret"), partial(read_secret, present)
            for number, secret in enumerate(former):
                yield (*place, kind, "old_secrets", number), partial(read_secret, secret)
    django = authenticator.django_session
    if django is not None and django.database is not None:
        yield (*place, "django_session", "database"), partial(_session_table, django.database)


def _jwt(settings: Jwt, place: DocumentPath) -> Iterator[tuple[DocumentPath, Try]]:
    keys = settings.keys
    if keys.ca_file:
        yield (*place, "ca_file"), partial(ssl.create_default_context, cafile=keys.ca_file)
    if keys.file:
        yield (*place, "keys_file"), partial(_public_keys, keys.file, settings.algorithms)
    if keys.secret is not None:
        yield (*place, "secret"), partial(_shared_secret, keys.secret, settings.algorithms)


# Each imports what it needs: control has no use for cryptography but for those who ask for it.


def _public_keys(path: str, algorithms: tuple[str, ...]) -> None:
    from strangler.policies.keys import keys_in  # noqa: PLC0415

    keys_in(read_file(path), algorithms)


def _shared_secret(secret: Secret, algorithms: tuple[str, ...]) -> None:
    from strangler.policies.keys import key_from_secret  # noqa: PLC0415

    key_from_secret(read_secret(secret), algorithms)


def _api_keys(path: str) -> None:
    from strangler.policies.api_keys import read_key_file  # noqa: PLC0415

    read_key_file(read_file(path))


def _session_table(url: Secret) -> None:
    from strangler.adapters.django_sessions import DjangoSessionTable  # noqa: PLC0415

    DjangoSessionTable(read_secret(url).decode("utf-8", "replace"), "django_session", 1.0).close()


def _sign_by(key: Secret) -> None:
    from strangler.policies.signing import signer  # noqa: PLC0415

    signer(read_secret(key))


def _mark_by(secret: Secret) -> None:
    from strangler.policies.marks import Marks  # noqa: PLC0415

    Marks(read_secret(secret))


def _append_to(path: str) -> None:
    """Without making the file: a check leaves nothing behind. Raises ``OSError``."""
    place = Path(path)
    if place.is_dir():
        raise IsADirectoryError(errno.EISDIR, f"{path} is a folder")
    if not place.exists() and not place.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, f"there is no folder {place.parent}")
    if not os.access(place if place.exists() else place.parent, os.W_OK):
        raise PermissionError(errno.EACCES, f"{path} may not be written by this user")
