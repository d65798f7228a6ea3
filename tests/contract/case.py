"""A case as data: one request and what must come back, so that other tools can replay the table.

`<name>` in a target, header or JSON string stands for something of the world in which the case runs
(`/api/products/<product>`); a string that is nothing else takes the value with its type.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

_NAME = re.compile(r"<([a-z][a-z0-9-]*)>")


class _Absent:
    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = _Absent()


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A request (the first block) and its answer (the second); what is left at its default is not looked at.

    `caller` is who asks: anonymous, customer or staff. `has` is part of the JSON that is expected, `answer` all of it.
    An `ambiguous` target is one that two servers may read in two ways: a gateway in front refuses it with 400.
    """

    name: str
    method: str = "GET"
    target: str
    caller: str = "anonymous"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    chunked: bool = False
    json: Any = ABSENT
    ambiguous: bool = False

    status: int
    problem: str | None = None
    detail: str | None = None
    fields: tuple[str, ...] | None = None
    answer: Any = ABSENT
    has: Mapping[str, Any] = field(default_factory=dict)
    answer_headers: Mapping[str, str | None] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.name


def resolve(value: Any, world: Mapping[str, Any]) -> Any:
    """Return `value` with every `<name>` replaced by what the world has of that name."""
    match value:
        case str():
            if whole := _NAME.fullmatch(value):
                return world[whole[1]]
            return _NAME.sub(lambda found: str(world[found[1]]), value)
        case Mapping():
            return {key: resolve(item, world) for key, item in value.items()}
        case list():
            return [resolve(item, world) for item in value]
        case _:
            return value
