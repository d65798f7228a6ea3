"""Asks an application who sent these cookies or this Authorization header, over its own pool of connections."""

from collections.abc import Callable

from strangler.model.authentication import Ask
from strangler.policies.refusals import Unavailable
from strangler.upstream.asking import Unanswered, ask
from strangler.upstream.balancer import Balancer

MOST = 64 * 1024
"""Bytes of an answer."""


class AskingUpstream:
    """Fills the port ``WhoAmI``."""

    def __init__(self, settings: Ask, balancer: Callable[[], Balancer]) -> None:
        """``balancer`` gives the upstream's present one: it is another after a change of its endpoints."""
        self._settings = settings
        self._balancer = balancer

    async def ask(self, cookie: bytes, authorization: bytes) -> tuple[int, bytes]:
        """Status and body of its answer. Raises ``Unavailable``."""
        settings = self._settings
        balancer, token = self._balancer(), object()
        pool = balancer.choose() if balancer.calm else balancer.choose_with_care(token)
        if pool is None:
            raise Unavailable(f"no endpoint of {settings.upstream} may be asked now")
        lines = [
            b"GET %b HTTP/1.1" % settings.path.encode(),
            b"Host: %b" % (settings.host or pool.authority).encode(),
            b"Accept: application/json",
            b"User-Agent: strangler",
        ]
        if cookie:
            lines.append(b"Cookie: %b" % cookie)
        if authorization:
            lines.append(b"Authorization: %b" % authorization)
        try:
            answer = await ask(pool, b"\r\n".join(lines) + b"\r\n\r\n", timeout=settings.timeout, most=MOST)
        except Unanswered as why:
            raise Unavailable(str(why)) from None
        finally:
            pool.standing.left(token)  # What the endpoint is worth is judged by the requests of clients.
        return answer.status, answer.content
