"""Cases of cart and orders."""

from typing import Any

from contract.case import Case
from contract.cases.rules import bodies_without_object, needs_caller, refused_methods, unknown_paths, unreadable_bodies

CART, ITEM, NO_ITEM = "/api/cart", "/api/cart/items/<product>", "/api/cart/items/<no-id>"
ORDERS, NO_ORDER = "/api/orders", "/api/orders/<no-id>"
CANCEL = f"{NO_ORDER}/cancel"
KEY = {"Idempotency-Key": "<unique-sku>"}

PATHS = unknown_paths(
    ("/api/cart/", "/api/cart/items", "/api/cart/items/", "/api/cart/items/0", "/api/cart/items/x", "/api/orders/",
     "/api/orders/0", "/api/orders/007", "/api/orders/1/refund")
)  # fmt: skip
METHODS = refused_methods(
    {
        CART: "DELETE, GET, HEAD",
        ITEM: "DELETE, PUT",
        ORDERS: "GET, HEAD, POST",
        NO_ORDER: "GET, HEAD",
        CANCEL: "POST",
    }
)
BODIES = [
    *unreadable_bodies("PUT", ITEM),
    *unreadable_bodies("POST", ORDERS),
    *bodies_without_object("PUT", ITEM, "customer"),
]
CALLERS = needs_caller(
    (
        ("GET", CART),
        ("DELETE", CART),
        ("PUT", ITEM),
        ("DELETE", ITEM),
        ("POST", ORDERS),
        ("GET", ORDERS),
        ("GET", NO_ORDER),
        ("POST", CANCEL),
    )
)
MISSING = [
    Case(
        name=f"{method} {target} is not there",
        method=method,
        target=target,
        caller="customer",
        status=404,
        problem="not-found",
        **request,
    )
    for method, target, request in (
        ("PUT", NO_ITEM, {"json": {"quantity": 1}}),
        ("DELETE", NO_ITEM, {"detail": "There is no item <no-id> in the cart."}),
        ("GET", NO_ORDER, {"detail": "There is no order <no-id>."}),
        ("POST", CANCEL, {"detail": "There is no order <no-id>."}),
    )
]


def _invalid(name: str, fields: tuple[str, ...], method: str, target: str, **request: Any) -> Case:
    return Case(
        name=name,
        method=method,
        target=target,
        caller="customer",
        status=422,
        problem="validation-failed",
        fields=fields,
        **request,
    )


INVALID = [
    *(
        _invalid(f"a quantity of {quantity!r}", ("quantity",), "PUT", ITEM, json={"quantity": quantity})
        for quantity in (0, 1000, -1, 1.0, "1", True, None)
    ),
    _invalid("no quantity", ("quantity",), "PUT", ITEM, json={}),
    _invalid("a quantity and more", ("size",), "PUT", ITEM, json={"quantity": 1, "size": 1}),
    _invalid("checkout without key", ("Idempotency-Key",), "POST", ORDERS, json={"payment_token": "tok_ok"}),
    *(
        _invalid(
            f"checkout with {name}",
            ("Idempotency-Key",),
            "POST",
            ORDERS,
            json={"payment_token": "tok_ok"},
            headers={"Idempotency-Key": key},
        )
        for name, key in (("an empty key", ""), ("a key of 256", "k" * 256), ("a key with a space", "a b"))
    ),
    _invalid("the key is judged before the body", ("Idempotency-Key",), "POST", ORDERS, json={}),
    _invalid("checkout without token", ("payment_token",), "POST", ORDERS, json={}, headers=KEY),
    _invalid(
        "checkout with an empty token", ("payment_token",), "POST", ORDERS, json={"payment_token": ""}, headers=KEY
    ),
    _invalid(
        "checkout with a token of 65", ("payment_token",), "POST", ORDERS, json={"payment_token": "x" * 65}, headers=KEY
    ),
    _invalid("orders of page 0", ("page",), "GET", f"{ORDERS}?page=0"),
    _invalid("orders of another status", ("status",), "GET", f"{ORDERS}?status=paid"),
    _invalid("orders of no status", ("status",), "GET", f"{ORDERS}?status="),
]

CASES = [*PATHS, *METHODS, *BODIES, *CALLERS, *MISSING, *INVALID]
