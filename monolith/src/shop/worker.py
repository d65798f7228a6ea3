"""A process that delivers what waits in the outbox. Any number of them may run."""

import logging
import signal
from threading import Event

from sqlalchemy.exc import SQLAlchemyError

from shop.application import build
from shop.kernel.settings import Settings

log = logging.getLogger(__name__)


def deliver_until_told(settings: Settings, interval: float, *, once: bool = False) -> None:
    """Look every `interval` seconds until SIGTERM or SIGINT; with `once`, only once."""
    told = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: told.set())
    shop = build(settings)
    shop.database.create_schema()
    while not told.is_set():
        try:
            shop.deliver_events()
        except SQLAlchemyError:
            if once:
                raise
            log.exception("the database cannot be reached; trying again in %s s", interval)
        if once:
            break
        told.wait(interval)
    shop.database.dispose()
