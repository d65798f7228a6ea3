"""Listening sockets: one per worker slot on one port, and never on a port that somebody else has."""

import errno
import socket

from strangler.model.upstream import Endpoint
from strangler.supervisor.occupant import occupant
from strangler.supervisor.plan import PortTaken, StartRefused

BACKLOG = 4096
"""Connections that may wait while a worker is being replaced; the kernel cuts it to ``net.core.somaxconn``."""


def listen(address: Endpoint, option: str) -> socket.socket:
    """A socket that listens on ``address`` alone. Raises ``StartRefused``, naming ``option`` in the remedy."""
    family, place = _resolve(address, option)
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        # Without it, connections in TIME_WAIT would keep a restarted gateway from its own port.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind(place)
        sock.listen(BACKLOG)
        sock.settimeout(0)
    except OSError as error:
        sock.close()
        raise _refusal(error, address, option) from error
    return sock


def listen_per_slot(address: Endpoint, slots: int, option: str) -> list[socket.socket]:
    """One socket for each slot, all on one port, among which the kernel spreads new connections.

    SO_REUSEPORT alone would let a second gateway of the same user join a taken port in silence, and get half of its
    connections. So the first socket takes the port alone, and only then is the port opened to its siblings.
    """
    first = listen(address, option)
    sockets = [first]
    try:
        first.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        for _ in range(slots - 1):
            sibling = socket.socket(first.family, socket.SOCK_STREAM)
            sockets.append(sibling)
            # Connections inherit it, and one in TIME_WAIT without it would keep the next gateway from this port.
            sibling.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sibling.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            if first.family == socket.AF_INET6:
                sibling.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            sibling.bind(first.getsockname())
            sibling.listen(BACKLOG)
            sibling.settimeout(0)
    except OSError as error:
        for sock in sockets:
            sock.close()
        raise _refusal(error, address, option) from error
    return sockets


def vacant(address: Endpoint, option: str) -> Endpoint:
    """``address`` if it can be listened on now, with a port chosen if it was 0. Raises ``StartRefused``."""
    sock = listen(address, option)
    try:
        return bound(sock, address)
    finally:
        sock.close()


def bound(sock: socket.socket, address: Endpoint) -> Endpoint:
    """Where ``sock`` listens, under the host's name in ``address``."""
    return Endpoint(address.host, sock.getsockname()[1])


def _resolve(
    address: Endpoint, option: str
) -> tuple[socket.AddressFamily, tuple[str, int] | tuple[str, int, int, int]]:
    try:
        found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        raise StartRefused(
            f"{address.authority} ({option}) is no address: {error}; write {option} HOST:PORT"
        ) from error
    family, _, _, _, place = found[0]
    return family, place  # type: ignore[return-value]  # SOCK_STREAM addresses are of the two inet families


def _refusal(error: OSError, address: Endpoint, option: str) -> StartRefused:
    place = f"{address.authority} ({option})"
    match error.errno:
        case errno.EADDRINUSE:
            return PortTaken(
                f"{place} is taken{occupant(address.port)}; end that process, or choose another port with {option}"
            )
        case errno.EACCES:
            return StartRefused(f"{place} may not be used by this user; choose a port above 1023 with {option}")
        case errno.EADDRNOTAVAIL:
            return StartRefused(
                f"{place} is no address of this machine; choose another with {option}, such as 127.0.0.1:{address.port}"
            )
        case _:
            return StartRefused(f"{place} cannot be listened on: {error.strerror}; choose another with {option}")
