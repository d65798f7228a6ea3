"""The queries that a page shows ask for metrics that there are, by labels that they have."""

import re

import pytest

from docs.reader import ROOT
from strangler.telemetry.families import BY_NAME
from strangler.telemetry.family import Family

PAGE = (ROOT / "docs" / "how-to" / "watch-it.md").read_text()
QUERIES = [
    *re.findall(r"```promql\n(.*?)```", PAGE, re.DOTALL),
    *re.findall(r"^\| [^|`]+ \| `(.+)` \|$", PAGE, re.MULTILINE),
]
_SELECTOR = re.compile(r"(strangler_\w+)(?:\{([^}]*)\})?")


def family(name: str) -> Family:
    """What a name in a query belongs to; that of a histogram has a suffix."""
    plain = re.sub(r"_(?:bucket|sum|count)$", "", name)
    found = BY_NAME.get(name) or BY_NAME.get(plain)
    assert found is not None, f"there is no metric {name}"
    assert (found.kind == "histogram") is (name != found.name), f"{name} is a {found.kind}"
    return found


def test_every_metric_that_the_page_names_exists() -> None:
    named = set(re.findall(r"strangler_\w+", PAGE))
    assert len(named) > 20
    for name in named:
        family(name)


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_uses_labels_that_its_metrics_have(query: str) -> None:
    selectors = _SELECTOR.findall(query)
    assert selectors
    labels = set.intersection(*({*family(name).labels, "le"} for name, _ in selectors))
    for name, matchers in selectors:
        assert set(re.findall(r"(\w+)\s*(?:=|!=|=~|!~)\s*\"", matchers)) <= set(family(name).labels), name
        if family(name).kind == "counter":
            assert re.search(rf"(?:rate|increase)\({name}", query), f"{name} is a counter: its value says nothing"
    for group in re.findall(r"by \(([^)]*)\)", query):
        assert {label.strip() for label in group.split(",")} <= labels
    assert query.count("(") == query.count(")")


def test_the_values_of_labels_are_some_that_occur() -> None:
    assert set(re.findall(r'arm="(\w+)"', PAGE)) <= {"monolith", "service"}
    assert set(re.findall(r'culprit="(\w+)"', PAGE)) <= {"client", "gateway", "upstream"}
    assert set(re.findall(r'status_class="(\w+)"', PAGE)) <= {"2xx", "3xx", "4xx", "5xx"}
