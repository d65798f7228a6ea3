"""The control process: configuration, store, links and admin API, from start to SIGTERM."""

import argparse
import asyncio
import contextlib
import errno
import logging
import os
import signal
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from strangler.config.addresses import parse_listener
from strangler.config.loading import load
from strangler.control.admin_address import TOKEN_VARIABLE, check_address
from strangler.control.plane import ControlPlane
from strangler.control.reloader import Reloader
from strangler.control.store import Store, StoreUnavailable
from strangler.model.errors import ConfigError, StranglerError
from strangler.model.upstream import Endpoint

if TYPE_CHECKING:
    from strangler.control.api.server import AdminServer

logger = logging.getLogger(__name__)

REFUSED = 2
"""The exit code of a start that was refused: starting again without a change would be refused again."""
FAILED = 1
"""The exit code where starting again may help: the store was away."""


class AddressTaken(StranglerError):
    """The admin API cannot listen where it should."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until SIGTERM or SIGINT; return the exit code."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # until it can be heeded; the configuration is read below anyway
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s control %(levelname)s %(message)s", stream=sys.stderr)
    # Alembic tells of every migration twice; one line of ours is enough.
    logging.getLogger("alembic").setLevel(logging.WARNING)
    token = os.environ.get(TOKEN_VARIABLE) or None
    try:
        check_address(options.admin.host, token)
        loaded = load(options.config)
        options.state.mkdir(parents=True, exist_ok=True)
        store_url = options.store or loaded.serve.store or f"sqlite:///{options.state / 'control.db'}"
        with contextlib.closing(_listen(options.admin)) as listener, contextlib.closing(Store(store_url)) as store:
            store.migrate()
            plane = ControlPlane(loaded, options.config, options.state, store)
            asyncio.run(_serve(plane, listener, token))
    except ConfigError as error:
        for problem in error.problems:
            print(f"{error.source}: {problem}", file=sys.stderr)
        return REFUSED
    except StranglerError as error:
        print(f"strangler control: {error}", file=sys.stderr)
        return FAILED if isinstance(error, StoreUnavailable) else REFUSED
    return 0


async def _serve(plane: ControlPlane, listener: socket.socket, token: str | None) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    reloader = Reloader(plane)
    loop.add_signal_handler(signal.SIGHUP, reloader.ask)
    await plane.link_server.start()
    supervisor = asyncio.create_task(plane.supervisor.run())
    # It has no end of its own: if it has one, this process ends with the error, and the supervisor starts another.
    supervisor.add_done_callback(lambda _: stopped.set())
    registry = asyncio.create_task(plane.registry.keep())
    try:
        # Beside the links: workers wait for their snapshot, and need not wait for half a second of imports as well.
        server = await asyncio.to_thread(_admin_server, plane, token)
        logger.info("revision %d, admin API on %s", plane.revision, _address(listener))
        stopping = asyncio.create_task(_end_when(stopped, server))
        await server.run_on(listener)
        stopping.cancel()
    finally:
        await plane.link_server.close()
        registry.cancel()
        supervisor.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await supervisor


def _admin_server(plane: ControlPlane, token: str | None) -> "AdminServer":
    from strangler.control.api.server import AdminServer  # noqa: PLC0415 - FastAPI and uvicorn, when there is time

    return AdminServer(plane, token)


async def _end_when(stopped: asyncio.Event, server: "AdminServer") -> None:
    await stopped.wait()
    server.end()


def _listen(address: Endpoint) -> socket.socket:
    """Raises ``AddressTaken`` with the remedy."""
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    # With the protocol named, asyncio sets TCP_NODELAY on what it accepts; without, the second half of each answer
    # waits 40 ms for the client's delayed acknowledgement of the first.
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((address.host, address.port))
        sock.listen(128)
    except OSError as error:
        sock.close()
        if error.errno == errno.EADDRINUSE:
            cause = f"{address.authority} is taken by another process; end it, or"
        else:
            cause = f"cannot listen on {address.authority}: {error.strerror};"
        raise AddressTaken(f"{cause} choose another address with --admin HOST:PORT") from error
    return sock


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://{Endpoint(host, port).authority}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m strangler.control", description="The gateway's control plane.")
    parser.add_argument("--config", type=Path, required=True, metavar="FILE", help="strangler.yaml")
    parser.add_argument("--state", type=Path, required=True, metavar="DIR", help="the gateway's state folder")
    parser.add_argument(
        "--admin", type=_listener, required=True, metavar="HOST:PORT", help="where the admin API listens"
    )
    parser.add_argument("--store", metavar="URL", help="the store; SQLite in the state folder if left out")
    return parser


def _listener(text: str) -> Endpoint:
    try:
        return parse_listener(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
