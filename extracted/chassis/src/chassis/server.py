"""Run an application until SIGTERM: uvicorn on uvloop, with the limits that every service should have."""

import contextlib
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from types import FrameType
from typing import NoReturn

import structlog
import uvicorn
from fastapi import FastAPI

from chassis.logs import configure_logs
from chassis.settings import ServiceSettings

_log = structlog.get_logger(__name__)


class AddressUnavailable(Exception):
    """The address cannot be listened on. The message says why and what to do."""


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket, or raise AddressUnavailable."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(2048)
    except OSError as error:
        listener.close()
        reason = error.strerror or str(error)
        raise AddressUnavailable(f"cannot listen on {host}:{port}: {reason}. Choose another with --port.") from error
    return listener


def serve(service: str, build: Callable[[], FastAPI], settings: ServiceSettings) -> None:
    """Serve the application that `build` returns until SIGTERM or SIGINT, then let running requests finish.

    The port is taken before the application is built, so that a taken port costs no time: one line, exit code 2.
    """
    configure_logs(service, settings.log_level)
    try:
        listener = listen(settings.host, settings.port)
    except AddressUnavailable as error:
        print(f"{service}: {error}", file=sys.stderr)
        raise SystemExit(2) from None
    with listener, _ending_well():
        config = uvicorn.Config(
            build(),
            loop="uvloop",
            http="httptools",
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=settings.keep_alive,
            timeout_graceful_shutdown=settings.graceful_timeout,
        )
        host, port = listener.getsockname()[:2]
        _log.info("listening", host=host, port=port)
        uvicorn.Server(config).run(sockets=[listener])


@contextlib.contextmanager
def _ending_well() -> Iterator[None]:
    """Exit with 0 on the signals that uvicorn raises again after its shutdown, or that come before its start."""

    def leave(_number: int, _frame: FrameType | None) -> NoReturn:
        raise SystemExit(0)

    before = {number: signal.signal(number, leave) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
