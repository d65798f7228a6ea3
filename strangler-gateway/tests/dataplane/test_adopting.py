"""A worker takes a snapshot over as a whole, or as if it had never come."""

import asyncio
import hashlib
import threading
from pathlib import Path

import pytest

from strangler.config import load_text
from strangler.control.publisher import build_snapshot
from strangler.dataplane import authenticators, secrets
from strangler.dataplane.worker import Worker
from strangler.http1.request import RequestHead, RequestParser
from strangler.model.snapshot import Limits, Snapshot
from strangler.policies.guard import Denied
from strangler.policies.kept import Pace
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
    others = set(threading.enumerate())

    async def adopt() -> None:
        worker = Worker()
        worker.adopt(snapshot(1, SESSIONS.format(cache=5)))
        with pytest.raises(CertificateRefused):
            worker.adopt(snapshot(2, SESSIONS.format(cache=5) + UNUSABLE))

    asyncio.run(adopt())
    assert Path("access.log").exists()
    for thread in threading.enumerate():
        if thread.name == "access-log" and thread not in others:
            thread.join(5)
            assert not thread.is_alive()


def test_a_session_table_that_no_authenticator_asks_any_more_is_let_go(retired: list[object]) -> None:
    async def adopt() -> None:
        worker = Worker()
        worker.adopt(snapshot(1, SESSIONS.format(cache=5)))
        worker.adopt(snapshot(2, "monolith: http://127.0.0.1:9001\n"))
        assert len(retired) == 1

    asyncio.run(adopt())


KEYS = """\
monolith: http://127.0.0.1:9001
authentication:
  partners: {api_keys: {keys_file: keys.jsonl}}
routes:
  - {name: mine, match: {prefix: /mine}, authenticate: {by: [partners]}}
"""


class Request:
    """One with a key, as guards see it."""

    def __init__(self, key: str) -> None:
        text = f"GET /mine HTTP/1.1\r\nHost: shop.example\r\nX-API-Key: {key}\r\n\r\n"
        self.head: RequestHead = RequestParser(Limits()).parse(text.encode())
        self.client = "127.0.0.1"
        self.identity: object | None = None
        self.answer_fields = b""


def write_keys(*keys: str) -> None:
    digests = [hashlib.sha256(key.encode()).hexdigest() for key in keys]
    Path("keys.jsonl").write_text("".join(f'{{"sha256": "{digest}", "owner": "one"}}\n' for digest in digests))


def test_a_key_that_was_taken_away_is_not_good_once_more_after_a_time_in_which_nobody_came(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(authenticators, "FILE_PACE", Pace(refresh=0.01, look_again=0.01, retry=0.01))
    write_keys("sgk_1")
    read = asyncio.Event()

    async def fetch_file(path: str) -> bytes:
        read.set()
        return await secrets.fetch_file(path)

    monkeypatch.setattr(authenticators, "fetch_file", fetch_file)

    async def adopt() -> None:
        worker = Worker()
        worker.adopt(snapshot(1, KEYS))
        guard = worker.active.topology.routes[0].guard
        assert guard is not None
        guard.admit(Request("sgk_1"))
        write_keys()
        for _ in range(3):  # The first may have begun before the file was changed; the third after the second ended.
            read.clear()
            async with asyncio.timeout(5):
                await read.wait()
        with pytest.raises(Denied):
            guard.admit(Request("sgk_1"))

    asyncio.run(adopt())
