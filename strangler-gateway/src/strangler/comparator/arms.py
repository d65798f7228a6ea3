"""One side of a route, asked as a worker would ask it, for the answer that a client would have got."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

from strangler.comparator.copies import Copy, fields_of
from strangler.http1.response import ResponseHead
from strangler.http1.serializer import REPLACED, request_head
from strangler.model.failure import Failure
from strangler.policies.marks import OWN
from strangler.policies.transform.arm import ArmTransform
from strangler.policies.transform.shape import Unshapeable
from strangler.resilience.retry import IDEMPOTENT
from strangler.shadow.answer import Answer, Fields
from strangler.upstream.asking import Answer as Received
from strangler.upstream.asking import TooLong, Unanswered, ask
from strangler.upstream.balancer import Balancer
from strangler.upstream.balancers import Balancers
from strangler.upstream.pool import EndpointPool

_DROPPED = REPLACED | OWN | {b"expect"}
_NOT_SHAPED = Answer(502, ((b"Content-Type", b"application/problem+json"),), b"")
"""What a client gets in place of an answer that cannot be brought into its shape, as far as it is compared."""


class Arm:
    """Whom to ask, and what is changed on the way there and back."""

    def __init__(self, balancers: Balancers, upstream: str, transform: ArmTransform | None) -> None:
        self._balancers = balancers
        self._upstream = upstream
        self._transform = transform

    async def ask(
        self,
        copy: Copy,
        *,
        timeout: float,  # noqa: ASYNC109 - as for ``upstream.asking``
        most: int,
        added: Callable[[bytes], bytes] | None = None,
    ) -> Answer:
        """The answer, with the time that it took. Raises ``Unanswered``; ``RequestRefused`` for a path that has no
        counterpart there.

        ``added`` makes a block of fields, given the target that the arm is asked for; what an arm says about it, which
        is not for clients, is in the answer as well.
        """
        try:
            balancer = self._balancers.named(self._upstream)
        except KeyError:
            raise Unanswered(Failure.NO_ENDPOINT, f"{self._upstream} is not configured any more") from None
        pool = _choose(balancer, copy)
        copy.endpoint = pool.authority
        request = self._request(copy, pool, added)
        try:
            repeatable = copy.head.method in IDEMPOTENT and not copy.body
            received = await ask(
                pool, request, timeout=timeout, most=most, repeatable=repeatable, bodiless=copy.bodiless
            )
        except Unanswered as why:
            _note(pool, copy, why)
            raise
        except asyncio.CancelledError:
            pool.standing.left(copy)
            raise
        standing = pool.standing
        standing.answered += 1
        if received.status >= 500 or standing.troubled:
            pool.note_answer(copy, received.status)
        if added is None:
            return self._answer(copy, received)
        own = _own(received.head)
        answer = self._answer(copy, received)
        return replace(answer, fields=(*(field for field in answer.fields if field[0].lower() not in OWN), *own))

    def _request(self, copy: Copy, pool: EndpointPool, added: Callable[[bytes], bytes] | None) -> bytes:
        head, transform = copy.head, self._transform
        dropped, block, target = _DROPPED, b"", head.target
        if transform is not None and transform.asks:
            target = transform.target(head)
            dropped, block = transform.outgoing(copy, dropped, block)
        if added is not None:
            block += added(target)
        return request_head(head, head.host or pool.authority.encode(), dropped, block, target) + copy.body

    def _answer(self, copy: Copy, received: Received) -> Answer:
        head, content, transform = received.head, received.content, self._transform
        if transform is not None and (head.located or transform.every_answer):
            try:
                shaping = transform.answer(copy, head)
                if shaping is not None:
                    shaping.feed([content], ended=True)
                    head, content = shaping.head, b"".join(shaping.pieces)
            except Unshapeable:
                return _NOT_SHAPED
        return Answer(head.status, _fields(copy, head), content, received.seconds)


def _fields(copy: Copy, head: ResponseHead) -> Fields:
    """With those that the gateway writes itself, for the client has them of the primary."""
    fields = (*fields_of(head.fields), (b"X-Request-ID", copy.request_id))
    return (*fields, (b"Content-Length", b"%d" % head.length)) if head.length >= 0 else fields


def _own(head: ResponseHead) -> Fields:
    """What is said to the gateway alone, and would not outlive every change on the way."""
    own = tuple(field for field in fields_of(head.fields) if field[0].lower() in OWN)
    return (*own, (b"X-Strangler-Effects", head.effects)) if head.effects else own


def _choose(balancer: Balancer, token: object) -> EndpointPool:
    balancer.requests += 1
    pool = balancer.choose() if balancer.calm else balancer.choose_with_care(token)
    if pool is not None:
        return pool
    name = balancer.upstream.name
    if balancer.pools and not balancer.askable():
        raise Unanswered(Failure.BREAKER_OPEN, f"the breaker of every endpoint of {name} is open")
    raise Unanswered(Failure.NO_ENDPOINT, f"no endpoint of {name} can be asked")


def _note(pool: EndpointPool, token: object, why: Unanswered) -> None:
    """What it says about the endpoint."""
    if why.stale or isinstance(why, TooLong):
        pool.standing.left(token)
    else:
        pool.note_failure(token, why.failure)
