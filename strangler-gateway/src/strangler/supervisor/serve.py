"""The gateway alone, from the first lock to the last child: what ``strangler serve`` does."""

import asyncio
import signal
from collections.abc import Callable

from strangler.supervisor.descriptors import raise_limit
from strangler.supervisor.holdings import Holdings
from strangler.supervisor.plan import Plan
from strangler.supervisor.supervisor import Supervisor

ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def serve(plan: Plan, on_ready: Callable[[Holdings], None]) -> int:
    """Run a gateway until a signal or ``strangler down`` ends it, and return the exit status.

    ``on_ready`` is called when every worker accepts connections for the first time. Raises ``StartRefused``.
    """
    raise_limit()
    with Holdings(plan) as holdings:
        return asyncio.run(_serve(plan, holdings, on_ready))


async def _serve(plan: Plan, holdings: Holdings, on_ready: Callable[[Holdings], None]) -> int:
    supervisor = Supervisor(plan, holdings)
    stop_on_signals(supervisor)
    # A service has no terminal that could be closed: for it this signal means to read the configuration anew.
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, supervisor.reload)
    announcement = asyncio.create_task(_announce(supervisor, holdings, on_ready))
    try:
        return await supervisor.run()
    finally:
        announcement.cancel()


async def _announce(supervisor: Supervisor, holdings: Holdings, on_ready: Callable[[Holdings], None]) -> None:
    await supervisor.ready()
    on_ready(holdings)


def stop_on_signals(supervisor: Supervisor) -> None:
    """Let Ctrl-C, SIGTERM and a closed terminal end the gateway in order, and a second one without patience."""
    for number in ENDING_SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, supervisor.stop)
