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
from collections.abc import Iterator, Sequence
from pathlib import Path

import uvicorn

from strangler.config.addresses import parse_listener
from strangler.config.loading import load
from strangler.control.api import create_app
from strangler.control.api.access import TOKEN_VARIABLE, check_address
from strangler.control.plane import ControlPlane
from strangler.control.store import Store, StoreUnavailable
from strangler.model.errors import ConfigError, StranglerError
from strangler.model.upstream import Endpoint

logger = logging.getLogger(__name__)

REFUSED = 2
"""The exit code of a start that was refused: starting again without a change would be refused again."""
FAILED = 1
"""The exit code where starting again may help: the store was away."""
SHUTDOWN_SECONDS = 3


class AddressTaken(StranglerError):
    """The admin API cannot listen where it should."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until SIGTERM or SIGINT; return the exit code."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s control %(levelname)s %(message)s", stream=sys.stderr)
    # Alembic tells of every migration twice; one line of ours is enough.
    logging.getLogger("alembic").setLevel(logging.WARNING)
    token = os.environ.get(TOKEN_VARIABLE) or None
    try:
        check_address(options.admin.host, token)
        loaded = load(options.config)
        options.state.mkdir(parents=True, exist_ok=True)
        with contextlib.closing(
            Store(options.store or loaded.serve.store or f"sqlite:///{options.state / 'control.db'}")
        ) as store:
            store.migrate()
            plane = ControlPlane(loaded, options.config, options.state, store)
            with contextlib.closing(_listen(options.admin)) as listener:
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
    server = _Server(
        uvicorn.Config(
            create_app(plane, token),
            log_config=None,
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        )
    )
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, server.stop)
    await plane.link_server.start()
    supervisor = asyncio.create_task(plane.supervisor.run())
    try:
        logger.info("revision %d, admin API on %s", plane.revision, _address(listener))
        await server.serve([listener])
    finally:
        supervisor.cancel()
        await asyncio.gather(supervisor, return_exceptions=True)
        await plane.link_server.close()


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers: this process has more to end than a server."""

    def stop(self) -> None:
        self.should_exit = True

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


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
