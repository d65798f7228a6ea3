"""A served application: takes its port first, finishes what it has begun, and leaves with 0."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import pytest

SERVICE = """
import asyncio, contextlib, pathlib, sys
from fastapi import APIRouter, FastAPI
from chassis.application import create_app
from chassis.server import serve
from chassis.settings import ServiceSettings

settings = ServiceSettings(port=int(sys.argv[1]), graceful_timeout=int(sys.argv[2]))
router = APIRouter()

@router.get("/slow")
async def slow() -> str:
    pathlib.Path("begun").touch()
    await asyncio.sleep(float(sys.argv[3]))
    return "done"

@contextlib.asynccontextmanager
async def lifespan(app: FastAPI):
    yield
    pathlib.Path("closed").touch()

serve("things", lambda: create_app(title="t", version="1", settings=settings, routers=[router], checks={},
                                   lifespan=lifespan), settings)
"""


def start(folder: Path, port: int, grace: int = 5, slow: float = 0.5) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", SERVICE, str(port), str(grace), str(slow)]
    return subprocess.Popen(
        command, cwd=folder, stderr=subprocess.PIPE, text=True, env={**os.environ, "LOG_LEVEL": "error"}
    )


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        found: int = probe.getsockname()[1]
        return found


def ask(url: str) -> httpx.Response:
    return httpx.get(url, trust_env=False, timeout=20)


def until_ready(url: str) -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            if ask(f"{url}/readyz").status_code == 200:
                return
        except httpx.TransportError:
            assert time.monotonic() < deadline
            time.sleep(0.05)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_running_request_is_finished_before_the_end(number: signal.Signals, port: int, tmp_path: Path) -> None:
    process, answers = start(tmp_path, port), []
    url = f"http://127.0.0.1:{port}"
    try:
        until_ready(url)
        asking = threading.Thread(
            target=lambda: answers.append(httpx.get(f"{url}/slow", trust_env=False, timeout=20).text)
        )
        asking.start()
        while not (tmp_path / "begun").exists():
            time.sleep(0.01)
        process.send_signal(number)
        assert process.wait(15) == 0
        asking.join(10)
        assert answers == ['"done"']
        assert (tmp_path / "closed").exists()
    finally:
        process.kill()
        process.communicate()


def test_a_request_that_does_not_end_is_cut_after_the_grace(port: int, tmp_path: Path) -> None:
    process = start(tmp_path, port, grace=1, slow=60)
    url = f"http://127.0.0.1:{port}"
    try:
        until_ready(url)
        asking = socket.create_connection(("127.0.0.1", port))
        asking.sendall(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
        while not (tmp_path / "begun").exists():
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0
        asking.close()
    finally:
        process.kill()
        process.communicate()


def test_a_taken_port_is_one_line_and_exit_code_2(port: int, tmp_path: Path) -> None:
    with socket.socket() as taker:
        taker.bind(("127.0.0.1", port))
        taker.listen()
        process = start(tmp_path, port)
        _, said = process.communicate(timeout=20)
    assert process.returncode == 2
    (line,) = said.splitlines()
    assert line == f"things: cannot listen on 127.0.0.1:{port}: Address already in use. Choose another with --port."
