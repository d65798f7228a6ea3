"""Images: what their files promise, by hadolint and the compose schema, and what the step makes of an engine."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.images import LABELS, STARTS, ImageIsWrong, broken_promises, build, main, smoke
from pipeline.members import ROOT, members, named, needed_by
from strangler.config import load

DOCKERFILES = sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob("*/Dockerfile")) + sorted(
    path.relative_to(ROOT).as_posix() for path in ROOT.glob("extracted/*/Dockerfile")
)
BIN = Path(sys.executable).parent
GOOD: dict[str, Any] = {
    "Size": 100_000_000,
    "Config": {
        "User": "10001:10001",
        "Healthcheck": {"Test": ["CMD", "python"]},
        "Entrypoint": ["strangler"],
        "StopSignal": "SIGTERM",
        "Labels": dict.fromkeys(LABELS, "x"),
    },
}


def test_every_program_has_an_image() -> None:
    assert {named(name, members(ROOT)).folder + "/Dockerfile" for name in STARTS} == set(DOCKERFILES)


@pytest.mark.parametrize("name", DOCKERFILES)
def test_hadolint_has_nothing_to_say(name: str) -> None:
    done = subprocess.run([BIN / "hadolint", name], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.parametrize("name", DOCKERFILES)
def test_what_is_copied_is_there_and_reaches_the_engine(name: str) -> None:
    let_in = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    copied = re.findall(r"^COPY (?!--from)(\S+) \S+$", (ROOT / name).read_text(), re.MULTILINE)
    assert len(copied) >= 3
    for source in copied:
        assert (ROOT / source).exists(), source
        assert any(Path(source).match(pattern) for pattern in let_in), f"{source} is left out by .dockerignore"


@pytest.mark.parametrize("name", DOCKERFILES)
def test_an_image_installs_the_members_that_its_own_needs(name: str) -> None:
    every = members(ROOT)
    own = next(member for member in every if f"{member.folder}/Dockerfile" == name)
    text = (ROOT / name).read_text()
    for member in (own, *needed_by(own, every)):
        assert f"COPY {member.folder}/src" in text, member.name


def test_compose_is_valid_and_hardened() -> None:
    command = [BIN / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", "compose.yaml"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    services = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    for name in ("shop", "catalog", "gateway", "seed"):
        assert services[name]["read_only"] is True, name
        assert services[name]["cap_drop"] == ["ALL"], name
    published = [port for each in services.values() for port in each.get("ports", ())]
    assert published
    assert all(port.startswith("127.0.0.1:") for port in published)
    mounted = [volume.partition(":")[0] for each in services.values() for volume in each.get("volumes", ())]
    assert all((ROOT / volume).is_file() for volume in mounted if volume.startswith("./"))


def test_the_gateways_configuration_in_compose_is_valid() -> None:
    topology = load(ROOT / "ci/compose/strangler.yaml").topology
    assert {upstream.name for upstream in topology.upstreams} == {"monolith", "catalog"}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"User": "root"}, "its user is no number"),
        ({"User": "0:0"}, "its user is no number"),
        ({"Healthcheck": None}, "no health check"),
        ({"Healthcheck": {"Test": ["CMD-SHELL", "true"]}}, "no health check"),
        ({"Entrypoint": ["/bin/sh", "-c", "x"]}, "started by a shell"),
        ({"StopSignal": "SIGKILL"}, "SIGTERM"),
        ({"Labels": {}}, "no label org.opencontainers.image.title"),
    ],
)
def test_a_broken_promise_is_named(changes: dict[str, Any], says: str) -> None:
    assert broken_promises(GOOD) == []
    (found, *_) = broken_promises({**GOOD, "Config": GOOD["Config"] | changes})
    assert says in found
    assert broken_promises({**GOOD, "Size": 10**9}) == ["it is larger than 450 MB"]


class Container:
    def __init__(self, health: list[str], status: int) -> None:
        self._health, self._status = health, status
        self.attrs: dict[str, Any] = {}
        self.stopped = self.removed = False

    def reload(self) -> None:
        its = self._health.pop(0) if len(self._health) > 1 else self._health[0]
        self.attrs = {"State": {"Running": its != "gone", "Health": {"Status": its}}}

    def stop(self, timeout: int) -> None:
        self.stopped = timeout >= 10

    def wait(self) -> dict[str, int]:
        return {"StatusCode": self._status}

    def logs(self, tail: int) -> bytes:
        return b"what it said"[: tail * 100]

    def remove(self, force: bool) -> None:
        self.removed = force


class Engine:
    """Stands for the SDK's client."""

    def __init__(self, container: Container) -> None:
        self.containers = self.images = self
        self.container = container
        self.id = "sha256:1"
        self.ran: dict[str, Any] = {}
        self.built: dict[str, Any] = {}
        self.tagged: tuple[str, str] | None = None

    def run(self, _image: str, **how: Any) -> Container:
        self.ran = how
        return self.container

    def build(self, **how: Any) -> tuple["Engine", list[str]]:
        self.built = how
        return self, []

    def tag(self, name: str, version: str) -> None:
        self.tagged = name, version


MEMBER = named("catalog", members(ROOT))


def test_an_image_is_run_as_it_is_hardened_and_ended_by_sigterm() -> None:
    engine = Engine(Container(["starting", "healthy"], 0))
    smoke(engine, MEMBER, engine)
    assert (engine.container.stopped, engine.container.removed) == (True, True)
    assert engine.ran["read_only"] is True
    assert (engine.ran["cap_drop"], engine.ran["network_mode"]) == (["ALL"], "none")


@pytest.mark.parametrize(
    ("container", "says"),
    [
        (Container(["starting", "gone"], 1), r"does not become healthy \(gone\):\nwhat it said"),
        (Container(["healthy"], 137), "ends with 137 after SIGTERM"),
    ],
)
def test_one_that_fails_is_told_with_its_words_and_removed(container: Container, says: str) -> None:
    engine = Engine(container)
    with pytest.raises(ImageIsWrong, match=says):
        smoke(engine, MEMBER, engine)
    assert container.removed


def test_an_image_is_built_from_the_root_with_version_and_revision() -> None:
    engine = Engine(Container(["healthy"], 0))
    build(engine, MEMBER, "abc")
    assert engine.built["dockerfile"] == "extracted/catalog/Dockerfile"
    assert engine.built["buildargs"] == {"VERSION": MEMBER.version, "REVISION": "abc"}
    assert (engine.built["tag"], engine.tagged) == (f"catalog-service:{MEMBER.version}", ("catalog-service", "latest"))


def test_without_an_engine_the_step_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    assert main(["catalog"]) == 2
    assert "no Docker engine answers at unix:///nowhere/docker.sock" in capsys.readouterr().err


def test_who_has_no_image_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["chassis"]) == 2
    assert "chassis has no image; there are strangler-gateway, monolith, catalog" in capsys.readouterr().err


def test_the_programs_that_images_start_exist() -> None:
    """What the Dockerfiles name as ENTRYPOINT is what the members install."""
    for name in DOCKERFILES:
        (entrypoint,) = re.findall(r"^ENTRYPOINT (\[.*\])$", (ROOT / name).read_text(), re.MULTILINE)
        assert (BIN / json.loads(entrypoint)[0]).exists(), entrypoint
