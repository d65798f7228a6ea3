"""`strangler up`: the gateway and its applications start together, and end together whatever happens."""

import json
import os
import signal
import socket
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from support.processes import Running, free_port, start

from .conftest import STRANGLER, Ran, strangler

APPLICATION = """\
import http.server, os, signal, sys

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        body = f"{os.environ['NAME']} {os.getpid()}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        try:
            self.wfile.write(body)
        except BrokenPipeError:
            pass  # whoever asked was ended in the meantime
    def log_message(self, *_):
        pass

print("serving", os.environ["NAME"])
if "--fork" in sys.argv and os.fork() == 0:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while True:
        signal.pause()
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


class World:
    """A folder with a strangler.yaml of one or two applications, and the `strangler up` that runs in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.listen, self.admin, self.health, self.shop, self.catalog = (free_port() for _ in range(5))
        (folder / "application.py").write_text(APPLICATION)
        self.process: Running | None = None
        self.before: list[str] = []
        self.shop_command = f"{sys.executable} application.py {self.shop}"
        self.catalog_command = f"{sys.executable} application.py {self.catalog}"

    def up(self) -> Running:
        configuration = {
            "monolith": f"http://127.0.0.1:{self.shop}",
            "upstreams": {"catalog": {"endpoints": [f"http://127.0.0.1:{self.catalog}"]}},
            "gateway": {
                "listen": f"127.0.0.1:{self.listen}",
                "admin": f"127.0.0.1:{self.admin}",
                "health": f"127.0.0.1:{self.health}",
                "workers": 1,
            },
            "routes": [{"name": "products", "match": {"path": "/products"}, "module": "catalog", "service": "catalog"}],
            "processes": {
                "shop": {
                    "command": self.shop_command,
                    "before": self.before,
                    "env": {"NAME": "the-shop"},
                    "ready": f"http://127.0.0.1:{self.shop}/",
                },
                "catalog": {
                    "command": self.catalog_command,
                    "env": {"NAME": "the-catalog"},
                    "ready": f"http://127.0.0.1:{self.catalog}/",
                },
            },
        }
        (self.folder / "strangler.yaml").write_text(json.dumps(configuration))
        self.process = start("strangler up", [STRANGLER, "up"], log=self.folder / "up.log", cwd=self.folder)
        return self.process

    def up_ready(self) -> Running:
        process = self.up()
        eventually(lambda: "all ready in" in process.output(), process)
        return process

    def get(self, path: str = "/") -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.listen}{path}", timeout=10) as answer:
            text: str = answer.read().decode()
            return text

    def run(self, *arguments: object) -> Ran:
        return strangler(*arguments, "--state", self.folder / ".strangler")


@pytest.fixture
def world(tmp_path: Path):
    world = World(tmp_path)
    yield world
    if world.process is not None:
        world.process.stop()


def eventually(condition: Callable[[], bool], process: Running, seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, process.output()
        assert process.alive(), process.output()
        time.sleep(0.05)


def nothing_is_left(world: World, family: list[psutil.Process]) -> None:
    _, alive = psutil.wait_procs(family, timeout=10)
    assert alive == []
    for port in (world.listen, world.admin, world.health, world.shop, world.catalog):
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), timeout=5)
    assert {path.name for path in (world.folder / ".strangler").iterdir()}.isdisjoint(
        {"run.json", "supervisor.sock", "control.sock"}
    )


def test_everything_starts_and_it_says_where_things_are(world: World) -> None:
    world.before = [f"{sys.executable} -c \"print('seeded once')\""]
    process = world.up_ready()
    assert world.get().startswith("the-shop ")
    assert world.run("flip", "catalog", "service", "--reason", "ready").status == 0
    assert world.get("/products").startswith("the-catalog ")
    output = process.output()
    for line in (
        "shop    │ seeded once",
        "shop    │ serving the-shop",
        "catalog │ serving the-catalog",
        f"gateway   http://127.0.0.1:{world.listen}",
        f"admin     http://127.0.0.1:{world.admin}/docs",
        f"health    http://127.0.0.1:{world.health}/readyz",
        "strangler routes",
        f"curl -i http://127.0.0.1:{world.listen}/products",
        'strangler flip catalog canary --weight 5 --reason "first step"',
    ):
        assert line in output
    assert output.index("seeded once") < output.index("serving the-shop")
    assert "\x1b[" not in output, "no colours where there is no terminal"


@pytest.mark.parametrize("end", ["SIGINT", "SIGTERM", "down"])
def test_it_ends_as_a_whole_and_leaves_nothing_behind(world: World, end: str) -> None:
    world.shop_command += " --fork"  # a grandchild, and deaf to SIGTERM
    process = world.up_ready()
    eventually(lambda: len(process.children()) == 6, process)  # The comparator comes when the workers accept.
    family = process.children()
    if end == "down":
        assert world.run("down", "--json").document["was_running"] is True
    else:
        process.signal(signal.Signals[end])
    assert process.wait(20) == 0
    nothing_is_left(world, family)


def test_a_killed_up_takes_its_children_with_it(world: World) -> None:
    process = world.up_ready()
    family = process.children()
    process.kill()
    _, alive = psutil.wait_procs(family, timeout=10)
    assert alive == []


def test_an_application_that_dies_is_reported_and_started_again(world: World) -> None:
    process = world.up_ready()
    before = world.get()
    os.kill(int(before.split()[1]), signal.SIGKILL)
    eventually(lambda: "shop    │ ended with SIGKILL; it is started again now" in process.output(), process)

    def is_back() -> bool:
        try:
            return world.get() != before
        except urllib.error.HTTPError as error:
            error.close()
            return False

    eventually(is_back, process)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"catalog_command": f"{sys.executable} -c \"print('no licence'); raise SystemExit(3)\""},
            "ended with exit status 3 before it was ready",
        ),
        ({"before": [f"{sys.executable} -c 'raise SystemExit(4)'"]}, "ended with exit status 4"),
    ],
)
def test_an_application_that_cannot_start_ends_everything_and_is_named(
    world: World, change: dict[str, object], message: str
) -> None:
    vars(world).update(change)
    process = world.up()
    family = process.children()
    assert process.wait(20) == 1
    assert message in process.output()
    assert "Traceback" not in process.output()
    nothing_is_left(world, family)


def test_what_an_application_said_before_it_failed_is_shown(world: World) -> None:
    world.catalog_command = f"{sys.executable} -c \"print('no licence'); raise SystemExit(3)\""
    process = world.up()
    process.wait(20)
    assert "catalog │ no licence" in process.output()


@pytest.mark.parametrize("which", ["listen", "admin", "health", "shop"])
def test_a_taken_port_is_named_with_the_remedy_before_anything_starts(world: World, which: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", getattr(world, which)))
        taken.listen()
        process = world.up()
        assert process.wait(20) == 2
    output = process.output()
    assert f"127.0.0.1:{getattr(world, which)}" in output
    assert f"is taken by process {os.getpid()} " in output
    assert ("another port in its `command:`" if which == "shop" else f"choose another port with --{which}") in output
    assert "serving" not in output


def test_a_program_that_is_not_there_is_named_before_anything_starts(world: World) -> None:
    world.catalog_command = "no-such-program --port 1"
    process = world.up()
    assert process.wait(20) == 2
    assert "processes.catalog: there is no program «no-such-program»" in process.output()
    assert "serving" not in process.output()


def test_a_second_up_in_the_same_folder_is_refused_with_the_remedy(world: World) -> None:
    first = world.up_ready()
    second = start("second", [STRANGLER, "up"], log=world.folder / "second.log", cwd=world.folder)
    assert second.wait(20) == 2
    assert (
        f"a gateway already runs with the state folder {world.folder}/.strangler (process {first.pid}"
        in second.output()
    )
    assert "strangler down --state" in second.output()
    assert world.get().startswith("the-shop ")


def test_ctrl_c_while_it_still_prepares_ends_it(world: World) -> None:
    world.before = [f"{sys.executable} -c \"import time; print('seeding'); time.sleep(60)\""]
    process = world.up()
    eventually(lambda: "seeding" in process.output(), process)
    family = process.children()
    process.signal(signal.SIGINT)
    assert process.wait(20) == 0
    nothing_is_left(world, family)
