"""``strangler bench`` as its users call it: two foreign servers, one command, a report."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

SERVER = """\
import json, sys, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        for _ in range(int(sys.argv[1])): pass
        body = json.dumps({"n": self.path, "who": sys.argv[2]}).encode()
        head = b"HTTP/1.1 200 OK\\r\\nContent-Type: application/json\\r\\nContent-Length: %d\\r\\n\\r\\n"
        self.wfile.write(head % len(body) + body)
    def log_message(self, *_): pass
server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
"""


class Foreign:
    """A server with no code of ours in it, in a process of its own."""

    def __init__(self, work: int, says: str) -> None:
        command = [sys.executable, "-c", SERVER, str(work), says]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.url = f"http://127.0.0.1:{int(self.process.stdout.readline())}"

    def end(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "endpoints.yaml").write_text("endpoints:\n  - {name: read, request: 'GET /{1..5}'}\n")
    return tmp_path


def bench(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [str(Path(sys.executable).with_name("strangler")), "bench", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)


def test_two_foreign_servers_one_command_a_report(folder: Path) -> None:
    light, heavy = Foreign(0, "x"), Foreign(400_000, "x")
    try:
        targets, pids = f"light={light.url},heavy={heavy.url}", f"light={light.process.pid},heavy={heavy.process.pid}"
        how = [
            "--endpoints",
            "endpoints.yaml",
            "--rounds",
            "5",
            "--seconds",
            "1",
            "--connections",
            "2",
            "--warm-ups",
            "0",
        ]
        how += ["--warm-ups", "0", "--certify", "heavy", "--at-most", "1.5"]
        done = bench(folder, "--targets", targets, "--pids", pids, *how)
    finally:
        light.end()
        heavy.end()
    assert (done.returncode, "certificate: heavy fails at most 1.5 × light" in done.stdout) == (1, True), done
    assert "CPU seconds per 1,000 requests of heavy:" in done.stdout
    assert "× those of light for «read»" in done.stdout
    found = json.loads((folder / "reports" / "bench.json").read_text())
    (cost,) = (line for line in found["judged"] if line["target"] == "heavy" and line["metric"] == "cpu")
    assert cost["verdict"] == "more"
    assert {file.name for file in (folder / "reports").iterdir()} == {
        "certificate.json",
        *(f"bench.{form}" for form in ("html", "json", "csv", "md")),
    }


def test_servers_that_do_not_answer_alike_are_not_measured(folder: Path) -> None:
    one, other = Foreign(0, "x"), Foreign(0, "y")
    try:
        done = bench(folder, "--targets", f"a={one.url},b={other.url}", "--endpoints", "endpoints.yaml")
    finally:
        one.end()
        other.end()
    assert done.returncode == 1
    assert '«read» of b: body.who differs (value): "x" | "y"' in done.stderr
    assert not (folder / "reports").exists()


@pytest.mark.parametrize(
    ("targets", "more", "says"),
    [
        ("a=http://127.0.0.1:1", (), "nothing to compare with"),
        ("a=127.0.0.1:1,b=http://127.0.0.1:1", (), "«a=127.0.0.1:1» is not a server to measure"),
        ("a=http://127.0.0.1:1,a=http://127.0.0.1:2", (), "two servers are called «a»"),
        ("a=http://127.0.0.1:1,b=http://127.0.0.1:2", ("--pids", "c=1"), "NAME is one of a, b"),
    ],
)
def test_what_cannot_be_is_refused(folder: Path, targets: str, more: tuple[str, ...], says: str) -> None:
    done = bench(folder, "--targets", targets, "--endpoints", "endpoints.yaml", *more)
    assert (done.returncode, says in done.stderr) == (2, True), done.stderr


def test_a_server_that_is_not_there_is_named(folder: Path) -> None:
    done = bench(folder, "--targets", "a=http://127.0.0.1:1,b=http://127.0.0.1:1", "--endpoints", "endpoints.yaml")
    assert done.returncode == 1
    assert "a at 127.0.0.1:1 does not answer /1: " in done.stderr
