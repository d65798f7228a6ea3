"""The admin API on uvicorn, in an event loop that has more to do than to serve it."""

import contextlib
import socket
from collections.abc import Iterator

import uvicorn

from strangler.control.api.app import create_app
from strangler.control.plane import ControlPlane

SHUTDOWN_SECONDS = 3
"""How long requests under way may take once it shall end."""


class AdminServer(uvicorn.Server):
    """uvicorn without its signal handlers, which belong to the process."""

    def __init__(self, plane: ControlPlane, token: str | None) -> None:
        super().__init__(
            uvicorn.Config(
                create_app(plane, token),
                log_config=None,
                log_level="warning",
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=SHUTDOWN_SECONDS,
            )
        )

    async def run_on(self, listener: socket.socket) -> None:
        """Serve until ``end``."""
        await self.serve([listener])

    def end(self) -> None:
        """Accept no more, and let ``run_on`` return."""
        self.should_exit = True

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to whoever owns the process."""
        yield
