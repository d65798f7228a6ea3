"""Rate limits on real workers: what a client sees, what workers share, and what holds while Valkey does not answer."""

import hashlib
import re
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from strangler.model.authentication import ApiKey, ApiKeys, Authentication, Authenticator
from strangler.model.rate_limit import LimitKey, LimitKind, LimitStore, RateLimit
from strangler.model.route import PathKind, Route, RouteMatch
from support import raw_http
from support.raw_http import Message, RawUpstream, raw_upstream, request, wait_until
from support.valkey import Valkey, valkey
from support.worker_rig import Rig, rig, upstream

HOUR = 3_600


def limited(name: str, *limits: RateLimit) -> Route:
    """A route for ``/NAME``."""
    return Route(name, RouteMatch(f"/{name}", PathKind.PREFIX), name, name, "monolith", rate_limits=limits)


def per_hour(requests: int, *, by: LimitKind = LimitKind.ADDRESS, name: str = "", **choices: str | bool) -> RateLimit:
    return RateLimit("hourly", requests, HOUR, requests, (LimitKey(by, name),), **choices)  # type: ignore[arg-type]


def ask(running: Rig, path: str, *fields: str) -> Message:
    return raw_http.ask(running.port, request("GET", path, *fields))


def statuses(running: Rig, path: str, count: int) -> list[int]:
    return [ask(running, path).status for _ in range(count)]


def counted(running: Rig, route: str) -> dict[str, float]:
    """The route's requests by what its limit made of them."""
    found = running.next_traffic().counters
    return {
        labels[2]: value
        for name, labels, value in found
        if name == "strangler_rate_limits_total" and labels[0] == route
    }


@contextmanager
def workers(
    folder: Path, count: int, *routes: Route, store: LimitStore | None = None
) -> Iterator[tuple[RawUpstream, list[Rig]]]:
    """Workers in front of one upstream, which is friendly."""
    with raw_upstream() as behind, ExitStack() as stack:
        running = []
        for number in range(count):
            place = folder / f"{number}"
            place.mkdir()
            started = rig(place, upstream("monolith", behind.port), routes=routes, limit_store=store)
            running.append(stack.enter_context(started))
        yield behind, running


def test_a_client_that_asks_too_often_is_told_so_and_its_request_goes_nowhere(tmp_path: Path) -> None:
    with workers(tmp_path, 1, limited("narrow", per_hour(2)), limited("wide", per_hour(100))) as (behind, [worker]):
        first = ask(worker, "/narrow/a")
        assert first.value("RateLimit") == b'"hourly";r=1;t=1800'
        assert first.value("RateLimit-Policy") == b'"hourly";q=2;w=3600'
        assert first.value("Retry-After") is None
        assert ask(worker, "/narrow/b").status == 200
        denied = ask(worker, "/narrow/c")
        assert denied.status == 429
        assert denied.value("Content-Type") == b"application/problem+json"
        assert 1795 <= int(denied.value("Retry-After") or b"0") <= 1800
        assert re.fullmatch(rb'"hourly";r=0;t=1(79\d|800)', denied.value("RateLimit") or b"")
        assert b"2 requests in 3600 s" in denied.body
        assert ask(worker, "/wide").status == 200
        assert ask(worker, "/elsewhere").value("RateLimit") is None
        assert [asked.target for asked in behind.requests] == [b"/narrow/a", b"/narrow/b", b"/wide", b"/elsewhere"]
        assert counted(worker, "narrow") == {"admitted": 2, "limited": 1}


def test_a_denied_request_leaves_its_connection_as_it_was(tmp_path: Path) -> None:
    with workers(tmp_path, 1, limited("narrow", per_hour(1))) as (_, [worker]), raw_http.Client(worker.port) as client:
        client.send(request("GET", "/narrow") * 3 + request("GET", "/free"))
        assert [client.answer().status for _ in range(4)] == [200, 429, 429, 200]


def test_a_reload_forgives_nothing_where_the_limit_stays(tmp_path: Path) -> None:
    narrow = limited("narrow", per_hour(2))
    with workers(tmp_path, 1, narrow) as (_, [worker]):
        catch_all = worker.publish().routes[-1]
        assert statuses(worker, "/narrow", 3) == [200, 200, 429]
        worker.publish(routes=(limited("other"), narrow, catch_all))
        assert statuses(worker, "/narrow", 1) == [429]
        worker.publish(routes=(limited("narrow", per_hour(3)), catch_all))
        assert statuses(worker, "/narrow", 1) == [200]


def test_each_header_value_has_an_allowance_of_its_own(tmp_path: Path) -> None:
    with workers(tmp_path, 1, limited("keyed", per_hour(1, by=LimitKind.HEADER, name="x-api-key"))) as (_, [worker]):
        assert ask(worker, "/keyed", "X-API-Key: a").status == 200
        assert ask(worker, "/keyed", "X-API-Key: b").status == 200
        assert ask(worker, "/keyed", "x-api-key: a").status == 429
        assert ask(worker, "/keyed").status == 200
        assert ask(worker, "/keyed").status == 429


def test_a_limit_of_its_own_is_kept_by_each_worker(tmp_path: Path) -> None:
    with workers(tmp_path, 2, limited("narrow", per_hour(2))) as (_, running):
        assert [statuses(worker, "/narrow", 3) for worker in running] == [[200, 200, 429]] * 2


KEYS = ("sgk_the-first-key-that-nobody-will-guess", "sgk_the-second-key-that-nobody-will-guess")
BY_KEYS = Authenticator(
    "keys",
    api_keys=ApiKeys(keys=tuple(ApiKey(hashlib.sha256(key.encode()).hexdigest(), f"u{key[8]}") for key in KEYS)),
)


@contextmanager
def asking_who(folder: Path, *limits: RateLimit) -> Iterator[Rig]:
    """A worker with a route that wants an API key, and has these limits."""
    route = replace(limited("mine", *limits), authentication=Authentication(("keys",)))
    with workers(folder, 1) as (_, [worker]):
        worker.publish(routes=(route, worker.publish().routes[-1]), authenticators=(BY_KEYS,))
        yield worker


def test_each_user_has_an_allowance_of_his_own_wherever_he_comes_from(tmp_path: Path) -> None:
    with asking_who(tmp_path, per_hour(1, by=LimitKind.IDENTITY)) as worker:
        first, second = (f"X-API-Key: {key}" for key in KEYS)
        assert [ask(worker, "/mine", fields).status for fields in (first, first, second, second)] == [
            200,
            429,
            200,
            429,
        ]
        assert ask(worker, "/mine").status == 401


def test_whoever_guesses_keys_is_counted_before_he_is_asked_who_he_is(tmp_path: Path) -> None:
    with asking_who(tmp_path, per_hour(3)) as worker:
        seen = [ask(worker, "/mine", f"X-API-Key: sgk_{number}").status for number in range(5)]
        assert seen == [401, 401, 401, 429, 429]


SHARED = per_hour(6, shared=True, when_unavailable="open")


def test_two_workers_share_one_limit(tmp_path: Path) -> None:
    with valkey(tmp_path) as server:
        store = LimitStore(server.url, timeout=5)
        with workers(tmp_path, 2, limited("shared", SHARED), store=store) as (_, running):
            seen = [ask(running[number % 2], "/shared").status for number in range(10)]
            assert seen == [200] * 6 + [429] * 4
            assert ask(running[1], "/shared").value("Retry-After")
            assert sum(counted(worker, "shared")["admitted"] for worker in running) == 6


def test_while_valkey_is_down_an_open_limit_is_counted_by_each_worker_for_itself(tmp_path: Path) -> None:
    with valkey(tmp_path) as server:
        store = LimitStore(server.url, timeout=5)
        with workers(tmp_path, 1, limited("shared", SHARED), store=store) as (_, [worker]):
            assert ask(worker, "/shared").value("RateLimit") is not None
            server.kill()
            answers = [ask(worker, "/shared") for _ in range(10)]
            assert [answer.status for answer in answers] == [200] * 6 + [429] * 4
            assert {answer.value("RateLimit") for answer in answers[:6]} == {None}
            assert counted(worker, "shared")["unavailable_open"] == 6


def test_a_client_that_leaves_while_the_store_is_asked_leaves_nothing_behind(tmp_path: Path) -> None:
    with valkey(tmp_path) as server:
        store = LimitStore(server.url, timeout=5, connections=4)
        wide = per_hour(1_000, shared=True, when_unavailable="open")  # What was given up may be charged all the same.
        with workers(tmp_path, 1, limited("shared", wide), store=store) as (behind, [worker]):
            assert ask(worker, "/shared").status == 200
            server.freeze()
            clients = [raw_http.Client(worker.port) for _ in range(20)]
            for client in clients:
                client.send(request("GET", "/shared"))
            wait_until(lambda: worker.status is not None and worker.status.in_flight == 20, "all of them wait")
            for client in clients:
                client.reset()
            wait_until(lambda: worker.status is not None and worker.status.in_flight == 0, "none of them waits")
            server.thaw()
            # The answers to what was given up are nobody's: the next answer is the next request's.
            wait_until(lambda: ask(worker, "/shared").value("RateLimit") is not None, "the store is asked again")
            assert server.connections() <= 4
            assert len(behind.requests) >= 2


class Outage:
    """Three routes of one worker, and what each of them answers."""

    def __init__(self, worker: Rig, server: Valkey) -> None:
        self.worker = worker
        self.server = server

    def check_down(self) -> None:
        """What holds while the store does not answer: the declared choice, and nothing else."""
        assert ask(self.worker, "/open").status == 200
        closed = ask(self.worker, "/closed")
        assert closed.status == 503
        assert closed.value("Retry-After") == b"1"
        assert b'"culprit": "gateway"' in closed.body
        assert ask(self.worker, "/own").status == 200
        assert ask(self.worker, "/none").status == 200

    def wait_for_down(self) -> None:
        """Until the worker has found out; each look waits for the store's time-out at most."""
        wait_until(lambda: ask(self.worker, "/closed").status == 503, "the closed route is closed")
        for _ in range(3):
            ask(self.worker, "/closed")

    def wait_for_up(self) -> None:
        wait_until(lambda: ask(self.worker, "/closed").status == 200, "the closed route is open again")
        assert ask(self.worker, "/open").value("RateLimit") is not None

    def hold(self, seconds: float) -> None:
        """Ask every route all the time, and see that none has to wait."""
        end = time.monotonic() + seconds
        asked, slow = 0, 0
        while asked < 40 or time.monotonic() < end:
            began = time.monotonic()
            self.check_down()
            asked += 1
            slow += time.monotonic() - began > 2  # The store's time-out; a busy machine is allowed an outlier.
        assert slow <= asked // 20
        assert self.worker.process is not None
        assert psutil.Process(self.worker.process.pid).num_fds() < 100


@contextmanager
def outage(folder: Path) -> Iterator[Outage]:
    routes = (
        limited("open", per_hour(1_000_000, shared=True, when_unavailable="open")),
        limited("closed", per_hour(1_000_000, shared=True, when_unavailable="closed")),
        limited("own", per_hour(1_000_000)),
        limited("none"),
    )
    with valkey(folder) as server:
        store = LimitStore(server.url, timeout=2)
        with workers(folder, 1, *routes, store=store) as (_, [worker]):
            yield Outage(worker, server)


@pytest.mark.parametrize("seconds", [0.0, pytest.param(60.0, marks=[pytest.mark.soak, pytest.mark.timeout(300)])])
@pytest.mark.parametrize("how", ["frozen", "dead"])
def test_while_valkey_is_down_each_route_does_what_it_declares(tmp_path: Path, how: str, seconds: float) -> None:
    with outage(tmp_path) as out:
        out.wait_for_up()
        if how == "frozen":
            out.server.freeze()
        else:
            out.server.kill()
        out.wait_for_down()
        out.hold(seconds)
        if how == "frozen":
            out.server.thaw()
        else:
            out.server.start()
        out.wait_for_up()
        outcomes = counted(out.worker, "closed")
        assert outcomes["unavailable_closed"] >= 40
        assert outcomes["admitted"] >= 2
        assert counted(out.worker, "open")["unavailable_open"] >= 40
