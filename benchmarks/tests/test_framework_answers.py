"""Every combination, started: it answers each timed endpoint as the others do, as many requests at once as it says.

What differs legitimately between frameworks and servers has a name in ``strangler.shadow``; nothing else may differ.
"""

import contextlib
import http.client
import itertools
import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import psutil
import pytest

from strangler.model.shadow import Comparing
from strangler.shadow.answer import Answer, Question
from strangler.shadow.rules import Rules
from support.postgresql import PostgreSQL, postgresql_when_asked
from yardstick.frameworks.endpoints import FRAMEWORKS, ORDER, Ask, of
from yardstick.frameworks.running import Place, Served, serving
from yardstick.frameworks.servers import SERVERS, Combination, combinations
from yardstick.frameworks.slow_server import BODY
from yardstick.frameworks.visitors import Issuer, Visitors
from yardstick.gateway.running import NotRunningError

PRODUCTS = 120
TIMES = 2  # requests to each endpoint
THREADS = 3
HOST = "shop.example"
CHEAP = {"SHOP_ARGON2_TIME_COST": "1", "SHOP_ARGON2_MEMORY_KIB": "8", "SHOP_ARGON2_PARALLELISM": "1"}
RULES = Rules(
    Comparing(
        # Each is a process with a clock of its own, and is asked at its own moment.
        tolerances=tuple(
            (f"{place}.{name}", 600.0) for place in ("body", "body.items[]") for name in ("created_at", "updated_at")
        ),
    ),
    date(2026, 5, 17),
)
SQLITE = [one for one in combinations(threads=THREADS) if one.database == "sqlite"]
POSTGRESQL = [
    Combination(implementation, servers[0], "postgresql", threads=THREADS)
    for implementation, servers in SERVERS.items()
    if implementation != "django-async"
]
"""One server each: what another database changes lies behind the server."""
REFERENCE = SQLITE[0]


class Downstream(ThreadingHTTPServer):
    """Answers once as many requests wait as are expected, and a moment later: time for one more to arrive."""

    daemon_threads = True
    expected = 1
    most = 0
    waiting = 0

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Waiting)
        self.changed = threading.Condition()
        self.url = f"http://127.0.0.1:{self.server_address[1]}/"

    def wait(self) -> None:
        with self.changed:
            self.waiting += 1
            self.most = max(self.most, self.waiting)
            self.changed.notify_all()
            self.changed.wait_for(lambda: self.most >= self.expected, 10)
            if self.expected > 1:
                self.changed.wait_for(lambda: self.most > self.expected, 0.3)

    def expect(self, count: int) -> None:
        with self.changed:
            self.expected, self.most, self.waiting = count, 0, 0


class Waiting(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Downstream

    def do_GET(self) -> None:
        self.server.wait()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(BODY)))
        self.end_headers()
        self.wfile.write(BODY)
        with self.server.changed:
            self.server.waiting -= 1

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def downstream() -> Iterator[Downstream]:
    with Downstream() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def database_server() -> Iterator[Callable[[], PostgreSQL]]:
    with postgresql_when_asked() as server:
        yield server


@pytest.fixture(scope="module")
def place(
    tmp_path_factory: pytest.TempPathFactory, downstream: Downstream, database_server: Callable[[], PostgreSQL]
) -> Place:
    return Place(
        tmp_path_factory.mktemp("combinations"),
        Issuer(),
        downstream.url,
        products=PRODUCTS,
        new_database=lambda name: database_server().create_database(name),
        environment=CHEAP,
    )


Asked = dict[tuple[str, int], tuple[Ask, Answer]]


def send(port: int, ask: Ask) -> Answer:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    with contextlib.closing(connection):
        connection.request(ask.method, ask.target, ask.body or None, {"Host": HOST, **ask.headers})
        response = connection.getresponse()
        fields = tuple((name.encode("latin-1"), value.encode("latin-1")) for name, value in response.getheaders())
        return Answer(response.status, fields, response.read())


def ask_everything(served: Served, issuer: Issuer) -> Asked:
    """Ask each endpoint, judge each answer, and return them all."""
    visitors = Visitors(issuer, PRODUCTS)

    def sent(ask: Ask) -> tuple[int, bytes]:
        answer = send(served.port, ask)
        return answer.status, answer.body

    found: Asked = {}
    for endpoint in of(served.combination.implementation):
        if endpoint.once is not None:
            endpoint.once(visitors, sent)
        for number in range(TIMES):
            if endpoint.before is not None:
                assert send(served.port, endpoint.before(visitors, number)).status == 200
            ask = endpoint.ask(visitors, number)
            answer = send(served.port, ask)
            wrong = endpoint.wrong(visitors, number, answer.status, answer.body)
            assert not wrong, (endpoint.name, wrong)
            found[endpoint.name, number] = ask, answer
    return found


def differences(ask: Ask, one: Answer, other: Answer) -> list[str]:
    """What differs between two answers, in words, whichever is taken for the primary."""
    fields = tuple((name.encode(), value.encode()) for name, value in {"Host": HOST, **ask.headers}.items())
    question = Question(ask.method.encode(), ask.target.encode(), fields, ask.body)
    return [
        f"{ask.method} {ask.target}: {found.field}: {found.primary} and {found.candidate}"
        for primary, candidate in itertools.permutations((one, other))
        for found in RULES.compare(question, primary, candidate).differences
    ]


@pytest.fixture(scope="module")
def reference(place: Place) -> Iterator[tuple[Asked, dict[str, Answer]]]:
    """What the others are compared with: all endpoints, and refusals."""
    with serving(REFERENCE, replace(place, folder=place.folder / "reference")) as served:
        yield ask_everything(served, place.issuer), {name: send(served.port, ask) for name, ask in REFUSED.items()}


@pytest.fixture(scope="module")
def served(request: pytest.FixtureRequest, place: Place) -> Iterator[Served]:
    with serving(request.param, place) as found:
        yield found


def _order(**changes: object) -> bytes:
    return json.dumps({**ORDER, **changes}).encode()


def _item(**changes: object) -> bytes:
    return _order(items=[{**ORDER["items"][0], **changes}])  # type: ignore[index]


JSON = {"Content-Type": "application/json"}
REFUSED = {
    name: Ask("POST", "/bench/validate", headers, body)
    for name, headers, body in (
        ("nothing", JSON, b""),
        ("no JSON", JSON, b"{"),
        ("no object", JSON, b"[]"),
        ("null", JSON, b"null"),
        ("an empty object", JSON, b"{}"),
        ("no content type", {}, b"{}"),
        ("too much", JSON, b" " * 70_000),
        ("no items", JSON, _order(items=[])),
        ("items that are none", JSON, _order(items=7)),
        ("an unknown key", JSON, _order(colour="red")),
        ("a blank name", JSON, _order(customer="  ")),
        ("a text for a boolean", JSON, _order(express="true")),
        ("a quantity of nothing", JSON, _item(quantity=0)),
        ("a quantity as text", JSON, _item(quantity="1")),
        ("another currency", JSON, _item(price={"cents": 1, "currency": "CHF"})),
        ("a price without currency, and more", JSON, _item(price={"cents": -1, "tax": 1}, sku="")),
    )
}


STARTED = pytest.mark.parametrize(
    "served",
    [*SQLITE, *(pytest.param(one, marks=pytest.mark.postgresql) for one in POSTGRESQL)],
    ids=str,
    indirect=True,
    scope="module",
)


@STARTED
def test_every_endpoint_is_answered_rightly_and_as_by_the_others(
    served: Served, place: Place, reference: tuple[Asked, dict[str, Answer]]
) -> None:
    asked = ask_everything(served, place.issuer)
    assert {name for name, _ in asked} == {endpoint.name for endpoint in of(served.combination.implementation)}
    found = [text for key, (ask, answer) in asked.items() for text in differences(ask, reference[0][key][1], answer)]
    assert not found


@STARTED
def test_documents_that_are_not_good_are_refused_as_by_the_others(
    served: Served, reference: tuple[Asked, dict[str, Answer]]
) -> None:
    if served.combination.implementation not in FRAMEWORKS:
        assert send(served.port, Ask("GET", "/livez")).status == 200
        return
    for name, ask in REFUSED.items():
        answer = send(served.port, ask)
        assert 400 <= answer.status < 500, name
        assert not differences(ask, reference[1][name], answer), name


@STARTED
def test_so_many_requests_wait_at_once_as_there_are_threads_or_as_there_are_where_none_is_taken(
    served: Served, downstream: Downstream
) -> None:
    if served.combination.implementation == "catalog-service":
        pytest.skip("it has no endpoint that waits")
    count = 3 * THREADS
    expected = count if served.combination.interface == "asgi" else THREADS
    downstream.expect(expected)
    with ThreadPoolExecutor(count) as clients:
        answers = list(clients.map(lambda _: send(served.port, Ask("GET", "/bench/slow")), range(count)))
    most = downstream.most
    downstream.expect(1)
    assert most == expected
    assert [answer.status for answer in answers] == [200] * count


def test_an_answer_that_differs_would_be_noticed(reference: tuple[Asked, dict[str, Answer]]) -> None:
    ask, answer = reference[0]["read", 0]
    assert differences(ask, answer, reference[0]["read", 1][1])
    assert differences(ask, answer, Answer(answer.status, (), answer.body))
    assert not differences(ask, answer, answer)


def _lives(process: psutil.Process) -> bool:
    """Whether it runs. One that waits for its parent to notice its end does not."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def test_nothing_is_left_of_a_combination_that_has_ended(place: Place) -> None:
    combination = Combination("flask", "granian", "sqlite", workers=2)
    own = replace(place, folder=place.folder / "ending")
    with serving(combination, own) as served:
        family = psutil.Process(served.process.pid).children(recursive=True)
        assert len(family) >= 2
        began = time.monotonic()
    assert time.monotonic() - began < 15
    assert not [process for process in family if _lives(process)]
    with pytest.raises(ConnectionError):
        send(served.port, Ask("GET", "/livez"))


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"DATABASE_URL": "nonsense"}, "cannot be seeded(.|\n)*Could not parse"),
        ({"GUNICORN_CMD_ARGS": "--no-such-option"}, "does not answer(.|\n)*no-such-option"),
    ],
)
def test_a_combination_that_does_not_start_tells_why(environment: dict[str, str], said: str, place: Place) -> None:
    broken = replace(place, folder=place.folder / f"broken-{len(said)}", environment=environment)
    with pytest.raises(NotRunningError, match=said), serving(REFERENCE, broken):
        pass


def test_postgresql_is_asked_for_by_name(place: Place) -> None:
    without = replace(place, folder=place.folder / "without", new_database=None)
    with pytest.raises(NotRunningError, match="needs a PostgreSQL server"), serving(POSTGRESQL[0], without):
        pass
