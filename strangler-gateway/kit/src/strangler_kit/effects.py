"""What a request does besides answering: rows, events and calls, gathered while it runs; standard library only.

A *recording* belongs to one request, and is found by whatever works for it: the request's thread or task, and those
that get its context (asyncio's tasks, ``to_thread``, the thread pools of Starlette and AnyIO). Rows come from
``strangler_kit.recording``, which watches SQLAlchemy's engines; calls are told by the application, by ``call``.
"""

import base64
import json
import threading
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Any, Literal

EFFECTS_HEADER = "X-Strangler-Effects"
BEFORE_HEADER = "X-Strangler-Before"
VERSION = 1
MAX_HEADER = 48 * 1024
"""Bytes of a report as a header. Whoever reads answers takes lines of 64 KiB at least."""
MAX_JSON = 4 * 1024 * 1024
"""Bytes of a report before it is compressed."""
MAX_ROWS = 1_000

Value = str | int | float | bool | None
Columns = dict[str, Value]


class ReportRefused(ValueError):
    """A header that is no report. The message says why."""


@dataclass(frozen=True, slots=True)
class RowChange:
    """One row, as the request found it and as it left it. ``before`` and ``after`` lack the columns of ``key``."""

    table: str
    """With its schema in front, if it is in another than the default one."""
    key: Columns
    """Its primary key."""
    before: Columns | None
    after: Columns | None

    @property
    def operation(self) -> Literal["insert", "update", "delete", ""]:
        """Empty if the row is as it was."""
        if self.before is None:
            return "" if self.after is None else "insert"
        if self.after is None:
            return "delete"
        return "" if _text(self.before) == _text(self.after) else "update"

    def told(self) -> dict[str, Any]:
        """As JSON: ``before`` is the whole row, ``after`` what was written."""
        after = self.after
        if self.before is not None and after is not None:
            before = {name: _text(value) for name, value in self.before.items()}
            after = {name: value for name, value in after.items() if before.get(name) != _text(value)}
        return {
            "table": self.table, "operation": self.operation, "key": self.key, "before": self.before, "after": after,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Published:
    """An event that was written into the outbox."""

    topic: str
    payload: Any
    """JSON."""


@dataclass(frozen=True, slots=True, eq=False)
class Transaction:
    """What one transaction did."""

    rows: tuple[RowChange, ...]
    events: tuple[Published, ...]


class Recording:
    """The effects of one request. Several threads and tasks may work on it."""

    def __init__(self, max_rows: int = MAX_ROWS) -> None:
        self.max_rows = max_rows
        self.why = ""
        """Why something is missing; empty as long as nothing is."""
        self.unfinished: dict[object, Any] = {}
        """What ``recording`` knows of transactions that have not ended, by connection; each has ``touched``."""
        self._transactions: list[Transaction] = []
        self._last: dict[object, Transaction] = {}
        self._calls: list[dict[str, Any]] = []
        self._lock = threading.Lock()

    @property
    def complete(self) -> bool:
        return not self.why

    def give_up(self, why: str) -> None:
        """Something happened that cannot be followed, so that the report will be of no use: nothing more is read."""
        self.why = self.why or why

    def committed(self, connection: object, transaction: Transaction) -> None:
        """The connection's transaction is about to end well."""
        with self._lock:
            self._transactions.append(transaction)
            self._last[connection] = transaction

    def not_committed(self, connection: object) -> None:
        """It did not: that was too early."""
        with self._lock:
            failed = self._last.pop(connection, None)
            self._transactions = [other for other in self._transactions if other is not failed]

    def begun(self, connection: object) -> None:
        """The connection's next transaction begins, so that the last one did end well."""
        self._last.pop(connection, None)

    def called(self, name: str, arguments: Mapping[str, Any]) -> None:
        with self._lock:
            self._calls.append({"name": name, "arguments": dict(arguments)})

    def report(self) -> dict[str, Any]:
        """All of it as JSON."""
        with self._lock:
            if any(work.touched for work in self.unfinished.values()):
                self.give_up("a transaction had not ended when the answer began")
            events = [event for transaction in self._transactions for event in transaction.events]
            told = {
                "v": VERSION,
                "rows": [row.told() for row in _whole(self._transactions) if row.operation] if self.complete else [],
                "events": [{"topic": event.topic, "payload": event.payload} for event in events],
                "calls": self._calls,
                "complete": self.complete,
            }
            return told if self.complete else {**told, "why": self.why}

    def header(self) -> str:
        """The report as the value of a header of at most ``MAX_HEADER`` bytes. That something did not fit is said."""
        try:
            encoded = encode(self.report())
        except (TypeError, ValueError, RecursionError) as error:
            return encode(_without_content(f"a call or an event cannot be written as JSON: {error}"[:200]))
        if len(encoded) <= MAX_HEADER:
            return encoded
        return encode(_without_content(f"the report is longer than {MAX_HEADER} bytes"))


_current: ContextVar[Recording | None] = ContextVar("strangler_kit.effects", default=None)


def current() -> Recording | None:
    """The recording of the request that this thread or task works for, if there is one."""
    return _current.get()


@contextmanager
def recording() -> Iterator[Recording]:
    """Record what is done within."""
    found = Recording()
    token = _current.set(found)
    try:
        yield found
    finally:
        _current.reset(token)


@contextmanager
def unrecorded() -> Iterator[None]:
    """What is done within is no effect of the request that happens to do it, such as delivering events."""
    token = _current.set(None)
    try:
        yield
    finally:
        _current.reset(token)


def call(name: str, arguments: Mapping[str, Any]) -> None:
    """Tell of a call to somebody else, by the port's name (``payments.charge``) and what can be written as JSON."""
    found = _current.get()
    if found is not None:
        found.called(name, arguments)


def encode(report: Mapping[str, Any]) -> str:
    """JSON as the value of a header: zlib, then unpadded base64url. Raises ``ValueError`` or ``TypeError``."""
    content = json.dumps(report, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    # Lone surrogates are text to Python and SQLite; they come back as they were.
    packed = zlib.compress(content.encode("utf-8", "surrogatepass"), 6)
    return base64.urlsafe_b64encode(packed).rstrip(b"=").decode()


def decode(header: str) -> dict[str, Any]:
    """The JSON of a header. Raises ``ReportRefused``, also for what would unfold beyond ``MAX_JSON``."""
    try:
        packed = base64.b64decode(header + "=" * (-len(header) % 4), altchars=b"-_", validate=True)
        unfolding = zlib.decompressobj()
        content = unfolding.decompress(packed, MAX_JSON)
        if unfolding.unconsumed_tail or not unfolding.eof:
            raise ReportRefused(f"the report is cut, or longer than {MAX_JSON} bytes")
        report = json.loads(content.decode("utf-8", "surrogatepass"))
    except (ValueError, zlib.error, RecursionError) as error:
        raise error if isinstance(error, ReportRefused) else ReportRefused(f"no report: {error}") from error
    if not isinstance(report, dict) or report.get("v") != VERSION:
        raise ReportRefused(f"a report is a JSON object with v = {VERSION}")
    return report


def before_images(report: Mapping[str, Any]) -> list[RowChange]:
    """The rows of a report (or of what was made from one), each once, as it was first. Raises ``ReportRefused``."""
    found: dict[tuple[str, str], RowChange] = {}
    rows = report.get("rows")
    if not isinstance(rows, list) or len(rows) > MAX_ROWS:
        raise ReportRefused(f"rows is an array of at most {MAX_ROWS}")
    for row in rows:
        if not isinstance(row, dict):
            raise ReportRefused("a row is an object")
        table, key, before = row.get("table"), row.get("key"), row.get("before")
        if not isinstance(table, str) or not _columns(key) or not key or not (before is None or _columns(before)):
            raise ReportRefused("a row has a table, a key, and before, which is an object or null")
        found.setdefault((table, _text(key)), RowChange(table, key, before, None))
    return list(found.values())


def _whole(transactions: Iterable[Transaction]) -> Iterable[RowChange]:
    """Each row once: as the first transaction that wrote it found it, and as the last one left it."""
    found: dict[tuple[str, str], RowChange] = {}
    for row in (row for transaction in transactions for row in transaction.rows):
        identity = (row.table, _text(row.key))
        earlier = found.get(identity)
        found[identity] = row if earlier is None else replace(earlier, after=row.after)
    return found.values()


def _columns(value: object) -> bool:
    return isinstance(value, dict) and all(
        name and (inner is None or isinstance(inner, str | int | float)) for name, inner in value.items()
    )


def _without_content(why: str) -> dict[str, Any]:
    return {"v": VERSION, "rows": [], "events": [], "calls": [], "complete": False, "why": why}


def _text(value: object) -> str:
    """Told apart as the database does: 1 is not 1.0, and -0.0 not 0.0."""
    return json.dumps(value, sort_keys=True)
