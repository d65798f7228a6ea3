"""A small service on the chassis, and tokens for it."""

import base64
import io
import json
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import jwt
import psycopg
import pytest
import structlog
import uvicorn
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from fastapi import APIRouter, FastAPI, Request

from chassis.application import create_app
from chassis.bodies import read_json
from chassis.logs import configure_logs
from chassis.problems import NotFound
from chassis.server import listen
from chassis.settings import ServiceSettings
from support.postgresql import PostgreSQL, postgresql

from . import shadowed_service
from .shadow_site import Site
from .shadowed_service import SECRET, Outside


class Issuer:
    """Someone who signs tokens and publishes a key set."""

    def __init__(self, kid: str = "first") -> None:
        self.kid = kid
        self.key = Ed25519PrivateKey.generate()

    def jwk(self, **changes: Any) -> dict[str, Any]:
        public = self.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        x = base64.urlsafe_b64encode(public).rstrip(b"=").decode()
        return {"kty": "OKP", "crv": "Ed25519", "x": x, "kid": self.kid, "alg": "EdDSA", "use": "sig"} | changes

    def document(self) -> bytes:
        return json.dumps({"keys": [self.jwk()]}).encode()

    def token(self, header: dict[str, Any] | None = None, **claims: Any) -> str:
        now = int(time.time())
        said = {"iss": "https://shop.example", "aud": "shop", "sub": "7", "roles": ["staff"], "iat": now, "jti": "j"}
        said |= {"exp": now + 60} | claims
        kept = {name: value for name, value in said.items() if value is not None}
        return jwt.encode(kept, self.key, algorithm="EdDSA", headers={"kid": self.kid} | (header or {}))


@pytest.fixture
def issuer() -> Issuer:
    return Issuer()


Build = Callable[..., FastAPI]


@pytest.fixture
def build(tmp_path: Path) -> Build:
    """Return what builds a service with a few routes; `checks` are its readiness checks."""

    async def nothing() -> None:
        return

    def built(**more: Any) -> FastAPI:
        router = APIRouter(prefix="/api")

        @router.get("/things/{thing_id}")
        async def thing(thing_id: int) -> dict[str, int]:
            if thing_id == 404:
                raise NotFound("There is no thing 404.")
            if thing_id == 500:
                raise RuntimeError("the secret plan")
            return {"id": thing_id}

        @router.post("/things")
        async def add(request: Request) -> object:
            return await read_json(request, 100)

        @asynccontextmanager
        async def lifespan(_: FastAPI) -> AsyncIterator[None]:
            yield

        return create_app(
            title="Things",
            version="1",
            settings=ServiceSettings(access_log=tmp_path / "access.log"),
            routers=[router],
            checks=more.get("checks", {"nothing": nothing}),
            lifespan=lifespan,
        )

    return built


@pytest.fixture(autouse=True)
def log() -> Iterator[io.StringIO]:
    """Catch the logs of each test."""
    stream = io.StringIO()
    configure_logs("things", stream=stream)
    yield stream
    structlog.reset_defaults()


Serve = Callable[[FastAPI], httpx.Client]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Return what serves an application on a free port until the test ends, and gives a client for it."""
    with ExitStack() as stack:

        def served(app: FastAPI) -> httpx.Client:
            listener = stack.enter_context(listen("127.0.0.1", 0))
            server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, lifespan="on"))
            thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
            thread.start()
            stack.callback(thread.join, 10)
            stack.callback(setattr, server, "should_exit", True)
            url = "http://{}:{}".format(*listener.getsockname())
            return stack.enter_context(httpx.Client(base_url=url, trust_env=False))

        yield served


@pytest.fixture
def client(build: Build, serve: Serve) -> httpx.Client:
    return serve(build())


@pytest.fixture(scope="session")
def database_server() -> Iterator[PostgreSQL]:
    with postgresql() as server:
        yield server


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'things.db'}"
    server: PostgreSQL = request.getfixturevalue("database_server")
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    return server.url()


@pytest.fixture
def site(url: str) -> Iterator[Site]:
    found = Site(url)
    yield found
    found.engine.dispose()


@pytest.fixture
def outside() -> Outside:
    return Outside()


@pytest.fixture
def service(site: Site, url: str, outside: Outside, serve: Serve) -> httpx.Client:
    return serve(shadowed_service.build(url, outside, STRANGLER_SHADOW_SECRET=SECRET))


@pytest.fixture
def nothing_stays(site: Site, outside: Outside) -> Iterator[None]:
    """Whatever the test does, it leaves the database as it was, and lets nothing out."""
    before = site.state()
    yield
    assert site.state() == before
    assert outside.charged == []
