"""The service on a database of its own: the tables as the shop creates them, and keys from a file."""

import base64
import io
import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
import structlog
import uvicorn
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from catalog_service.application import build
from catalog_service.settings import Settings
from chassis.logs import configure_logs
from chassis.server import listen

# As docs/reference/shop-api.md has them: the service itself never creates a table.
DDL = """
PRAGMA journal_mode=WAL;
CREATE TABLE catalog_categories (
    id INTEGER PRIMARY KEY AUTOINCREMENT, name VARCHAR(100) NOT NULL, name_key VARCHAR(400) NOT NULL,
    slug VARCHAR(64) NOT NULL UNIQUE, version INTEGER NOT NULL, created_at TEXT NOT NULL, updated_at TEXT NOT NULL);
CREATE TABLE catalog_products (
    id INTEGER PRIMARY KEY AUTOINCREMENT, sku VARCHAR(64) NOT NULL UNIQUE, name VARCHAR(200) NOT NULL,
    description TEXT NOT NULL, name_key TEXT NOT NULL, search_text TEXT NOT NULL,
    category_id INTEGER REFERENCES catalog_categories(id), price_minor INTEGER NOT NULL, currency VARCHAR(3) NOT NULL,
    active BOOLEAN NOT NULL, version INTEGER NOT NULL, created_at TEXT NOT NULL, updated_at TEXT NOT NULL);
"""
KEY = Ed25519PrivateKey.generate()


def token(*roles: str) -> str:
    now = int(time.time())
    claims = {"iss": "https://shop.example", "aud": "shop", "sub": "1", "roles": list(roles), "iat": now}
    return jwt.encode(claims | {"exp": now + 3600, "jti": "j"}, KEY, algorithm="EdDSA", headers={"kid": "k"})


STAFF = {"Authorization": f"Bearer {token('staff')}"}
Serve = Callable[..., httpx.Client]


@pytest.fixture(autouse=True)
def log() -> Iterator[io.StringIO]:
    """Catch the logs of each test."""
    stream = io.StringIO()
    configure_logs("catalog-service", stream=stream)
    yield stream
    structlog.reset_defaults()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A database with the shop's tables."""
    found = tmp_path / "shop.db"
    with sqlite3.connect(found) as connection:
        connection.executescript(DDL)
    connection.close()
    return found


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """A file with the issuer's public key."""
    public = KEY.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    x = base64.urlsafe_b64encode(public).rstrip(b"=").decode()
    found = tmp_path / "jwks.json"
    found.write_text(json.dumps({"keys": [{"kty": "OKP", "crv": "Ed25519", "x": x, "kid": "k"}]}))
    return found


@pytest.fixture
def serve(file: Path, keys: Path) -> Iterator[Serve]:
    """Return what serves the catalog on a free port until the test ends, and gives a client for it."""
    with ExitStack() as stack:

        def served(**changes: Any) -> httpx.Client:
            settings = Settings(**{"DATABASE_URL": f"sqlite:///{file}", "jwks": str(keys), **changes})
            listener = stack.enter_context(listen("127.0.0.1", 0))
            server = uvicorn.Server(uvicorn.Config(build(settings), log_config=None, lifespan="on"))
            thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
            thread.start()
            stack.callback(thread.join, 10)
            stack.callback(setattr, server, "should_exit", True)
            url = "http://{}:{}".format(*listener.getsockname())
            return stack.enter_context(httpx.Client(base_url=url, trust_env=False))

        yield served


@pytest.fixture
def client(serve: Serve) -> httpx.Client:
    return serve()
