"""What a gateway holds while it lives: the lock on its state folder, its ports, its kills, its ``run.json``."""

import os
import socket
from typing import Self

from strangler.supervisor.kill_ledger import KillLedger
from strangler.supervisor.listening import bound, listen, listen_per_slot, vacant
from strangler.supervisor.plan import Plan, StartRefused
from strangler.supervisor.state_folder import StateFolder


class Holdings:
    """Taken all together or not at all, before any process is started; given back when the ``with`` block ends."""

    def __init__(self, plan: Plan) -> None:
        """Take everything. Raises ``StartRefused`` with nothing taken."""
        self.folder = StateFolder(plan.state)
        self.folder.create()
        if not self.folder.try_lock():
            raise StartRefused(_already_running(self.folder))
        self._sockets: list[socket.socket] = []
        try:
            self.folder.sweep()
            self.slots = self._keep(*listen_per_slot(plan.listen, plan.workers, "--listen"))
            """One listening socket for each worker."""
            (self.health_socket,) = self._keep(listen(plan.health, "--health"))
            self.listen = bound(self.slots[0], plan.listen)
            self.health = bound(self.health_socket, plan.health)
            self.admin = vacant(plan.admin, "--admin")
            self.ledger = KillLedger(self.folder)
            self._write_run(plan)
        except OSError as error:
            self.give_back()
            where = error.filename or self.folder.path
            raise StartRefused(f"{where}: {error.strerror}; choose another folder with --state") from error
        except StartRefused:
            self.give_back()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.give_back()

    def give_back(self) -> None:
        """Close the sockets, remove the files that say that a gateway runs, unlock."""
        for sock in self._sockets:
            sock.close()
        self.folder.sweep()
        self.folder.unlock()

    def _keep(self, *sockets: socket.socket) -> tuple[socket.socket, ...]:
        self._sockets.extend(sockets)
        return sockets

    def _write_run(self, plan: Plan) -> None:
        places = {"listen": self.listen, "admin": self.admin, "health": self.health}
        self.folder.write_run(
            {
                "pid": os.getpid(),
                **{name: place.authority for name, place in places.items()},
                "config": str(plan.config.absolute()),
                "state": str(self.folder.path),
            }
        )


def _already_running(folder: StateFolder) -> str:
    run = folder.read_run()
    who = f" (process {run['pid']}, on {run['listen']})" if {"pid", "listen"} <= run.keys() else ""
    return (
        f"a gateway already runs with the state folder {folder.path}{who}: "
        f"end it with `strangler down --state {folder.path}`, or choose another folder with --state"
    )
