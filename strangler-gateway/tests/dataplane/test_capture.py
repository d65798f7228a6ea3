"""What is kept of an exchange: all of it as it was, nothing beyond a bound, and each request under one heading."""

import gc
import sys
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strangler.dataplane import capture as capture_module
from strangler.dataplane.capture import EXCHANGE, PIECE, Capture, Desk, Note, Shadowed, Tally
from strangler.http1.request import RequestHead
from strangler.model.decision import Decision
from strangler.model.failure import Failure
from strangler.model.shadow import BY_WORKER, Heading, Shadow
from strangler.policies.marks import Marks

from .capturing import ABOVE, ANSWER, ASKED, COHORT, HEAD, KILLED, Setting, parsed, parsed_answer


@pytest.fixture(name="setting")
def plain_setting() -> Setting:
    return Setting()


def test_an_exchange_is_kept_as_it_was_seen(setting: Setting) -> None:
    capture = setting.answered(
        (b"go", b"od"), asked=(b"ab", b"c"), began=100.0, took=0.5, client="10.0.0.1", endpoint="127.0.0.1:8090"
    )
    kept = capture.mirrored(1_000.0)
    assert (kept.route, kept.revision, kept.at, kept.seconds) == ("products-get", 7, 1_100.5, 0.5)
    assert (kept.head, kept.body, kept.answer, kept.content) == (ASKED, b"abc", ANSWER, b"good")
    assert (kept.client, kept.host, kept.endpoint, kept.effects) == ("10.0.0.1", b"shop.example", "127.0.0.1:8090", b"")


def test_bytes_that_exist_anyway_are_not_copied(setting: Setting) -> None:
    content = b"x" * 1000
    capture = setting.begin()
    assert capture.asked(ASKED) is ASKED
    capture.answered(ANSWER, HEAD)
    capture.relayed([content], ended=True)
    setting.end(capture)
    kept = capture.mirrored(0)
    assert kept.head is ASKED
    assert kept.answer is ANSWER
    assert kept.content is content


def test_the_first_head_counts_when_a_request_is_sent_again(setting: Setting) -> None:
    capture = setting.begin()
    capture.asked(ASKED)
    capture.asked(b"GET /again HTTP/1.1\r\n\r\n")
    assert capture.mirrored(0).head == ASKED


def test_the_head_is_that_before_an_arms_changes(setting: Setting) -> None:
    capture = setting.begin()
    capture.before_changes(ASKED)
    changed = b"GET /v2/items/7 HTTP/1.1\r\n\r\n"
    assert capture.asked(changed) is changed
    assert capture.mirrored(0).head == ASKED


@pytest.mark.parametrize(
    ("head", "heading"),
    [
        (parsed("POST", "Content-Length: 1"), Heading.UNSAFE),
        (parsed("DELETE"), Heading.UNSAFE),
        (parsed("TRACE"), Heading.UNSAFE),
        (
            parsed("GET", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
                   "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="),
            Heading.UPGRADE,
        ),
        (parsed("GET", "Content-Length: 65537"), Heading.REQUEST_TOO_LARGE),
    ],
    ids=lambda value: value.value if isinstance(value, Heading) else "",
)  # fmt: skip
def test_what_a_head_alone_rules_out_keeps_nothing(setting: Setting, head: RequestHead, heading: Heading) -> None:
    capture = setting.begin(head)
    capture.asked(ASKED)
    capture.passed([b"x"])
    capture.answered(ANSWER, HEAD)
    capture.relayed([b"x"], ended=True)
    assert setting.desk.waiting_bytes == 0
    setting.end(capture)
    assert setting.headings == {heading: 1}


@pytest.mark.parametrize(("decision", "heading"), [(KILLED, Heading.KILLED), (COHORT, Heading.BY_SERVICE)])
def test_what_is_not_to_be_mirrored_is_counted_by_why(setting: Setting, decision: Decision, heading: Heading) -> None:
    for method in ("GET", "POST"):
        setting.end(setting.begin(parsed(method), decision))
    assert setting.headings == {heading: 2}


def test_a_sample_is_taken_of_what_could_be_mirrored() -> None:
    draws = iter((0.1, 0.3, 0.29))
    setting = Setting(Shadow(sample=0.3), chance=lambda: next(draws))
    setting.end(setting.begin(parsed("POST")))
    for _ in range(3):
        setting.answered()
    assert setting.headings == {Heading.UNSAFE: 1, Heading.NOT_SAMPLED: 1, "waiting": 2}


@pytest.mark.parametrize(("lengths", "heading"), [((4, 6), None), ((4, 7), Heading.REQUEST_TOO_LARGE)])
def test_a_body_is_kept_up_to_the_cap(lengths: tuple[int, ...], heading: Heading | None) -> None:
    setting = Setting(Shadow(request_bytes=10))
    capture = setting.answered(asked=tuple(b"x" * length for length in lengths))
    assert setting.headings == ({heading: 1} if heading else {"waiting": 1})
    assert capture.mirrored(0).body == (b"" if heading else b"x" * 10)


@pytest.mark.parametrize(("lengths", "heading"), [((4, 6), None), ((4, 7), Heading.ANSWER_TOO_LARGE)])
def test_an_answer_is_kept_up_to_the_cap(lengths: tuple[int, ...], heading: Heading | None) -> None:
    setting = Setting(Shadow(answer_bytes=10))
    setting.answered(tuple(b"x" * length for length in lengths))
    assert setting.headings == ({heading: 1} if heading else {"waiting": 1})
    assert bool(setting.desk.waiting_bytes) is (heading is None)


@pytest.mark.parametrize("kind", ["text/event-stream", "Text/Event-Stream; charset=utf-8", "multipart/x-mixed-replace"])
@pytest.mark.parametrize("framing", ["X-Until: close", "Transfer-Encoding: chunked"])
def test_what_has_no_end_in_sight_is_let_go_at_its_head(setting: Setting, kind: str, framing: str) -> None:
    capture = setting.begin()
    capture.asked(ASKED)
    capture.answered(ANSWER, parsed_answer(f"Content-Type: {kind}", framing))
    assert setting.desk.waiting_bytes == 0
    setting.end(capture)
    assert setting.headings == {Heading.STREAMING: 1}


def test_an_event_stream_with_an_end_is_an_answer_like_others(setting: Setting) -> None:
    setting.answered(head=parsed_answer("Content-Type: text/event-stream", "Content-Length: 4"))
    assert setting.headings == {"waiting": 1}


def test_an_answer_without_content_is_whole(setting: Setting) -> None:
    setting.answered(())
    assert setting.headings == {"waiting": 1}


@pytest.mark.parametrize(
    "ended", [{"failure": Failure.CLIENT_GONE}, {"failure": Failure.RESPONSE_TIMEOUT}, {"body": object()}]
)
def test_what_did_not_go_well_is_not_compared(setting: Setting, ended: dict[str, Any]) -> None:
    setting.answered(**ended)
    assert setting.headings == {Heading.PRIMARY_FAILED: 1}
    assert setting.desk.waiting_bytes == 0


def test_half_an_answer_is_not_compared(setting: Setting) -> None:
    capture = setting.begin()
    capture.asked(ASKED)
    capture.answered(ANSWER, HEAD)
    capture.relayed([b"go"], ended=False)
    setting.end(capture)
    assert setting.headings == {Heading.PRIMARY_FAILED: 1}


def test_nothing_is_kept_for_a_comparator_that_is_not_there(setting: Setting) -> None:
    early = setting.begin()
    early.asked(ASKED)
    early.answered(ANSWER, HEAD)
    early.relayed([b"good"], ended=True)
    setting.desk.connected = False
    setting.end(early)
    late = setting.begin()
    late.asked(ASKED)
    assert setting.desk.waiting_bytes == 0
    setting.end(late)
    assert setting.headings == {Heading.NO_COMPARATOR: 2}


def test_no_more_wait_than_may() -> None:
    setting = Setting(most=3)
    for _ in range(5):
        setting.answered()
    assert setting.headings == {"waiting": 3, Heading.QUEUE_FULL: 2}


def test_no_more_bytes_wait_than_may() -> None:
    setting = Setting(most_bytes=3 * (EXCHANGE + 2_000))
    for _ in range(5):
        setting.answered((b"x" * 1_800,))
    assert setting.headings == {"waiting": 3, Heading.QUEUE_FULL: 2}


def test_requests_under_way_count_against_the_same_bytes() -> None:
    setting = Setting(most_bytes=10_000)
    captures = [setting.begin() for _ in range(20)]
    for capture in captures:
        capture.asked(ASKED)
        capture.answered(ANSWER, HEAD)
        capture.relayed([b"x" * 900], ended=True)
    assert setting.desk.waiting_bytes <= 10_000
    for capture in captures:
        setting.end(capture)
    assert setting.headings == {"waiting": 4, Heading.QUEUE_FULL: 16}


def test_a_body_in_many_small_pieces_counts_by_what_it_takes() -> None:
    setting = Setting(most_bytes=100_000)
    tracemalloc.start()
    capture = setting.begin()
    capture.asked(ASKED)
    capture.answered(ANSWER, HEAD)
    # By the capture itself: other threads of this process take memory, too.
    here = [tracemalloc.Filter(True, name) for name in (__file__, capture_module.__file__)]
    taken = []
    for number in range(32_000):
        capture.relayed([b"%d" % number], ended=False)
        if number % 1_000 == 999:
            traces = tracemalloc.take_snapshot().filter_traces(here).statistics("filename")
            taken.append(sum(one.size for one in traces))
    tracemalloc.stop()
    assert capture.heading == Heading.QUEUE_FULL
    assert taken[-1] < taken[0] <= max(taken) <= 100_000
    assert sys.getsizeof(b"") <= PIECE


@given(
    st.lists(st.sampled_from(["good", "large", "gone", "unsafe", "stream", "lost"]), max_size=60), st.integers(1, 20)
)
def test_every_request_ends_under_one_heading_and_nothing_is_held_for_it_afterwards(
    kinds: list[str], most: int
) -> None:
    setting = Setting(Shadow(answer_bytes=100), most=most)
    for kind in kinds:
        setting.desk.connected = kind != "lost"
        if kind == "unsafe":
            setting.end(setting.begin(parsed("PUT")))
        else:
            setting.answered(
                (b"x" * (101 if kind == "large" else 10),),
                head=parsed_answer("Content-Type: text/event-stream") if kind == "stream" else HEAD,
                failure=Failure.CLIENT_GONE if kind == "gone" else None,
            )
    headings = setting.headings
    assert sum(headings.values()) == len(kinds)
    assert {Heading(heading) for heading in headings if heading != "waiting"} <= BY_WORKER
    captures = [capture for handed in drained(setting.desk) for capture in handed[0]]
    assert setting.desk.waiting_bytes == sum(capture.size for capture in captures)


def drained(desk: Desk) -> Iterator[tuple[list[Capture], list[Note]]]:
    desk.flush()
    while not desk.handed.empty():
        handed = desk.handed.get_nowait()
        assert handed is not None
        yield handed


def test_what_is_handed_over_comes_with_the_account_of_that_moment(setting: Setting) -> None:
    setting.answered()
    setting.end(setting.begin(parsed("POST")))
    captures, notes = setting.fetch()
    assert len(captures) == 1
    assert notes == [(setting.tally, 2, ((Heading.UNSAFE, 1),))]
    setting.desk.flush()
    assert setting.desk.handed.empty()  # Nothing has changed since.


def test_counts_alone_do_not_pile_up_before_a_thread_that_is_busy(setting: Setting) -> None:
    setting.answered()
    setting.desk.flush()
    for _ in range(100):
        setting.end(setting.begin(parsed("POST")))
        setting.desk.flush()
    assert setting.desk.handed.qsize() == 1
    setting.fetch()
    assert setting.fetch()[1] == [(setting.tally, 101, ((Heading.UNSAFE, 100),))]


def test_other_accounts_do_not_pile_up_with_each_exchange_that_waits_for_a_busy_thread(setting: Setting) -> None:
    other = Shadowed(Tally("other"), setting.desk, Shadow(), 7)
    for _ in range(5):
        setting.answered()
        setting.end(other.begin(parsed("POST"), ABOVE))
        setting.desk.flush()
    told = [[tally.name for tally, _, _ in notes] for _, notes in drained(setting.desk)]
    assert told == [["products-get", "other"], *[["products-get"]] * 4]
    assert [tally.name for tally, _, _ in setting.fetch()[1]] == ["other"]


def test_a_snapshot_that_is_over_leaves_nothing_to_the_garbage_collector(setting: Setting) -> None:
    def alive() -> int:
        return sum(type(thing) is Shadowed for thing in gc.get_objects())  # isinstance() wakes lazy objects of others

    gc.collect()
    before = alive()
    gc.disable()
    try:
        for revision in range(10):
            shadowed = Shadowed(setting.tally, setting.desk, Shadow(), revision)
            setting.end(shadowed.begin(parsed("POST"), ABOVE))
        assert alive() - before == 1
    finally:
        gc.enable()


def test_a_request_that_goes_to_the_monolith_after_all_is_kept_from_its_new_beginning() -> None:
    setting = Setting(only_recorded=True)
    first = setting.begin(parsed(), COHORT)
    first.asked(ASKED)
    second = first.begin_anew(parsed())
    assert setting.desk.waiting_bytes == 0
    second.asked(b"GET /again HTTP/1.1\r\n\r\n")
    second.answered(ANSWER, HEAD)
    second.relayed([], ended=True)
    setting.end(second)
    assert second.mirrored(0).head.startswith(b"GET /again ")


def test_many_exchanges_do_not_wait_for_the_tick() -> None:
    setting = Setting(most=1_000)
    for _ in range(64):
        setting.answered()
    assert setting.desk.handed.qsize() == 1


def test_an_exchange_that_was_judged_keeps_nothing(setting: Setting) -> None:
    capture = setting.begin()
    assert setting.end(capture).capture is None


def test_writes_are_marked_and_their_effects_kept_where_the_route_shadows_them() -> None:
    marks = Marks(b"s" * 32)
    setting = Setting(Shadow(writes=True), marks=marks)
    asked = b"POST /api/orders?x=1 HTTP/1.1\r\nHost: a\r\n\r\n"
    capture = setting.begin(parsed("POST"))
    sent = capture.asked(asked)
    line = sent.removeprefix(asked[:-2]).removesuffix(b"\r\n\r\n")
    name, _, mark = line.partition(b": ")
    _, now, nonce, _ = mark.split(b".")
    assert name == b"X-Strangler-Report"
    assert marks.make(b"report", b"POST", b"/api/orders?x=1", int(now), nonce) == mark
    assert capture.asked(asked) != sent  # Each attempt has a mark of its own.
    capture.answered(ANSWER, parsed_answer("X-Strangler-Effects: eJw="))
    capture.relayed([], ended=True)
    setting.end(capture)
    kept = capture.mirrored(0)
    assert (kept.head, kept.effects) == (asked, b"eJw=")


def test_reads_are_not_marked_and_effects_that_nobody_asked_for_are_not_kept() -> None:
    for setting, method in ((Setting(Shadow(writes=True), marks=Marks(b"s" * 32)), "GET"), (Setting(), "GET")):
        capture = setting.begin(parsed(method))
        assert capture.asked(ASKED) is ASKED
        capture.answered(ANSWER, parsed_answer("X-Strangler-Effects: eJw="))
        capture.relayed([], ended=True)
        setting.end(capture)
        assert capture.mirrored(0).effects == b""
