"""What becomes of each mirrored exchange: compared, or under the heading that says why it was not."""

import asyncio
import time
from dataclasses import replace
from pathlib import Path

import pytest

from strangler.comparator import judging
from strangler.comparator.allowance import Allowance
from strangler.model.shadow import Comparing, Heading, Ignored, Shadow
from strangler.model.tls import UpstreamTls
from strangler.shadow.comparison import Comparison
from strangler.shadow.evidence import Finding
from strangler.shadow.rules import Rules
from support.asker import until

from .mirroring import json, mirrored
from .whole import ROUTE, House, comparing


def dearer(head: bytes, body: bytes) -> bytes:
    return json(b'{"id":8}')


def test_equal_answers_are_equivalent_and_both_latencies_are_kept(tmp_path: Path) -> None:
    async def test(house: House) -> None:
        worker = await house.worker()
        worker.mirror(*[mirrored()] * 30)
        record = await house.settled(30)
        assert record.headings == {Heading.EQUIVALENT: 30}
        assert record.evidence.compared == 30
        assert record.primary.total == record.candidate.total == 30
        assert not record.samples
        room = house.comparator._room
        assert (room.exchanges, room.bytes) == (0, 0)

    comparing(tmp_path, test)


def test_a_field_that_differs_is_found_and_a_pair_is_kept(tmp_path: Path) -> None:
    async def test(house: House) -> None:
        worker = await house.worker()
        worker.mirror(*[mirrored(target=b"/api/products/7?page=2")] * 30)
        record = await house.settled(30)
        assert record.headings == {Heading.DIFFERENT: 30}
        assert set(record.evidence.fields) == {"body.id"}
        assert record.evidence.findings == {Finding.CANDIDATE_ODD: 30}
        sample = record.samples[0]
        assert sample.question.startswith("GET /api/products/7?page=2\nHost: ")
        assert (sample.primary.status, sample.candidate.status) == (200, 200)
        assert [(each.field, each.primary, each.candidate) for each in sample.differences] == [("body.id", "7", "8")]
        assert "shop.example" not in sample.question

    comparing(tmp_path, test, candidate=dearer)


def test_samples_of_one_field_are_made_up_to_their_number_and_then_now_and_then(tmp_path: Path) -> None:
    async def test(house: House) -> None:
        worker = await house.worker()
        worker.mirror(*[mirrored()] * 60)
        record = await house.settled(60)
        assert record.headings == {Heading.DIFFERENT: 60}
        assert len(record.samples) == 3
        assert 3 <= house.comparator._books._runs[1].sampled["body.id"] < 10

    comparing(tmp_path, test, candidate=dearer, shadow=Shadow(noise=0.0, samples=3))


def test_the_primary_is_asked_again_after_the_candidate_and_what_differs_from_itself_is_noise(tmp_path: Path) -> None:
    asked = []

    def answering(arm: str) -> "object":
        def answer(head: bytes, body: bytes) -> bytes:
            asked.append(arm)
            return json(b'{"id":%d}' % len(asked))

        return answer

    async def test(house: House) -> None:
        worker = await house.worker()
        worker.mirror(*[mirrored()])
        await house.settled(1)
        assert asked == ["candidate", "primary"]
        worker.mirror(*[mirrored()] * 99)
        record = await house.settled(100)
        assert record.evidence.seconds >= 20
        assert record.evidence.fields["body.id"].unlike >= 20
        assert record.headings.get(Heading.EQUIVALENT, 0) > 50, "known noise does not make a request different"

    comparing(tmp_path, test, candidate=answering("candidate"), primary=answering("primary"))  # type: ignore[arg-type]


def test_an_ignored_field_is_counted_as_ignored(tmp_path: Path) -> None:
    ignoring = Comparing(ignore=(Ignored("body.id", "the service counts for itself"),))

    async def test(house: House) -> None:
        worker = await house.worker()
        worker.mirror(*[mirrored()] * 5)
        record = await house.settled(5)
        assert record.headings == {Heading.EQUIVALENT: 5}
        assert record.ignored == {"body.id": 5}

    comparing(tmp_path, test, candidate=dearer, shadow=Shadow(noise=0.0, comparing=ignoring))


@pytest.mark.parametrize(
    ("answer", "heading"),
    [
        (None, Heading.CANDIDATE_TIMEOUT),
        (b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n", Heading.CANDIDATE_TIMEOUT),
        (b"", Heading.CANDIDATE_UNREACHABLE),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", Heading.CANDIDATE_TIMEOUT),
        (b"nothing of the kind\r\n\r\n", Heading.CANDIDATE_UNREACHABLE),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2000000\r\n\r\n", Heading.CANDIDATE_TOO_LARGE),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 70_000, Heading.CANDIDATE_TOO_LARGE),
    ],
)
def test_a_candidate_that_gives_no_answer_has_its_heading(
    tmp_path: Path, answer: bytes | None, heading: Heading
) -> None:
    async def test(house: House) -> None:
        worker = await house.worker()
        worker.mirror(*[mirrored()] * 3)
        record = await house.settled(3)
        assert record.headings == {heading: 3}
        assert not record.evidence.compared

    comparing(tmp_path, test, candidate=lambda *_: answer, shadow=Shadow(timeout=0.2, answer_bytes=65_536))


def test_a_dead_candidate_has_its_heading(tmp_path: Path) -> None:
    async def test(house: House) -> None:
        house.candidate.port = 1  # Nobody listens there.
        house.comparator.adopt(house.snapshot(2))
        worker = await house.worker()
        worker.mirror(*[mirrored()] * 3)
        assert (await house.settled(3)).headings == {Heading.CANDIDATE_UNREACHABLE: 3}

    comparing(tmp_path, test)


def test_what_is_too_old_is_not_asked_about(tmp_path: Path) -> None:
    async def test(house: House) -> None:
        worker = await house.worker()
        worker.mirror(mirrored(at=time.time() - 10.5), mirrored(), mirrored(at=time.time() - 11))
        assert (await house.settled(3)).headings == {Heading.EQUIVALENT: 1, Heading.TOO_OLD: 2}
        assert len(house.candidate.asked) == 1

    comparing(tmp_path, test)


def test_what_waits_behind_a_slow_candidate_gets_too_old(tmp_path: Path) -> None:
    async def test(house: House) -> None:
        worker = await house.worker()
        worker.mirror(*[mirrored()] * 40)
        record = await house.settled(40)
        assert record.headings == {Heading.CANDIDATE_TIMEOUT: 32, Heading.TOO_OLD: 8}

    comparing(tmp_path, test, candidate=lambda *_: None, shadow=Shadow(timeout=1.5, max_age=0.5))


def test_the_candidate_is_asked_no_more_often_than_its_rate_allows(tmp_path: Path) -> None:
    async def test(house: House) -> None:
        worker = await house.worker()
        worker.mirror(*[mirrored()] * 50)
        record = await house.settled(50)
        assert record.headings == {Heading.EQUIVALENT: 5, Heading.RATE_CAPPED: 45}
        assert len(house.candidate.asked) == 5

    comparing(tmp_path, test, shadow=Shadow(rate=5.0, noise=0.0))


def test_the_primary_is_asked_again_no_more_often_than_a_tenth_of_that_for_long(tmp_path: Path) -> None:
    async def test(house: House) -> None:
        shadowed = house.comparator._routes.find(ROUTE)
        assert shadowed is not None
        worker = await house.worker()
        worker.mirror(*[mirrored()] * 50)
        await house.settled(50)
        assert len(house.primary.asked) == 50
        later = asyncio.get_running_loop().time() + 1000
        assert sum(shadowed.repeats.spend(later) for _ in range(100)) == 50
        assert sum(shadowed.repeats.spend(later + tenths / 10) for tenths in range(1, 101)) == 50

    comparing(tmp_path, test, candidate=dearer, shadow=Shadow(rate=50.0, noise=1.0))


def test_a_primary_that_may_not_be_asked_again_is_not(tmp_path: Path) -> None:
    async def test(house: House) -> None:
        shadowed = house.comparator._routes.find(ROUTE)
        assert shadowed is not None
        shadowed.repeats = Allowance(0.0)
        worker = await house.worker()
        worker.mirror(*[mirrored()] * 10)
        record = await house.settled(10)
        assert len(house.primary.asked) == record.evidence.seconds == 1
        assert record.evidence.findings == {Finding.CANDIDATE_ODD: 1, Finding.UNASKED: 9}

    comparing(tmp_path, test, candidate=dearer)


def test_a_fault_of_ours_is_counted_as_ours_and_ends_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    compare = Rules.compare

    def faulty(rules: Rules, question: object, primary: object, candidate: object) -> Comparison:
        if question.target.endswith(b"13"):  # type: ignore[attr-defined]
            raise ZeroDivisionError
        return compare(rules, question, primary, candidate)  # type: ignore[arg-type]

    monkeypatch.setattr(Rules, "compare", faulty)

    async def test(house: House) -> None:
        worker = await house.worker()
        worker.mirror(mirrored(), mirrored(target=b"/api/products/13"), mirrored())
        assert (await house.settled(3)).headings == {Heading.EQUIVALENT: 2, Heading.OURS: 1}

    comparing(tmp_path, test)
    assert "an exchange of products-get could not be judged" in caplog.text
    assert "ZeroDivisionError" in caplog.text


def test_a_head_that_cannot_be_read_is_a_fault_of_ours(tmp_path: Path) -> None:
    async def test(house: House) -> None:
        worker = await house.worker()
        worker.mirror(mirrored(head=b"no head"), mirrored(answer=b"no answer"), mirrored())
        assert (await house.settled(3)).headings == {Heading.EQUIVALENT: 1, Heading.OURS: 2}

    comparing(tmp_path, test)


def test_what_has_waited_for_a_service_that_stood_still_does_not_come_all_at_once(tmp_path: Path) -> None:
    rate, stalls = 50, 4

    async def test(house: House) -> None:
        house.candidate.goes_on.clear()
        worker = await house.worker()
        for _ in range(stalls):
            worker.mirror(*[mirrored()] * rate)
            await asyncio.sleep(1.0)  # So long that the cap lets as many in again.
        before = len(house.candidate.asked)
        house.candidate.goes_on.set()
        record = await house.settled(stalls * rate)
        later = len(house.candidate.asked) - before
        assert later <= 2.5 * rate, "no more at once than in two seconds"
        assert record.headings[Heading.EQUIVALENT] == before + later
        assert record.headings[Heading.RATE_CAPPED] > 0

    comparing(tmp_path, test, shadow=Shadow(noise=0.0, rate=rate, timeout=30.0, max_age=30.0))


def test_a_route_whose_certificates_cannot_be_used_costs_no_other_its_comparison(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It is not shadowed any more, so that nobody has looked at them yet, but a worker still counts it."""

    async def test(house: House) -> None:
        known = house.snapshot(2, ROUTE, "other")
        secure = replace(known.upstreams[1], name="secure", tls=UpstreamTls(ca=str(tmp_path / "gone.pem")))
        house.comparator.adopt(
            replace(
                known,
                upstreams=(*known.upstreams, secure),
                routes=(known.routes[0], replace(known.routes[1], service="secure")),
                flags=known.flags[:1],
            )
        )
        worker, other = await house.worker(), await house.worker("other")
        other.mirror(mirrored(route="other"), mirrored(route="other"))
        worker.mirror(mirrored())
        assert (await house.settled(1)).headings == {Heading.EQUIVALENT: 1}
        assert (await house.settled(2, "other")).headings == {Heading.CANDIDATE_UNREACHABLE: 2}
        other.mirror(mirrored(route="other"))
        assert (await house.settled(3, "other")).headings == {Heading.CANDIDATE_UNREACHABLE: 3}

    comparing(tmp_path, test)
    assert caplog.text.count("gone.pem") == 1


def test_an_exchange_of_a_route_that_is_not_configured_any_more_cannot_be_asked_about(tmp_path: Path) -> None:
    async def test(house: House) -> None:
        worker = await house.worker("gone")
        worker.mirror(mirrored(route="gone"))
        assert (await house.settled(1, "gone")).headings == {Heading.CANDIDATE_UNREACHABLE: 1}

    comparing(tmp_path, test)


def test_an_exchange_that_comes_before_its_snapshot_waits_for_it(tmp_path: Path) -> None:
    async def test(house: House) -> None:
        worker = await house.worker("new")
        worker.mirror(mirrored(route="new", revision=2))
        await until(lambda: len(house.comparator._early) == 1)
        house.comparator.adopt(house.snapshot(2, ROUTE, "new"))
        assert (await house.settled(1, "new")).headings == {Heading.EQUIVALENT: 1}

    comparing(tmp_path, test)


def test_one_whose_snapshot_does_not_come_gets_too_old(tmp_path: Path) -> None:
    async def test(house: House) -> None:
        worker = await house.worker()
        worker.mirror(mirrored(at=time.time() - 9.8))
        assert (await house.settled(1)).headings == {Heading.TOO_OLD: 1}

    comparing(tmp_path, test, adopted=False)


def test_large_answers_are_compared_beside_the_event_loop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    threads = []
    to_thread = asyncio.to_thread

    async def noting(work: object, *arguments: object) -> object:
        threads.append(work)
        return await to_thread(work, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(judging.asyncio, "to_thread", noting)
    large = b'{"id":"%b"}' % (b"x" * 40_000)

    async def test(house: House) -> None:
        worker = await house.worker()
        worker.mirror(mirrored(content=large))
        assert (await house.settled(1)).headings == {Heading.EQUIVALENT: 1}
        assert threads

    comparing(tmp_path, test, candidate=lambda *_: json(large))
