"""Cases of the inventory: stock, adjustments and reservations."""

from typing import Any

from contract.case import Case
from contract.cases.rules import bodies_without_object, needs_caller, refused_methods, unknown_paths, unreadable_bodies

STOCK, SKU = "/api/stock", "/api/stock/<sku>"
ADJUSTMENTS = "/api/stock/<sku>/adjustments"
RESERVATIONS = "/api/reservations"
NO_RESERVATION = "/api/reservations/<no-id>"
CONFIRM, RELEASE = f"{NO_RESERVATION}/confirm", f"{NO_RESERVATION}/release"

PATHS = unknown_paths(
    (
        "/api/stock/",
        "/api/stock//adjustments",
        "/api/stock/-a",
        "/api/stock/a%20b",
        "/api/stock/a%2Fb",
        "/api/stock/%C3%A4",
        "/api/stock/a%0A",
        "/api/stock/" + "a" * 65,
        "/api/stock/<sku>/adjustments/",
        "/api/stock/<sku>/adjustments/1",
        "/api/reservations/0",
        "/api/reservations/01",
        "/api/reservations/x/confirm",
        "/api/reservations/1/cancel",
    )
)

METHODS = refused_methods(
    {
        STOCK: "GET, HEAD",
        SKU: "GET, HEAD",
        "/api/stock/NOTHING": "GET, HEAD",
        ADJUSTMENTS: "GET, HEAD, POST",
        RESERVATIONS: "POST",
        NO_RESERVATION: "GET, HEAD",
        CONFIRM: "POST",
        RELEASE: "POST",
    }
)

BODIES = [
    *unreadable_bodies("POST", ADJUSTMENTS),
    *unreadable_bodies("POST", RESERVATIONS),
    *bodies_without_object("POST", ADJUSTMENTS, "staff"),
    *bodies_without_object("POST", RESERVATIONS, "customer"),
]

CALLERS = [
    *needs_caller((("GET", ADJUSTMENTS), ("POST", ADJUSTMENTS)), role="staff"),
    *needs_caller(
        (("POST", RESERVATIONS), ("GET", NO_RESERVATION), ("POST", CONFIRM), ("POST", RELEASE)),
    ),
]

MISSING = [
    Case(
        name=f"{method} {target} is not there",
        method=method,
        target=target,
        caller="staff",
        status=404,
        problem="not-found",
    )
    for method, target in (
        ("GET", "/api/stock/NOTHING"),
        ("GET", "/api/stock/NOTHING/adjustments"),
        ("GET", NO_RESERVATION),
        ("POST", CONFIRM),
        ("POST", RELEASE),
    )
]

QUERIES = [
    Case(
        name=f"GET {target}?{query}",
        target=f"{target}?{query}",
        caller="staff",
        status=422,
        problem="validation-failed",
        fields=fields,
    )
    for target in (STOCK, ADJUSTMENTS)
    for query, fields in (
        ("page=0", ("page",)),
        ("page_size=101", ("page_size",)),
        ("page=x&page_size=x", ("page", "page_size")),
    )
]

_ONE = {"sku": "<sku>", "quantity": 1}
_BAD_RESERVATIONS: tuple[tuple[str, Any, tuple[str, ...]], ...] = (
    ("no items", {}, ("items",)),
    ("an empty list", {"items": []}, ("items",)),
    ("51 items", {"items": [{"sku": f"S{n}", "quantity": 1} for n in range(51)]}, ("items",)),
    ("items that are no list", {"items": _ONE}, ("items",)),
    ("an item that is no object", {"items": [_ONE, 1]}, ("items.1",)),
    ("a SKU twice", {"items": [_ONE, _ONE]}, ("items",)),
    ("a quantity of 0", {"items": [{**_ONE, "quantity": 0}]}, ("items.0.quantity",)),
    ("a quantity of 10001", {"items": [{**_ONE, "quantity": 10_001}]}, ("items.0.quantity",)),
    ("a quantity as text", {"items": [{**_ONE, "quantity": "1"}]}, ("items.0.quantity",)),
    ("a quantity as 1.0", {"items": [{**_ONE, "quantity": 1.0}]}, ("items.0.quantity",)),
    ("a bad SKU", {"items": [{**_ONE, "sku": "a b"}]}, ("items.0.sku",)),
    ("an unknown key in an item", {"items": [{**_ONE, "size": 1}]}, ("items.0.size",)),
    ("a time of 0", {"items": [_ONE], "ttl_seconds": 0}, ("ttl_seconds",)),
    ("a time of 3601", {"items": [_ONE], "ttl_seconds": 3_601}, ("ttl_seconds",)),
    ("an unknown key", {"items": [_ONE], "x": 1}, ("x",)),
)
_BAD_ADJUSTMENTS: tuple[tuple[str, Any, tuple[str, ...]], ...] = (
    ("nothing", {}, ("delta", "reason")),
    ("a delta of 0", {"delta": 0, "reason": "x"}, ("delta",)),
    ("a delta of 1,000,001", {"delta": 1_000_001, "reason": "x"}, ("delta",)),
    ("a delta of -1,000,001", {"delta": -1_000_001, "reason": "x"}, ("delta",)),
    ("a delta of 1.5", {"delta": 1.5, "reason": "x"}, ("delta",)),
    ("a delta of 10^30", {"delta": 10**30, "reason": "x"}, ("delta",)),
    ("no reason", {"delta": 1}, ("reason",)),
    ("a blank reason", {"delta": 1, "reason": " "}, ("reason",)),
    ("a reason of 201", {"delta": 1, "reason": "x" * 201}, ("reason",)),
)

INVALID = [
    *(
        Case(
            name=f"an adjustment with {name}",
            method="POST",
            target=ADJUSTMENTS,
            caller="staff",
            json=body,
            status=422,
            problem="validation-failed",
            fields=fields,
        )
        for name, body, fields in _BAD_ADJUSTMENTS
    ),
    *(
        Case(
            name=f"a reservation with {name}",
            method="POST",
            target=RESERVATIONS,
            caller="customer",
            json=body,
            status=422,
            problem="validation-failed",
            fields=fields,
        )
        for name, body, fields in _BAD_RESERVATIONS
    ),
    Case(
        name="a reservation of what has no stock",
        method="POST",
        target=RESERVATIONS,
        caller="customer",
        json={"items": [{"sku": "NOTHING", "quantity": 1}]},
        status=409,
        problem="insufficient-stock",
        detail="Not enough stock of NOTHING.",
    ),
]

CASES = [*PATHS, *METHODS, *BODIES, *CALLERS, *MISSING, *QUERIES, *INVALID]
