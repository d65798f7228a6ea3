"""A user who is logged in to the monolith is known to the service: real frameworks, the shop, and sessions that end."""

import contextlib
import json
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from strangler.model.authentication import (
    Ask,
    Authentication,
    Authenticator,
    DjangoSession,
    FlaskSession,
    Names,
    Secret,
)
from strangler.model.flag import Flag, Stage
from strangler.model.route import PathKind, Route, RouteMatch
from support import processes
from support.raw_http import (
    Client,
    Conversation,
    Message,
    RawUpstream,
    answer_all,
    ask,
    raw_upstream,
    request,
    response,
    wait_until,
)
from support.worker_rig import Rig, catch_all, rig, upstream

SECRET = "the monolith's own secret key, which is long enough"
SERVICE = RouteMatch("/service", PathKind.PREFIX)


def monolith_of(kind: str, folder: Path) -> contextlib.AbstractContextManager[processes.Running]:
    port = processes.free_port()
    command = [sys.executable, "-m", "support.session_monolith", kind, "--port", str(port)]
    return processes.running(
        f"monolith-{port}",
        [*command, "--database", folder / "monolith.db"],
        log=folder / "monolith.log",
        ready=f"http://127.0.0.1:{port}/-/ready",
        env={"SECRET_KEY": SECRET, "PYTHONPATH": str(Path(__file__).parents[1])},
    )


class Site:
    """A worker before a monolith with users and a service that records what it is told."""

    def __init__(self, worker: Rig, service: RawUpstream) -> None:
        self.worker = worker
        self.service = service

    def send(self, method: str, target: str, *fields: str, body: bytes | None = None) -> Message:
        return ask(self.worker.port, request(method, target, *fields, body=body))

    def log_in(self) -> str:
        """The cookie of a user who has logged in to the monolith."""
        answer = self.send("POST", "/login", body=b"")
        assert answer.status == 200, answer
        cookies = answer.values("set-cookie")
        return "Cookie: " + "; ".join(cookie.decode().partition(";")[0] for cookie in cookies)

    def told(self, *fields: str) -> dict[str, str]:
        """What the service is told about who asks."""
        assert self.send("GET", "/service/x", *fields).status == 200
        received = self.service.requests[-1]
        return {
            name.decode().lower().removeprefix("x-identity-"): value.decode()
            for name, value in received.headers
            if name.lower().startswith(b"x-identity-")
        }


@contextlib.contextmanager
def site(folder: Path, authenticator: Authenticator, *ports: int, required: bool = False) -> Iterator[Site]:
    asked = Authentication((authenticator.name,), required=required)
    route = Route("service", SERVICE, "m", "m", "monolith", "service", authentication=asked)
    with raw_upstream(answer_all) as service:
        arms = (upstream("monolith", *ports), upstream("service", service.port))
        with rig(folder, *arms) as worker:
            worker.publish(
                routes=(route, catch_all()), authenticators=(authenticator,), flags=(Flag("service", Stage.SERVICE),)
            )
            yield Site(worker, service)


def secret_in(folder: Path, text: str = SECRET) -> Secret:
    file = folder / f"secret-{abs(hash(text))}"
    file.write_text(text + "\n")
    return Secret(file=str(file))


def by_session(kind: str, folder: Path) -> Authenticator:
    secrets = (secret_in(folder),)
    if kind == "flask":
        return Authenticator("session", Names("_user_id"), flask_session=FlaskSession(secrets))
    if kind == "django-cookie":
        return Authenticator("session", Names("_auth_user_id"), django_session=DjangoSession(secrets))
    database = secret_in(folder, f"sqlite:///{folder / 'monolith.db'}")
    django = DjangoSession(secrets, database=database, cache=0.2)
    return Authenticator("session", Names("_auth_user_id"), django_session=django)


KINDS = ("flask", "django-cookie", "django-table")


@pytest.mark.parametrize("kind", KINDS)
def test_who_is_logged_in_to_the_monolith_is_known_to_the_service(kind: str, tmp_path: Path) -> None:
    with monolith_of(kind, tmp_path) as monolith:
        port = int(str(monolith.name).rpartition("-")[2])
        with site(tmp_path, by_session(kind, tmp_path), port) as here:
            assert here.told() == {}
            cookie = here.log_in()
            assert json.loads(here.send("GET", "/me", cookie).body)["id"] in {1, "1"}
            for _ in range(3):
                assert here.told(cookie) == {"subject": "1", "roles": "staff", "authenticator": "session"}
            name, _, value = cookie.partition("=")
            tampered = f"{name}={'b' if value[0] != 'b' else 'c'}{value[1:]}"
            assert here.told(tampered) == {}
            assert here.send("GET", "/me", tampered).status == 401  # The monolith thinks so too.


def test_who_logs_out_of_a_monolith_with_a_table_is_soon_forgotten(tmp_path: Path) -> None:
    with monolith_of("django-table", tmp_path) as monolith:
        port = int(str(monolith.name).rpartition("-")[2])
        with site(tmp_path, by_session("django-table", tmp_path), port) as here:
            cookie = here.log_in()
            assert here.told(cookie)["subject"] == "1"
            assert here.send("POST", "/logout", cookie, body=b"").status == 200
            wait_until(lambda: here.told(cookie) == {}, "the session is forgotten")


@pytest.mark.parametrize("kind", KINDS)
def test_any_monolith_can_be_asked_who_that_is(kind: str, tmp_path: Path) -> None:
    cookie_name = "session" if kind == "flask" else "sessionid"
    asked = Authenticator("asked", Names("id"), ask=Ask("monolith", "/me", cookies=(cookie_name,), cache=0.2))
    with monolith_of(kind, tmp_path) as monolith:
        port = int(str(monolith.name).rpartition("-")[2])
        with site(tmp_path, asked, port) as here:
            cookie = here.log_in()
            assert here.told(cookie) == {"subject": "1", "authenticator": "asked"}
            assert here.told(cookie + "x") == {}
            if kind == "django-table":
                assert here.send("POST", "/logout", cookie, body=b"").status == 200
                wait_until(lambda: here.told(cookie) == {}, "the monolith has been asked again")


def test_a_monolith_that_does_not_say_who_that_is_makes_nobody_else_wait(tmp_path: Path) -> None:
    def silent_about_users(conversation: Conversation) -> None:
        while (asked := conversation.request()).target != b"/me":
            conversation.send(response(body=asked.target))
        conversation.wait_for_end()

    asked = Authenticator("asked", Names("id"), ask=Ask("monolith", "/me", cookies=("sid",), timeout=1.0))
    with raw_upstream(silent_about_users) as monolith, site(tmp_path, asked, monolith.port) as here:
        with contextlib.ExitStack() as stack:
            waiting = [stack.enter_context(Client(here.worker.port)) for _ in range(10)]
            for client in waiting:
                client.send(request("GET", "/service/x", "Cookie: sid=abc"))
            wait_until(lambda: b"/me" in monolith.targets(), "the monolith is asked")
            for _ in range(10):
                assert here.send("GET", "/elsewhere").status == 200
                assert here.told() == {}
            assert {client.answer().status for client in waiting} == {503}
        assert monolith.targets().count(b"/me") == 1
        [question] = [message for message in monolith.requests if message.target == b"/me"]
        assert [name.lower() for name, _ in question.headers] == [b"host", b"accept", b"user-agent", b"cookie"]


def test_a_required_session_is_a_401_without_one(tmp_path: Path) -> None:
    authenticator = by_session("flask", tmp_path)
    with raw_upstream(answer_all) as monolith, site(tmp_path, authenticator, monolith.port, required=True) as here:
        answer = here.send("GET", "/service/x", "Cookie: session=forged")
        assert answer.status == 401
        assert answer.value("www-authenticate") == b'Cookie realm="gateway", cookie-name="session"'


def test_while_the_table_cannot_be_read_nobody_can_say_who_asks(tmp_path: Path) -> None:
    database = secret_in(tmp_path, f"sqlite:///{tmp_path / 'there-is-none.db'}")
    django = DjangoSession((secret_in(tmp_path),), database=database)
    session = Authenticator("session", Names("_auth_user_id"), django_session=django)
    with raw_upstream(answer_all) as monolith, site(tmp_path, session, monolith.port) as here:
        answer = here.send("GET", "/service/x", "Cookie: sessionid=abcdefgh12345678abcdefgh12345678")
        assert (answer.status, json.loads(answer.body)["culprit"]) == (503, "gateway")
        assert here.send("GET", "/elsewhere").status == 200
        assert here.send("GET", "/service/x").status == 200
        assert not (tmp_path / "there-is-none.db").exists()


def test_a_frozen_database_makes_nobody_wait_but_those_with_a_session(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as frozen:
        database = secret_in(tmp_path, f"postgresql://u:p@127.0.0.1:{frozen.getsockname()[1]}/d")
        django = DjangoSession((secret_in(tmp_path),), database=database, timeout=1.0)
        session = Authenticator("session", Names("_auth_user_id"), django_session=django)
        cookie = "Cookie: sessionid=abcdefgh12345678abcdefgh12345678"
        with (
            raw_upstream(answer_all) as monolith,
            site(tmp_path, session, monolith.port) as here,
            Client(here.worker.port) as waits,
        ):
            began = time.monotonic()
            waits.send(request("GET", "/service/x", cookie))
            for _ in range(20):
                assert here.send("GET", "/elsewhere").status == 200
                assert here.send("GET", "/service/x").status == 200
            assert time.monotonic() - began < 1.0
            assert waits.answer().status == 503


# The shop's own session is a random token that only the shop can read: it is asked.


@contextlib.contextmanager
def shop(folder: Path) -> Iterator[int]:
    port = processes.free_port()
    database = f"sqlite:///{folder / 'shop.db'}"
    env = {
        "DATABASE_URL": database,
        "SHOP_ARGON2_TIME_COST": "1",
        "SHOP_ARGON2_MEMORY_KIB": "8",
        "SHOP_ARGON2_PARALLELISM": "1",
    }
    program = Path(sys.executable).with_name("shop")
    with processes.running("seed", [program, "seed", "--products", "1"], log=folder / "seed.log", env=env) as seeding:
        assert seeding.wait(60) == 0, seeding.output()
    serving = [program, "serve", "--framework", "flask", "--port", str(port)]
    ready = f"http://127.0.0.1:{port}/readyz"
    with processes.running("shop", serving, log=folder / "shop.log", ready=ready, env=env):
        yield port


def test_who_is_logged_in_to_the_shop_is_known_to_the_service(tmp_path: Path) -> None:
    asked = Ask("monolith", "/api/me", cookies=("shop_session",), authorization=True, cache=0.2)
    authenticator = Authenticator("shop", Names("id"), ask=asked)

    def post(here: Site, target: str, **content: Any) -> Message:
        body = json.dumps(content).encode()
        return here.send("POST", target, "Content-Type: application/json", body=body)

    with shop(tmp_path) as port, site(tmp_path, authenticator, port) as here:
        who = {"email": "fig@example.com", "password": "a long enough password"}
        registered = post(here, "/api/customers", name="Fig", **who)
        assert registered.status == 201, registered
        customer = str(json.loads(registered.body)["id"])
        session = post(here, "/api/session", **who).value("set-cookie")
        assert session is not None
        cookie = "Cookie: " + session.decode().partition(";")[0]
        assert here.told(cookie)["subject"] == customer
        token = json.loads(post(here, "/api/tokens", **who).body)["access_token"]
        assert here.told(f"Authorization: Bearer {token}")["subject"] == customer
        assert here.send("GET", "/service/x", "Authorization: Bearer forged").status == 401
        assert here.send("DELETE", "/api/session", cookie, "Origin: http://shop.example").status == 204
        wait_until(lambda: here.told(cookie) == {}, "the shop has been asked again")
