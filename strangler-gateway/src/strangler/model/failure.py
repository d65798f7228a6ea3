"""How a request can fail: each failure names its stage, its culprit and the status that the client gets."""

from enum import Enum


class Failure(Enum):
    """``stage.culprit``, status (0: the connection is aborted, since an answer has begun), and the sentence for it."""

    REQUEST = ("request.client", 400, "The request is not acceptable")
    REQUEST_TIMEOUT = ("request_timeout.client", 408, "The request did not arrive in time")
    HANDSHAKE = ("handshake.client", 0, "The TLS handshake with the client failed")
    UNAUTHENTICATED = ("authentication.client", 401, "The request does not say who asks")
    FORBIDDEN = ("authorization.client", 403, "The client may not do this")
    RATE_LIMITED = ("rate_limit.client", 429, "The client asks too often")
    POLICY_UNAVAILABLE = ("policy.gateway", 503, "What the gateway must know of this request cannot be found out now")
    HELD = ("hold.gateway", 503, "Changes are held back for a moment")
    CLIENT_GONE = ("gone.client", 0, "The client left before the answer was complete")
    CLIENT_STALLED = ("response_timeout.client", 0, "The client stopped reading the answer")
    CLIENT_CONNECTIONS = ("connections.client", 429, "The client has too many connections open")
    CONNECTIONS_FULL = ("connections.gateway", 503, "The gateway has too many connections open")
    POOL_FULL = ("queue.gateway", 503, "Too many requests wait for the application")
    TUNNELS_FULL = ("tunnels.gateway", 503, "Too many WebSockets are open")
    TUNNEL_IDLE = ("tunnel_idle.gateway", 0, "Nobody said anything in a WebSocket for too long")
    QUEUE_TIMEOUT = ("queue_timeout.gateway", 503, "The request waited too long for a connection to the application")
    DESCRIPTORS = ("descriptors.gateway", 503, "The gateway has no descriptor left for a connection")
    STOPPING = ("stopping.gateway", 503, "The gateway is stopping")
    NO_ENDPOINT = ("endpoint.upstream", 503, "The application has no endpoint now")
    BREAKER_OPEN = (
        "breaker.upstream",
        503,
        "The application failed to answer too often, and is left alone for a moment",
    )
    CONNECT = ("connect.upstream", 502, "The application cannot be reached")
    TLS = ("tls.upstream", 502, "The application could not be reached over a connection that can be trusted")
    CONNECT_TIMEOUT = ("connect_timeout.upstream", 504, "The application did not accept the connection in time")
    SEND_TIMEOUT = ("send_timeout.upstream", 504, "The application did not take the request in time")
    RESPONSE_TIMEOUT = ("head_timeout.upstream", 504, "The application did not answer in time")
    DEADLINE = ("deadline.upstream", 504, "The request was not done in time")
    RESET_BEFORE_HEAD = ("head.upstream", 502, "The application closed the connection without an answer")
    BAD_RESPONSE = ("framing.upstream", 502, "The application's answer is not valid HTTP")
    NOT_SHAPED = ("shape.upstream", 502, "The application's answer cannot be brought into the form that is asked for")
    RESET_IN_BODY = ("body.upstream", 0, "The application closed the connection in the middle of its answer")
    TUNNEL_BROKEN = ("tunnel.upstream", 0, "The application broke a WebSocket off")
    BODY_TIMEOUT = ("body_timeout.upstream", 0, "The application stalled in the middle of its answer")

    def __init__(self, label: str, status: int, title: str) -> None:
        self.label = label
        self.culprit = label.partition(".")[2]
        self.status = status
        self.title = title
