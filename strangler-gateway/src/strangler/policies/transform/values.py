"""Values of header fields with variables in them."""

from dataclasses import dataclass

from strangler.model.notation import read_value


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a request when it is sent on; ``model.notation.VARIABLES`` are its names."""

    arm: bytes
    client_address: bytes
    host: bytes
    path: bytes
    """As the client sent it, without the query."""
    request_id: bytes
    route: bytes


class Value:
    """A text in which ``{variable}`` stands for a fact."""

    __slots__ = ("_parts",)

    def __init__(self, text: str) -> None:
        self._parts = read_value(text)

    def of(self, facts: Facts) -> bytes:
        """The value for one request."""
        return b"".join(getattr(facts, part) if isinstance(part, str) else part for part in self._parts)
