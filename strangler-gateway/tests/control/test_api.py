"""The admin API: the shape of its answers and of every error, who may ask, and its pages."""

import contextlib
import re
import threading
import time
from collections.abc import Iterator

import httpx
import psycopg
import pytest
import sqlalchemy as sa

from support.processes import free_port, running

TOKEN = "a-token-of-some-length"
PATHS = [
    ("GET", "/api/v1/status"),
    ("GET", "/api/v1/routes"),
    ("POST", "/api/v1/flips"),
    ("POST", "/api/v1/kills"),
    ("GET", "/api/v1/history"),
    ("POST", "/api/v1/explain"),
    ("GET", "/api/v1/config"),
    ("POST", "/api/v1/config/reload"),
]
FLIP = {"target": "catalog", "stage": "canary", "weight": 5, "author": "a", "reason": "r"}


@pytest.fixture(scope="module")
def control(tmp_path_factory: pytest.TempPathFactory, start_control):
    """One control process for all that changes nothing."""
    with start_control(tmp_path_factory.mktemp("control")) as control:
        yield control


def assert_problem(response: httpx.Response, status: int, detail: str) -> dict:
    assert (response.status_code, response.headers["content-type"]) == (status, "application/problem+json")
    problem = response.json()
    assert (problem["type"], problem["status"]) == ("about:blank", status)
    assert problem["title"]
    assert detail in problem["detail"]
    return problem


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "detail"),
    [
        ("GET", "/nothing", None, 404, "there is nothing at /nothing"),
        ("GET", "/api/v2/status", None, 404, "there is nothing at /api/v2/status"),
        ("DELETE", "/api/v1/flips", None, 405, "DELETE is not for /api/v1/flips"),
        ("POST", "/api/v1/flips", FLIP | {"target": "catalgo"}, 404, "did you mean catalog?"),
        ("POST", "/api/v1/flips", FLIP | {"target": "catch-all"}, 409, "always goes to the monolith"),
        ("POST", "/api/v1/flips", FLIP | {"target": "legacy"}, 409, "no service arm"),
        ("POST", "/api/v1/flips", FLIP | {"stage": "shadow"}, 422, "canary only"),
        ("POST", "/api/v1/flips", FLIP | {"stage": "retired"}, 409, "not available yet"),
        ("POST", "/api/v1/flips", FLIP | {"stage": "full"}, 422, "body.stage"),
        ("POST", "/api/v1/flips", FLIP | {"stage": "service"}, 422, "canary only"),
        ("POST", "/api/v1/flips", FLIP | {"weight": None}, 422, "needs a weight"),
        ("POST", "/api/v1/flips", FLIP | {"weight": 5.001}, 422, "at most two decimals"),
        ("POST", "/api/v1/flips", FLIP | {"weight": 100.01}, 422, "from 0 to 100"),
        ("POST", "/api/v1/flips", FLIP | {"weight": "a lot"}, 422, "not a number"),
        ("POST", "/api/v1/flips", FLIP | {"weight": True}, 422, "body.weight"),
        ("POST", "/api/v1/flips", FLIP | {"weight": [5]}, 422, "body.weight"),
        ("POST", "/api/v1/flips", FLIP | {"reason": ""}, 422, "body.reason"),
        ("POST", "/api/v1/flips", FLIP | {"cohorts": [""]}, 422, "body.cohorts.0"),
        ("POST", "/api/v1/flips", {"target": "catalog", "stage": "service", "reason": "r"}, 422, "body.author"),
        ("POST", "/api/v1/kills", {"target": "catalgo", "author": "a", "reason": "r"}, 404, "did you mean catalog?"),
        ("POST", "/api/v1/kills", {"target": "catch-all", "author": "a", "reason": "r"}, 409, "always goes"),
        ("POST", "/api/v1/explain", {"target": "api"}, 422, "body.target"),
        ("POST", "/api/v1/explain", {"target": "/x", "client": "me"}, 422, "body.client"),
        ("POST", "/api/v1/explain", {"target": "/api/products/..%2f7"}, 422, "more than one way"),
        ("GET", "/api/v1/history?limit=0", None, 422, "query.limit"),
        ("GET", "/docs/assets/nothing.js", None, 404, "there is nothing at"),
    ],
)  # fmt: skip
def test_an_error_is_a_problem_that_says_what_to_do(control, method, path, body, status, detail) -> None:
    assert_problem(control.api.request(method, path, json=body), status, detail)


def test_a_refused_method_is_told_those_that_are_for_it(control) -> None:
    assert control.api.delete("/api/v1/flips").headers["allow"] == "POST"


def test_a_body_that_is_no_json_is_a_problem(control) -> None:
    headers = {"content-type": "application/json"}
    assert_problem(control.api.post("/api/v1/flips", content=b"{", headers=headers), 422, "body")


def test_a_body_that_a_page_could_send_without_asking_is_refused(control) -> None:
    answer = control.api.post("/api/v1/flips", content=b"{}", headers={"content-type": "text/plain"})
    assert answer.status_code == 422


def test_an_invalid_flip_names_every_field(control) -> None:
    problem = control.api.post("/api/v1/flips", json={"stage": "canary", "weight": 5.001}).json()
    places = {finding["place"] for finding in problem["problems"]}
    assert places == {"body.target", "body.weight", "body.reason", "body.author"}


def test_an_unknown_target_gives_near_names_for_programs(control) -> None:
    assert control.flip("product-get", "service").json()["near"][0] == "products-get"


def test_nothing_of_all_that_made_a_revision(control) -> None:
    assert control.revision() == 1


def test_routes_show_everything_about_each(control) -> None:
    items = {item["name"]: item for item in control.get("/routes")["items"]}
    assert list(items) == ["products-list", "products-get", "products-import", "legacy", "catch-all"]
    quiet = {"requests": 0, "p95_ms": None, "errors": 0}
    assert items["products-get"] == {
        "name": "products-get",
        "module": "catalog",
        "group": "catalog",
        "match": {"kind": "template", "path": "/api/products/{id}", "methods": ["GET"], "headers": {}, "query": {}},
        "monolith": "monolith",
        "service": "catalog",
        "stage": "monolith",
        "weight": "0.00",
        "cohorts": [],
        "killed": None,
        "writes": [],
        "live": {
            "window_seconds": 60, "requests": 0, "service_share": None, "monolith": quiet, "service": quiet,
        },
    }  # fmt: skip


def test_explain_says_which_arm_and_why(control) -> None:
    body = {"method": "get", "target": "/api/products/7?x=1", "headers": [["X-User", "u1"]], "client": "::1"}
    assert control.api.post("/api/v1/explain", json=body).json() == {
        "route": "products-get", "arm": "monolith", "reason": "stage_monolith", "stage": "monolith", "weight": "0.00",
        "subject": "u1", "bucket": None, "group": "catalog", "module": "catalog", "upstream": "monolith",
        "mirror": False, "revision": 1,
    }  # fmt: skip
    assert control.api.post("/api/v1/explain", json={"target": "/elsewhere"}).json()["reason"] == "no_route"


def test_the_documentation_loads_nothing_from_elsewhere(control) -> None:
    page = control.api.get("/docs").text
    sources = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert len(sources) == 3
    for source in sources:
        assert source.startswith("/docs/assets/")
        assert control.api.get(source).status_code == 200
    assert "url: '/openapi.json'" in page


def test_the_schema_describes_every_path_and_its_problems(control) -> None:
    schema = control.api.get("/openapi.json").json()
    assert schema["openapi"].startswith("3.1")
    for method, path in PATHS:
        operation = schema["paths"][path][method.lower()]
        assert operation["summary"]
        for status, response in operation["responses"].items():
            if status >= "400":
                assert list(response["content"]) == ["application/problem+json"], (path, status)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.0.0.1:1", "[::1]:80", "LOCALHOST:8081"])
def test_a_host_that_is_this_machine_is_answered(control, host: str) -> None:
    assert control.api.get("/api/v1/status", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8081", "127.0.0.1.evil.example", "192.0.2.1", "", "[::z"]
)
@pytest.mark.parametrize("path", ["/api/v1/status", "/metrics", "/docs", "/livez"])
def test_a_page_whose_name_was_rebound_to_this_machine_is_refused(control, host: str, path: str) -> None:
    assert_problem(control.api.get(path, headers={"host": host}), 403, "not this machine's")


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://[", "127.0.0.1"])
def test_a_request_from_another_site_is_refused_also_without_a_body(control, origin: str) -> None:
    answer = control.api.post("/api/v1/config/reload", headers={"origin": origin})
    assert_problem(answer, 403, f"pages of {origin}")


def test_a_request_from_its_own_page_is_answered(control) -> None:
    origin = str(control.api.base_url).rstrip("/")
    assert control.api.get("/api/v1/status", headers={"origin": origin}).status_code == 200


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory, control_command) -> Iterator[httpx.Client]:
    """A control with a token, on every address."""
    folder = tmp_path_factory.mktemp("guarded")
    (folder / "c.yaml").write_text("monolith: http://127.0.0.1:1\n")
    port = free_port()
    command = control_command(folder / "state", folder / "c.yaml", f"0.0.0.0:{port}")
    with (
        running(
            "control", command, log=folder / "log", ready=f"http://127.0.0.1:{port}/readyz",
            env={"STRANGLER_ADMIN_TOKEN": TOKEN},
        ),
        httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as api,
    ):  # fmt: skip
        yield api


@pytest.mark.parametrize(("method", "path"), [*PATHS, ("GET", "/api/v1/nothing"), ("GET", "/api/")])
@pytest.mark.parametrize("given", [None, "Bearer", "Bearer wrong", f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer ü"])
def test_with_a_token_every_call_needs_it(guarded: httpx.Client, method: str, path: str, given: str | None) -> None:
    headers = {} if given is None else {"authorization": given.encode()}
    answer = guarded.request(method, path, headers=headers)
    assert_problem(answer, 401, "Bearer TOKEN")
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_with_the_token_calls_are_answered_under_any_host(guarded: httpx.Client) -> None:
    headers = {"authorization": f"Bearer {TOKEN}", "host": "gateway.internal"}
    assert guarded.get("/api/v1/status", headers=headers).status_code == 200


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/metrics"])
def test_probes_and_metrics_need_no_token(guarded: httpx.Client, path: str) -> None:
    assert guarded.get(path).status_code == 200


@contextlib.contextmanager
def held(url: str) -> Iterator[None]:
    """Another process's write transaction, as far as the database can tell."""
    engine = sa.create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        connection.execute(sa.text("UPDATE state SET revision = revision"))
        yield
        connection.rollback()
    engine.dispose()


def test_a_busy_store_gives_a_503_and_changes_nothing(
    supervisor, tmp_path, start_control, workers, store_url, until
) -> None:
    with start_control(tmp_path, store=store_url) as control:
        peer = workers.join(0)
        workers.join(1)
        until(lambda: len(peer.heard) == 1, "the first push")
        with held(store_url):
            assert_problem(control.flip("catalog", "service"), 503, "is not available")
            assert (control.revision(), control.stages()["products-get"]) == (1, "monolith")
            control.config.write_text(control.config.read_text().replace("/legacy", "/older"))
            assert_problem(control.api.post("/api/v1/config/reload"), 503, "is not available")
        assert len(peer.heard) == 1
        assert {row["action"] for row in control.get("/history")["items"]} == {"config"}
        assert control.flip("catalog", "service").json()["revision"] == 2


@pytest.mark.postgresql
def test_a_store_that_goes_down_gives_503_until_it_is_back(
    supervisor, tmp_path, start_control, workers, database_server
) -> None:
    url = database_server.create_database("comes_back")
    with (
        start_control(tmp_path, store=url) as control,
        psycopg.connect(database_server.url(), autocommit=True) as server,
    ):
        workers.join(0)
        workers.join(1)
        assert control.flip("catalog", "service").json()["revision"] == 2
        server.execute("ALTER DATABASE comes_back ALLOW_CONNECTIONS false")
        server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'comes_back'")
        assert_problem(control.api.get("/readyz"), 503, "is not available")
        assert_problem(control.flip("catalog", "monolith"), 503, "is not available")
        assert control.api.get("/livez").status_code == 200
        assert (control.revision(), control.stages()["products-get"]) == (2, "service")
        server.execute("ALTER DATABASE comes_back ALLOW_CONNECTIONS true")
        assert control.api.get("/readyz").status_code == 200
        assert control.flip("catalog", "monolith").json()["revision"] == 3
    database_server.drop_database("comes_back")


def test_a_disk_that_is_full_gives_a_503_and_changes_nothing(supervisor, control_on_full_disk) -> None:
    control = control_on_full_disk
    assert_problem(control.flip("catalog", "service"), 503, "snapshot.json cannot be written")
    assert (control.revision(), control.stages()["products-get"]) == (1, "monolith")
    assert {row["action"] for row in control.get("/history")["items"]} == {"config"}


@pytest.fixture
def control_on_full_disk(supervisor, tmp_path, start_control):
    """A control whose next snapshot cannot be written: something else has its place."""
    with start_control(tmp_path) as control:
        (control.state / "snapshot.json.next").mkdir()
        yield control


def test_status_and_metrics_are_answered_while_a_flip_waits(supervisor, tmp_path, start_control, workers) -> None:
    with start_control(tmp_path) as control:
        workers.join(0)
        flip = threading.Thread(target=control.flip, args=("catalog", "service"))
        flip.start()
        began = time.monotonic()
        assert control.get("/status")["supervisor"] == "connected"
        assert control.api.get("/metrics").status_code == 200
        assert time.monotonic() - began < 3
        workers.join(1)
        flip.join()
