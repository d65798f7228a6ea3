"""Shared rate limits in Redis or Valkey: one script call per request, bounded in time, and none while it is down.

A call that fails or is given up takes its connection with it: an answer that comes later must not be taken for that of
the next call (redis-py #2624). After ``FAILURES`` in a row nobody is made to wait any more; one call in the background,
ever more rarely and never at the same moment in all workers, finds out when the store is back.
"""

import asyncio
import contextlib
import hashlib
import logging
import random
from collections.abc import Sequence
from typing import Any

from redis.asyncio.connection import AbstractConnection, Connection, parse_url
from redis.exceptions import ConnectionError as ConnectionLost
from redis.exceptions import InvalidResponse, NoScriptError, RedisError

from strangler.model.rate_limit import LimitStore
from strangler.policies.rate_limit.gcra import Rate
from strangler.policies.rate_limit.guards import LimitStoreUnavailable

FAILURES = 3
"""In a row, until the store counts as down."""
FIRST_PAUSE = 0.1
"""Seconds until the first look whether it is back; each further one takes twice as long."""
LONGEST_PAUSE = 2.0

# The server's clock counts, so that workers on several machines agree. A bucket's value is its theoretical arrival time
# in microseconds. Its debt is capped, for a server whose clock was set back must not lock anybody out.
SCRIPT = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local debts = {}
local admitted = 1
for i = 1, #KEYS do
  local emission, capacity = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
  local arrival = tonumber(redis.call('GET', KEYS[i]) or '0')
  debts[i] = math.min(math.max(arrival - now, 0), capacity)
  if debts[i] + emission > capacity then admitted = 0 end
end
if admitted == 1 then
  for i = 1, #KEYS do
    debts[i] = debts[i] + tonumber(ARGV[2 * i - 1])
    redis.call('SET', KEYS[i], string.format('%.0f', now + debts[i]), 'PX', math.ceil(debts[i] / 1000) + 1)
  end
end
return {admitted, debts}
"""
_SHA = hashlib.sha1(SCRIPT.encode()).hexdigest()  # noqa: S324 - by which the server names scripts

logger = logging.getLogger("strangler.adapters")


class ValkeyBuckets:
    """Buckets of shared limits. All of it runs on one event loop."""

    def __init__(self, settings: LimitStore, password: bytes = b"") -> None:
        self._settings = settings
        self._password = password.decode()
        self._idle: list[AbstractConnection] = []
        self._slots = asyncio.Semaphore(settings.connections)
        self._failures = 0
        self._pause = FIRST_PAUSE
        self._probing: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def available(self) -> bool:
        """Whether it is worth asking."""
        return self._failures < FAILURES

    async def take(self, buckets: Sequence[tuple[str, Rate]]) -> tuple[bool, list[int]]:
        """Charge one request to all of them, or to none. Raises ``LimitStoreUnavailable``."""
        try:
            async with asyncio.timeout(self._settings.timeout):
                await self._wait_for_turn()
                try:
                    if not self.available:
                        raise LimitStoreUnavailable("the limit store went down while this request waited for it")
                    answer = await self._ask(buckets)
                finally:
                    self._slots.release()
        except (OSError, RedisError) as error:  # A time-out is an OSError.
            self._failed(error)
            raise LimitStoreUnavailable(_told(error)) from None
        self._failures = 0
        return answer

    def close(self) -> None:
        """Close what is idle; calls under way end by themselves."""
        self._closed = True
        if self._probing is not None:
            self._probing.cancel()
        self._drop_idle()

    # One call

    async def _wait_for_turn(self) -> None:
        """At most half the time, so that enough is left for the call. Who waits in vain says nothing of the store.

        Raises ``LimitStoreUnavailable``.
        """
        try:
            async with asyncio.timeout(self._settings.timeout / 2):
                await self._slots.acquire()
        except TimeoutError:
            busy = self._settings.connections
            raise LimitStoreUnavailable(f"{busy} calls to the limit store are under way already") from None

    async def _ask(self, buckets: Sequence[tuple[str, Rate]]) -> tuple[bool, list[int]]:
        if self._idle:
            with contextlib.suppress(ConnectionLost):  # The server closed it while nobody looked: once more.
                return await self._ask_on(self._idle.pop(), buckets)
            self._drop_idle()
        return await self._ask_on(self._connection(), buckets)

    async def _ask_on(
        self, connection: AbstractConnection, buckets: Sequence[tuple[str, Rate]]
    ) -> tuple[bool, list[int]]:
        keys = [self._settings.prefix + name for name, _ in buckets]
        arguments = [number for _, rate in buckets for number in (rate.emission, rate.capacity)]
        usable = False
        try:
            admitted, debts = await _evaluate(connection, keys, arguments)
            usable = not self._closed
        finally:
            if usable:
                self._idle.append(connection)
            else:
                _cut(connection)
        return bool(admitted), list(debts)

    def _connection(self) -> AbstractConnection:
        settings = self._settings
        options: dict[str, Any] = dict(parse_url(settings.url))
        kind = options.pop("connection_class", Connection)
        if settings.ca_file:
            options["ssl_ca_certs"] = settings.ca_file
        connection: AbstractConnection = kind(
            **options,
            username=settings.username or None,
            password=self._password or None,
            protocol=2,
            driver_info=None,
            socket_timeout=None,  # There is one for the call as a whole.
            socket_connect_timeout=None,
        )
        return connection

    # While it is down

    def _failed(self, error: Exception) -> None:
        self._failures += 1
        if self._failures == FAILURES:
            logger.warning("the limit store %s is down: %s", self._settings.url, _told(error))
            self._drop_idle()
            self._pause = FIRST_PAUSE
            if not self._closed and (self._probing is None or self._probing.done()):
                self._probing = asyncio.get_running_loop().create_task(self._probe())

    async def _probe(self) -> None:
        """Look again and again whether it is back."""
        while not self.available:
            await asyncio.sleep(self._pause * random.uniform(0.5, 1.5))  # noqa: S311 - no secret
            self._pause = min(2 * self._pause, LONGEST_PAUSE)
            try:
                async with asyncio.timeout(self._settings.timeout):
                    await self._ask_on(self._connection(), [("probe", Rate(1, 1))])
            except Exception as error:  # noqa: BLE001 - whatever it is: if nobody looked any more it would stay down
                logger.debug("the limit store %s is still down: %s", self._settings.url, _told(error))
            else:
                self._failures = 0
                logger.info("the limit store %s is back", self._settings.url)

    def _drop_idle(self) -> None:
        idle, self._idle = self._idle, []
        for connection in idle:
            _cut(connection)


async def _evaluate(connection: AbstractConnection, keys: list[str], arguments: list[int]) -> tuple[int, list[int]]:
    try:
        return await _call(connection, "EVALSHA", _SHA, len(keys), *keys, *arguments)
    except NoScriptError:  # The first call since the server started.
        return await _call(connection, "EVAL", SCRIPT, len(keys), *keys, *arguments)


async def _call(connection: AbstractConnection, *command: str | int) -> tuple[int, list[int]]:
    await connection.send_command(*command)
    answer = await connection.read_response()
    match answer:
        case [int(admitted), [*debts]] if all(isinstance(debt, int) for debt in debts):
            return admitted, debts
    raise InvalidResponse("the limit store's answer is none to the question")


def _cut(connection: AbstractConnection) -> None:
    """Close at once, whatever is on its way."""
    writer, connection._reader, connection._writer = connection._writer, None, None  # noqa: SLF001 - `disconnect` may wait
    if writer is not None:
        writer.transport.abort()


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
