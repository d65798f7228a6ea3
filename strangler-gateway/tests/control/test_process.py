"""The process: its start, its end, and what a restart keeps."""

import socket
import subprocess
from pathlib import Path

import pytest

from strangler.link.codec import decode_snapshot
from strangler.model.messages import SnapshotPush
from support.processes import free_port


def refused(command: list[str], env: dict[str, str] | None = None) -> str:
    """The one thing that a control says which exits 2."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, env=env, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    return done.stderr


def test_a_restart_keeps_the_revision_and_pushes_nothing_to_who_has_it(
    supervisor, tmp_path: Path, start_control, workers, until
) -> None:
    with start_control(tmp_path) as control:
        workers.join(0)
        workers.join(1)
        control.flip("catalog", "canary", weight=5)
        routes = control.get("/routes")
    assert all(peer.ended.is_set() for peer in workers.peers)
    with start_control(tmp_path, config=None) as control:
        assert control.get("/routes") == routes
        current, stale = workers.join(0, revision=2), workers.join(1, revision=1)
        until(lambda: len(stale.of(SnapshotPush)) == 1, "the push to the stale one")
        answer = control.flip("catalog", "canary", weight=6).json()
        assert (answer["revision"], answer["missing"]) == (3, [])
        assert [push.snapshot.revision for push in current.of(SnapshotPush)] == [3]


def test_a_killed_control_comes_back_with_what_it_had_answered(
    supervisor, tmp_path: Path, start_control, workers
) -> None:
    with start_control(tmp_path) as control:
        workers.join(0)
        workers.join(1)
        control.flip("catalog", "service")
        control.process.kill()
    with start_control(tmp_path, config=None) as control:
        assert (control.revision(), control.stages()["products-get"]) == (2, "service")


def test_a_lost_store_never_gives_an_old_number_to_another_snapshot(
    supervisor, tmp_path: Path, start_control, workers
) -> None:
    with start_control(tmp_path) as control:
        workers.join(0)
        workers.join(1)
        for weight in (1, 2, 3):
            control.flip("catalog", "canary", weight=weight)
    for file in (tmp_path / "state").glob("control.db*"):
        file.unlink()
    with start_control(tmp_path, config=None) as control:
        assert (control.revision(), control.stages()["products-get"]) == (5, "monolith")
    assert decode_snapshot((tmp_path / "state" / "snapshot.json").read_bytes()).revision == 5


def test_a_store_from_a_backup_never_gives_an_old_number_to_another_snapshot(
    supervisor, tmp_path: Path, start_control, workers
) -> None:
    database = tmp_path / "state" / "control.db"
    with start_control(tmp_path):
        pass
    backup = database.read_bytes()
    with start_control(tmp_path, config=None) as control:
        workers.join(0)
        workers.join(1)
        control.flip("catalog", "canary", weight=1)
        control.flip("catalog", "canary", weight=2)
    database.write_bytes(backup)
    with start_control(tmp_path, config=None) as control:
        assert (control.revision(), control.stages()["products-get"]) == (4, "monolith")
        newest = control.get("/history", limit=1)["items"][0]
        assert newest["reason"] == "at start: the store differs from snapshot 3, the last that was published"


def test_a_lost_snapshot_file_is_written_again(tmp_path: Path, start_control) -> None:
    with start_control(tmp_path):
        (tmp_path / "state" / "snapshot.json").unlink()
    with start_control(tmp_path, config=None) as control:
        assert control.revision() == 1
        assert decode_snapshot((tmp_path / "state" / "snapshot.json").read_bytes()).revision == 1


def test_it_ends_cleanly_on_sigterm(tmp_path: Path, start_control) -> None:
    with start_control(tmp_path) as control:
        pass
    assert control.process.popen.returncode == 0
    assert not (tmp_path / "state" / "control.sock").exists()
    assert "Traceback" not in control.process.output()


def test_a_wrong_configuration_ends_the_start_with_every_problem(tmp_path: Path, control_command) -> None:
    (tmp_path / "c.yaml").write_text("monolith: ftp://m\nrouts: []\n")
    said = refused(control_command(tmp_path / "state", tmp_path / "c.yaml", "127.0.0.1:0")).splitlines()
    assert len(said) == 2
    assert said[0].startswith(f"{tmp_path}/c.yaml: line 1: monolith: ")
    assert said[1].endswith("did you mean routes?")


def test_a_service_arm_that_is_needed_ends_the_start(
    supervisor, tmp_path: Path, start_control, workers, control_command
) -> None:
    with start_control(tmp_path) as control:
        workers.join(0)
        workers.join(1)
        control.flip("products-list", "service")
    text = control.config.read_text()
    control.config.write_text(text.replace("module: catalog, service: catalog}", "module: catalog}"))
    said = refused(control_command(control.state, control.config, "127.0.0.1:0"))
    assert "line 5: routes[0].service: the route «products-list» is at stage service" in said
    control.config.write_text(text)
    with start_control(tmp_path, config=None) as control:
        assert control.stages()["products-list"] == "service"


def test_a_taken_port_is_named_with_the_remedy(tmp_path: Path, control_command) -> None:
    (tmp_path / "c.yaml").write_text("monolith: http://m\n")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        said = refused(control_command(tmp_path / "state", tmp_path / "c.yaml", address))
    assert said == (
        f"strangler control: {address} is taken by another process; end it, or choose another address with "
        "--admin HOST:PORT\n"
    )


@pytest.mark.parametrize(("token", "says"), [(None, "set STRANGLER_ADMIN_TOKEN"), ("short", "fewer than 16")])
def test_a_network_address_needs_a_token(tmp_path: Path, control_command, token: str | None, says: str) -> None:
    (tmp_path / "c.yaml").write_text("monolith: http://m\n")
    command = control_command(tmp_path / "state", tmp_path / "c.yaml", f"0.0.0.0:{free_port()}")
    assert says in refused(command, {"STRANGLER_ADMIN_TOKEN": token} if token else {})
    assert not (tmp_path / "state").exists()


def test_a_store_that_is_away_is_a_failure_that_may_pass(tmp_path: Path, control_command) -> None:
    (tmp_path / "c.yaml").write_text("monolith: http://m\n")
    command = control_command(tmp_path / "state", tmp_path / "c.yaml", "127.0.0.1:0", "postgresql://127.0.0.1:1/none")
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("strangler control: the store postgresql+psycopg://127.0.0.1:1/none is not available")


def test_the_store_may_be_postgresql(supervisor, tmp_path: Path, start_control, workers, store_url) -> None:
    with start_control(tmp_path, store=store_url) as control:
        workers.join(0)
        workers.join(1)
        assert control.flip("catalog", "service").json()["revision"] == 2
    with start_control(tmp_path, config=None, store=store_url) as control:
        assert (control.revision(), control.stages()["products-get"]) == (2, "service")
