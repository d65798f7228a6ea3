"""The catalog finds, sorts and versions alike on both databases."""

from itertools import count
from typing import Any

import pytest

from shop.application import Shop
from shop.kernel.errors import CategoryInUse, Duplicate, PreconditionFailed, ValidationFailed
from shop.modules.catalog.public import CategoryQuery, NewCategory, NewProduct, ProductChange, ProductQuery
from shop.web.requests import IfMatch

_numbers = count(1)


def product(shop: Shop, name: str, price: str = "1.00", **more: Any) -> int:
    sku = more.pop("sku", f"T-{next(_numbers)}")
    body = {"sku": sku, "name": name, "price": {"amount": price, "currency": "EUR"}, **more}
    return shop.catalog.create_product(NewProduct.model_validate(body)).id


def names(shop: Shop, **query: str) -> list[str]:
    return [found.name for found in shop.catalog.list_products(ProductQuery.model_validate(query)).items]


def anything(_version: int) -> None:
    """No precondition."""


@pytest.mark.parametrize(
    ("sought", "found"),
    [
        ("straße", ["Lampe STRASSE"]),
        ("ÉTÉ", ["Chaise d'été"]),
        ("50%", ["Rabatt 50%"]),
        ("%", ["Rabatt 50%"]),
        ("_", ["snake_case"]),
        ("\\", ["back\\slash"]),
        ("5_%", []),
        ("lampe", ["Lampe STRASSE"]),
        ("🦀", ["🦀 crab"]),
        ("' OR 1=1", []),
    ],
)
def test_search_ignores_case_and_takes_wildcards_for_text(shop: Shop, sought: str, found: list[str]) -> None:
    for name in ("Lampe STRASSE", "Chaise d'été", "Rabatt 50%", "snake_case", "back\\slash", "🦀 crab"):
        product(shop, name)
    assert names(shop, q=sought) == found


def test_names_are_sorted_by_their_folded_code_points(shop: Shop) -> None:
    for name in ("Zebra", "apple", "Éclair", "banana", "Apple", "_x", "élan"):
        product(shop, name)
    assert names(shop, sort="name") == ["_x", "apple", "Apple", "banana", "Zebra", "Éclair", "élan"]


def test_ties_go_by_id_also_when_descending(shop: Shop) -> None:
    for name in ("first", "second", "third"):
        product(shop, name, "2.00")
    product(shop, "dear", "3.00")
    assert names(shop, sort="-price") == ["dear", "first", "second", "third"]
    assert names(shop, sort="price") == ["first", "second", "third", "dear"]


def test_pages_neither_overlap_nor_leave_gaps(shop: Shop) -> None:
    made = [product(shop, "same", "1.00") for _ in range(7)]
    seen = []
    for page in "1234":
        found = shop.catalog.list_products(
            ProductQuery.model_validate({"page": page, "page_size": "2", "sort": "-name"})
        )
        assert found.total == 7
        seen += [each.id for each in found.items]
    assert seen == made


def test_prices_keep_every_digit(shop: Shop) -> None:
    made = product(shop, "dear", "9999999999.99")
    assert shop.catalog.get_product(made).price.amount == "9999999999.99"
    assert names(shop, min_price="9999999999.99") == ["dear"]
    assert names(shop, max_price="9999999999.98") == []


def test_a_change_that_changes_nothing_makes_no_new_version(shop: Shop, clock: Any) -> None:
    made = product(shop, "lamp")
    clock.advance(hours=1)
    same = shop.catalog.change_product(made, ProductChange.model_validate({"name": "lamp"}), anything)
    assert (same.version, same.updated_at) == (1, same.created_at)
    other = shop.catalog.change_product(made, ProductChange.model_validate({"name": "LAMP x"}), anything)
    assert (other.version, other.updated_at) == (2, clock.now)
    assert names(shop, q="lamp X") == ["LAMP x"]


def test_a_change_against_another_version_is_refused(shop: Shop) -> None:
    made = product(shop, "lamp")
    change = ProductChange.model_validate({"name": "light"})
    shop.catalog.change_product(made, change, IfMatch({"If-Match": '"1"'}))
    with pytest.raises(PreconditionFailed, match='"2"'):
        shop.catalog.delete_product(made, IfMatch({"If-Match": '"1"'}))


def test_an_id_is_never_used_twice(shop: Shop) -> None:
    first = product(shop, "lamp")
    shop.catalog.delete_product(first, anything)
    assert product(shop, "lamp") > first


def test_a_sku_exists_once(shop: Shop) -> None:
    product(shop, "lamp", sku="A-1")
    with pytest.raises(Duplicate, match="'A-1'"):
        product(shop, "other", sku="A-1")
    product(shop, "case counts", sku="a-1")


def test_a_category_with_products_stays(shop: Shop) -> None:
    category = shop.catalog.create_category(NewCategory(name="Lamps", slug="lamps"))
    made = product(shop, "lamp", category_id=category.id)
    with pytest.raises(CategoryInUse):
        shop.catalog.delete_category(category.id, anything)
    shop.catalog.delete_product(made, anything)
    shop.catalog.delete_category(category.id, anything)
    assert shop.catalog.list_categories(CategoryQuery()).total == 0
    with pytest.raises(ValidationFailed):
        product(shop, "lamp", category_id=category.id)
