"""The access log: every line is one JSON object that says what it was given, and a slow disk costs lines, not time."""

import json
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strangler.dataplane.access_log import MAX_BATCHES, AccessLog, Entry, line

ENTRY: Entry = (
    1_700_000_000.25,
    b"id-1",
    b"4bf92f3577b34da6a3ce929d0e0e4736",
    "127.0.0.1",
    b"GET",
    b"/api/products/7",
    200,
    "products-get",
    "service",
    "below_weight",
    "127.0.0.1:8091",
    0.0123456,
    5,
    77,
    "",
)


def with_path(path: bytes) -> Entry:
    return (*ENTRY[:5], path, *ENTRY[6:])  # type: ignore[return-value]


def read(data: bytes) -> dict[str, Any]:
    assert data.count(b"\n") == 1
    assert data.endswith(b"\n")
    record: dict[str, Any] = json.loads(data)
    return record


def test_a_line_says_everything_by_name() -> None:
    assert read(line(ENTRY)) == {
        "time": "2023-11-14T22:13:20.250000Z",
        "request_id": "id-1",
        "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
        "client": "127.0.0.1",
        "method": "GET",
        "path": "/api/products/7",
        "status": 200,
        "route": "products-get",
        "arm": "service",
        "reason": "below_weight",
        "endpoint": "127.0.0.1:8091",
        "duration_ms": 12.346,
        "bytes_in": 5,
        "bytes_out": 77,
    }


def test_a_failure_is_named() -> None:
    assert read(line((*ENTRY[:14], "head.upstream")))["failure"] == "head.upstream"


@given(path=st.text("".join(map(chr, range(0x21, 0x7F))), max_size=60))
def test_no_path_breaks_a_line(path: str) -> None:
    assert read(line(with_path(b"/" + path.encode())))["path"] == "/" + path


@given(moment=st.floats(0, 4e9))
def test_no_moment_breaks_a_line(moment: float) -> None:
    assert len(read(line((moment, *ENTRY[1:])))["time"]) == len("2023-11-14T22:13:20.250000Z")


def test_what_was_added_is_in_the_file_once_the_log_is_closed(tmp_path: Path) -> None:
    log = AccessLog(str(tmp_path / "access.jsonl"))
    for number in range(1000):
        log.add(with_path(b"/%d" % number))
        if number % 100 == 0:
            log.flush()
    log.close()
    lines = (tmp_path / "access.jsonl").read_bytes().splitlines(keepends=True)
    assert [read(line)["path"] for line in lines] == [f"/{number}" for number in range(1000)]
    assert log.dropped == 0


def test_a_log_that_cannot_be_opened_says_so(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="nowhere"):
        AccessLog(str(tmp_path / "nowhere" / "access.jsonl"))


def test_a_disk_that_does_not_keep_up_costs_lines_which_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = threading.Event()

    def stuck(entry: Entry) -> bytes:
        release.wait(10)
        return line(entry)

    monkeypatch.setattr("strangler.dataplane.access_log.line", stuck)
    log = AccessLog(str(tmp_path / "access.jsonl"))
    batches = MAX_BATCHES + 20
    for _ in range(batches):
        log.add(ENTRY)
        log.flush()
    assert 0 < log.dropped < batches
    release.set()
    log.close()
    written = len((tmp_path / "access.jsonl").read_bytes().splitlines())
    assert written + log.dropped == batches
