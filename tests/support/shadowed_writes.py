"""One write, three times: by the monolith in earnest, and by services that roll it back; and what differs.

Stands in for the gateway where only the two applications are tried: it signs the marks, hands the monolith's report on
as before-images, and masks what each side makes for itself.
"""

import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from contract.case import ABSENT, Case, resolve
from contract.client import Answer, Client
from contract.client import encode as encode_json
from contract.judge import send

from strangler_kit.effects import decode, encode
from strangler_kit.marks import make

_TIME = re.compile(r"20\d\d-\d\d-\d\d[T ]\d\d:\d\d:\d\d\.\d{6}Z?")
_MESSAGE = re.compile(r'"message":"(?:[^"\\]|\\.)*"')
_HEADERS = ("content-type", "etag", "location", "cache-control", "www-authenticate", "allow")


@dataclass(frozen=True, slots=True)
class Seen:
    """What one side answered, and what it did."""

    answer: Answer
    report: dict[str, Any]

    def masked(self) -> dict[str, Any]:
        """All of it that must be alike on both sides: without times, generated keys, and the words of complaints."""
        masks = {
            f"{value}": f"<new {row['table']}.{name}>"
            for row in self.report["rows"]
            if row["operation"] == "insert"
            for name, value in row["key"].items()
        }
        body = self.answer.body.decode()
        headers = {name: self.answer.all(name) for name in _HEADERS}
        for value, mask in masks.items():
            body = re.sub(rf'("id":){value}\b', rf'\1"{mask}"', body)
            headers["location"] = [re.sub(rf"/{value}$", f"/{mask}", text) for text in headers["location"]]
        rows = [
            row if row["operation"] != "insert" else {**row, "key": sorted(row["key"])} for row in self.report["rows"]
        ]
        effects = json.dumps({**self.report, "rows": rows}, sort_keys=True)
        body = _MESSAGE.sub("<message>", _TIME.sub("<time>", body))
        effects = _TIME.sub("<time>", effects)
        return {"status": self.answer.status, "headers": headers, "body": body, "effects": effects}


def fixed(case: Case, world: Mapping[str, Any]) -> Case:
    """The case with everything of the world filled in, so that it can be sent more than once."""
    headers, body = resolve(case.headers, world), case.body
    if case.json is not ABSENT:
        headers, body = {"Content-Type": "application/json", **headers}, encode_json(resolve(case.json, world))
    return replace(case, target=resolve(case.target, world), headers=headers, body=body, json=ABSENT)


class Asker:
    """Sends fixed cases with marks."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()
        self._number = 0

    def in_earnest(self, client: Client, case: Case) -> Seen:
        """Ask the monolith, with the wish for a report."""
        return _seen(_send(client, case, {"X-Strangler-Report": self._mark("report", case)}))

    def shadowed(self, client: Client, case: Case, primary: Seen) -> Seen | None:
        """Ask a service, with the rows as they were before. None if it would have had to wait for others."""
        before = [{name: row[name] for name in ("table", "key", "before")} for row in primary.report["rows"]]
        headers = {
            "X-Strangler-Shadow": self._mark("shadow", case),
            "X-Strangler-Before": encode({"v": 1, "rows": before}),
        }
        answer = _send(client, case, headers)
        outcome = answer.header("x-strangler-shadowed")
        if outcome == "locked":
            return None
        assert outcome == "rolled-back", answer
        return _seen(answer)

    def _mark(self, purpose: Any, case: Case) -> str:
        self._number += 1
        return make(self._secret, purpose, case.method, case.target, time.time(), f"{self._number:020}")


def _send(client: Client, case: Case, headers: Mapping[str, str]) -> Answer:
    return send(replace(case, headers={**case.headers, **headers}), client, {})


def _seen(answer: Answer) -> Seen:
    header = answer.header("x-strangler-effects")
    assert header is not None, answer
    report = decode(header)
    assert report["complete"], report
    return Seen(answer, report)
