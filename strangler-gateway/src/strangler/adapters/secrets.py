"""Secrets and key files, read by whoever uses them: they are in no snapshot, on no disk of the gateway's."""

import os
from pathlib import Path

from strangler.model.authentication import Secret
from strangler.model.errors import StranglerError

MOST = 1024 * 1024
"""Bytes of a file."""


class SecretMissing(StranglerError):
    """A secret that is not where the configuration says. What it holds is never named."""


def read_secret(secret: Secret) -> bytes:
    """The secret, without line breaks at its end. Raises ``SecretMissing``."""
    if secret.env:
        value = os.environ.get(secret.env, "").encode()
        if not value:
            raise SecretMissing(f"the environment variable {secret.env} is not set for the gateway; set it and restart")
    else:
        value = read_file(secret.file)
    value = value.rstrip(b"\r\n")
    if not value:
        raise SecretMissing(f"{secret} is empty")
    return value


def read_file(path: str) -> bytes:
    """A small file. Raises ``SecretMissing``."""
    try:
        with Path(path).open("rb") as file:
            data = file.read(MOST + 1)
    except OSError as error:
        raise SecretMissing(f"{path} cannot be read: {error.strerror}; the workers need it") from None
    if len(data) > MOST:
        raise SecretMissing(f"{path} is longer than {MOST} bytes")
    return data
