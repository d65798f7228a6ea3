"""Real rounds: nginx is started, checked, loaded and counted; what does not count is refused, with the reason."""

import contextlib
import dataclasses
import socketserver
import threading
from collections import Counter
from pathlib import Path
from typing import ClassVar

import httpx
import pytest

from yardstick.gateway import measure as measuring
from yardstick.gateway.cores import Cores, choose_cores, cpu_time
from yardstick.gateway.load import Counted, Load, apply, parse
from yardstick.gateway.measure import measure
from yardstick.gateway.peers import NGINX, UPSTREAM
from yardstick.gateway.running import NotRunningError, run
from yardstick.gateway.same_job import NotTheSameJobError, check
from yardstick.gateway.scenarios import Asked

REPORT = """Running 2s test @ http://127.0.0.1:20001/api/products/7
  1 threads and 8 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency   245.10us  108.38us   3.15ms   88.77%
    Req/Sec    32.00k     2.10k   35.20k    71.43%
  {seconds}
{errors}Requests/sec:  31863.39
Transfer/sec:     11.94MB
"""


@pytest.mark.parametrize(
    ("seconds", "errors", "counted"),
    [
        ("66912 requests in 2.10s, 25.08MB read", "", Counted(66_912, 0, 2.1)),
        ("10 requests in 1.50m, 25.08MB read", "", Counted(10, 0, 90.0)),
        ("10 requests in 2.00s, 1KB read", "  Non-2xx or 3xx responses: 4\n", Counted(10, 4, 2.0)),
        (
            "10 requests in 2.00s, 1KB read",
            "  Socket errors: connect 1, read 2, write 0, timeout 3\n",
            Counted(10, 6, 2.0),
        ),
    ],
)
def test_a_report_of_wrk_is_read(seconds: str, errors: str, counted: Counted) -> None:
    assert parse(REPORT.format(seconds=seconds, errors=errors)) == counted


def test_anything_else_is_not_taken_for_a_report() -> None:
    with pytest.raises(ValueError, match="not a report"):
        parse("unable to connect to 127.0.0.1:1 Connection refused")


def test_a_round_with_nginx_counts_requests_cpu_time_and_log_lines(tmp_path: Path) -> None:
    cores = choose_cores()
    with (
        run(UPSTREAM, tmp_path, 0, cores.upstream) as upstream,
        run(NGINX, tmp_path, upstream.place.port, cores.proxy) as nginx,
    ):
        assert "the request id in the access log" in check(nginx)
        sample = measure(nginx, Load(8, Asked(), 50, cores.load), number=0, seconds=1)
        assert cpu_time(nginx.pid).tree >= sample.cpu_seconds
    assert sample.refused == ""
    assert sample.errors == 0
    assert sample.logged >= sample.requests > 100
    assert 0 < sample.cpu_seconds < sample.seconds + 1
    assert sample.microseconds == pytest.approx(sample.cpu_seconds / sample.requests * 1e6)
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://127.0.0.1:{nginx.place.port}/")


def test_a_proxy_that_forwards_no_request_id_is_not_timed(tmp_path: Path) -> None:
    """The upstream itself, taken for a proxy: it answers, but adds nothing."""
    with run(UPSTREAM, tmp_path, 0, Cores(0, 0, 0).proxy) as upstream:
        upstream.place.log.touch()
        with pytest.raises(NotTheSameJobError, match=r"X-Forwarded-For.*X-Request-ID made when absent"):
            check(upstream)


def test_a_proxy_that_does_not_start_tells_why(tmp_path: Path) -> None:
    broken = dataclasses.replace(NGINX, arguments=("-c", "@FOLDER@/absent.conf"))
    with pytest.raises(NotRunningError, match=r"absent\.conf"), run(broken, tmp_path, 1, 0):
        pass


@pytest.mark.parametrize(
    ("requests", "errors", "logged", "refusal"),
    [
        (100, 0, 100, ""),
        (100, 0, 108, ""),
        (100, 2, 100, "2 errors"),
        (100, 0, 90, "10 of 100 requests are not in the access log"),
        (0, 0, 0, "no request was answered"),
    ],
)
def test_what_cannot_be_trusted_is_refused(requests: int, errors: int, logged: int, refusal: str) -> None:
    assert measuring.refusal(requests, errors, logged) == refusal


class Recorder(socketserver.StreamRequestHandler):
    """Answers every request with an empty 200 and keeps its head."""

    heads: ClassVar[list[bytes]] = []

    def handle(self) -> None:
        head = b""
        with contextlib.suppress(ConnectionError):
            while line := self.rfile.readline():
                head += line
                if line == b"\r\n":
                    self.heads.append(head)
                    self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                    head = b""


@pytest.mark.parametrize("share", [0, 30, 100])
def test_as_many_requests_as_wanted_have_a_header_section_of_their_own(share: int) -> None:
    Recorder.heads.clear()
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Recorder) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        load = Load(connections=2, asked=Asked(), new_heads=share, core=choose_cores().load)
        counted = apply(load, server.server_address[1], 1)
        server.shutdown()
        thread.join()
    assert counted.requests > 100
    heads = Counter(Recorder.heads)
    new = sum(count == 1 for count in heads.values())
    assert new == pytest.approx(counted.requests * share / 100, abs=80)
    assert {head.count(b"\r\n") for head in heads} == {16}
    sessions = {line for head in heads for line in head.split(b"\r\n") if line.startswith(b"Cookie:")}
    assert len(sessions) == 64
