"""A recording as an endpoint: what can be asked again is, with the statuses that were right then."""

from pathlib import Path

import pytest

from strangler.bench.recorded import RecordingUseless, load
from strangler.model.shadow import Comparing, Shadow
from strangler.shadow.answer import Answer, Question
from strangler.shadow.recording import Head, Recorded, exchange_line, head_line

AGENT = ((b"User-Agent", b"(text:9)"), (b"Accept", b"application/json"))


def exchange(target: bytes, *redacted: str, method: bytes = b"GET", status: int = 200) -> Recorded:
    return Recorded(1.0, Question(method, target, AGENT, b""), Answer(status, (), b"{}"), redacted)


def written(folder: Path, *exchanges: Recorded) -> Path:
    file = folder / "recorded.jsonl"
    head = Head("products", Shadow(comparing=Comparing(generated=("body.id",))), 1.0, 2.0, len(exchanges))
    file.write_bytes(b"\n".join([head_line(head), *map(exchange_line, exchanges)]) + b"\n")
    return file


def test_what_can_be_asked_again_is_asked(tmp_path: Path) -> None:
    file = written(
        tmp_path,
        exchange(b"/a", "request.header.user-agent"),
        exchange(b"/b", status=404),
        exchange(b"/c", "request.header.cookie"),
        exchange(b"/d?q=(text:3)", "request.query.q"),
        exchange(b"/e", method=b"POST"),
    )
    endpoint, comparing = load(file)
    assert (endpoint.name, endpoint.right) == ("products", {200, 404})
    assert [question.target for question in endpoint.questions] == [b"/a", b"/b"]
    assert [len(question.fields) for question in endpoint.questions] == [1, 2], "a redacted header is left out"
    assert comparing.generated == ("body.id",)


def test_a_recording_of_nothing_useful_is_refused_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(RecordingUseless, match="write those down as endpoints"):
        load(written(tmp_path, exchange(b"/e", method=b"POST")))
    with pytest.raises(RecordingUseless, match="strangler record"):
        load(tmp_path / "none")
    (tmp_path / "no.jsonl").write_text("{}\n")
    with pytest.raises(RecordingUseless, match="no recording"):
        load(tmp_path / "no.jsonl")
