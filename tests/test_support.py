"""What the other tests lean on: a program that fails to start, or to end, is an error that shows its output."""

import sys
from pathlib import Path

import psycopg
import pytest

from support.postgresql import postgresql
from support.processes import ProcessFailedError, free_port, running, start

SERVE = "import http.server, sys; http.server.ThreadingHTTPServer(('127.0.0.1', int(sys.argv[1])), {}).serve_forever()"
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
PARENT = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', sys.argv[1]]).wait()"


def python(code: str, *arguments: str) -> list[str]:
    return [sys.executable, "-c", code, *arguments]


def test_a_program_is_ready_when_it_answers_and_gone_after_the_block(tmp_path: Path) -> None:
    port = free_port()
    serve = SERVE.format("http.server.SimpleHTTPRequestHandler")
    log = tmp_path / "log"
    with running(
        "files", python(serve, str(port)), log=log, cwd=tmp_path, ready=f"http://127.0.0.1:{port}/"
    ) as program:
        assert program.alive()
    assert not program.alive()


def test_a_program_that_ends_early_fails_with_its_output(tmp_path: Path) -> None:
    command = python("raise SystemExit('no database')")
    with (
        pytest.raises(ProcessFailedError, match=r"ended with 1 before it was ready(?s:.*)no database"),
        running("broken", command, log=tmp_path / "log", ready=f"http://127.0.0.1:{free_port()}/"),
    ):
        pytest.fail("it never was ready")


def test_a_program_that_ignores_sigterm_is_named_and_killed(tmp_path: Path) -> None:
    program = start("deaf", python(DEAF), log=tmp_path / "log")
    while "deaf" not in program.output():
        assert program.alive()
    with pytest.raises(ProcessFailedError, match="itself"):
        program.stop(0.2)
    assert not program.alive()


def test_a_child_left_behind_is_named_and_killed(tmp_path: Path) -> None:
    program = start("parent", python(PARENT, DEAF), log=tmp_path / "log")
    while "deaf" not in program.output():
        assert program.alive()
    (child,) = program.children()
    with pytest.raises(ProcessFailedError, match=str(child.pid)):
        program.stop(1.0)
    child.wait(5)


def test_ports_are_not_handed_out_twice() -> None:
    ports = [free_port() for _ in range(50)]
    assert len(set(ports)) == len(ports)


@pytest.mark.postgresql
def test_each_database_is_fresh() -> None:
    with postgresql() as server:
        for _ in range(2):
            with psycopg.connect(server.create_database("shop")) as connection:
                connection.execute("CREATE TABLE product (id integer)")
