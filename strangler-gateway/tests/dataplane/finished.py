"""Finished requests, as the access log gets them."""

from typing import Any

from strangler.dataplane.exchange import UNDECIDED, Exchange
from strangler.http1.request import RequestParser
from strangler.model.snapshot import Limits

HEAD = (
    b"GET /api/products/7?q=1 HTTP/1.1\r\nHost: shop.example\r\nUser-Agent: curl/8\r\n"
    b"X-Request-ID: id-1\r\ntraceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n\r\n"
)


class _Active:
    trace_share = None


class _Named:
    def __init__(self, name: str) -> None:
        self.name = name
        self.route = self


def finished(head: bytes = HEAD, **values: Any) -> Exchange:
    """A request that was answered by ``products-get`` unless ``values`` say otherwise."""
    exchange = Exchange(RequestParser(Limits()).parse(head), _Active(), "127.0.0.1", b"http")  # type: ignore[arg-type] # a stand-in
    settings = {
        "route": _Named("products-get"),
        "arm": object(),
        "decision": UNDECIDED,
        "endpoint": "127.0.0.1:8091",
        "status": 200,
        "attempts": 1,
        "began": 100.0,
        "took": 0.0123456,
        "bytes_in": 5,
        "bytes_out": 77,
    }
    for name, value in (settings | values).items():
        setattr(exchange, name, value)
    return exchange
