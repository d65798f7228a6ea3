"""Shadowed writes: only a service that says that it rolls back is sent any, and both sides' effects are compared."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from strangler.link.mirrored import Mirrored
from strangler.model.authentication import Secret
from strangler.model.messages import BeginRun, RunBegun
from strangler.model.shadow import Heading, Mirroring, Shadow
from strangler.model.snapshot import Gateway, Snapshot
from strangler_kit import effects as kit
from strangler_kit.marks import verify
from support.asker import until

from .mirroring import Answering, json, mirrored
from .whole import ROUTE, House, comparing

SECRET = "a secret of at least thirty-two bytes"
ROWS: list[dict[str, Any]] = [
    {"table": "stock", "operation": "update", "key": {"id": 7}, "before": {"left": 3}, "after": {"left": 2}}
]
WRITING = Shadow(writes=True, noise=0.0)


def report(**more: object) -> bytes:
    return kit.encode({"v": 1, "rows": ROWS, "events": [], "calls": [], "complete": True, **more}).encode()


def write(effects: bytes | None = None, **more: Any) -> Mirrored:
    said = report() if effects is None else effects
    return mirrored(**{"method": b"POST", "body": b'{"n":1}', "effects": said, **more})


def chassis(outcome: bytes = b"rolled-back", effects: bytes | None = None, status: bytes = b"200 OK") -> Answering:
    """A service that answers what is marked as the chassis does; without an outcome, one that knows no marks."""
    said = report() if effects is None else effects

    def answering(head: bytes, body: bytes) -> bytes:
        fields = b"X-Strangler-Shadowed: %b\r\nX-Strangler-Effects: %b\r\n" % (outcome, said) if outcome else b""
        return json(b'{"id":7}', status, fields)

    return answering


class Writing:
    """A house whose route shadows writes."""

    def __init__(self, house: House) -> None:
        self.house = house

    def snapshot(self, revision: int = 2) -> Snapshot:
        made = self.house.snapshot(revision)
        gateway = Gateway(shadow=Mirroring(secret=Secret(env="SECRET_OF_A_TEST")))
        return Snapshot(revision, made.topology, gateway, made.upstreams, made.routes, made.flags)

    def asked(self) -> list[Mapping[str, str]]:
        """The fields of each request that came to the service, with its request line as ``""``."""
        found = []
        for head, _ in self.house.candidate.asked:
            line, *fields = head.decode().split("\r\n")[:-2]
            found.append({"": line, **dict(field.split(": ", 1) for field in fields)})
        return found


@pytest.fixture(autouse=True)
def _secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_OF_A_TEST", SECRET)


def writing(folder: Path, candidate: Answering, headings: dict[Heading, int], *exchanges: Mirrored) -> list[str]:
    """Mirror these writes, one after the other; the request lines that came to the service."""
    lines: list[str] = []

    async def test(house: House) -> None:
        it = Writing(house)
        house.comparator.adopt(it.snapshot())
        worker = await house.worker()
        for number, exchange in enumerate(exchanges, 1):
            worker.mirror(exchange)
            await house.settled(number)
        record = house.record()
        assert record is not None
        assert record.headings == headings
        lines.extend(asked[""] for asked in it.asked())

    comparing(folder, test, candidate=candidate, shadow=WRITING)
    return lines


def test_a_write_is_marked_and_carries_the_rows_as_they_were(tmp_path: Path) -> None:
    async def test(house: House) -> None:
        it = Writing(house)
        house.comparator.adopt(it.snapshot())
        worker = await house.worker()
        worker.mirror(write())
        record = await house.settled(1)
        assert record.headings == {Heading.EQUIVALENT: 1}
        probe, asked = it.asked()
        for request, method in ((probe, "OPTIONS"), (asked, "POST")):
            assert request[""] == f"{method} /api/products/7 HTTP/1.1"
            mark = request["X-Strangler-Shadow"]
            verify(SECRET.encode(), "shadow", method, "/api/products/7", mark, now=int(mark.split(".")[1]))
        assert "X-Strangler-Before" not in probe
        (image,) = kit.before_images(kit.decode(asked["X-Strangler-Before"]))
        assert (image.table, image.key, image.before) == ("stock", {"id": 7}, {"left": 3})
        assert house.candidate.asked[1][1] == b'{"n":1}'
        assert not house.primary.asked, "a write is never asked for again"

    comparing(tmp_path, test, candidate=chassis(), shadow=WRITING)


def test_other_effects_are_a_difference(tmp_path: Path) -> None:
    other = report(rows=[{**ROWS[0], "after": {"left": 1}}])

    async def test(house: House) -> None:
        house.comparator.adopt(Writing(house).snapshot())
        worker = await house.worker()
        worker.mirror(write())
        record = await house.settled(1)
        assert record.headings == {Heading.DIFFERENT: 1}
        assert set(record.evidence.fields) == {"effects.rows.stock.update.left"}
        assert "left" in record.samples[0].primary.effects
        assert not any(name.lower().startswith("x-strangler") for name, _ in record.samples[0].candidate.headers)

    comparing(tmp_path, test, candidate=chassis(effects=other), shadow=WRITING)


def test_a_service_that_knows_no_marks_is_never_sent_a_write(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    lines = writing(tmp_path, chassis(b""), {Heading.NOT_ISOLATED: 3}, write(), write(), write())
    assert lines == ["OPTIONS /api/products/7 HTTP/1.1"]
    assert caplog.text.count("did not confirm that what it is asked to shadow is rolled back") == 1


def test_one_that_refuses_or_says_something_else_is_sent_no_more(tmp_path: Path) -> None:
    lines = writing(tmp_path, chassis(b"refused", status=b"503 x"), {Heading.NOT_ISOLATED: 2}, write(), write())
    assert lines == ["OPTIONS /api/products/7 HTTP/1.1"]


def test_something_that_answers_in_front_of_a_service_that_starts_decides_nothing(tmp_path: Path) -> None:
    async def test(house: House) -> None:
        house.comparator.adopt(Writing(house).snapshot())
        worker = await house.worker()
        worker.mirror(write())
        await house.settled(1)
        house.candidate.answering = chassis()
        worker.mirror(write())
        record = await house.settled(2)
        assert record.headings == {Heading.CANDIDATE_UNREACHABLE: 1, Heading.EQUIVALENT: 1}

    comparing(tmp_path, test, candidate=chassis(b"", status=b"503 x"), shadow=WRITING)


def test_one_that_stops_confirming_gets_no_more_until_a_new_run_and_also_not_from_a_new_comparator(
    tmp_path: Path,
) -> None:
    said: list[RunBegun] = []

    async def test(house: House) -> None:
        it = Writing(house)
        house.comparator.answer = said.append  # type: ignore[assignment]
        house.comparator.adopt(it.snapshot())
        worker = await house.worker()
        worker.mirror(write())
        await house.settled(1)
        house.candidate.answering = chassis(b"")
        worker.mirror(write())
        await house.settled(2)
        house.candidate.answering = chassis()
        asked = len(house.candidate.asked)
        worker.mirror(write())
        assert (await house.settled(3)).headings == {Heading.EQUIVALENT: 1, Heading.NOT_ISOLATED: 2}
        assert len(house.candidate.asked) == asked
        worker.mirror(mirrored())
        assert (await house.settled(4)).headings[Heading.EQUIVALENT] == 2, "reads are mirrored all the same"

        house.comparator._books._runs.clear()  # As a comparator that is started anew knows it: from the file.
        worker.mirror(write())
        assert (await house.settled(5)).headings[Heading.NOT_ISOLATED] == 3

        house.comparator.begin_run(BeginRun(ROUTE, "maria", "it runs on the chassis again"))
        await until(lambda: bool(said))
        worker.mirror(write())
        assert (await house.settled(1)).headings == {Heading.EQUIVALENT: 1}

    comparing(tmp_path, test, candidate=chassis(), shadow=WRITING)


def test_rows_that_others_hold_have_their_heading(tmp_path: Path) -> None:
    async def test(house: House) -> None:
        house.comparator.adopt(Writing(house).snapshot())
        worker = await house.worker()
        worker.mirror(write())
        await house.settled(1)
        house.candidate.answering = chassis(b"locked", status=b"503 Service Unavailable")
        worker.mirror(write())
        house.candidate.answering = chassis(b"locked", status=b"503 Service Unavailable")
        assert (await house.settled(2)).headings == {Heading.EQUIVALENT: 1, Heading.LOCKED: 1}

    comparing(tmp_path, test, candidate=chassis(), shadow=WRITING)


@pytest.mark.parametrize("effects", [b"", b"nonsense", report(complete=False)])
def test_without_the_monoliths_effects_the_service_is_not_asked(tmp_path: Path, effects: bytes) -> None:
    assert writing(tmp_path, chassis(), {Heading.NO_EFFECTS: 1}, write(effects)) == []


def test_without_the_services_effects_nothing_is_compared(tmp_path: Path) -> None:
    writing(tmp_path, chassis(effects=report(complete=False)), {Heading.NO_EFFECTS: 1}, write())


def test_a_route_that_shadows_no_writes_says_so(tmp_path: Path) -> None:
    async def test(house: House) -> None:
        worker = await house.worker()
        worker.mirror(write())
        assert (await house.settled(1)).headings == {Heading.UNSAFE: 1}
        assert not house.candidate.asked

    comparing(tmp_path, test, candidate=chassis())


def test_a_secret_that_is_not_there_is_no_snapshot_to_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SECRET_OF_A_TEST")

    async def test(house: House) -> None:
        with pytest.raises(Exception, match="SECRET_OF_A_TEST"):
            house.comparator.adopt(Writing(house).snapshot())
        assert house.comparator.revision == 1

    comparing(tmp_path, test, shadow=WRITING)
