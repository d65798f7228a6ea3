"""What a gateway refuses to start with: the cause is named, and the remedy."""

import socket
from pathlib import Path

import pytest

from strangler.model.upstream import Endpoint
from strangler.supervisor.listening import listen, listen_per_slot, vacant
from strangler.supervisor.plan import PortTaken, StartRefused
from strangler.supervisor.respawn import Respawn
from strangler.supervisor.state_folder import StateFolder

from .conftest import StandInGateway


@pytest.mark.parametrize("which", ["listen", "admin", "health"])
def test_a_second_gateway_on_the_same_port_is_refused(gateway: StandInGateway, tmp_path: Path, which: str) -> None:
    first = gateway.start()
    first.wait_ready(gateway.url(gateway.health, "/readyz"))
    with socket.socket() as admin:  # the stand-in control does not listen
        admin.bind(("127.0.0.1", gateway.admin))
        admin.listen()
        second = StandInGateway(tmp_path / "other", **{which: getattr(gateway, which)})
        process = second.start()
        assert process.wait(10) == 1
    port = getattr(gateway, which)
    assert f"refused: 127.0.0.1:{port} (--{which}) is taken by process " in process.output()
    assert f"choose another port with --{which}" in process.output()
    assert not (second.state / "run.json").exists()


def test_a_second_gateway_with_the_same_state_is_refused(gateway: StandInGateway) -> None:
    first = gateway.start_ready()
    process = StandInGateway(gateway.state).start()
    assert process.wait(10) == 1
    assert f"a gateway already runs with the state folder {gateway.state}" in process.output()
    assert f"(process {first.pid}, on 127.0.0.1:{gateway.listen})" in process.output()
    assert f"strangler down --state {gateway.state}" in process.output()
    assert gateway.get(gateway.listen)[0] == 200, "the first does not notice"


def test_a_port_opened_with_reuseport_by_the_same_user_is_taken() -> None:
    sockets = listen_per_slot(Endpoint("127.0.0.1", 0), 2, "--listen")
    port = sockets[0].getsockname()[1]
    try:
        with pytest.raises(PortTaken, match="is taken by process"):
            listen_per_slot(Endpoint("127.0.0.1", port), 2, "--listen")
    finally:
        for sock in sockets:
            sock.close()
    assert vacant(Endpoint("127.0.0.1", port), "--listen") == Endpoint("127.0.0.1", port)


def drained(sock: socket.socket) -> int:
    """Accept all that waits; return how many there were."""
    count = 0
    while True:
        try:
            sock.accept()[0].close()
        except BlockingIOError:
            return count
        count += 1


def test_every_slot_gets_connections() -> None:
    sockets = listen_per_slot(Endpoint("127.0.0.1", 0), 3, "--listen")
    clients = [socket.create_connection(sockets[0].getsockname()) for _ in range(200)]
    accepted = [drained(sock) for sock in sockets]
    for sock in sockets:
        sock.close()
    for client in clients:
        client.close()
    assert sum(accepted) == 200
    assert min(accepted) > 20


@pytest.mark.parametrize(
    ("host", "message"),
    [
        ("203.0.113.7", "is no address of this machine; choose another with --health, such as 127.0.0.1"),
        ("no.such.host.invalid", "is no address"),
    ],
)
def test_an_address_that_is_not_ours_is_refused(host: str, message: str) -> None:
    with pytest.raises(StartRefused, match=message):
        listen(Endpoint(host, 0), "--health")


def test_a_state_folder_with_too_long_a_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StartRefused, match="choose a shorter folder with --state"):
        StateFolder(tmp_path / ("x" * 100)).create()


def test_a_state_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StartRefused, match="choose another with --state"):
        StateFolder(tmp_path / "file").create()


def test_who_dies_young_again_and_again_waits_longer_each_time() -> None:
    respawn = Respawn()
    assert [respawn.after_death(0.1) for _ in range(8)] == [0, 0, 0.5, 1, 2, 4, 8, 10]
    assert respawn.after_death(0.1) == 10


def test_who_has_lived_is_replaced_at_once_and_forgiven() -> None:
    respawn = Respawn()
    for _ in range(5):
        respawn.after_death(0.1)
    assert respawn.after_death(1.0) == 0
    assert respawn.after_death(0.1) == 0


def test_who_never_came_into_use_has_died_young_however_long_it_took() -> None:
    respawn = Respawn()
    assert [respawn.after_death(5, came_into_use=False) for _ in range(4)] == [0, 0, 0.5, 1]
