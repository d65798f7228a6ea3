"""Every unsafe case of the catalog's contract: the service does, in shadow, what the shop has done in earnest."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from contract.case import Case
from contract.cases.catalog import CASES
from contract.client import Client
from contract.conftest import Site
from contract.world import unique

from support.postgresql import PostgreSQL, postgresql_when_asked
from support.shadowed_writes import Seen, fixed
from support.shared_catalog import SharedCatalog, shared_catalog

LINES = [
    pytest.param(("flask", "sqlite"), id="flask-sqlite"),
    pytest.param(("django", "postgresql"), id="django-postgresql", marks=pytest.mark.postgresql),
    pytest.param(("fastapi", "sqlite"), id="fastapi-sqlite", marks=pytest.mark.soak),
    pytest.param(("fastapi", "postgresql"), id="fastapi-postgresql", marks=[pytest.mark.postgresql, pytest.mark.soak]),
]
UNSAFE = {"POST", "PUT", "PATCH", "DELETE"}
PRICE = {"amount": "5.00", "currency": "EUR"}


@pytest.fixture(scope="module")
def database_server() -> Iterator[Callable[[], PostgreSQL]]:
    with postgresql_when_asked() as server:
        yield server


@pytest.fixture(scope="module", params=LINES)
def shared(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    database_server: Callable[[], PostgreSQL],
) -> Iterator[SharedCatalog]:
    framework, database = request.param
    folder = tmp_path_factory.mktemp(framework)
    site = Site(folder, lambda name: database_server().create_database(name))
    if database == "sqlite":
        urls = [f"sqlite:///{folder / name}.db" for name in ("live", "copy")]
    else:
        urls = [site.new_database(f"{framework}_{name}") for name in ("live", "copy")]
    with shared_catalog(site, framework, *urls) as found:
        yield found


def prove(shared: SharedCatalog, case: Case) -> Seen:
    """Ask all three; the copy is asked before and after it has heard of the monolith's write."""
    primary = shared.asker.in_earnest(shared.shop[case.caller], case)
    live, copy, others = shared.rows(shared.live), shared.rows(shared.copy), shared.others()
    for candidate, what in ((shared.beside, "beside"), (shared.apart, "apart, behind")):
        _compare(shared, case, primary, candidate, what)
    assert (shared.rows(shared.live), shared.rows(shared.copy), shared.others()) == (live, copy, others)
    if primary.report["rows"]:
        shared.follow(primary)
        _compare(shared, case, primary, shared.apart, "apart, up to date")
        assert shared.rows(shared.copy) == live
    return primary


def _compare(shared: SharedCatalog, case: Case, primary: Seen, candidate: dict[str, Client], what: str) -> None:
    seen = shared.asker.shadowed(candidate[case.caller], case, primary)
    assert seen is not None, f"{what}: locked"
    assert seen.masked() == primary.masked(), what


@pytest.mark.parametrize("case", [case for case in CASES if case.method in UNSAFE], ids=str)
def test_case(case: Case, shared: SharedCatalog) -> None:
    prove(shared, fixed(case, shared.world))


def staff(method: str, target: str, json: Any = None, **headers: str) -> Case:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    more = {} if json is None else {"json": json}
    return fixed(Case(name="own", method=method, target=target, caller="staff", headers=named, status=0, **more), {})


def operations(seen: Seen) -> list[tuple[str, str]]:
    return [(row["operation"], row["table"]) for row in seen.report["rows"]]


def test_a_product_lives_from_post_to_delete(shared: SharedCatalog) -> None:
    made = prove(shared, staff("POST", "/api/products", {"sku": unique("life"), "name": "Chair", "price": PRICE}))
    assert operations(made) == [("insert", "catalog_products")]
    target = f"/api/products/{made.answer.json()['id']}"
    changed = prove(shared, staff("PATCH", target, {"name": "Châir", "active": False}, If_Match='"1"'))
    assert operations(changed) == [("update", "catalog_products")]
    assert changed.report["rows"][0]["after"].keys() >= {"name", "name_key", "search_text", "active", "version"}
    assert operations(prove(shared, staff("PATCH", target, {"name": "Châir"}))) == []
    assert prove(shared, staff("PATCH", target, {"name": "x"}, If_Match='"1"')).answer.status == 412
    assert operations(prove(shared, staff("DELETE", target))) == [("delete", "catalog_products")]
    assert prove(shared, staff("DELETE", target)).answer.status == 404


def test_a_category_lives_from_post_to_delete(shared: SharedCatalog) -> None:
    slug = unique("life").lower()
    made = prove(shared, staff("POST", "/api/categories", {"name": "Sofas", "slug": slug})).answer.json()
    target = f"/api/categories/{made['id']}"
    assert prove(shared, staff("POST", "/api/categories", {"name": "Sofas", "slug": slug})).answer.status == 409
    prove(shared, staff("PATCH", target, {"slug": f"{slug}-new"}))
    product = {"sku": unique("life"), "name": "x", "price": PRICE, "category_id": made["id"]}
    inside = prove(shared, staff("POST", "/api/products", product)).answer.json()
    assert prove(shared, staff("DELETE", target)).answer.status == 409
    prove(shared, staff("PATCH", f"/api/products/{inside['id']}", {"category_id": None}))
    assert operations(prove(shared, staff("DELETE", target))) == [("delete", "catalog_categories")]
