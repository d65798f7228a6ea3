"""A flip reaches every worker over the real socket, or the worker that it did not reach is named."""

import threading
import time

import httpx

from strangler.link.codec import decode_snapshot
from strangler.model.flag import Flag, Stage
from strangler.model.messages import Refused, Slot, SnapshotPush, Status


def revisions(peer) -> list[int]:
    return [push.snapshot.revision for push in peer.of(SnapshotPush)]


def test_a_worker_is_given_the_snapshot_when_it_connects(supervisor, control, workers, until) -> None:
    worker = workers.join(0)
    until(lambda: revisions(worker) == [1], "the first push")
    snapshot = worker.of(SnapshotPush)[0].snapshot
    assert [route.name for route in snapshot.routes][-1] == "catch-all"
    assert snapshot.topology == control.get("/config")["topology"]


def test_a_worker_that_has_the_revision_is_given_nothing_and_counts(supervisor, control, workers, until) -> None:
    current, old = workers.join(0, revision=1), workers.join(1)
    until(lambda: revisions(old) == [1], "the push to the other")
    answer = control.flip("catalog", "service").json()
    assert (answer["acknowledged"], answer["missing"]) == ([0, 1], [])
    assert revisions(current) == [2]


def test_a_flip_is_answered_when_every_slot_has_it_and_is_on_disk_before(supervisor, control, workers, until) -> None:
    on_disk = []

    first = workers.join(0)
    workers.join(1)
    until(lambda: len(control.get("/status")["workers"]) == 2, "two workers")
    until(lambda: all(w["revision"] == 1 for w in control.get("/status")["workers"]), "both to acknowledge")
    answer_the_push = first._on_message

    def look_first(peer, message) -> None:
        on_disk.append(decode_snapshot((control.state / "snapshot.json").read_bytes()))
        answer_the_push(peer, message)

    first._on_message = look_first
    answer = control.flip("catalog", "canary", weight="12.5", cohorts=["u1"]).json()
    assert (answer["revision"], answer["acknowledged"], answer["missing"]) == (2, [0, 1], [])
    assert answer["seconds"] < 5
    assert on_disk[0].revision == 2
    assert on_disk[0].flags == (
        Flag("products-list", Stage.CANARY, 1250, ("u1",)), Flag("products-get", Stage.CANARY, 1250, ("u1",)),
    )  # fmt: skip
    assert [change["route"] for change in answer["changes"]] == ["products-list", "products-get"]
    assert answer["changes"][0]["before"] == {"stage": "monolith", "weight": "0.00", "cohorts": []}
    assert answer["changes"][0]["after"] == {"stage": "canary", "weight": "12.50", "cohorts": ["u1"]}
    assert answer["warnings"] == ["products-import was left out: it has no service arm"]


def test_a_slot_without_a_worker_is_named_after_the_deadline(supervisor, control, workers, until) -> None:
    workers.join(0)
    began = time.monotonic()
    answer = control.flip("catalog", "service").json()
    assert (answer["acknowledged"], answer["missing"]) == ([0], [1])
    assert 4.5 < time.monotonic() - began < 10
    late = workers.join(1)
    until(lambda: revisions(late) == [2], "the push when it comes")


def test_a_slow_worker_is_waited_for(supervisor, control, workers) -> None:
    workers.join(0)
    workers.join(1, delay=0.8)
    answer = control.flip("catalog", "service").json()
    assert (answer["acknowledged"], answer["missing"]) == ([0, 1], [])
    assert answer["seconds"] > 0.5


def test_a_slot_that_is_being_replaced_counts_when_its_new_worker_acknowledges(
    supervisor, control, workers, until
) -> None:
    workers.join(0)
    dying = workers.join(1)
    until(lambda: revisions(dying) == [1], "the first push")
    supervisor.slots[1] = Slot(1, 0, False, 0, 1)
    supervisor.tell(supervisor.roster())
    dying.close()
    successor = threading.Timer(0.7, lambda: workers.join(1, pid=4242))
    successor.start()
    answer = control.flip("catalog", "service").json()
    successor.join()
    assert (answer["acknowledged"], answer["missing"]) == ([0, 1], [])
    assert answer["seconds"] > 0.4


def test_a_flip_to_what_already_is_makes_no_revision_and_waits_all_the_same(supervisor, control, workers) -> None:
    workers.join(0)
    dying = workers.join(1)
    assert control.flip("catalog", "service").json()["revision"] == 2
    history = control.get("/history")
    dying.close()
    successor = threading.Timer(0.7, lambda: workers.join(1, pid=4242))
    successor.start()
    again = control.flip("catalog", "service").json()
    successor.join()
    assert (again["revision"], again["acknowledged"], again["missing"]) == (2, [0, 1], [])
    assert again["seconds"] > 0.4
    assert control.get("/history") == history


def test_a_worker_of_another_protocol_is_refused(supervisor, control, workers, until) -> None:
    worker = workers.join(0, protocol=99)
    until(worker.ended.is_set, "the end of the connection")
    assert [type(message) for message in worker.heard] == [Refused]
    assert "protocol 99 is not known" in worker.heard[0].reason


def test_only_workers_may_connect(supervisor, control, workers, until) -> None:
    stranger = workers.join(0, role="cli")
    until(stranger.ended.is_set, "the end of the connection")
    assert "only workers" in stranger.of(Refused)[0].reason


def test_bytes_that_are_no_message_end_that_connection_only(supervisor, control, workers, until) -> None:
    sound, mad = workers.join(0), workers.join(1)
    until(lambda: revisions(mad) == [1], "the first push")
    mad.sock.sendall(b"\x00\x00\x00\x05hello")
    until(mad.ended.is_set, "the end of the connection")
    workers.join(1)
    assert control.flip("catalog", "service").json()["missing"] == []
    assert not sound.ended.is_set()


def test_flips_at_once_come_one_after_the_other_and_none_is_lost(supervisor, control, workers, until) -> None:
    peer = workers.join(0)
    workers.join(1)
    answers = []

    def flip(weight: int) -> None:
        with httpx.Client(base_url=control.api.base_url, timeout=15, trust_env=False) as api:
            body = {"target": "catalog", "stage": "canary", "weight": weight, "author": "m", "reason": "r"}
            answers.append(api.post("/api/v1/flips", json=body).json())

    threads = [threading.Thread(target=flip, args=(weight,)) for weight in range(1, 13)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answer["revision"] for answer in answers) == list(range(2, 14))
    assert revisions(peer) == list(range(1, 14))
    assert {(*answer["acknowledged"], *answer["missing"]) for answer in answers} == {(0, 1)}
    last = max(answers, key=lambda answer: answer["revision"])
    weights = {item["name"]: item["weight"] for item in control.get("/routes")["items"]}
    assert weights["products-get"] == last["changes"][0]["after"]["weight"]
    rows = control.get("/history", route="products-get", limit=12)["items"]
    assert [row["before"]["weight"] for row in rows[:-1]] == [row["after"]["weight"] for row in rows[1:]]


def test_status_tells_what_each_slot_has(supervisor, control, workers, until) -> None:
    workers.join(0, pid=1000).send(Status(1, accepting=True, connections=3, in_flight=1, kills=0))
    until(lambda: control.get("/status")["workers"][0]["revision"] == 1, "the acknowledgement")
    supervisor.slots[1] = Slot(1, 0, False, 0, 4)
    supervisor.tell(supervisor.roster())
    until(lambda: control.get("/status")["workers"][1]["restarts"] == 4, "the roster")
    status = control.get("/status")
    assert status["workers"] == [
        {"slot": 0, "pid": 1000, "ready": True, "revision": 1, "restarts": 0},
        {"slot": 1, "pid": 0, "ready": False, "revision": 0, "restarts": 4},
    ]
    assert status["supervisor"] == "connected"
