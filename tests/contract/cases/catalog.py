"""Cases of the catalog: every status that its table in the reference page names, and the edges of every field."""

from typing import Any

from contract.case import ABSENT, Case
from contract.cases.rules import (
    JSON,
    LIMIT,
    bodies_without_object,
    needs_caller,
    refused_methods,
    unknown_paths,
    unreadable_bodies,
)

PRODUCTS, PRODUCT, NO_PRODUCT = "/api/products", "/api/products/<product>", "/api/products/<no-id>"
CATEGORIES, CATEGORY, NO_CATEGORY = "/api/categories", "/api/categories/<category>", "/api/categories/<no-id>"
PRICE = {"amount": "12.90", "currency": "EUR"}
NEW = {"sku": "<unique-sku>", "name": "Chair", "price": PRICE}
SORTS = ("id", "-id", "name", "-name", "price", "-price", "created_at", "-created_at")

PATHS = unknown_paths(
    (
        "/api",
        "/api/",
        "/api/product",
        "/api/products/",
        "/api//products",
        "//api/products",
        "/API/products",
        "/api/Products",
        "/api/products%0A",
        "/api/products/<product>/",
        "/api/products/<product>%0A",
        "/api/products/<product>/reviews",
        "/api/products/0",
        "/api/products/007",
        "/api/products/-1",
        "/api/products/+1",
        "/api/products/1.0",
        "/api/products/1e3",
        "/api/products/abc",
        "/api/products/%D9%A7",  # ARABIC-INDIC DIGIT SEVEN
        "/api/products/" + "9" * 19,
        "/api/products/" + "1" * 30,
        "/api/categories/",
        "/api/categories/0",
        "/api/categories/abc",
    )
)

METHODS = refused_methods(
    {
        PRODUCTS: "GET, HEAD, POST",
        PRODUCT: "DELETE, GET, HEAD, PATCH",
        NO_PRODUCT: "DELETE, GET, HEAD, PATCH",
        CATEGORIES: "GET, HEAD, POST",
        CATEGORY: "DELETE, GET, HEAD, PATCH",
    }
)

BODIES = [
    *unreadable_bodies("POST", PRODUCTS),
    *unreadable_bodies("PATCH", NO_PRODUCT),
    *unreadable_bodies("POST", CATEGORIES),
    *unreadable_bodies("PATCH", NO_CATEGORY),
    *bodies_without_object("POST", PRODUCTS, "staff"),
    *bodies_without_object("PATCH", PRODUCT, "staff"),
    *bodies_without_object("POST", CATEGORIES, "staff"),
    *bodies_without_object("PATCH", CATEGORY, "staff"),
]

CALLERS = needs_caller(
    (
        ("POST", PRODUCTS),
        ("PATCH", PRODUCT),
        ("PATCH", NO_PRODUCT),
        ("DELETE", PRODUCT),
        ("DELETE", NO_PRODUCT),
        ("POST", CATEGORIES),
        ("PATCH", CATEGORY),
        ("DELETE", CATEGORY),
    ),
    role="staff",
)


def _missing(method: str, target: str, noun: str, **request: Any) -> Case:
    return Case(
        name=f"{method} {target} is not there",
        method=method,
        target=target,
        status=404,
        problem="not-found",
        detail=f"There is no {noun} <no-id>.",
        **request,
    )


MISSING = [
    _missing("GET", NO_PRODUCT, "product"),
    _missing("PATCH", NO_PRODUCT, "product", caller="staff", json={}),
    _missing("PATCH", NO_PRODUCT, "product", caller="staff", json={"name": "x"}, headers={"If-Match": '"1"'}),
    _missing("DELETE", NO_PRODUCT, "product", caller="staff"),
    _missing("GET", NO_CATEGORY, "category"),
    _missing("PATCH", NO_CATEGORY, "category", caller="staff", json={}),
    _missing("DELETE", NO_CATEGORY, "category", caller="staff"),
]

CONDITIONS = [
    Case(
        name=f"GET {target} if none match {sent}",
        target=target,
        headers={"If-None-Match": sent},
        status=status,
        answer_headers={"ETag": '"1"', "Cache-Control": "no-cache"},
    )
    for target in (PRODUCT, CATEGORY)
    for sent, status in (
        ('"1"', 304),
        ('W/"1"', 304),
        ("*", 304),
        ('"7", "1"', 304),
        ('"7",W/"1"', 304),
        ('"2"', 200),
        ('"11"', 200),
        ("1", 200),
        ('"7", "8"', 200),
    )
] + [
    Case(
        name=f"{method} {target} if match {sent}",
        method=method,
        target=target,
        caller="staff",
        headers={"If-Match": sent},
        json={"name": "never stored"} if method == "PATCH" else ABSENT,
        status=412,
        problem="precondition-failed",
        detail='The resource has changed: its ETag is now "1".',
    )
    for target in (PRODUCT, CATEGORY)
    for method in ("PATCH", "DELETE")
    for sent in ('"2"', 'W/"1"', "1", '"7", "8"')
]

READS = [
    Case(
        name="one product",
        target=PRODUCT,
        status=200,
        has={"id": "<product>", "sku": "<sku>", "category_id": "<category>", "version": 1},
        answer_headers={"ETag": '"1"', "Cache-Control": "no-cache"},
    ),
    Case(
        name="one category",
        target=CATEGORY,
        status=200,
        has={"id": "<category>", "name": "Wörld", "slug": "<category-slug>", "version": 1},
        answer_headers={"ETag": '"1"', "Cache-Control": "no-cache"},
    ),
    Case(name="a bad token reads", target=PRODUCT, headers={"Authorization": "Bearer x.y.z"}, status=200),
    Case(name="a customer reads", target=PRODUCT, caller="customer", status=200),
    Case(name="whatever is accepted", target=PRODUCT, headers={"Accept": "text/html"}, status=200),
    Case(name="an encoded digit is the digit", target="/api/products?page_size=%31", status=200, has={"page_size": 1}),
    Case(
        name="a list has no tag",
        target=PRODUCTS,
        status=200,
        answer_headers={"ETag": None, "Cache-Control": "no-cache"},
    ),
    Case(
        name="an empty list",
        target=f"{PRODUCTS}?category_id=<bare-category>",
        status=200,
        answer={"items": [], "total": 0, "page": 1, "page_size": 20},
    ),
    Case(
        name="the products of no category",
        target=f"{PRODUCTS}?category_id=<no-id>",
        status=200,
        answer={"items": [], "total": 0, "page": 1, "page_size": 20},
    ),
    Case(
        name="a page after the last",
        target=f"{PRODUCTS}?category_id=<category>&page=1000000&page_size=100",
        status=200,
        has={"items": [], "total": 23, "page": 1_000_000, "page_size": 100},
    ),
    Case(
        name="of a repeated parameter the last counts",
        target=f"{PRODUCTS}?page_size=x&page_size=3",
        status=200,
        has={"page_size": 3},
    ),
    Case(name="unknown parameters are ignored", target=f"{PRODUCTS}?colour=red&page=1", status=200, has={"page": 1}),
    Case(name="an empty search is none", target=f"{PRODUCTS}?q=&page_size=1", status=200, has={"page_size": 1}),
    Case(
        name="a search of 200 code points", target=f"{PRODUCTS}?q={'%F0%9F%AA%91' * 200}", status=200, has={"total": 0}
    ),
    Case(name="leading zeros in a query", target=f"{PRODUCTS}?page=0002", status=200, has={"page": 2}),
]

QUERIES = [
    Case(
        name=f"GET {target}?{query}",
        target=f"{target}?{query}",
        status=422,
        problem="validation-failed",
        fields=fields,
    )
    for target, query, fields in (
        (PRODUCTS, "page=0", ("page",)),
        (PRODUCTS, "page=1000001", ("page",)),
        (PRODUCTS, "page=-1", ("page",)),
        (PRODUCTS, "page=%2B1", ("page",)),
        (PRODUCTS, "page=1.0", ("page",)),
        (PRODUCTS, "page=1e2", ("page",)),
        (PRODUCTS, "page=1_0", ("page",)),
        (PRODUCTS, "page=%201", ("page",)),
        (PRODUCTS, "page=", ("page",)),
        (PRODUCTS, "page=%D9%A7", ("page",)),
        (PRODUCTS, "page=" + "9" * 30, ("page",)),
        (PRODUCTS, "page_size=0", ("page_size",)),
        (PRODUCTS, "page_size=101", ("page_size",)),
        (PRODUCTS, "page_size=10&page_size=x", ("page_size",)),
        (PRODUCTS, "category_id=x", ("category_id",)),
        (PRODUCTS, "category_id=", ("category_id",)),
        (PRODUCTS, "active=yes", ("active",)),
        (PRODUCTS, "active=1", ("active",)),
        (PRODUCTS, "active=True", ("active",)),
        (PRODUCTS, "active=", ("active",)),
        (PRODUCTS, "min_price=-1", ("min_price",)),
        (PRODUCTS, "min_price=1.234", ("min_price",)),
        (PRODUCTS, "min_price=1e3", ("min_price",)),
        (PRODUCTS, "min_price=", ("min_price",)),
        (PRODUCTS, "max_price=EUR", ("max_price",)),
        (PRODUCTS, "sort=sku", ("sort",)),
        (PRODUCTS, "sort=", ("sort",)),
        (PRODUCTS, "sort=Name", ("sort",)),
        (PRODUCTS, "q=" + "x" * 201, ("q",)),
        (PRODUCTS, "q=a%00b", ("q",)),
        (PRODUCTS, "sort=x&active=x&page=x", ("page", "active", "sort")),
        (CATEGORIES, "page=0", ("page",)),
        (CATEGORIES, "sort=price", ("sort",)),
    )
]

_BAD_PRODUCT: tuple[tuple[str, dict[str, Any], tuple[str, ...]], ...] = (
    ("a name of null", {"name": None}, ("name",)),
    ("an empty name", {"name": ""}, ("name",)),
    ("a blank name", {"name": " \t\n "}, ("name",)),
    ("a name of 201", {"name": "ñ" * 201}, ("name",)),
    ("a number as name", {"name": 1}, ("name",)),
    ("a name with U+0000", {"name": "a\0b"}, ("name",)),
    ("a description of 4001", {"description": "x" * 4001}, ("description",)),
    ("a description of null", {"description": None}, ("description",)),
    ("a category of 0", {"category_id": 0}, ("category_id",)),
    ("a category of 10^18", {"category_id": 10**18}, ("category_id",)),
    ("a category of 10^30", {"category_id": 10**30}, ("category_id",)),
    ("a category as text", {"category_id": "1"}, ("category_id",)),
    ("a category as 1.0", {"category_id": 1.0}, ("category_id",)),
    ("a category as true", {"category_id": True}, ("category_id",)),
    ("active as 1", {"active": 1}, ("active",)),
    ("active as text", {"active": "true"}, ("active",)),
    ("active as null", {"active": None}, ("active",)),
    ("price as null", {"price": None}, ("price",)),
    ("price as text", {"price": "12.90"}, ("price",)),
    ("price as list", {"price": []}, ("price",)),
    ("an empty price", {"price": {}}, ("price.amount", "price.currency")),
    ("a price without currency", {"price": {"amount": "1"}}, ("price.currency",)),
    ("a price with more", {"price": {**PRICE, "tax": "1"}}, ("price.tax",)),
    ("another currency", {"price": {**PRICE, "currency": "CHF"}}, ("price.currency",)),
    ("a currency in lower case", {"price": {**PRICE, "currency": "eur"}}, ("price.currency",)),
    *(
        (f"an amount of {amount!r}", {"price": {**PRICE, "amount": amount}}, ("price.amount",))
        for amount in (12.5, 12, None, "", "12.505", "-1", "1e3", ".5", "1.", "012", " 1", "1\n", "1,5", "٧", "1" * 11)
    ),
    ("an unknown key", {"colour": "red"}, ("colour",)),
    ("several", {"name": "", "active": 1, "colour": 1}, ("name", "active", "colour")),
)
_BAD_SKU = tuple(
    (f"a SKU of {sku!r}", {"sku": sku}, ("sku",))
    for sku in ("", " ", "-a", ".a", "a b", "a/b", "ä", "a" * 65, 7, None, "a\nb", "a\0")
)

INVALID = [
    *(
        Case(
            name=f"a product with {name}",
            method="POST",
            target=PRODUCTS,
            caller="staff",
            json={**NEW, **change},
            status=422,
            problem="validation-failed",
            fields=fields,
        )
        for name, change, fields in (*_BAD_PRODUCT, *_BAD_SKU)
    ),
    *(
        Case(
            name=f"a change to {name}",
            method="PATCH",
            target=PRODUCT,
            caller="staff",
            json=change,
            status=422,
            problem="validation-failed",
            fields=fields,
        )
        for name, change, fields in _BAD_PRODUCT
    ),
    Case(
        name="a product of nothing",
        method="POST",
        target=PRODUCTS,
        caller="staff",
        json={},
        status=422,
        problem="validation-failed",
        fields=("sku", "name", "price"),
    ),
    Case(
        name="a change of the SKU",
        method="PATCH",
        target=PRODUCT,
        caller="staff",
        json={"sku": "<unique-sku>"},
        status=422,
        problem="validation-failed",
        fields=("sku",),
    ),
    *(
        Case(
            name=f"{method} with an unknown category",
            method=method,
            target=target,
            caller="staff",
            json=body,
            status=422,
            problem="validation-failed",
            fields=("category_id",),
        )
        for method, target, body in (
            ("POST", PRODUCTS, {**NEW, "category_id": "<no-id>"}),
            ("PATCH", PRODUCT, {"category_id": "<no-id>"}),
        )
    ),
    *(
        Case(
            name=f"{method} category with {change}",
            method=method,
            target=target,
            caller="staff",
            json=change if method == "PATCH" else {"name": "Chairs", "slug": "<unique-slug>", **change},
            status=422,
            problem="validation-failed",
            fields=fields,
        )
        for method, target in (("POST", CATEGORIES), ("PATCH", CATEGORY))
        for change, fields in (
            ({"name": ""}, ("name",)),
            ({"name": None}, ("name",)),
            ({"name": "x" * 101}, ("name",)),
            ({"slug": ""}, ("slug",)),
            ({"slug": None}, ("slug",)),
            ({"slug": "Chairs"}, ("slug",)),
            ({"slug": "a--b"}, ("slug",)),
            ({"slug": "-a"}, ("slug",)),
            ({"slug": "ä"}, ("slug",)),
            ({"slug": "a" * 65}, ("slug",)),
            ({"parent": 1}, ("parent",)),
        )
    ),
]

CREATED = (
    [
        Case(
            name=f"a product with {name}",
            method="POST",
            target=PRODUCTS,
            caller="staff",
            json={**NEW, **change},
            status=201,
            has=has,
            answer_headers={"ETag": '"1"', "Cache-Control": "no-store"},
        )
        for name, change, has in (
            ("the least", {}, {"description": "", "category_id": None, "active": True, "version": 1, "price": PRICE}),
            ("white space around", {"name": " \u00a0Chair\u2003\n"}, {"name": "Chair"}),
            ("a name of 200", {"name": "🪑" * 200}, {"name": "🪑" * 200}),
            ("a name that is kept as it is", {"name": "e\u0301 Ⅷ ẞ"}, {"name": "e\u0301 Ⅷ ẞ"}),
            (
                "control characters",
                {"description": "a\tb\r\n\u0001\u007f\u2028c"},
                {"description": "a\tb\r\n\u0001\u007f\u2028c"},
            ),
            ("quotes", {"name": "\"'\\/`"}, {"name": "\"'\\/`"}),
            ("a description of 4000", {"description": "é" * 4000}, {"description": "é" * 4000}),
            (
                "an amount of 12",
                {"price": {"amount": "12", "currency": "GBP"}},
                {"price": {"amount": "12.00", "currency": "GBP"}},
            ),
            (
                "an amount of 12.5",
                {"price": {"amount": "12.5", "currency": "USD"}},
                {"price": {"amount": "12.50", "currency": "USD"}},
            ),
            (
                "an amount of 0",
                {"price": {"amount": "0", "currency": "EUR"}},
                {"price": {"amount": "0.00", "currency": "EUR"}},
            ),
            (
                "the largest amount",
                {"price": {**PRICE, "amount": "9999999999.99"}},
                {"price": {**PRICE, "amount": "9999999999.99"}},
            ),
            (
                "a category",
                {"category_id": "<other-category>", "active": False},
                {"category_id": "<other-category>", "active": False},
            ),
        )
    ]
    + [
        Case(
            name=f"a product as {content_type}",
            method="POST",
            target=PRODUCTS,
            caller="staff",
            headers={"Content-Type": content_type},
            json=NEW,
            status=201,
        )
        for content_type in (
            "application/json",
            "APPLICATION/JSON",
            "application/json; charset=utf-8",
            "application/json;charset=UTF-8",
        )
    ]
    + [
        Case(
            name="a body of exactly the limit",
            method="POST",
            target=PRODUCTS,
            caller="staff",
            headers=JSON,
            body=b"{}".ljust(LIMIT),
            status=422,
            problem="validation-failed",
        ),
        Case(
            name="a body in chunks",
            method="POST",
            target=PRODUCTS,
            caller="staff",
            headers=JSON,
            body=b"{}".ljust(LIMIT),
            chunked=True,
            status=422,
            problem="validation-failed",
        ),
        Case(
            name="of a repeated key the last counts",
            method="PATCH",
            target=PRODUCT,
            caller="staff",
            headers=JSON,
            body=b'{"name": "", "name": "apple"}',
            status=200,
            has={"name": "apple", "version": 1},
        ),
    ]
)

DUPLICATES = [
    Case(
        name="a SKU that exists",
        method="POST",
        target=PRODUCTS,
        caller="staff",
        json={**NEW, "sku": "<sku>"},
        status=409,
        problem="duplicate",
        detail="A product with the SKU '<sku>' already exists.",
    ),
    Case(
        name="a slug that exists",
        method="POST",
        target=CATEGORIES,
        caller="staff",
        json={"name": "Other", "slug": "<category-slug>"},
        status=409,
        problem="duplicate",
        detail="A category with the slug '<category-slug>' already exists.",
    ),
    Case(
        name="a change to a slug that exists",
        method="PATCH",
        target="/api/categories/<other-category>",
        caller="staff",
        json={"slug": "<category-slug>"},
        status=409,
        problem="duplicate",
    ),
    Case(
        name="a category that has products",
        method="DELETE",
        target=CATEGORY,
        caller="staff",
        status=409,
        problem="category-in-use",
        detail="Category <category> still has products.",
    ),
]

CASES = [*PATHS, *METHODS, *BODIES, *CALLERS, *MISSING, *CONDITIONS, *READS, *QUERIES, *INVALID, *CREATED, *DUPLICATES]
