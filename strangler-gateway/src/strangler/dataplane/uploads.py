"""Bodies that did not come at once: whether they come fast enough. Only these cost anything."""

from typing import TYPE_CHECKING

from strangler.dataplane.exchange import Exchange
from strangler.dataplane.phase import BODY
from strangler.model.failure import Failure
from strangler.model.snapshot import Limits

if TYPE_CHECKING:
    from strangler.dataplane.downstream import Downstream


class Uploads:
    """How long each body was waited for. Time in which the application was the slower one does not count."""

    __slots__ = ("_waited",)

    def __init__(self) -> None:
        self._waited: dict[Exchange, tuple[Downstream, float]] = {}

    def watch(self, exchange: Exchange, client: "Downstream") -> None:
        """A part of this exchange's body is yet to come."""
        self._waited.setdefault(exchange, (client, 0.0))

    def judge(self, elapsed: float, limits: Limits) -> None:
        """End those that are too slow; called by the sweep, ``elapsed`` seconds after the last time."""
        for exchange, (client, waited) in tuple(self._waited.items()):
            forwarding = exchange.forwarding
            if exchange.body is None or client.exchange is not exchange or client.phase is not BODY:
                del self._waited[exchange]
            elif forwarding is None or forwarding.sending_blocked or _is_asked_first(exchange):
                continue
            elif limits.body_rate and waited >= limits.body_grace and exchange.bytes_in < limits.body_rate * waited:
                del self._waited[exchange]
                detail = f"{exchange.bytes_in} bytes of the request's body in {waited:g} s"
                client.answer_failure(Failure.REQUEST_TIMEOUT, detail)
            else:
                self._waited[exchange] = client, waited + elapsed
                if waited >= limits.body_grace:
                    forwarding.step_aside()  # The breaker would have to wait for this client.


def _is_asked_first(exchange: Exchange) -> bool:
    """Whether the client rightly waits for a 100."""
    return exchange.head.fields.expects_continue and not exchange.bytes_in
