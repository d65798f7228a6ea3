"""The schema describes every field, and the reference page is made from it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from strangler.config import load_text, schema
from strangler.config.reference import reference

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "configuration.md"


def fields() -> list[tuple[str, dict[str, Any]]]:
    """Every field of every section, by its path in the schema."""
    document = schema()
    sections = {"": document, **document["$defs"]}
    return [
        (f"{name}.{key}", field) for name, section in sections.items() for key, field in section["properties"].items()
    ]


FOUND = {"endpoints": ["https://c"], "discovery": {"dns": "c:1"}}
"""Endpoints with which every other example of an upstream agrees."""


def one_of(examples: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in examples.items() if key != "srv"}


def shadowed(section: dict[str, Any]) -> dict[str, Any]:
    route = {"name": "a", "match": {"path": "/a"}, "service": "c", "shadow": section}
    return {"upstreams": {"c": {"endpoints": ["http://c"]}}, "routes": [route]}


def test_the_page_is_current() -> None:
    made = reference()
    assert PAGE.read_text() == made, "run: python -m strangler.config.reference > docs/reference/configuration.md"


def test_every_field_has_a_description_and_an_example() -> None:
    assert [path for path, field in fields() if not (field.get("description") and field.get("examples"))] == []


def test_nothing_unknown_is_allowed_in_any_section() -> None:
    document = schema()
    assert {section["additionalProperties"] for section in (document, *document["$defs"].values())} == {False}


def test_every_example_of_a_route_field_is_accepted() -> None:
    route = schema()["$defs"]["RouteSection"]["properties"]
    given = {key: field["examples"][0] for key, field in route.items()} | {"stage": "canary"}
    text = {
        "monolith": "http://m",
        "upstreams": {"catalog": {"endpoints": ["http://c"]}},
        "routes": [given],
        "authentication": {name: {"api_keys": {"keys_file": "keys.jsonl"}} for name in given["authenticate"]["by"]},
    }
    assert load_text(yaml.safe_dump(text)).first[0].weight == 500


@pytest.mark.parametrize(
    ("section", "document"),
    [
        (
            "UpstreamSection",
            lambda examples: {"upstreams": {"c": examples | FOUND}},
        ),
        ("GatewaySection", lambda examples: {"gateway": examples}),
        ("LimitsSection", lambda examples: {"gateway": {"limits": examples}}),
        ("IdentitySection", lambda examples: {"identity": examples}),
        ("IdentityTokenSection", lambda examples: {"identity": {"token": examples}}),
        ("DiscoverySection", lambda examples: {"upstreams": {"c": {"discovery": one_of(examples)}}}),
        ("TlsSection", lambda examples: {"gateway": {"tls": examples}}),
        ("MirroringSection", lambda examples: {"gateway": {"shadow": examples}}),
        ("ShadowSection", shadowed),
        ("CompareSection", lambda examples: shadowed({"compare": examples})),
        ("IgnoreSection", lambda examples: shadowed({"compare": {"ignore": [examples]}})),
        ("ArraySection", lambda examples: shadowed({"compare": {"arrays": [examples]}})),
        ("RedactSection", lambda examples: shadowed({"redact": examples})),
        ("ProcessSection", lambda examples: {"processes": {"p": examples}}),
    ],
)
def test_every_example_of_a_section_is_accepted(
    section: str, document: Callable[[dict[str, Any]], dict[str, Any]]
) -> None:
    examples = {key: field["examples"][0] for key, field in schema()["$defs"][section]["properties"].items()}
    assert load_text(yaml.safe_dump({"monolith": "http://m", **document(examples)}))
