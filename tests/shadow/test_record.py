"""``strangler record`` on a whole gateway: real exchanges, bounded and redacted, at whatever stage the route is."""

import json
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import psutil
import pytest

from strangler.shadow.recording import Head, Recorded, read
from support.gateway import BIN, Gateway, place, serving
from support.raw_http import wait_until
from support.stub_upstream import StubUpstream, stub_upstream

CONFIG = """\
monolith: {monolith}
upstreams:
  catalog: {{endpoints: ["{service}"]}}
gateway: {{workers: 2}}
routes:
  - name: products
    match: {{prefix: /api/products}}
    service: catalog
    shadow:
      redact: {{keep_query: [page], keep_headers: [x-tenant], patterns: ["CUST-[0-9]+"]}}
      compare: {{ignore: [{{field: body.request_id, reason: it is of the gateway}}]}}
  - name: notes
    match: {{prefix: /notes}}
    shadow: {{request_bytes: 100, redact: {{keep_query: [colour]}}}}
"""


@pytest.fixture(scope="module")
def monolith(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StubUpstream]:
    with stub_upstream("monolith", tmp_path_factory.mktemp("monolith")) as stub:
        yield stub


@pytest.fixture(scope="module")
def gateway(monolith: StubUpstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    folder = tmp_path_factory.mktemp("gateway")
    with ExitStack() as stack:
        service = stack.enter_context(stub_upstream("service", folder))
        here = stack.enter_context(place(folder))
        yield stack.enter_context(serving(here, CONFIG.format(monolith=monolith.url, service=service.url)))


class Recording:
    """The command, running beside a test."""

    def __init__(self, gateway: Gateway, file: Path, *options: str) -> None:
        environment = {**os.environ, "STRANGLER_STATE": str(gateway.place.state), "NO_COLOR": "1"}
        before = begun(gateway)
        self._popen = subprocess.Popen(
            [BIN / "strangler", "record", *options, "--output", file],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        wait_until(lambda: begun(gateway) > before or self._popen.poll() is not None, "the recording has begun")

    @property
    def is_over(self) -> bool:
        return self._popen.poll() is not None

    def interrupt(self) -> None:
        self._popen.send_signal(signal.SIGINT)

    def end(self) -> tuple[int, str, str]:
        """Exit status, stdout and stderr."""
        out, err = self._popen.communicate(timeout=60)
        return self._popen.returncode, out, err


def begun(gateway: Gateway) -> int:
    return sum(item["action"] == "record" for item in gateway.get("/history", limit=1000)["items"])


def recorded(file: Path) -> tuple[Head, list[Recorded]]:
    head, exchanges = read(file.read_bytes().splitlines())
    return head, list(exchanges)


def ask_until(over: Callable[[], bool], gateway: Gateway, target: str) -> int:
    """Ask one request after the other; how many."""
    count = 0
    with httpx.Client(base_url=gateway.url, trust_env=False) as client:
        while not over():
            client.get(f"{target}/{count}")
            count += 1
    return count


def test_as_many_exchanges_are_kept_as_were_asked_for_and_no_more(gateway: Gateway, tmp_path: Path) -> None:
    recording = Recording(gateway, tmp_path / "r.jsonl", "products", "--count", "20", "--reason", "for a replay")
    asked = ask_until(lambda: recording.is_over, gateway, "/api/products")
    status, out, err = recording.end()
    assert (status, err) == (0, "")
    assert f"20 exchanges of products are in {tmp_path}/r.jsonl" in out
    head, exchanges = recorded(tmp_path / "r.jsonl")
    assert asked >= 20
    assert (head.route, head.exchanges, len(exchanges)) == ("products", 20, 20)
    assert {json.loads(each.answer.body)["arm"] for each in exchanges} == {"monolith"}
    assert len({each.question.target for each in exchanges}) == 20
    newest = gateway.get("/history", limit=1)["items"][0]
    assert (newest["action"], newest["route"], newest["reason"]) == ("record", "products", "for a replay")
    assert not list((gateway.place.state / "recordings").iterdir()), "nothing is left in the state folder"


def test_what_is_kept_is_redacted_as_the_route_says_and_the_command_says_what(gateway: Gateway, tmp_path: Path) -> None:
    headers = {"Authorization": "Bearer hunter2hunter2", "Cookie": "session=abcdef123456", "X-Tenant": "north"}
    recording = Recording(gateway, tmp_path / "r.jsonl", "products", "--count", "1", "--json")
    httpx.get(f"{gateway.url}/api/products?page=2&q=lamp&x=CUST-12345", headers=headers, trust_env=False)
    status, out, err = recording.end()
    assert (status, err) == (0, "")
    assert json.loads(out)["redacted"]["request.header.authorization"] == 1
    head, (exchange,) = recorded(tmp_path / "r.jsonl")
    text = (tmp_path / "r.jsonl").read_text()
    assert not [secret for secret in ("hunter2", "abcdef123456", "CUST-12345") if secret in text]
    assert (b"X-Tenant", b"north") in exchange.question.fields
    assert {"request.query.q", "request.header.cookie", "answer.body"} <= set(exchange.redacted)
    assert head.redacted.keys() == set(exchange.redacted)


def test_a_route_without_a_service_is_recorded_writes_too_and_what_is_too_large_is_not(
    gateway: Gateway, tmp_path: Path
) -> None:
    recording = Recording(gateway, tmp_path / "r.jsonl", "notes", "--count", "2")
    with httpx.Client(base_url=gateway.url, trust_env=False) as client:
        client.post("/notes", content=b"x" * 101)
        client.post("/notes", json={"text": "hello"})
        client.get("/notes?colour=red")
    assert recording.end()[0] == 0
    _, exchanges = recorded(tmp_path / "r.jsonl")
    assert sorted(each.question.method for each in exchanges) == [b"GET", b"POST"]
    assert [json.loads(each.question.body) for each in exchanges if each.question.body] == [{"text": "hello"}]
    assert b"/notes?colour=red" in {each.question.target for each in exchanges}


def test_a_route_that_the_service_answers_is_recorded_too(gateway: Gateway, tmp_path: Path) -> None:
    gateway.flip("products", "service")
    try:
        recording = Recording(gateway, tmp_path / "r.jsonl", "products", "--count", "3")
        ask_until(lambda: recording.is_over, gateway, "/api/products")
        assert recording.end()[0] == 0
    finally:
        gateway.flip("products", "monolith")
    assert {json.loads(each.answer.body)["arm"] for each in recorded(tmp_path / "r.jsonl")[1]} == {"service"}


def test_what_is_there_when_the_time_is_over_is_written(gateway: Gateway, tmp_path: Path) -> None:
    recording = Recording(gateway, tmp_path / "r.jsonl", "products", "--for", "1.5")
    gateway.ask("/api/products/7")
    assert recording.end()[0] == 0
    assert recorded(tmp_path / "r.jsonl")[0].exchanges == 1


def wait_for_an_exchange(gateway: Gateway) -> None:
    kept = gateway.place.state / "recordings"
    wait_until(lambda: any(file.stat().st_size for file in kept.glob("*")), "something was recorded")


def test_ctrl_c_ends_a_recording_and_writes_what_is_there(gateway: Gateway, tmp_path: Path) -> None:
    recording = Recording(gateway, tmp_path / "r.jsonl", "products")
    gateway.ask("/api/products/7")
    wait_for_an_exchange(gateway)
    recording.interrupt()
    assert recording.end()[0] == 0
    assert recorded(tmp_path / "r.jsonl")[0].exchanges == 1


def test_a_recording_of_nothing_says_so_and_writes_nothing(gateway: Gateway, tmp_path: Path) -> None:
    status, _, err = Recording(gateway, tmp_path / "r.jsonl", "notes", "--for", "0.5").end()
    assert (status, "no exchange of notes came" in err) == (1, True)
    assert not list(tmp_path.iterdir())


def test_a_recording_goes_on_when_the_comparator_dies(gateway: Gateway, tmp_path: Path) -> None:
    recording = Recording(gateway, tmp_path / "r.jsonl", "products", "--count", "40")
    asking = threading.Thread(target=ask_until, args=(lambda: recording.is_over, gateway, "/api/products"))
    asking.start()
    wait_for_an_exchange(gateway)
    comparator = gateway.roster().comparator_pid
    psutil.Process(comparator).kill()
    asking.join()
    assert recording.end()[0] == 0
    assert gateway.roster().comparator_pid != comparator
    _, exchanges = recorded(tmp_path / "r.jsonl")
    assert len(exchanges) == 40


def test_one_route_has_one_recording_and_a_name_must_be_one(gateway: Gateway, tmp_path: Path) -> None:
    recording = Recording(gateway, tmp_path / "r.jsonl", "products")
    second = gateway.command("record", "products", "--output", str(tmp_path / "s.jsonl"))
    assert (second.returncode, "is being recorded already" in second.stderr) == (1, True)
    unknown = gateway.command("record", "product", "--output", str(tmp_path / "s.jsonl"))
    assert (unknown.returncode, "did you mean products" in unknown.stderr) == (2, True)
    nowhere = gateway.command("record", "products", "--output", str(tmp_path / "no" / "s.jsonl"))
    assert (nowhere.returncode, "there is no folder" in nowhere.stderr) == (2, True)
    gateway.ask("/api/products/1")
    wait_for_an_exchange(gateway)
    recording.interrupt()
    assert recording.end()[0] == 0


def test_what_is_only_recorded_is_not_in_the_ledger_and_the_service_is_not_asked(
    gateway: Gateway, tmp_path: Path
) -> None:
    recording = Recording(gateway, tmp_path / "r.jsonl", "notes", "--count", "5")
    ask_until(lambda: recording.is_over, gateway, "/notes")
    assert recording.end()[0] == 0
    assert "notes" not in [each["route"] for each in gateway.get("/shadow")["items"]]


def test_what_was_recorded_can_be_replayed(gateway: Gateway, monolith: StubUpstream, tmp_path: Path) -> None:
    recording = Recording(gateway, tmp_path / "r.jsonl", "products", "--count", "5")
    ask_until(lambda: recording.is_over, gateway, "/api/products")
    assert recording.end()[0] == 0
    before = len(monolith.requests())
    replayed = gateway.command("replay", str(tmp_path / "r.jsonl"), "--against", monolith.url, "--json")
    assert replayed.returncode == 3, replayed
    report = json.loads(replayed.stdout)["report"]
    assert report["ledger"]["headings"] == {"equivalent": 5}, report["fields"]
    assert len(monolith.requests()) > before
