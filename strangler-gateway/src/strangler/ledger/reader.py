"""The ledger as control and the command line read it, also while no comparator runs, or none ever did."""

import contextlib
import json
import sqlite3
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import msgspec

from strangler.ledger.file import opened_to_read
from strangler.ledger.tally import Tally
from strangler.model.shadow import Heading
from strangler.shadow.evidence import Evidence, EvidenceUnreadable, decode
from strangler.shadow.record import Latencies, RunRecord, Sample

_LARGEST = 2**63 - 1
"""What SQLite takes for a number."""
_UNREADABLE = " (its evidence cannot be read by this version, so that only what became of the requests is shown)"
_samples = msgspec.json.Decoder(Sample)


@dataclass(frozen=True, slots=True)
class RunName:
    """One run that can be read."""

    route: str
    number: int
    began: float
    ended: float | None
    reason: str


class LedgerReader:
    """Opens the file for each question, and writes nothing. A file that is absent is an empty ledger."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def routes(self) -> tuple[str, ...]:
        """Those that have a run, in alphabetical order. Raises ``LedgerUnavailable``, as all of these do."""
        with opened_to_read(self._path) as connection:
            if connection is None:
                return ()
            return tuple(route for (route,) in connection.execute("SELECT DISTINCT route FROM runs ORDER BY route"))

    def runs(self, route: str) -> tuple[RunName, ...]:
        """The newest first; none for a route that has none."""
        with opened_to_read(self._path) as connection:
            if connection is None:
                return ()
            rows = connection.execute(
                "SELECT route, number, began, ended, reason FROM runs WHERE route = ? ORDER BY number DESC", (route,)
            )
            return tuple(RunName(*row) for row in rows)

    def run(self, route: str, number: int | None = None, samples: int = 1000) -> RunRecord | None:
        """One run, by default the newest, in one consistent state, with so many of its newest samples. None if there
        is none. Of one whose evidence or samples another version has written the counts are there, and ``reason`` says
        so."""
        with opened_to_read(self._path) as connection:
            if connection is None or (number or 0) > _LARGEST:
                return None
            row = connection.execute(
                "SELECT id, number, fingerprint, rules, began, ended, reason, queued, evidence, latencies FROM runs"
                " WHERE route = ?1 AND (?2 IS NULL OR number = ?2) ORDER BY number DESC LIMIT 1",
                (route, number),
            ).fetchone()
            return None if row is None else _record(connection, route, _Row(*row), samples)


class _Row(NamedTuple):
    id: int
    number: int
    fingerprint: str
    rules: str
    began: float
    ended: float | None
    reason: str
    queued: int
    evidence: bytes
    latencies: str


def _record(connection: sqlite3.Connection, route: str, run: _Row, samples: int) -> RunRecord:
    counts: dict[str, dict[str, int]] = {"heading": {}, "normalised": {}, "ignored": {}, "cut": {}}
    for kind, name, count in connection.execute("SELECT kind, name, count FROM counts WHERE run = ?", (run.id,)):
        counts[kind][name] = count
    requests, headings, pending = _sum(connection, run.id, run.queued, counts["heading"])
    primary, candidate = json.loads(run.latencies)
    evidence, reason = Evidence(), run.reason
    try:
        evidence = decode(run.evidence)
    except EvidenceUnreadable:
        reason += _UNREADABLE
    return RunRecord(
        route=route,
        number=run.number,
        fingerprint=run.fingerprint,
        rules=run.rules,
        began=run.began,
        ended=run.ended,
        reason=reason,
        flushed=connection.execute("SELECT flushed FROM ledger").fetchone()[0],
        requests=requests,
        headings=headings,
        pending=pending,
        evidence=evidence,
        normalised=counts["normalised"],
        ignored=counts["ignored"],
        cut=counts["cut"],
        primary=Latencies(tuple(primary)),
        candidate=Latencies(tuple(candidate)),
        samples=tuple(_samples_of(connection, run.id, samples)),
    )


def _samples_of(connection: sqlite3.Connection, run: int, most: int) -> Iterator[Sample]:
    rows = connection.execute("SELECT content FROM samples WHERE run = ? ORDER BY id DESC LIMIT ?", (run, most))
    for (content,) in rows:
        with contextlib.suppress(msgspec.MsgspecError):  # Another version's: they are there to be looked at, no more.
            yield _samples.decode(content)


def _sum(
    connection: sqlite3.Connection, run: int, queued: int, own: dict[str, int]
) -> tuple[int, dict[Heading, int], int]:
    """Requests, headings, and what is pending. What was handed over and is neither under one of the comparator's
    headings nor waiting in it was lost with one; so was what waited in a worker that is gone."""
    total = Tally()
    waiting = 0
    rows = connection.execute(
        "SELECT requests, sent, skipped, workers.worker IS NOT NULL AND gone IS NULL FROM tallies"
        " LEFT JOIN workers USING (worker) WHERE run = ?",
        (run,),
    )
    for requests, sent, skipped, is_there in rows:
        share = Tally(requests, sent, json.loads(skipped))
        total += share
        waiting += share.waiting if is_there else 0
    counted = Counter(own) + Counter(total.skipped)
    pending = queued + waiting
    counted[Heading.LOST] += total.requests - sum(counted.values()) - pending
    headings: Counter[Heading] = Counter()
    for name, count in sorted(counted.items()):
        headings[Heading.named(name)] += count
    return total.requests, {heading: count for heading, count in headings.items() if count}, pending
