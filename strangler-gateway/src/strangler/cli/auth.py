"""API keys: made here, or hashed here, so that the gateway only ever sees their hashes."""

import hashlib
import json
import secrets
import sys
from typing import Annotated

import typer

from strangler.cli.failures import BadInput
from strangler.cli.screen import warn

PREFIX = "sgk_"
"""By it people and scanners of repositories recognise a key of the gateway's making."""
LEAST = 32
"""Characters of a key that was made elsewhere: a short one could be found from its hash by trying."""

Owner = Annotated[str, typer.Argument(help="Who gets the key; it becomes the subject of the identity.")]
Scope = Annotated[list[str] | None, typer.Option(help="A scope of whoever has the key; can be repeated.")]
Role = Annotated[list[str] | None, typer.Option(help="A role of whoever has the key; can be repeated.")]


def new_key(owner: Owner, scope: Scope = None, role: Role = None) -> None:
    """Make an API key. The line for `keys_file` goes to standard output, the key to standard error, this once."""
    key = PREFIX + secrets.token_urlsafe(32)
    typer.echo(_line(key, owner, scope, role))
    warn(f"the key, which is kept nowhere: {key}")


def hash_key(owner: Owner, scope: Scope = None, role: Role = None) -> None:
    """Print the line for `keys_file` of a key that exists already; the key is read from standard input."""
    key = sys.stdin.readline().rstrip("\r\n")
    if len(key) < LEAST or not key.isascii() or not key.isprintable() or " " in key:
        raise BadInput(
            f"a key has at least {LEAST} visible ASCII characters, which nobody can guess; "
            "`strangler auth new-key` makes one"
        )
    typer.echo(_line(key, owner, scope, role))


def _line(key: str, owner: str, scopes: list[str] | None, roles: list[str] | None) -> str:
    """Raises ``BadInput`` for what would have the whole key file refused, or what no request could be asked to have."""
    if not owner.strip() or not owner.isprintable():
        raise BadInput("OWNER must say who gets the key, in visible characters")
    for word in (*(scopes or ()), *(roles or ())):
        if not word or " " in word or not word.isprintable():
            raise BadInput(f"«{word}» is no scope or role: write one word, and the option again for each further one")
    line = {
        "sha256": hashlib.sha256(key.encode()).hexdigest(),
        "owner": owner,
        **({"scopes": scopes} if scopes else {}),
        **({"roles": roles} if roles else {}),
    }
    return json.dumps(line)
