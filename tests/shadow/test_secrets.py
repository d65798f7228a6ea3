"""Secrets on their way through a shadowed route are nowhere afterwards: not on the disk, in a log, the API, a page.

Each of the corpus passes in the request and in both answers, in many places at once, and the answers differ in all of
them, so that evidence, samples and reports have to do with every one.
"""

import gzip
import html
import json
import subprocess
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

import httpx
import pytest

from support.answering import Application, Asked, Said, answering
from support.gateway import BIN, Gateway, place, serving
from support.raw_http import wait_until
from support.secrets_made import MADE, PASSWORDS, Made

CORPUS = [*MADE, *(Made("password", each, (each,)) for each in PASSWORDS)]
CONFIG = """\
monolith: {monolith}
upstreams:
  catalog: {{endpoints: ["{service}"]}}
gateway:
  workers: 2
  access_log: {{to: "{log}"}}
routes:
  - name: notes
    match: {{prefix: /notes}}
    service: catalog
    shadow: {{rate: 100000, samples: 1000, noise: 0.3}}
"""


def one_line(text: str) -> str:
    """As it can stand in a header."""
    return text.replace("\n", " ")


def leaky(which: int) -> "AbstractContextManager[Application]":
    """An application whose answer to ``/notes/N`` holds the secret N + ``which`` wherever an answer can hold one."""

    def answer(asked: Asked) -> Said:
        number = int(urlsplit(asked.target).path.rpartition("/")[2])
        secret = CORPUS[(number + which) % len(CORPUS)].written
        document = {
            "password": secret,
            "note": secret,
            "text": f"see {secret}, and more",
            "nested": [{"token": secret}, [secret]],
            secret: which,
            "json": json.dumps({"session_id": secret, "text": secret}),
            "url": f"https://shop.example/x?token={quote(secret, safe='')}",
        }
        if CORPUS[(number + which) % len(CORPUS)].kind == "password":  # Only a name gives it away.
            document = {"password": secret, "nested": [{"db_password": secret}]}
        headers = [
            ("Content-Type", "application/json"),
            ("Set-Cookie", f"session={quote(secret, safe='')}; Path=/; HttpOnly"),
            ("Location", f"/elsewhere?token={quote(secret, safe='')}&page=2"),
            ("X-Session", one_line(secret)),
            ("WWW-Authenticate", f'Bearer realm="{which}"'),
        ]
        body = json.dumps(document, ensure_ascii=number % 2 == 0).encode()
        if number % 3 == 0:
            body = gzip.compress(body)
            headers.append(("Content-Encoding", "gzip"))
        return Said(200 if number % 5 else 400, body, tuple(headers))

    return answering(answer)


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    folder = tmp_path_factory.mktemp("gateway")
    with ExitStack() as stack:
        monolith, service = (stack.enter_context(leaky(which)) for which in (0, 1))
        here = stack.enter_context(place(folder))
        config = CONFIG.format(monolith=monolith.url, service=service.url, log=folder / "access.log")
        gateway = stack.enter_context(serving(here, config))
        gateway.wait_for_comparator()
        gateway.flip("notes", "shadow")
        yield gateway


@pytest.fixture(scope="module")
def recording(gateway: Gateway, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All of the corpus sent through the gateway, compared, and recorded."""
    file = tmp_path_factory.mktemp("recording") / "recorded.jsonl"
    environment = {"STRANGLER_STATE": str(gateway.place.state)}
    command = subprocess.Popen(
        [BIN / "strangler", "record", "notes", "--count", str(len(CORPUS)), "--output", file],
        env={**environment, "PATH": str(BIN)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    wait_until(lambda: bool(list((gateway.place.state / "recordings").glob("*"))), "the recording has begun")
    with httpx.Client(base_url=gateway.url, trust_env=False) as client:
        for number, made in enumerate(CORPUS):
            secret = made.written
            client.get(
                f"/notes/{number}?q={quote(secret, safe='')}&token={quote(secret, safe='')}&page=2",
                headers={
                    "Authorization": f"Bearer {one_line(secret)}".encode(),
                    "Cookie": f"session={quote(secret, safe='')}",
                    "X-Api-Key": one_line(secret).encode(),
                    "Accept-Language": "de" if made.kind == "password" else one_line(secret).encode(),
                },
            )

    def all_are_compared() -> bool:
        (standing,) = gateway.get("/shadow")["items"]
        return standing["requests"] == len(CORPUS) == sum(standing["headings"].values())

    wait_until(all_are_compared, "all are compared", within=60)
    output, _ = command.communicate(timeout=60)
    assert command.returncode == 0, output
    return file


def leaks(text: str) -> list[str]:
    """The secrets of which a part is in a text, as it is or escaped."""
    readings = {text, unquote(text), html.unescape(text), text.replace('\\"', '"').replace("\\n", "\n")}
    return [
        str(made)
        for made in CORPUS
        for part in made.parts
        if any(part in reading or json.dumps(part)[1:-1] in reading for reading in readings)
    ]


def test_every_secret_was_in_a_difference(gateway: Gateway, recording: Path) -> None:
    """Else the rest of this file would prove nothing."""
    (standing,) = gateway.get("/shadow")["items"]
    assert standing["headings"] == {"different": len(CORPUS)}
    assert len(gateway.get("/shadow/notes/samples", limit=1000)["items"]) == len(CORPUS)
    assert len(recording.read_text().splitlines()) == 1 + len(CORPUS)


def test_no_file_of_the_state_folder_has_one(gateway: Gateway, recording: Path) -> None:
    files = [file for file in gateway.place.state.rglob("*") if file.is_file()]
    assert {"ledger.db", "ledger.db-wal", "control.db"} <= {file.name for file in files}
    for file in files:
        assert not leaks(file.read_bytes().decode("latin-1")), file
        assert not leaks(file.read_bytes().decode("utf-8", "replace")), file


def test_no_log_has_one(gateway: Gateway, recording: Path) -> None:
    log = gateway.place.folder / "access.log"
    assert len(log.read_text().splitlines()) >= len(CORPUS)
    for file in (log, gateway.place.folder / "serve.log"):
        assert not leaks(file.read_text()), file


@pytest.mark.parametrize("path", ["", "/notes", "/notes/text", "/notes/page", "/notes/samples?limit=1000"])
def test_no_answer_of_the_admin_api_has_one(gateway: Gateway, recording: Path, path: str) -> None:
    answer = gateway.admin.get(f"/shadow{path}")
    assert answer.status_code == 200
    assert not leaks(answer.text)


@pytest.mark.parametrize(
    "arguments",
    [("status",), ("report", "notes"), ("report", "notes", "--json"), ("samples", "notes", "--limit", "1000"),
     ("samples", "notes", "--limit", "1000", "--json")],
    ids=" ".join,
)  # fmt: skip
def test_no_command_shows_one(gateway: Gateway, recording: Path, arguments: tuple[str, ...]) -> None:
    shown = gateway.command("shadow", *arguments)
    assert shown.returncode == 0, shown
    assert len(shown.stdout) > 100
    assert not leaks(shown.stdout + shown.stderr)


def test_no_page_and_no_metric_has_one(gateway: Gateway, recording: Path, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    assert gateway.command("shadow", "report", "notes", "--html", str(page)).returncode == 0
    assert not leaks(page.read_text())
    assert not leaks(gateway.admin.get(f"http://127.0.0.1:{gateway.place.admin}/metrics").text)


def test_no_recording_has_one(recording: Path) -> None:
    assert not leaks(recording.read_text())


def test_a_leak_would_be_noticed(gateway: Gateway, recording: Path) -> None:
    """What clients were answered has every one of them, and so has a text in which they are escaped."""
    with httpx.Client(base_url=gateway.url, trust_env=False) as client:
        for number, made in enumerate(CORPUS):
            assert str(made) in leaks(client.get(f"/notes/{number}").text)
            assert str(made) in leaks(json.dumps({"x": made.written})) + leaks(quote(made.written))
