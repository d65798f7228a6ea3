"""Changes to the catalog: what they leave behind, and that two at once do not undo each other."""

import re
from typing import Any

import pytest

from contract.client import Answer, Client
from contract.judge import check_form, check_problem
from contract.keys import SIGNING_KEY, refused_tokens, token
from contract.race import together
from contract.world import unique

MODULE = "catalog"
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
PRICE = {"amount": "5.00", "currency": "EUR"}


def create(staff: Client, **more: Any) -> dict[str, Any]:
    answer = staff.post("/api/products", {"sku": unique(), "name": "Chair", "price": PRICE, **more})
    assert answer.status == 201, answer
    made: dict[str, Any] = answer.json()
    return made


def test_a_product_lives_from_post_to_delete(staff: Client, anonymous: Client) -> None:
    sku = unique()
    created = staff.post(
        "/api/products", {"sku": sku, "name": "Oak chair", "price": {"amount": "7", "currency": "GBP"}}
    )
    check_form(created)
    product = created.json()
    target = f"/api/products/{product['id']}"
    assert list(product) == ["id", "sku", "name", "description", "category_id", "price", "active", "version",
                             "created_at", "updated_at"]  # fmt: skip
    assert created.header("location") == target
    assert TIME.fullmatch(product["created_at"])
    assert product["created_at"] == product["updated_at"]
    assert anonymous.get(target).json() == product

    changed = staff.patch(target, {"name": "Ash chair", "active": False}, If_Match='"1"')
    assert changed.status == 200
    check_form(changed)
    assert (changed.header("etag"), changed.header("cache-control")) == ('"2"', "no-store")
    after = changed.json()
    assert after == {**product, "name": "Ash chair", "active": False, "version": 2, "updated_at": after["updated_at"]}
    assert after["updated_at"] > product["updated_at"]
    assert anonymous.get(target).json() == after

    gone = staff.delete(target, If_Match='"2"')
    assert gone.status == 204
    check_form(gone)
    check_problem(anonymous.get(target), "not-found", detail=f"There is no product {product['id']}.")
    check_problem(staff.delete(target), "not-found")


def test_a_category_lives_from_post_to_delete(staff: Client, anonymous: Client) -> None:
    slug = unique("life").lower()
    created = staff.post("/api/categories", {"name": " Sofas ", "slug": slug})
    check_form(created)
    category = created.json()
    assert list(category) == ["id", "name", "slug", "version", "created_at", "updated_at"]
    target = f"/api/categories/{category['id']}"
    assert (created.header("location"), created.header("etag"), category["name"]) == (target, '"1"', "Sofas")

    changed = staff.patch(target, {"slug": f"{slug}-new"})
    assert changed.json() == {
        **category,
        "slug": f"{slug}-new",
        "version": 2,
        "updated_at": changed.json()["updated_at"],
    }
    product = create(staff, category_id=category["id"])
    check_problem(staff.delete(target), "category-in-use")
    staff.patch(f"/api/products/{product['id']}", {"category_id": None})
    assert staff.delete(target).status == 204
    check_problem(anonymous.get(target), "not-found")


UNCHANGED: tuple[dict[str, Any], ...] = (
    {},
    {"name": "Chair"},
    {"name": " Chair "},
    {"price": {"amount": "5", "currency": "EUR"}},
    {"category_id": None, "active": True},
)


@pytest.mark.parametrize("change", UNCHANGED, ids=str)
def test_a_change_of_nothing_is_no_new_version(change: dict[str, Any], staff: Client) -> None:
    product = create(staff)
    answer = staff.patch(f"/api/products/{product['id']}", change)
    assert (answer.status, answer.json(), answer.header("etag")) == (200, product, '"1"')


def test_a_change_of_the_texts_is_found_by_search(staff: Client, anonymous: Client) -> None:
    product = create(staff)
    word = unique("Wörd")
    for field in ("name", "description"):
        staff.patch(f"/api/products/{product['id']}", {field: f"a {word} b"})
        found = anonymous.get(f"/api/products?q={word.lower().replace('ö', '%C3%96')}").json()
        assert [item["id"] for item in found["items"]] == [product["id"]]
        staff.patch(f"/api/products/{product['id']}", {field: "else"})
        assert anonymous.get(f"/api/products?q={word.replace('ö', '%C3%B6')}").json()["total"] == 0


@pytest.mark.parametrize("sent", ['"1"', "*", '"9", "1"', '"1","9"'])
def test_a_precondition_that_holds_lets_through(sent: str, staff: Client) -> None:
    target = f"/api/products/{create(staff)['id']}"
    assert staff.patch(target, {"name": "x"}, If_Match=sent).status == 200


def test_a_stale_precondition_names_the_version_there_is(staff: Client) -> None:
    product = create(staff)
    target = f"/api/products/{product['id']}"
    staff.patch(target, {"name": "x"})
    stale = staff.patch(target, {"name": "y"}, If_Match='"1"')
    check_problem(stale, "precondition-failed", detail='The resource has changed: its ETag is now "2".')
    check_problem(staff.delete(target, If_Match='"1"'), "precondition-failed")
    assert staff.get(target).json()["name"] == "x"


def test_an_unmodified_product_is_not_sent_twice(staff: Client, anonymous: Client) -> None:
    target = f"/api/products/{create(staff)['id']}"
    assert anonymous.get(target, If_None_Match='"1"').status == 304
    staff.patch(target, {"name": "x"})
    assert anonymous.get(target, If_None_Match='"1"').status == 200
    assert anonymous.get(target, If_None_Match='"2"').status == 304


def test_skus_differ_by_case(staff: Client) -> None:
    sku = unique("case")
    create(staff, sku=sku)
    create(staff, sku=sku.upper())
    again = staff.post("/api/products", {"sku": f" {sku} ", "name": "x", "price": PRICE})
    check_problem(again, "duplicate", detail=f"A product with the SKU '{sku}' already exists.")


def test_a_refused_change_leaves_nothing_behind(staff: Client) -> None:
    product = create(staff)
    target = f"/api/products/{product['id']}"
    check_problem(staff.patch(target, {"name": "x", "price": {"amount": "x"}}), "validation-failed")
    check_problem(staff.patch(target, {"name": "x", "category_id": 10**17}), "validation-failed")
    assert staff.get(target).json() == product


def test_of_many_who_take_one_sku_one_gets_it(staff: Client) -> None:
    sku = unique("race")

    answers = together(8, staff, lambda _, own: own.post("/api/products", {"sku": sku, "name": "x", "price": PRICE}))
    assert sorted(answer.status for answer in answers) == [201, *[409] * 7]
    for answer in answers:
        if answer.status == 409:
            check_problem(answer, "duplicate")


def test_of_many_changes_to_one_version_one_is_made(staff: Client) -> None:
    target = f"/api/products/{create(staff)['id']}"

    answers = together(8, staff, lambda number, own: own.patch(target, {"name": f"by {number}"}, If_Match='"1"'))
    (winner,) = [answer for answer in answers if answer.status == 200]
    assert sorted(answer.status for answer in answers) == [200, *[412] * 7]
    assert staff.get(target).json() == winner.json()


def test_changes_to_different_fields_at_once_all_stay(staff: Client) -> None:
    target = f"/api/products/{create(staff)['id']}"
    changes: list[dict[str, Any]] = [
        {"name": "n"},
        {"description": "d"},
        {"active": False},
        {"price": {"amount": "1.00", "currency": "USD"}},
    ]

    answers = together(4, staff, lambda number, own: own.patch(target, changes[number]))
    assert [answer.status for answer in answers] == [200] * 4
    after = staff.get(target).json()
    assert (after["version"], {**after, **changes[0], **changes[1], **changes[2], **changes[3]}) == (
        5,
        after,
    )


def test_a_category_is_not_deleted_while_a_product_enters_it(staff: Client) -> None:
    category = staff.post("/api/categories", {"name": "x", "slug": unique("race").lower()}).json()["id"]

    def ask(number: int, own: Client) -> Answer:
        if number == 0:
            return own.delete(f"/api/categories/{category}")
        return own.post("/api/products", {"sku": unique(), "name": "x", "price": PRICE, "category_id": category})

    removed, *entered = together(6, staff, ask)
    if removed.status == 204:
        inside = [answer for answer in entered if answer.status == 201]
        assert not inside
        assert {answer.status for answer in entered} == {422}
    else:
        check_problem(removed, "category-in-use")
        assert {answer.status for answer in entered} == {201}


@pytest.mark.parametrize("wrong", refused_tokens())
def test_a_token_that_is_not_good_changes_nothing(wrong: str, anonymous: Client) -> None:
    """The header is right, the key is right, the role would be right: one thing is not."""
    answer = anonymous.bearing(refused_tokens()[wrong]).post(
        "/api/products", {"sku": unique(), "name": "x", "price": PRICE}
    )
    check_problem(answer, "unauthenticated", detail="The token is not valid.")
    assert answer.header("www-authenticate") == 'Bearer realm="shop", error="invalid_token"'


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_scheme_of_a_token_may_be_in_any_case(scheme: str, anonymous: Client) -> None:
    good = token(1, roles=("staff",), key=SIGNING_KEY)
    product = {"sku": unique(), "name": "x", "price": PRICE}
    assert anonymous.having(Authorization=f"{scheme} {good}").post("/api/products", product).status == 201


def test_one_of_several_roles_is_enough(anonymous: Client) -> None:
    both = anonymous.bearing(token(2, roles=("customer", "staff")))
    assert both.post("/api/products", {"sku": unique(), "name": "x", "price": PRICE}).status == 201
    none = anonymous.bearing(token(2, roles=()))
    check_problem(none.post("/api/products", {"sku": unique(), "name": "x", "price": PRICE}), "forbidden")


def test_a_bad_token_is_not_saved_by_a_cookie(anonymous: Client) -> None:
    answer = anonymous.having(Authorization="Bearer x.y.z", Cookie="shop_session=anything").post(
        "/api/products", {"sku": unique(), "name": "x", "price": PRICE}
    )
    check_problem(answer, "unauthenticated", detail="The token is not valid.")
