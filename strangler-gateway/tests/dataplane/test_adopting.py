"""A worker takes a snapshot over as a whole, or as if it had never come."""

import asyncio
import threading
from pathlib import Path

import pytest

from strangler.config import load_text
from strangler.control.publisher import build_snapshot
from strangler.dataplane.worker import Worker
from strangler.model.snapshot import Snapshot
from strangler.policies.sessions import TableSession
from strangler.tls.refusal import CertificateRefused

SESSIONS = """\
monolith: http://127.0.0.1:9001
authentication:
  session: {{django_session: {{secret: env:DJANGO_SECRET, database: env:DATABASE, cache: {cache}}}}}
routes:
  - {{name: mine, match: {{prefix: /mine}}, authenticate: {{by: [session]}}}}
"""
UNUSABLE = """\
gateway: {access_log: access.log}
upstreams:
  other: {endpoints: [https://127.0.0.1:9002], tls: {ca: nowhere.pem}}
"""


def snapshot(revision: int, text: str) -> Snapshot:
    return build_snapshot(revision, load_text(text).topology, {})


@pytest.fixture(name="retired")
def retired_tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """The session tables that nobody will ask any more."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DJANGO_SECRET", "s" * 50)
    monkeypatch.setenv("DATABASE", f"sqlite:///{tmp_path}/monolith.db")
    found: list[object] = []

    def retire(session: TableSession) -> None:
        found.append(session)

    monkeypatch.setattr(TableSession, "retire", retire)
    return found


def test_what_is_refused_takes_nothing_away_from_what_is_in_force(retired: list[object]) -> None:
    async def adopt() -> None:
        worker = Worker()
        worker.adopt(snapshot(1, SESSIONS.format(cache=5)))
        before = worker.active
        with pytest.raises(CertificateRefused):
            worker.adopt(snapshot(2, SESSIONS.format(cache=7) + UNUSABLE))
        assert worker.active is before
        assert retired == []
        worker.adopt(snapshot(3, SESSIONS.format(cache=5)))
        assert retired == [], "it is the same authenticator as before"
        worker.adopt(snapshot(4, SESSIONS.format(cache=7)))
        assert len(retired) == 1

    asyncio.run(adopt())


def test_what_is_refused_leaves_no_log_behind(retired: list[object]) -> None:
    async def adopt() -> None:
        worker = Worker()
        worker.adopt(snapshot(1, SESSIONS.format(cache=5)))
        with pytest.raises(CertificateRefused):
            worker.adopt(snapshot(2, SESSIONS.format(cache=5) + UNUSABLE))

    asyncio.run(adopt())
    assert Path("access.log").exists()
    for thread in threading.enumerate():
        if thread.name == "access-log":
            thread.join(5)
            assert not thread.is_alive()


def test_a_session_table_that_no_authenticator_asks_any_more_is_let_go(retired: list[object]) -> None:
    async def adopt() -> None:
        worker = Worker()
        worker.adopt(snapshot(1, SESSIONS.format(cache=5)))
        worker.adopt(snapshot(2, "monolith: http://127.0.0.1:9001\n"))
        assert len(retired) == 1

    asyncio.run(adopt())
