"""What holds for every file: it says what it is for, it is short, and it knows no machine but the one it runs on."""

import ast
import re
from pathlib import Path

import pytest

from architecture.tree import ROOT, files

LONGEST = 400
"""Lines. What is longer has more than one reason to change."""
LONGER_WITH_REASON = {
    "tests/contract/cases/catalog.py": "one table: the cases of one module, each a few lines, read from top to bottom",
    "tests/support/raw_http.py": "one table of raw requests beside the few functions that send them",
}
PYTHON = [str(path) for path in files(".py")]
TEXT = {
    ".cfg",
    ".css",
    ".html",
    ".js",
    ".json",
    ".mako",
    ".md",
    ".py",
    ".sh",
    ".sql",
    ".svg",
    ".toml",
    ".txt",
    ".yaml",
    ".yml",
    "",
}

# Spelled in parts, since this file is looked at as well.
REGISTRY_HOSTS = (
    "pypi" + ".org",
    "python" + "hosted",
    "npmjs" + ".org",
    "npmjs" + ".com",
    "docker" + ".io",
    "ghcr" + ".io",
)
OF_ONE_MACHINE = re.compile(r"(?<![\w./*{-])/(?:home|Users|root|work|private|mnt|tmp/bash)/[\w.]")


def test_every_python_file_begins_with_what_it_is_for() -> None:
    """Only a line for the kernel (``#!``) may stand above its docstring."""
    silent = [path for path in PYTHON if not _begins_with_docstring((ROOT / path).read_text(encoding="utf-8"))]
    assert not silent


@pytest.mark.parametrize("source", ["", "import os\n", '# note\n"""Late."""\n', "x = 1\n"])
def test_a_file_that_begins_otherwise_is_found(source: str) -> None:
    assert not _begins_with_docstring(source)


def _begins_with_docstring(source: str) -> bool:
    module = ast.parse(source)
    if ast.get_docstring(module) is None:
        return False
    return all(line.startswith("#!") for line in source.splitlines()[: module.body[0].lineno - 1])


def test_no_file_is_long_without_a_reason() -> None:
    lengths = {path: len((ROOT / path).read_text(encoding="utf-8").splitlines()) for path in PYTHON}
    long = {path: length for path, length in lengths.items() if length > LONGEST and path not in LONGER_WITH_REASON}
    assert not long, f"split them at a seam, or add a reason to LONGER_WITH_REASON: {long}"


@pytest.mark.parametrize("path", LONGER_WITH_REASON)
def test_a_reason_for_a_long_file_is_still_needed(path: str) -> None:
    assert len((ROOT / path).read_text(encoding="utf-8").splitlines()) > LONGEST


def test_no_file_names_a_registry_or_a_place_on_one_machine() -> None:
    found = []
    for path in files():
        if path.suffix not in TEXT:
            continue
        for number, line in enumerate((ROOT / path).read_text(encoding="utf-8").splitlines(), 1):
            if any(host in line.lower() for host in REGISTRY_HOSTS) or OF_ONE_MACHINE.search(line):
                found.append(f"{path}:{number}: {line.strip()}")
    assert not found, "\n".join(found)


@pytest.mark.parametrize("place", ["home/alice/x", "work/main", "root/.cache", "Users/alice"])
@pytest.mark.parametrize("line", ["cd /{}", '"/{}"', "see /{}."])
def test_a_place_on_one_machine_is_recognised(place: str, line: str) -> None:
    assert OF_ONE_MACHINE.search(line.format(place))


@pytest.mark.parametrize("line", ["GET /homepage", "https://shop.example/work/x", "api/root/x", "prefix: /work"])
def test_the_path_of_a_url_is_no_place_on_a_machine(line: str) -> None:
    assert not OF_ONE_MACHINE.search(line)


def test_the_folders_of_the_layout_are_the_folders_there_are() -> None:
    layout = re.findall(r"^\| `([\w/-]+)/` \|", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert layout
    missing = [folder for folder in layout if not (ROOT / folder).is_dir()]
    top = {path.parts[0] for path in files() if len(path.parts) > 1 and not path.parts[0].startswith(".")}
    assert not missing
    assert top == {Path(folder).parts[0] for folder in layout if folder != "extracted"}
