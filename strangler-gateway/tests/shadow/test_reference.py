"""The page on what is compared is made from the code, and its examples are what it says they are."""

from pathlib import Path

from strangler.model.shadow import HARMLESS
from strangler.shadow.normalisers import NORMALISERS
from strangler.shadow.reference import reference

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "normalisers.md"


def test_the_page_is_current() -> None:
    made = reference()
    assert PAGE.read_text() == made, "run: python -m strangler.shadow.reference > docs/reference/normalisers.md"


def test_every_normaliser_stands_on_it_with_an_example() -> None:
    made = reference()
    for normaliser in NORMALISERS:
        assert normaliser.primary != normaliser.candidate
        assert f"| `{normaliser.name}` | {normaliser.description} |" in made
    assert "|" not in "".join(one.description + one.primary + one.candidate for one in NORMALISERS)


def test_the_page_says_what_is_in_use_where_nothing_is_said() -> None:
    assert "In use where nothing is said: " + ", ".join(f"`{name}`" for name in HARMLESS) in reference()
