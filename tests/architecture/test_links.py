"""Every link of a Markdown file leads somewhere in this repository: the file is there, and so is the heading."""

import re
from pathlib import Path

import pytest

from architecture.tree import ROOT, files

_FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ +(.+?) *$", re.MULTILINE)
DOCUMENTS = [str(path) for path in files(".md")]


def anchor(heading: str) -> str:
    """As code hosts make it."""
    plain = re.sub(r"[`*]|\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
    return re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")


def dead_links(document: Path) -> list[str]:
    text = _FENCE.sub("", (ROOT / document).read_text(encoding="utf-8"))
    dead = []
    for target in _LINK.findall(text):
        name, _, fragment = target.partition("#")
        if "://" in name or name.startswith("mailto:"):
            continue
        path = ROOT / document.parent / name if name else ROOT / document
        if not path.exists():
            dead.append(f"{target}: no such file")
        elif fragment and fragment not in map(anchor, _HEADING.findall(path.read_text(encoding="utf-8"))):
            dead.append(f"{target}: no such heading")
    return dead


@pytest.mark.parametrize("document", DOCUMENTS)
def test_the_links_of_a_document_lead_somewhere(document: str) -> None:
    assert dead_links(Path(document)) == []


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached, waiting = set[Path](), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in reached or page.suffix != ".md":
            continue
        reached.add(page)
        for target in _LINK.findall(_FENCE.sub("", page.read_text(encoding="utf-8"))):
            name = target.partition("#")[0]
            if name and "://" not in name and (page.parent / name).is_file():
                waiting.append((page.parent / name).resolve())
    pages = {ROOT / path for path in files(".md") if path.parts[0] == "docs"}
    assert pages <= reached, sorted(str(page.relative_to(ROOT)) for page in pages - reached)
