"""Images: built through the docker SDK, judged by what they promise, and run once each as compose.yaml runs them."""

import argparse
import os
import re
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

import docker
from docker.errors import BuildError, DockerException

from pipeline.members import ROOT, Member, WorkspaceIsWrong, members, named

HEALTHY_WITHIN = 90.0
STOPPED_WITHIN = 30
MOST_BYTES = 450_000_000
LABELS = tuple(
    f"org.opencontainers.image.{name}" for name in ("title", "description", "licenses", "version", "revision")
)
_NUMERIC = re.compile(r"[1-9]\d*:[1-9]\d*")
_GATEWAY = (
    "import os; open('/tmp/strangler.yaml', 'w').write('monolith: http://127.0.0.1:9\\n'); "
    "os.execvp('strangler', ['strangler', 'serve', '--config', '/tmp/strangler.yaml'])"
)
_SERVICE = (
    "import os, sqlalchemy; from catalog_service.tables import metadata; "
    "metadata.create_all(sqlalchemy.create_engine(os.environ['DATABASE_URL'])); "
    "os.execvp('catalog-service', ['catalog-service', 'serve'])"
)
_SQLITE = {"DATABASE_URL": "sqlite:////tmp/shop.db"}
STARTS: Mapping[str, tuple[list[str], dict[str, str]]] = {
    "strangler-gateway": (["python", "-c", _GATEWAY], {"STRANGLER_STATE": "/tmp/state"}),  # noqa: S108 - the container's
    "monolith": (
        ["sh", "-c", "shop seed --products 20 && exec shop serve --host 0.0.0.0 --port 8090"],
        _SQLITE,
    ),
    "catalog": (["python", "-c", _SERVICE], _SQLITE),
}
"""How each is run with nothing beside it: by its own program in the end, which then is process 1."""


class ImageIsWrong(Exception):
    """An image cannot be built, or does not keep what it promises; the message says which and why."""


def build(client: Any, member: Member, revision: str) -> Any:
    """Build a member's image and tag it with its distribution's name and version. Raises ``ImageIsWrong``."""
    dockerfile = f"{member.folder}/Dockerfile"
    if not (ROOT / dockerfile).is_file():
        raise ImageIsWrong(f"{member.name} has no {dockerfile}")
    tag = f"{member.distribution}:{member.version}"
    arguments = {"VERSION": member.version, "REVISION": revision}
    try:
        image, _ = client.images.build(path=str(ROOT), dockerfile=dockerfile, tag=tag, buildargs=arguments, rm=True)
    except BuildError as error:
        said = "".join(str(part.get("stream", "")) for part in error.build_log)
        raise ImageIsWrong(f"{tag} cannot be built: {error.msg}\n{said[-3000:]}") from None
    image.tag(member.distribution, "latest")
    return image


def broken_promises(attributes: Mapping[str, Any]) -> list[str]:
    """What an image lacks, by its attributes as the engine gives them."""
    config = attributes["Config"]
    health = (config.get("Healthcheck") or {}).get("Test") or [""]
    labels = config.get("Labels") or {}
    found = {
        "its user is no number above 0": not _NUMERIC.fullmatch(config.get("User") or ""),
        "it has no health check that runs without a shell": health[0] != "CMD",
        "its program is started by a shell": (config.get("Entrypoint") or ["sh"])[0] in {"sh", "/bin/sh"},
        "it is not told to stop by SIGTERM": config.get("StopSignal", "SIGTERM") != "SIGTERM",
        f"it is larger than {MOST_BYTES / 1e6:.0f} MB": attributes["Size"] > MOST_BYTES,
    }
    missing = [name for name in LABELS if not labels.get(name)]
    return [words for words, lacks in found.items() if lacks] + [f"it has no label {name}" for name in missing]


def smoke(client: Any, member: Member, image: Any) -> None:
    """Run it as compose.yaml does, until it is healthy, and end it by SIGTERM. Raises ``ImageIsWrong``."""
    entrypoint, environment = STARTS[member.name]
    container = client.containers.run(
        image.id,
        entrypoint=entrypoint,
        command=[],
        environment=environment,
        read_only=True,
        tmpfs={"/tmp": ""},  # noqa: S108 - the container's
        cap_drop=["ALL"],
        security_opt=["no-new-privileges:true"],
        network_mode="none",
        detach=True,
    )
    try:
        _wait_until_healthy(container, member.name)
        container.stop(timeout=STOPPED_WITHIN)
        status = container.wait()["StatusCode"]
        if status:
            raise ImageIsWrong(f"{member.name} ends with {status} after SIGTERM:\n{_said(container)}")
    finally:
        container.remove(force=True)


def _wait_until_healthy(container: Any, name: str) -> None:
    deadline = time.monotonic() + HEALTHY_WITHIN
    while True:
        container.reload()
        state = container.attrs["State"]
        health = state.get("Health", {}).get("Status")
        if health == "healthy":
            return
        if not state["Running"] or time.monotonic() > deadline:
            raise ImageIsWrong(f"{name} does not become healthy ({health}):\n{_said(container)}")
        time.sleep(0.5)


def _said(container: Any) -> str:
    output: bytes = container.logs(tail=40)
    return output.decode(errors="replace")


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status: 1 an image is wrong, 2 nothing can be built here."""
    form = argparse.ArgumentParser(prog="ci/images", description=__doc__)
    form.add_argument("members", nargs="*", metavar="MEMBER", help=f"of {', '.join(STARTS)}; all without one")
    names = form.parse_args(arguments).members or list(STARTS)
    try:
        chosen = [named(name, members(ROOT)) for name in names]
        unknown = [member.name for member in chosen if member.name not in STARTS]
        if unknown:
            raise WorkspaceIsWrong(f"{', '.join(unknown)} has no image; there are {', '.join(STARTS)}")
        client = docker.from_env()
        client.ping()
    except WorkspaceIsWrong as error:
        print(f"images: {error}", file=sys.stderr)
        return 2
    except DockerException as error:
        where = os.environ.get("DOCKER_HOST", "/var/run/docker.sock")
        print(f"images: no Docker engine answers at {where} ({error}); start one, or set DOCKER_HOST", file=sys.stderr)
        return 2
    return _built(client, chosen)


def _built(client: Any, chosen: Sequence[Member]) -> int:
    revision = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False)
    try:
        for member in chosen:
            image = build(client, member, revision.stdout.strip() or "unknown")
            broken = broken_promises(image.attrs)
            if broken:
                raise ImageIsWrong(f"{member.name}: {'; '.join(broken)}")
            smoke(client, member, image)
            print(
                f"{member.distribution}:{member.version}  {image.attrs['Size'] / 1e6:,.0f} MB  healthy, ends by SIGTERM"
            )
    except ImageIsWrong as error:
        print(f"images: {error}", file=sys.stderr)
        return 1
    return 0
