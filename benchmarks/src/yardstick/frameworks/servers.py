"""What is compared: each implementation under each server that its users run it with, on each database.

All have the same number of processes, of threads where a request takes one, and of connections to the database that a
process keeps.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

KEEP_ALIVE = 75
"""Seconds that a server keeps an idle connection, where it lets one say so; as the shop itself does."""
BACKLOG = 2048
GRACE = 10
LOOP = "uvloop"
READY = "/readyz"
"""Answers 200 once the process has its database: every implementation has it."""

APPS = {
    "flask": ("wsgi", "yardstick.frameworks.apps.flask_app", "create_app"),
    "django": ("wsgi", "yardstick.frameworks.apps.django_app", "create_application"),
    "fastapi": ("asgi", "yardstick.frameworks.apps.fastapi_app", "create_app"),
    "django-async": ("asgi", "yardstick.frameworks.apps.django_async", "create_application"),
    "django-orm": ("wsgi", "yardstick.frameworks.django_orm", "create_application"),
}
"""Interface, module and factory of what a server loads. The catalog service brings its own command."""
SERVERS = {
    "flask": ("gunicorn", "granian"),
    "django": ("gunicorn", "granian"),
    "fastapi": ("gunicorn", "granian", "uvicorn"),
    "django-async": ("gunicorn", "granian", "uvicorn"),
    "django-orm": ("gunicorn", "granian"),
    "catalog-service": ("uvicorn",),
}
DATABASES = ("sqlite", "postgresql")


@dataclass(frozen=True, slots=True)
class Combination:
    """One line of the comparison."""

    implementation: str
    server: str
    database: str
    workers: int = 1
    threads: int = 8
    """Requests that one process works on at the same time where each takes a thread, and connections to the database
    that it keeps."""

    def __post_init__(self) -> None:
        """Raises ``ValueError`` for what its users do not run, or what would not be equal."""
        if self.server not in SERVERS.get(self.implementation, ()) or self.database not in DATABASES:
            raise ValueError(f"there is no {self}")
        if self.implementation == "catalog-service" and self.workers != 1:
            raise ValueError("the catalog service is one process; more are more services")

    def __str__(self) -> str:
        return f"{self.implementation}-{self.server}-{self.database}"

    @property
    def interface(self) -> str:
        """``wsgi`` or ``asgi``."""
        return APPS[self.implementation][0] if self.implementation in APPS else "asgi"

    @property
    def threaded(self) -> bool:
        """Whether requests that ask the database take a thread each: in FastAPI too, whose endpoints are functions."""
        return self.implementation not in {"catalog-service", "django-async"}

    def command(self, port: int) -> list[str]:
        """What starts it on a port of the loopback interface."""
        if self.implementation == "catalog-service":
            return [_program("catalog-service"), "serve", "--port", str(port)]
        match self.server:
            case "gunicorn":
                return self._gunicorn(port)
            case "granian":
                return self._granian(port)
            case _:
                return self._uvicorn(port)

    def environment(self, database: str, key_set: Path, private_pem: str, downstream: str) -> dict[str, str]:
        """What it is told: the database's URL, the keys, the sizes that the command line does not say."""
        return {
            "DATABASE_URL": database,
            "SHOP_SIGNING_KEY": private_pem,
            "SHOP_POOL_SIZE": str(self.threads),
            "SHOP_THREADS": str(self.threads),
            "CATALOG_JWKS": str(key_set),
            "CATALOG_POOL_SIZE": str(self.threads),
            "CATALOG_LOG_LEVEL": "warning",
            "BENCH_DOWNSTREAM": downstream,
        }

    def printed(self) -> Mapping[str, str | int]:
        """What is said of it beside its figures."""
        return {
            "implementation": self.implementation,
            "server": f"{self.server} {version(self.server)}",
            "interface": self.interface,
            "database": self.database,
            "workers": self.workers,
            "threads": self.threads if self.threaded else "none",
            "event loop": "none" if self.interface == "wsgi" else LOOP,
            "connections to the database kept": self.threads,
            # Pools open as many again under load; where a request takes a thread, no more are asked for than threads.
            "connections to the database at most": self.threads if self.threaded else 2 * self.threads,
        }

    def _gunicorn(self, port: int) -> list[str]:
        _, module, factory = APPS[self.implementation]
        kind = (
            ("gthread", "--threads", str(self.threads)) if self.interface == "wsgi" else ("asgi", "--asgi-loop", LOOP)
        )
        return [
            _program("gunicorn"), "--bind", f"127.0.0.1:{port}", "--workers", str(self.workers),
            "--backlog", str(BACKLOG), "--keep-alive", str(KEEP_ALIVE), "--graceful-timeout", str(GRACE),
            "--timeout", "60", "--limit-request-line", "8190", "--log-level", "warning", "--no-control-socket",
            "--worker-class", *kind, f"{module}:{factory}()",
        ]  # fmt: skip

    def _granian(self, port: int) -> list[str]:
        _, module, factory = APPS[self.implementation]
        threads = ("--blocking-threads", str(self.threads)) if self.interface == "wsgi" else ("--loop", LOOP)
        return [
            _program("granian"), "--host", "127.0.0.1", "--port", str(port), "--workers", str(self.workers),
            "--backlog", str(BACKLOG), "--workers-kill-timeout", str(GRACE), "--log-level", "warning",
            "--interface", self.interface, *threads, "--factory", f"{module}:{factory}",
        ]  # fmt: skip

    def _uvicorn(self, port: int) -> list[str]:
        _, module, factory = APPS[self.implementation]
        return [
            _program("uvicorn"), "--host", "127.0.0.1", "--port", str(port), "--workers", str(self.workers),
            "--backlog", str(BACKLOG), "--loop", LOOP, "--timeout-keep-alive", str(KEEP_ALIVE),
            "--timeout-graceful-shutdown", str(GRACE), "--log-level", "warning", "--no-access-log",
            "--factory", f"{module}:{factory}",
        ]  # fmt: skip


def combinations(*, workers: int = 1, threads: int = 8) -> tuple[Combination, ...]:
    """All of them, with equal sizes."""
    return tuple(
        Combination(implementation, server, database, workers, threads)
        for database in DATABASES
        for implementation, servers in SERVERS.items()
        for server in servers
        if database == "sqlite" or implementation != "django-async"  # it asks no database
        if workers == 1 or implementation != "catalog-service"
    )


def named(name: str) -> Combination:
    """The combination of that name, with usual sizes. Raises ``ValueError``."""
    implementation, server, database = name.rsplit("-", 2)
    return Combination(implementation, server, database)


def _program(name: str) -> str:
    return str(Path(sys.executable).parent / name)
