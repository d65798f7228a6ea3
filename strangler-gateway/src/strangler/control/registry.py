"""The registry: services register with a lease, renew it, and are forgotten when it lapses."""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from strangler.config.loaded import Topology
from strangler.control.workers import Workers
from strangler.link.codec import LinkError, decode_leases, encode_leases
from strangler.model.errors import StranglerError
from strangler.model.messages import RegistryPush
from strangler.model.registry import Lease

MOST = 256
"""Instances of one upstream."""
LOOK_EVERY = 0.25
"""Seconds between two looks for leases that have lapsed."""

logger = logging.getLogger(__name__)


class UnknownInstance(StranglerError):
    """There is no such instance."""


class RegistrationRefused(StranglerError):
    """The upstream does not take registrations, or no more of them."""


@dataclass(slots=True)
class _Entry:
    lease: Lease
    lapses: float
    """By the clock."""


class Registry:
    """All leases. Who is registered lies in ``registry.json``; when each lapses is known to this process alone.

    So after a start every lease that is read holds for its whole length once more: while control was away nobody could
    renew, and nothing was removed either.
    """

    def __init__(self, folder: Path, workers: Workers, clock: Callable[[], float] = time.monotonic) -> None:
        self._path = folder / "registry.json"
        self._workers = workers
        self._clock = clock
        now = clock()
        self._entries = {
            (lease.upstream, lease.instance): _Entry(lease, now + lease.seconds) for lease in _read(self._path)
        }

    def register(self, lease: Lease, topology: Topology) -> None:
        """Take an instance in, or renew its lease. Raises ``RegistrationRefused``."""
        if not any(upstream.name == lease.upstream and upstream.registry for upstream in topology.upstreams):
            raise RegistrationRefused(
                f"nobody registers for «{lease.upstream}»: there is no such upstream with `discovery: registry`"
            )
        key = (lease.upstream, lease.instance)
        known = self._entries.get(key)
        if known is None and sum(name == lease.upstream for name, _ in self._entries) >= MOST:
            raise RegistrationRefused(f"«{lease.upstream}» has {MOST} instances already")
        self._entries[key] = _Entry(lease, self._clock() + lease.seconds)
        if known is None or known.lease != lease:
            logger.info("%s: %s registered at %s", *key, lease.endpoint.authority)
            self._changed()

    def remove(self, upstream: str, instance: str) -> None:
        """Forget an instance. Raises ``UnknownInstance``."""
        if self._entries.pop((upstream, instance), None) is None:
            raise UnknownInstance(f"«{instance}» is not registered for «{upstream}»")
        logger.info("%s: %s left", upstream, instance)
        self._changed()

    def leases(self) -> list[tuple[Lease, float]]:
        """Every lease with the seconds that are left of it, by upstream and instance."""
        now = self._clock()
        return [(entry.lease, max(0.0, entry.lapses - now)) for _, entry in sorted(self._entries.items())]

    def push(self) -> RegistryPush:
        """What a worker is told."""
        return RegistryPush(tuple(entry.lease for entry in self._entries.values()))

    def lapse(self) -> None:
        """Forget whose lease has lapsed."""
        now = self._clock()
        lapsed = [key for key, entry in self._entries.items() if entry.lapses <= now]
        for key in lapsed:
            logger.warning("%s: the lease of %s has lapsed", *key)
            del self._entries[key]
        if lapsed:
            self._changed()

    async def keep(self) -> None:
        """For ever: forget whose lease has lapsed."""
        while True:
            await asyncio.sleep(LOOK_EVERY)
            self.lapse()

    def _changed(self) -> None:
        """On disk first: workers that start without control read it there."""
        beside = self._path.with_suffix(".json.new")
        try:
            beside.write_bytes(encode_leases(self.push().leases))
            beside.replace(self._path)
        except OSError as error:
            logger.error("%s cannot be written: %s; a worker that starts without control has older ones", beside, error)
        self._workers.broadcast(self.push())


def _read(path: Path) -> tuple[Lease, ...]:
    try:
        return decode_leases(path.read_bytes())
    except FileNotFoundError:
        return ()
    except (OSError, LinkError) as error:
        logger.error("%s cannot be read (%s): services have to register again", path, error)
        return ()
