"""README, tutorial and how-to are followed word by word, each in a folder of its own and on free ports."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from docs.reader import ROOT, DocumentIsWrong, Reader
from docs.transcript import Command, File, Terminal, read_steps
from strangler.bench.endpoints_file import load
from support.processes import free_port

PORTS = (8080, 8081, 8082, 8090, 8091, 8000, 8001)
"""Those that the documents name."""

pytestmark = pytest.mark.timeout(300)  # A document is many commands, each of which has a time limit of its own.


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    reader = Reader(tmp_path, {port: free_port() for port in PORTS})
    yield reader
    reader.leave()


def follow(reader: Reader, document: str) -> None:
    reader.follow(read_steps((ROOT / document).read_text()))


def test_the_first_flip_of_the_readme_happens_in_a_fresh_clone(reader: Reader) -> None:
    reader.write("strangler.yaml", (ROOT / "strangler.yaml").read_text())
    follow(reader, "README.md")


def test_the_tutorial_happens_on_a_later_start(reader: Reader, tmp_path: Path) -> None:
    """The shop has its data by then, here less of it, so that it is made quickly."""
    reader.write("strangler.yaml", (ROOT / "strangler.yaml").read_text())
    (tmp_path / ".strangler").mkdir()
    seed = [Path(sys.executable).with_name("shop"), "seed", "--products", "20"]
    database = f"sqlite:///{tmp_path}/.strangler/shop.db"
    subprocess.run(seed, env={"DATABASE_URL": database}, check=True, capture_output=True)
    follow(reader, "docs/tutorial/first-route.md")


def test_the_how_to_happens_in_an_empty_folder_before_an_application_that_knows_nothing_of_it(reader: Reader) -> None:
    follow(reader, "docs/how-to/your-own-monolith.md")


def test_answers_are_compared_as_the_how_to_says(reader: Reader, tmp_path: Path) -> None:
    """Before a shop with fewer products than the document's, so that it is made quickly."""
    configuration = (ROOT / "strangler.yaml").read_text()
    reader.write("strangler.yaml", configuration.replace("--products 10000", "--products 400"))
    follow(reader, "docs/how-to/compare-answers.md")


def test_writes_are_shadowed_as_the_how_to_says(reader: Reader) -> None:
    follow(reader, "docs/how-to/shadow-writes.md")


def test_the_configurations_of_the_page_about_limits_are_valid(reader: Reader) -> None:
    follow(reader, "docs/how-to/limit-requests.md")


def test_a_user_of_the_monolith_is_known_to_the_service_as_the_how_to_says(reader: Reader) -> None:
    follow(reader, "docs/how-to/sign-in-once.md")


def test_the_configuration_of_the_page_about_changes_is_valid(reader: Reader) -> None:
    follow(reader, "docs/how-to/change-requests-and-answers.md")


def test_what_is_recorded_can_be_replayed_as_the_how_to_says(reader: Reader) -> None:
    reader.write("strangler.yaml", (ROOT / "strangler.yaml").read_text())
    follow(reader, "docs/how-to/replay.md")


def test_endpoints_are_measured_as_the_how_to_says(
    reader: Reader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader.write("strangler.yaml", (ROOT / "strangler.yaml").read_text())
    follow(reader, "docs/how-to/benchmark.md")
    monkeypatch.setenv("TOKEN", "any")
    (made,), _ = load(tmp_path / "with-rules.yaml")
    assert made.is_unique


def test_a_reader_notices_what_does_not_happen(reader: Reader) -> None:
    reader.follow([File("a.txt", "one\n"), Terminal((Command(1, "cat a.txt", "one\n"),), goes_on=False)])
    with pytest.raises(DocumentIsWrong, match="line 7"):
        reader.follow([Terminal((Command(7, "cat a.txt", "two\n"),), goes_on=False)])
    with pytest.raises(DocumentIsWrong, match=r"status 3"):
        reader.follow([Terminal((Command(8, "(exit 3)", ""),), goes_on=False)])
