"""Why a message is not accepted. Doubt about framing is refusal."""


class RequestRefused(Exception):
    """A request that the gateway answers itself, and after which it closes the connection."""

    def __init__(self, status: int, detail: str) -> None:
        self.status = status
        self.detail = detail
        super().__init__(f"{status}: {detail}")


class ResponseRefused(Exception):
    """An upstream's answer that cannot be relayed; its connection is discarded."""
