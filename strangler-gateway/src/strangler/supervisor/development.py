"""A gateway and the applications around it, as one thing that starts and ends together: what ``strangler up`` does."""

import asyncio
from collections.abc import Callable, Sequence

from strangler.supervisor.application import Application, ApplicationFailed
from strangler.supervisor.descriptors import raise_limit
from strangler.supervisor.holdings import Holdings
from strangler.supervisor.plan import Plan
from strangler.supervisor.serve import stop_on_signals
from strangler.supervisor.supervisor import Supervisor


def up(plan: Plan, applications: Sequence[Application], on_ready: Callable[[Holdings], None]) -> int:
    """Run everything until a signal or ``strangler down``, and return the exit status.

    ``on_ready`` is called once everything is ready. Raises ``StartRefused``, or ``ApplicationFailed`` once all has
    been ended.
    """
    raise_limit()
    with Holdings(plan) as holdings:
        for application in applications:
            application.check()
        return asyncio.run(_up(plan, holdings, applications, on_ready))


async def _up(
    plan: Plan, holdings: Holdings, applications: Sequence[Application], on_ready: Callable[[Holdings], None]
) -> int:
    """Gateway and applications start beside each other; the gateway ends first, since its requests need the others."""
    supervisor = Supervisor(plan, holdings)
    stop_on_signals(supervisor)
    gateway = asyncio.create_task(supervisor.run())
    company = asyncio.create_task(_keep(applications))
    announcement = asyncio.create_task(_announce(supervisor, holdings, applications, on_ready))
    await asyncio.wait({gateway, company}, return_when=asyncio.FIRST_COMPLETED)
    announcement.cancel()
    supervisor.stop()
    try:
        status = await gateway
    finally:
        await asyncio.gather(*(application.end() for application in applications))
        company.cancel()
        await asyncio.wait({company})
    if not company.cancelled():
        company.result()
    return status


async def _keep(applications: Sequence[Application]) -> None:
    """Start them as written: each when the one before it has been prepared and started, ready or not."""
    failure: BaseException | None = None
    try:
        async with asyncio.TaskGroup() as tasks:
            for application in applications:
                await application.prepare()
                tasks.create_task(application.keep())
            await asyncio.Event().wait()
    except* ApplicationFailed as failures:
        failure = failures.exceptions[0]
    if failure is not None:
        raise failure


async def _announce(
    supervisor: Supervisor,
    holdings: Holdings,
    applications: Sequence[Application],
    on_ready: Callable[[Holdings], None],
) -> None:
    await supervisor.ready()
    for application in applications:
        await application.is_ready.wait()
    on_ready(holdings)
