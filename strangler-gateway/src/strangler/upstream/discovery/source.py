"""What a source of endpoints must do; another one, such as a watch on Kubernetes, joins here."""

from collections.abc import Callable, Mapping
from typing import Protocol

from strangler.model.upstream import Endpoint, Share

Found = Callable[[Mapping[Endpoint, Share]], None]
"""To be told of all endpoints, never none and in a fixed order, whenever they or their shares have become others."""


class Source(Protocol):
    """The endpoints of one upstream, followed in the background of a worker.

    A source runs in each worker, so that it works while control is down. It tells the whole truth as it knows it, and
    keeps silent where it knows nothing: a server that is away, an empty or a broken answer removes no endpoint. It
    makes no task of its own before ``start``, waits with jitter, bounds what it takes in (``MAX_ENDPOINTS``), and
    raises nothing.

    For Kubernetes: ``start`` opens a watch on the EndpointSlices of a Service and tells ``found`` the addresses that
    are ready, each with ``Share()``; a watch that breaks is opened again, beginning with a list. Add its settings to
    ``model/discovery.py``, its section to ``config/schema/discovery.py``, and its class to ``Directory``.
    """

    def start(self, found: Found) -> None:
        """Begin."""

    def stop(self) -> None:
        """End; ``found`` is not called any more."""


MAX_ENDPOINTS = 256
"""Of one upstream. Of what is found beyond it the first in order are taken, so that workers agree."""
