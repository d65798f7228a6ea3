"""The last known good snapshot and the kills, read from disk: what can be known while control is dead."""

from collections.abc import Iterable
from pathlib import Path

from strangler.cli.failures import BadInput, Failed
from strangler.link.codec import LinkError, decode_snapshot
from strangler.model.route import CATCH_ALL
from strangler.supervisor.kill_ledger import read_killed
from strangler.supervisor.state_folder import StateFolder


class LastSnapshot:
    """Raises ``Failed`` if there is none that can be read."""

    def __init__(self, state: Path) -> None:
        folder = StateFolder(state)
        try:
            self.snapshot = decode_snapshot(folder.snapshot.read_bytes())
        except OSError as error:
            raise Failed(
                f"{folder.snapshot} cannot be read ({error.strerror}): no gateway has run with this state folder; "
                "name another with --state"
            ) from error
        except LinkError as error:
            raise Failed(f"{folder.snapshot} is damaged: {error}") from error
        self.killed = read_killed(folder)

    def targets(self) -> list[str]:
        """Every route and module that can be named."""
        routes = [route for route in self.snapshot.routes if route.name != CATCH_ALL]
        return sorted({route.name for route in routes} | {route.module for route in routes})

    def resolve(self, target: str, *, also: Iterable[str] = ()) -> tuple[str, ...]:
        """The routes that ``target`` means; ``also`` are names that count although no route has them any more.

        Raises ``BadInput``, with near names.
        """
        if target == CATCH_ALL:
            raise BadInput(f"{CATCH_ALL} always goes to the monolith; there is nothing to kill")
        routes = [route.name for route in self.snapshot.routes if target in {route.name, route.module}]
        if not routes and target in also:
            routes = [target]
        if not routes:
            raise BadInput(f"there is no route and no module «{target}»{near(target, self.targets())}")
        return tuple(routes)


def near(name: str, known: Iterable[str]) -> str:
    """A clause with the names that were perhaps meant; empty if none is like it."""
    from difflib import get_close_matches  # noqa: PLC0415  # only in errors

    matches = get_close_matches(name, list(known), n=3)
    return f"; did you mean {' or '.join(matches)}?" if matches else "; `strangler routes` lists them"
