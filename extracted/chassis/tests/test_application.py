"""What every service on the chassis answers, whatever it is for."""

import asyncio
import json
import re
from pathlib import Path

import httpx
import pytest

from .conftest import Build, Serve


def test_a_service_lives_while_what_it_needs_does_not(build: Build, serve: Serve) -> None:
    async def broken() -> None:
        raise ConnectionRefusedError("db.internal:5432 as user shop")

    async def fine() -> None:
        return

    client = serve(build(checks={"database": broken, "disk": fine}))
    assert client.get("/livez").json() == {"status": "ok"}
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {"status": "unavailable", "checks": {"database": "ConnectionRefusedError", "disk": "ok"}}


def test_a_check_that_hangs_is_a_check_that_fails(build: Build, serve: Serve) -> None:
    async def hanging() -> None:
        await asyncio.sleep(60)

    client = serve(build(checks={"database": hanging}))
    assert client.get("/readyz").json()["checks"] == {"database": "no answer within 2 s"}


def test_a_ready_service_says_so(client: httpx.Client) -> None:
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok", "checks": {"nothing": "ok"}})


def test_an_unexpected_error_is_answered_and_not_explained(client: httpx.Client) -> None:
    answer = client.get("/api/things/500")
    assert (answer.status_code, answer.headers["content-type"]) == (500, "application/problem+json")
    assert answer.json() == {
        "type": "https://shop.example/problems/internal-error",
        "title": "Internal error",
        "status": 500,
        "detail": "Something went wrong on our side.",
    }


@pytest.mark.parametrize(
    ("method", "path", "status", "detail"),
    [
        ("GET", "/api/things/404", 404, "There is no thing 404."),
        ("GET", "/api/nothing", 404, "There is nothing at this path."),
        ("GET", "/api/things/1/", 404, "There is nothing at this path."),
        ("GET", "/api/things%0A", 404, "There is nothing at this path."),
        ("PUT", "/api/things/1", 405, "PUT is not allowed here."),
    ],
)
def test_errors_are_problems(method: str, path: str, status: int, detail: str, client: httpx.Client) -> None:
    answer = client.request(method, path)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert list(answer.json()) == ["type", "title", "status", "detail"]
    assert answer.json()["detail"] == detail


def test_a_refused_method_names_those_allowed(client: httpx.Client) -> None:
    assert client.put("/api/things/1").headers["allow"] == "GET, HEAD"
    assert client.get("/api/things").headers["allow"] == "POST"


def test_head_answers_as_get_without_a_body(client: httpx.Client) -> None:
    got, head = client.get("/api/things/1"), client.head("/api/things/1")
    assert (head.status_code, head.headers["content-length"]) == (200, got.headers["content-length"])


def test_metrics_are_by_template_and_never_by_path(client: httpx.Client) -> None:
    for number in range(3):
        client.get(f"/api/things/{number}")
    client.head("/api/things/1")
    client.request("PROPFIND", "/api/things/1")
    text = client.get("/metrics").text
    assert 'http_requests_total{method="GET",route="/api/things/{thing_id}",status="200"} 3.0' in text
    assert 'http_requests_total{method="HEAD",route="/api/things/{thing_id}",status="200"} 1.0' in text
    assert 'method="other"' in text
    assert "/api/things/1" not in text
    assert "http_request_duration_seconds_bucket" in text


def test_each_request_is_a_line_in_the_access_log(client: httpx.Client, tmp_path: Path) -> None:
    client.get("/api/things/1?a=%20b", headers={"X-Request-ID": "r-1"})
    client.get("/api/things/500", headers={"X-Request-ID": "r-2"})
    first, second = (json.loads(line) for line in (tmp_path / "access.log").read_text().splitlines())
    assert (first["request_id"], first["method"], first["target"], first["status"]) == (
        "r-1", "GET", "/api/things/1?a=%20b", 200)  # fmt: skip
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", first["start"])
    assert (second["request_id"], second["status"]) == ("r-2", 500)
    assert first["start"] < second["start"]


def test_the_documentation_needs_no_other_host(client: httpx.Client) -> None:
    page = client.get("/docs").text
    assert "http://" not in page
    assert "https://" not in page
    assets = re.findall(r'(?:href|src)="([^"]+)"', page)
    assert len(assets) == 3
    for asset in assets:
        assert client.get(asset).status_code == 200
    assert "/api/things/{thing_id}" in client.get("/openapi.json").json()["paths"]
    assert "/livez" not in client.get("/openapi.json").json()["paths"]
