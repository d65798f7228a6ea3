"""Names of places in an answer: the very place (``body.items[3].price``) and its kind (``body.items[].price``)."""

import re

from strangler.shadow.exact import Key
from strangler.shadow.shown import name_of, quoted, shortened

Place = tuple["Place | None", Key | int]
"""A step from the place above it. Only where a difference is found does it become a text."""
_PLAIN = re.compile(r'[^.\[\]"*\s\x00-\x1f\x7f\ud800-\udfff]{1,64}')


def root(name: str) -> Place:
    """A place with nothing above it, such as ``body``."""
    return (None, name)


def member(field: str, key: Key) -> str:
    """The field of a member of an object; a name that could be misread is quoted, a long one cut."""
    name = name_of(key)
    return f"{field}.{name if _PLAIN.fullmatch(name) else quoted(shortened(name, 64))}"


def element(field: str) -> str:
    """The field of all elements of an array."""
    return f"{field}[]"


def below(place: Place, field: str, name: str) -> tuple[Place, str]:
    """Place and field of a name with dots in it, such as a topic: ``order.placed`` stands as it is."""
    for part in name.split(".") if all(map(_PLAIN.fullmatch, name.split("."))) else (name,):
        place, field = (place, part), member(field, part)
    return place, field


def at(place: Place) -> str:
    """The very place as a text."""
    steps: list[Key | int] = []
    here: Place | None = place
    while here is not None:
        here, step = here
        steps.append(step)
    name = str(steps.pop())
    for step in reversed(steps):
        name = f"{name}[{step}]" if isinstance(step, int) else member(name, step)
    return name
