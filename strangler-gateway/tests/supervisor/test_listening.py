"""One port for several workers, again and again."""

import selectors
import socket

from strangler.model.upstream import Endpoint
from strangler.supervisor.listening import listen_per_slot


def test_the_port_can_be_taken_again_right_after_every_slot_has_closed_a_connection() -> None:
    port = 0
    for _ in range(2):
        sockets = listen_per_slot(Endpoint("127.0.0.1", port), 3, "--listen")
        port = sockets[0].getsockname()[1]
        close_a_connection_of_each(sockets, port)
        for sock in sockets:
            sock.close()


def close_a_connection_of_each(sockets: list[socket.socket], port: int) -> None:
    """Whoever closes first keeps the connection in TIME_WAIT for a minute; here it is the listening side."""
    waiting = set(sockets)
    with selectors.DefaultSelector() as selector:
        for sock in sockets:
            selector.register(sock, selectors.EVENT_READ)
        while waiting:
            with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
                ((key, _), *_) = selector.select(5)
                sock = next(each for each in sockets if each is key.fileobj)
                accepted, _ = sock.accept()
                accepted.close()
                assert client.recv(1) == b""
                waiting.discard(sock)
