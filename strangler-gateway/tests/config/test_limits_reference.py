"""The page on limits names every limit with its origin, and is made from the schema."""

from pathlib import Path

from strangler.config import limits_reference, schema
from strangler.model.snapshot import Limits

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "limits.md"


def test_the_page_is_current() -> None:
    made = limits_reference.reference()
    assert PAGE.read_text() == made, "run: python -m strangler.config.limits_reference > docs/reference/limits.md"


def test_every_limit_and_timeout_has_its_origin() -> None:
    sections = schema()["$defs"]
    origins = limits_reference._ORIGINS
    assert list(origins["gateway.limits"]) == list(sections["LimitsSection"]["properties"])
    assert set(origins["routes[].timeouts"]) <= set(sections["TimeoutsSection"]["properties"])


def test_the_defaults_of_file_and_model_are_the_same() -> None:
    fields = schema()["$defs"]["LimitsSection"]["properties"]
    assert {key: field["default"] for key, field in fields.items()} == {
        key: getattr(Limits(), key) for key in Limits.__slots__
    }
