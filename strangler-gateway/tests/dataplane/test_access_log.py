"""The access log: what is chosen is written once, rotation loses nothing, and a slow disk costs lines, not time."""

import errno
import json
import os
import threading
from pathlib import Path

import pytest

from strangler.dataplane import access_log as module
from strangler.dataplane.access_log import AccessLog
from strangler.dataplane.log_line import Refusal
from strangler.model.failure import Failure
from strangler.model.telemetry import LogSettings
from strangler.telemetry.meters import Meters

from .finished import finished

DROPPED = "strangler_access_log_dropped_total"
SAMPLED_OUT = "strangler_access_log_sampled_out_total"


@pytest.fixture
def meters() -> Meters:
    return Meters()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "access.jsonl"


def counted(meters: Meters, name: str) -> dict[tuple[str, ...], float]:
    return {labels: value for found, labels, value in meters.values()[0] if found == name}


def clients(path: Path) -> list[str]:
    """One per line; fails on a line that is not JSON."""
    return [json.loads(line)["client"] for line in path.read_text().splitlines()]


def test_what_was_added_is_in_the_file_once_the_log_is_closed(path: Path, meters: Meters) -> None:
    log = AccessLog(LogSettings(str(path)), meters)
    for number in range(1000):
        log.add(finished(client=str(number)))
        if number % 100 == 0:
            log.flush()
    log.close()
    assert clients(path) == [str(number) for number in range(1000)]
    assert meters.values()[0] == ()


def test_a_log_that_cannot_be_opened_says_so(tmp_path: Path, meters: Meters) -> None:
    with pytest.raises(OSError, match="nowhere"):
        AccessLog(LogSettings(str(tmp_path / "nowhere" / "access.jsonl")), meters)


def test_a_log_is_not_for_everybody_to_read(path: Path, meters: Meters) -> None:
    AccessLog(LogSettings(str(path)), meters).close()
    assert path.stat().st_mode & 0o007 == 0


def test_a_share_of_the_requests_gets_a_line_and_the_others_are_counted(path: Path, meters: Meters) -> None:
    log = AccessLog(LogSettings(str(path), sample=0.25), meters)
    for _ in range(4000):
        log.add(finished())
    log.close()
    written = len(clients(path))
    assert 800 < written < 1200
    assert counted(meters, SAMPLED_OUT) == {(): 4000 - written}


ERROR = {"status": 502, "failure": Failure.CONNECT}
KEPT: list[tuple[str, LogSettings, dict[str, object], bool]] = [
    ("a success", LogSettings(sample=0), {}, False),
    ("a failure of an upstream", LogSettings(sample=0), ERROR, True),
    ("a failure in the middle of an answer", LogSettings(sample=0), {"failure": Failure.RESET_IN_BODY}, True),
    ("an application's error", LogSettings(sample=0), {"status": 500}, True),
    ("a client's failure", LogSettings(sample=0), {"status": 401, "failure": Failure.UNAUTHENTICATED}, False),
    ("an error where errors are not kept", LogSettings(sample=0, errors=False), ERROR, False),
    ("a slow request", LogSettings(sample=0, slow=0.5), {"took": 0.5}, True),
    ("a quick request", LogSettings(sample=0, slow=0.5), {"took": 0.4}, False),
    ("a slow request where they are not kept", LogSettings(sample=0), {"took": 60.0}, False),
]


@pytest.mark.parametrize(("settings", "values", "kept"), [case[1:] for case in KEPT], ids=[case[0] for case in KEPT])
def test_what_is_always_logged(
    path: Path, meters: Meters, settings: LogSettings, values: dict[str, object], kept: bool
) -> None:
    log = AccessLog(LogSettings(str(path), 0, settings.errors, settings.slow), meters)
    log.add(finished(**values))
    log.close()
    assert bool(clients(path)) is kept


def test_refusals_are_sampled_like_any_other(path: Path, meters: Meters) -> None:
    log = AccessLog(LogSettings(str(path), sample=0), meters)
    log.add(Refusal(0.0, b"id", "::1", 400, Failure.REQUEST))
    log.close()
    assert clients(path) == []
    assert counted(meters, SAMPLED_OUT) == {(): 1}


def written_up_to(path: Path, client: str) -> None:
    """Wait until the line of ``client`` is in the file: the thread writes when it is told to."""
    done = threading.Event()
    while client not in (clients(path) if path.exists() else []):
        done.wait(0.005)


def test_a_file_that_was_moved_away_is_written_until_the_next_look(
    path: Path, meters: Meters, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOOK_EVERY", 3600.0)
    log = AccessLog(LogSettings(str(path)), meters)
    log.add(finished(client="before"))
    log.flush()
    written_up_to(path, "before")
    moved = path.rename(path.with_suffix(".1"))
    log.add(finished(client="after"))
    log.close()
    assert (clients(moved), path.exists()) == (["before", "after"], False)


def test_a_file_that_was_moved_away_is_opened_anew_and_no_line_is_lost(
    path: Path, meters: Meters, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOOK_EVERY", 0.0)
    log = AccessLog(LogSettings(str(path)), meters)
    log.add(finished(client="before"))
    log.flush()
    written_up_to(path, "before")
    moved = path.rename(path.with_suffix(".1"))
    path.touch()  # as logrotate's `create` does
    log.add(finished(client="after"))
    log.close()
    assert (clients(moved), clients(path)) == (["before"], ["after"])


def test_a_folder_that_is_gone_leaves_the_log_where_it_is(
    tmp_path: Path, meters: Meters, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOOK_EVERY", 0.0)
    folder = tmp_path / "logs"
    folder.mkdir()
    log = AccessLog(LogSettings(str(folder / "access.jsonl")), meters)
    moved = folder.rename(tmp_path / "moved")
    log.add(finished(client="kept"))
    log.close()
    assert clients(moved / "access.jsonl") == ["kept"]


def test_a_disk_that_does_not_keep_up_costs_lines_which_are_counted(
    path: Path, meters: Meters, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_WAITING", 100)
    release = threading.Event()
    monkeypatch.setattr(AccessLog, "_follow_file", lambda log: release.wait(10))
    log = AccessLog(LogSettings(str(path)), meters)
    for number in range(300):
        log.add(finished(client=str(number)))
        log.flush()
    assert counted(meters, DROPPED) == {("slow",): 200}
    release.set()
    log.close()
    assert clients(path) == [str(number) for number in range(100)]


def test_a_full_disk_costs_lines_which_are_counted_and_never_half_a_line(
    path: Path, meters: Meters, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, full = os.write, iter((True, False, False))

    def write(file: int, data: bytes) -> int:
        if file <= 2:
            return real(file, data)
        if next(full, False):
            return real(file, data[: len(data) // 2 - 7])
        if room:
            return real(file, data)
        raise OSError(errno.ENOSPC, "no space")

    room: list[int] = []
    monkeypatch.setattr(os, "write", write)
    log = AccessLog(LogSettings(str(path)), meters)
    for number in range(10):
        log.add(finished(client=str(number)))
    log.flush()
    done = threading.Event()
    while not counted(meters, DROPPED):
        done.wait(0.005)
    room.append(1)
    log.add(finished(client="after"))
    log.close()
    *whole, torn, after = path.read_bytes().splitlines()
    assert json.loads(after)["client"] == "after"
    assert [json.loads(line)["client"] for line in whole] == [str(number) for number in range(len(whole))]
    with pytest.raises(ValueError, match=r"."):
        json.loads(torn)
    assert counted(meters, DROPPED) == {("error",): 10 - len(whole)}


def test_lines_of_several_workers_do_not_mix_in_a_pipe(meters: Meters, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = []
    reading, writing = os.pipe()
    monkeypatch.setattr(module, "_STDOUT", writing)
    real = os.write

    def write(file: int, data: bytes) -> int:
        if file == writing:
            sizes.append(len(data))
            assert data.endswith(b"\n")
        return real(file, data)

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", write)
        log = AccessLog(LogSettings("stdout"), meters)
        for _ in range(100):
            log.add(finished())
        log.close()
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        assert len(pipe.read().splitlines()) == 100
    assert max(sizes) <= 4096
    assert len(sizes) > 1
