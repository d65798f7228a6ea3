"""What a flush writes, as SQL; all of it inside a transaction that the caller has begun."""

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import replace

import msgspec

from strangler.ledger.run import Run
from strangler.ledger.tally import Tally
from strangler.shadow.evidence import EvidenceUnreadable, decode, encode
from strangler.shadow.record import Sample

MOST_RUNS = 10
"""Of a route; older ones are forgotten."""
MOST_SAMPLE_BYTES = 8 * 1024 * 1024
"""Of one run's samples together."""
LONGEST_SAMPLE = 256 * 1024
"""Bytes; of what is longer, only the differences are kept."""


def write_run(connection: sqlite3.Connection, run: Run) -> None:
    """What has changed of it."""
    connection.execute(
        "INSERT INTO runs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET"
        " ended = excluded.ended, queued = excluded.queued, evidence = excluded.evidence,"
        " latencies = excluded.latencies",
        (
            run.id, run.route, run.number, run.fingerprint, run.rules, run.began, run.ended, run.reason, run.queued,
            encode(run.evidence) if run.unreadable is None else run.unreadable,
            json.dumps([run.primary, run.candidate]),
        ),
    )  # fmt: skip
    connection.executemany(
        "DELETE FROM tallies WHERE run = ? AND worker = ?", [(run.id, worker) for worker in run.removed]
    )
    connection.executemany("INSERT OR REPLACE INTO tallies VALUES (?, ?, ?, ?, ?, ?)", _tallies(run))
    connection.executemany(
        "INSERT INTO counts VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET count = count + excluded.count",
        [(run.id, kind, name, count) for (kind, name), count in run.counts.items()],
    )
    if run.samples:
        _write_samples(connection, run)


def _tallies(run: Run) -> Iterator[tuple[object, ...]]:
    for worker in run.retold:
        share, before = run.share(worker), run.before.get(worker, Tally())
        told = json.dumps([before.requests, before.sent, dict(before.skipped)])
        yield run.id, worker, share.requests, share.sent, json.dumps(dict(share.skipped)), told


def _write_samples(connection: sqlite3.Connection, run: Run) -> None:
    touched: set[str] = set()
    for sample in run.samples:
        content = msgspec.json.encode(sample)
        if len(content) > LONGEST_SAMPLE:
            content = msgspec.json.encode(_shortened(sample))
        cursor = connection.execute("INSERT INTO samples VALUES (NULL, ?, ?, ?)", (run.id, len(content), content))
        fields = {difference.field for difference in sample.differences}
        touched |= fields
        connection.executemany(
            "INSERT INTO sample_fields VALUES (?, ?, ?)", [(run.id, field, cursor.lastrowid) for field in fields]
        )
    connection.executemany(
        "DELETE FROM sample_fields WHERE run = ?1 AND field = ?2 AND sample NOT IN"
        " (SELECT sample FROM sample_fields WHERE run = ?1 AND field = ?2 ORDER BY sample DESC LIMIT ?3)",
        [(run.id, field, run.keep) for field in touched],
    )
    # The newest whose sizes add up to what may be kept.
    connection.execute(
        "DELETE FROM sample_fields WHERE run = ?1 AND sample IN (SELECT id FROM (SELECT id, SUM(size) OVER"
        " (ORDER BY id DESC) AS together FROM samples WHERE run = ?1) WHERE together > ?2)",
        (run.id, MOST_SAMPLE_BYTES),
    )
    connection.execute("DELETE FROM samples WHERE run = ? AND id NOT IN (SELECT sample FROM sample_fields)", (run.id,))


def _shortened(sample: Sample) -> Sample:
    note = "(too long to be kept)"
    return replace(
        sample,
        question=sample.question[:1000],
        primary=replace(sample.primary, body=note, effects=""),
        candidate=replace(sample.candidate, body=note, effects=""),
        differences=sample.differences[:100],
    )


def forget_old_runs(connection: sqlite3.Connection, route: str, going_on: frozenset[int]) -> None:
    """Those beyond the newest, but none of which exchanges are still on their way."""
    rows = connection.execute(
        "SELECT id FROM runs WHERE route = ? ORDER BY number DESC LIMIT -1 OFFSET ?", (route, MOST_RUNS)
    )
    for (run,) in rows.fetchall():
        if run not in going_on:
            for table in ("tallies", "counts", "samples", "sample_fields"):
                connection.execute(f"DELETE FROM {table} WHERE run = ?", (run,))  # noqa: S608 - names of our own
            connection.execute("DELETE FROM runs WHERE id = ?", (run,))


def read_open_runs(connection: sqlite3.Connection) -> list[Run]:
    """Those that go on, as the file has them."""
    rows = connection.execute(
        "SELECT id, route, number, fingerprint, rules, began, reason, evidence, latencies FROM runs WHERE ended IS NULL"
    )
    return [_run_of(connection, row) for row in rows.fetchall()]


def _run_of(connection: sqlite3.Connection, row: tuple[int, str, int, str, str, float, str, bytes, str]) -> Run:
    identity, route, number, fingerprint, rules, began, reason, evidence, latencies = row
    run = Run(identity, route, number, fingerprint, rules, began, reason)
    try:
        run.evidence = decode(evidence)
    except EvidenceUnreadable:
        run.unreadable = evidence
    run.primary, run.candidate = json.loads(latencies)
    tallies = connection.execute("SELECT worker, requests, sent, skipped, before FROM tallies WHERE run = ?", (run.id,))
    for worker, requests, sent, skipped, before in tallies.fetchall():
        run.before[worker] = Tally(*json.loads(before))
        run.told[worker] = run.before[worker] + Tally(requests, sent, json.loads(skipped))
    run.names.update(connection.execute("SELECT kind, name FROM counts WHERE run = ? AND kind != 'heading'", (run.id,)))
    run.written()
    return run
