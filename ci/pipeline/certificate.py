"""Whether a certificate of `strangler bench --certify` lets a rollout begin; with the standard library alone."""

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

FORM = 1
HOLDS, FAILS = "holds", "fails"


class Unusable(Exception):
    """It is no certificate, was changed, or is too old: what it says is of no interest."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """What it says."""

    standing: str
    """`holds`, `fails` or `undecided`."""
    claim: str
    because: tuple[str, ...]


def read(file: Path, days: float, now: datetime | None = None) -> Certificate:
    """A certificate that was made within so many days. Raises `Unusable`."""
    remedy = "make it with `strangler bench … --certify NAME`"
    try:
        document: dict[str, Any] = json.loads(file.read_text())
    except (OSError, ValueError) as error:
        raise Unusable(f"{file} is no certificate ({error}); {remedy}") from None
    if not isinstance(document, dict) or document.get("form") != FORM:
        raise Unusable(f"{file} is no certificate of the form {FORM}; {remedy}")
    said = {name: value for name, value in document.items() if name != "sha256"}
    if document.get("sha256") != hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest():
        raise Unusable(f"{file} is not as it was made: its digest is another; {remedy}")
    try:
        made = datetime.fromisoformat(document["at"])
        claim = (
            f"{document['candidate']} at most {document['at_most']:g} × slower than {document['baseline']}, "
            f"{document['compared']} answers alike, of {made:%Y-%m-%d}"
        )
        found = Certificate(document["standing"], claim, tuple(document["because"]))
    except (KeyError, TypeError, ValueError) as error:
        raise Unusable(f"{file} is no certificate ({error!r}); {remedy}") from None
    age = (now or datetime.now(UTC)) - (made if made.tzinfo else made.replace(tzinfo=UTC))
    if age > timedelta(days=days):
        raise Unusable(f"{file} is {age.days} days old, and {days:g} are allowed; {remedy}")
    return found
