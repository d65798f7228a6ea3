"""Lists of the catalog, judged by an oracle that filters and sorts the known products as the reference page says."""

import itertools
from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import pytest

from contract.case import resolve
from contract.cases.catalog import SORTS
from contract.client import Client
from contract.judge import check_form
from contract.world import World, fold

MODULE = "catalog"
KEYS = {
    "id": lambda product: product["id"],
    "name": lambda product: fold(product["name"]),
    "price": lambda product: Decimal(product["price"]["amount"]),
    "created_at": lambda product: product["created_at"],
}
FILTERS: tuple[dict[str, str], ...] = (
    {},
    {"active": "true"},
    {"active": "false"},
    {"min_price": "1"},
    {"max_price": "2.1"},
    {"min_price": "2.10", "max_price": "2.1"},
    {"min_price": "3", "max_price": "1"},
    {"q": "zebra"},
    {"q": "ZEBRA"},
    {"q": "strasse"},
    {"q": "STRAẞE"},
    {"q": "ärmel"},
    {"q": "a\u0308rmel"},
    {"q": "é"},
    {"q": "viii"},
    {"q": "FULL"},
    {"q": "ﬁ"},
    {"q": "Ω"},
    {"q": "椅"},
    {"q": "🪑"},
    {"q": "i\u0307"},
    {"q": "%"},
    {"q": "_"},
    {"q": "\\"},
    {"q": "' OR 1=1 --"},
    {"q": "o'brien; drop"},
    {"q": '"name"'},
    {"q": "number 1"},
    {"q": "  number 1  "},
    {"q": "many\nline"},
    {"q": "line\nworld"},
    {"q": "world-"},
    {"q": "nothing has this"},
    {"q": "number", "active": "true", "min_price": "1.00", "max_price": "3.20"},
)


def expected(world: World, query: Mapping[str, str]) -> list[int]:
    """Return the ids of the products that a query finds, in order."""
    needle = fold(query.get("q", "").strip())
    found = [
        product
        for product in world.products
        if needle in "\n".join(fold(product[key]) for key in ("name", "description", "sku"))
        and query.get("active") in {None, str(product["active"]).lower()}
        and Decimal(product["price"]["amount"]) >= Decimal(query.get("min_price", "0"))
        and Decimal(product["price"]["amount"]) <= Decimal(query.get("max_price", "Infinity"))
    ]
    sort = query.get("sort", "id")
    found.sort(key=KEYS["id"])
    # Stable, also in reverse: ties stay in the order of their ids.
    found.sort(key=KEYS[sort.removeprefix("-")], reverse=sort.startswith("-"))
    return [product["id"] for product in found]


def listed(client: Client, world: World, **query: str) -> dict[str, Any]:
    answer = client.get(f"/api/products?{urlencode({'category_id': world['category'], **query})}")
    assert answer.status == 200, answer
    check_form(answer)
    page: dict[str, Any] = answer.json()
    assert list(page) == ["items", "total", "page", "page_size"]
    return page


@pytest.mark.parametrize("sort", SORTS)
def test_products_come_in_the_order_asked_for(sort: str, anonymous: Client, world: World) -> None:
    page = listed(anonymous, world, sort=sort, page_size="100")
    assert [item["id"] for item in page["items"]] == expected(world, {"sort": sort})


@pytest.mark.parametrize("query", FILTERS, ids=lambda query: urlencode(query) or "everything")
def test_a_filter_finds_what_it_names(query: dict[str, str], anonymous: Client, world: World) -> None:
    page = listed(anonymous, world, page_size="100", **query)
    assert [item["id"] for item in page["items"]] == expected(world, query)
    assert page["total"] == len(page["items"])


@pytest.mark.parametrize(("sort", "page_size"), [*itertools.product(("id", "-price", "name"), (1, 5, 22, 23, 24))])
def test_pages_cover_the_list_once(sort: str, page_size: int, anonymous: Client, world: World) -> None:
    seen: list[int] = []
    for number in itertools.count(1):
        page = listed(anonymous, world, sort=sort, page_size=str(page_size), page=str(number))
        assert (page["total"], page["page"], page["page_size"]) == (len(world.products), number, page_size)
        if not page["items"]:
            break
        seen += [item["id"] for item in page["items"]]
    assert seen == expected(world, {"sort": sort})


def test_a_list_shows_products_as_they_are_one_by_one(anonymous: Client, world: World) -> None:
    page = listed(anonymous, world, page_size="100")
    assert page["items"] == list(world.products)
    for item in page["items"][:3]:
        assert anonymous.get(f"/api/products/{item['id']}").json() == item


@pytest.mark.parametrize("sort", ["id", "-id", "name", "-name"])
def test_categories_come_in_the_order_asked_for(sort: str, anonymous: Client, world: World) -> None:
    found: list[dict[str, Any]] = []
    for number in itertools.count(1):
        answer = anonymous.get(f"/api/categories?page_size=7&page={number}&sort={sort}")
        check_form(answer)
        items = answer.json()["items"]
        if not items:
            break
        found += items
    wanted = sorted(found, key=lambda category: category["id"])
    wanted.sort(key=KEYS[sort.removeprefix("-")], reverse=sort.startswith("-"))
    assert found == wanted
    assert len(found) == answer.json()["total"]
    assert world["category"] in {category["id"] for category in found}


@pytest.mark.parametrize(
    "target",
    ["/api/products", "/api/products?q=chair&sort=-name", "/api/products/<product>", "/api/products/<no-id>",
     "/api/products?page=0", "/api/categories", "/api/categories/<category>", "/api/nothing"],
)  # fmt: skip
def test_head_answers_as_get_without_the_body(target: str, anonymous: Client, world: World) -> None:
    resolved = resolve(target, world)
    got, head = anonymous.get(resolved), anonymous.send("HEAD", resolved)
    assert head.status == got.status
    assert head.body == b""
    for name in ("content-type", "content-length", "cache-control", "etag"):
        assert head.header(name) == got.header(name)
