"""What was recorded of a route, as an endpoint to measure: the same requests, in the mixture that clients sent."""

from dataclasses import replace
from pathlib import Path

from strangler.bench.endpoint import MOST_TARGETS, Endpoint
from strangler.model.errors import StranglerError
from strangler.model.shadow import Comparing
from strangler.shadow.recording import Recorded, RecordingUnreadable, read

_SAFE = frozenset((b"GET", b"OPTIONS"))
_CREDENTIALS = frozenset(("authorization", "cookie", "x-api-key"))


class RecordingUseless(StranglerError):
    """There is nothing in it that can be asked again; says why, and what to do."""


def load(file: Path) -> tuple[Endpoint, Comparing]:
    """The endpoint, and the rules by which the route's answers are compared. Raises ``RecordingUseless``."""
    try:
        with file.open("rb") as lines:
            head, exchanges = read(lines)
            usable = [recorded for recorded in exchanges if _is_usable(recorded)]
    except OSError as error:
        raise RecordingUseless(f"{file} cannot be read: {error.strerror}; `strangler record` makes one") from None
    except RecordingUnreadable as error:
        raise RecordingUseless(f"{file}: {error}") from None
    if not usable:
        raise RecordingUseless(
            f"{file} has no exchange that can be asked again as it was: writes are left out, and requests whose "
            "credentials, path or query were redacted; write those down as endpoints"
        )
    usable = usable[:MOST_TARGETS]
    statuses = frozenset(recorded.answer.status for recorded in usable)
    questions = tuple(
        replace(
            recorded.question, fields=tuple(each for each in recorded.question.fields if _is_kept(each[0], recorded))
        )
        for recorded in usable
    )
    return Endpoint(head.route, questions, statuses), head.shadow.comparing


def _is_usable(recorded: Recorded) -> bool:
    return recorded.question.method in _SAFE and recorded.is_whole and not recorded.missing & _CREDENTIALS


def _is_kept(name: bytes, recorded: Recorded) -> bool:
    return name.decode("latin-1").lower() not in recorded.missing
