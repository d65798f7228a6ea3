"""The file of endpoints: what it means, and every error with its line and a remedy."""

from pathlib import Path

import pytest

from strangler.bench.endpoints_file import load
from strangler.model.errors import ConfigError

GOOD = """\
endpoints:
  - name: read
    request: GET /p/{1..2}
    headers: {Authorization: "Bearer ${BENCH_TOKEN}"}
  - {name: make, request: POST /p, json: {sku: "{unique}", size: 2}, status: 201}
compare:
  ignore: [{field: body.at, reason: a clock}]
"""


def written(folder: Path, text: str) -> Path:
    file = folder / "endpoints.yaml"
    file.write_text(text)
    return file


def test_a_file_says_what_is_asked_and_how_it_is_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BENCH_TOKEN", "t0")
    (read, make), comparing = load(written(tmp_path, GOOD))
    assert [question.target for question in read.questions] == [b"/p/1", b"/p/2"]
    assert read.questions[0].fields == ((b"Authorization", b"Bearer t0"),)
    assert (make.right, make.questions[0].body) == ({201}, b'{"sku": "{unique}", "size": 2}')
    assert make.questions[0].fields == ((b"Content-Type", b"application/json"),)
    assert comparing.ignore[0].field == "body.at"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("endpoints: []\n", "line 1: endpoints: "),
        ("- a\n", "the file must be a mapping"),
        ("endpoints:\n  - {name: a, request: read /}\n", "line 2: endpoints[0]: «read /» is not a request"),
        ("endpoints:\n  - {name: a, request: GET /}\n  - {name: a, request: GET /}\n", "line 3: endpoints[1].name"),
        ("endpoints:\n  - {name: a, request: GET /, jsn: 1}\n", "the key «jsn» is not known here; did you mean json"),
        ("endpoints:\n  - {name: a, request: HEAD /}\n", "HEAD has no body to wait for"),
        ("endpoints:\n  - {name: a, request: GET /, json: 1, text: a}\n", "a request has one body"),
        (
            "endpoints:\n  - {name: a, request: GET /, headers: {A: '${NOT_SET_HERE}'}}\n",
            "NOT_SET_HERE, which is not set",
        ),
        ('endpoints:\n  - {name: a, request: GET /, headers: {A: "b\\r\\nX: y"}}\n', "not plain text on one line"),
        ("endpoints:\n  - {name: a, request: GET /}\ncompare: {normalise: [charst]}\n", "did you mean charset"),
        ("endpoints: [\n", "not valid YAML"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ConfigError) as refused:
        load(written(tmp_path, text))
    assert says in str(refused.value), str(refused.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path / "none.yaml")
