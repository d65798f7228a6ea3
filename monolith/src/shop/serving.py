"""The shop as processes: a listening socket, and gunicorn or uvicorn behind it."""

import socket
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from shop.application import build
from shop.kernel.settings import Settings

KEEP_ALIVE_SECONDS = 75
"""Longer than a proxy in front keeps an idle connection (60 s), so that it is the proxy that closes it."""
GRACE_SECONDS = 10
BACKLOG = 2_048


class Framework(StrEnum):
    FLASK = "flask"
    DJANGO = "django"
    FASTAPI = "fastapi"


@dataclass(frozen=True, slots=True)
class AddressTaken(Exception):
    """Somebody else listens there, or nobody may."""

    host: str
    port: int
    reason: str

    def __str__(self) -> str:
        where = f"{self.host}:{self.port}"
        return f"Cannot listen on {where}: {self.reason}. End what listens there, or choose another --port."


def listen(host: str, port: int) -> socket.socket:
    """A bound and listening socket. Raises AddressTaken."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        raise AddressTaken(host, port, (error.strerror or str(error)).lower()) from error
    listener.set_inheritable(True)
    return listener


def prepare(settings: Settings) -> None:
    """Create the schema and the signing key once, before the workers start."""
    shop = build(settings)
    shop.database.create_schema()
    shop.customers.prepare()
    shop.database.dispose()


def serve(framework: Framework, listener: socket.socket, *, workers: int, threads: int) -> None:
    """Serve until SIGTERM or SIGINT, then finish what is in flight."""
    match framework:
        case Framework.FLASK:
            from shop.web.flask_app import create_app  # noqa: PLC0415 - one framework is loaded, not three

            _gunicorn(create_app, listener, workers, threads)
        case Framework.DJANGO:
            from shop.web.django_app import create_application  # noqa: PLC0415

            _gunicorn(create_application, listener, workers, threads)
        case Framework.FASTAPI:
            _uvicorn("shop.web.fastapi_app:create_app", listener, workers)


def _gunicorn(factory: Callable[[], Any], listener: socket.socket, workers: int, threads: int) -> None:
    from gunicorn.app.base import BaseApplication  # noqa: PLC0415

    options = {
        "bind": f"fd://{listener.fileno()}",
        "workers": workers,
        "threads": threads,
        "worker_class": "gthread",
        "keepalive": KEEP_ALIVE_SECONDS,
        "graceful_timeout": GRACE_SECONDS,
        "timeout": 60,
        "limit_request_line": 8_190,  # gunicorn's most
        "loglevel": "warning",
        "control_socket_disable": True,
    }

    class Application(BaseApplication):
        """Loads the face in each worker: database connections must not cross a fork."""

        def load_config(self) -> None:
            for name, value in options.items():
                self.cfg.set(name, value)

        def load(self) -> Any:
            return factory()

    Application().run()


def _uvicorn(factory: str, listener: socket.socket, workers: int) -> None:
    import uvicorn  # noqa: PLC0415
    from uvicorn.supervisors import Multiprocess  # noqa: PLC0415

    config = uvicorn.Config(
        factory,
        factory=True,
        workers=workers,
        access_log=False,
        log_level="warning",
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    if workers == 1:
        uvicorn.Server(config).run(sockets=[listener])
    else:
        Multiprocess(config, sockets=[listener]).run()
