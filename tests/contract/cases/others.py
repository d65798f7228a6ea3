"""Cases of payments, notifications and health."""

from contract.case import Case
from contract.cases.rules import needs_caller, refused_methods, unknown_paths, unreadable_bodies

NO_PAYMENT, REFUNDS = "/api/payments/<no-id>", "/api/payments/<no-id>/refunds"
NOTIFICATIONS, READ = "/api/notifications", "/api/notifications/<no-id>/read"
KEY = {"Idempotency-Key": "<unique-sku>"}

PAYMENTS = [
    *unknown_paths(("/api/payments", "/api/payments/", "/api/payments/0", "/api/payments/1/refunds/1")),
    *refused_methods({NO_PAYMENT: "GET, HEAD", REFUNDS: "POST"}),
    *unreadable_bodies("POST", REFUNDS),
    *needs_caller((("GET", NO_PAYMENT),)),
    *needs_caller((("POST", REFUNDS),), role="staff"),
    Case(
        name="no payment",
        target=NO_PAYMENT,
        caller="customer",
        status=404,
        problem="not-found",
        detail="There is no payment <no-id>.",
    ),
    Case(
        name="a refund of no payment",
        method="POST",
        target=REFUNDS,
        caller="staff",
        headers=KEY,
        json={},
        status=404,
        problem="not-found",
    ),
    Case(
        name="a refund without key",
        method="POST",
        target=REFUNDS,
        caller="staff",
        json={},
        status=422,
        problem="validation-failed",
        fields=("Idempotency-Key",),
    ),
    *(
        Case(
            name=f"a refund of {amount!r}",
            method="POST",
            target=REFUNDS,
            caller="staff",
            headers=KEY,
            json={"amount": amount},
            status=422,
            problem="validation-failed",
            fields=("amount",),
        )
        for amount in ("0", "0.00", "-1", "1.234", 1, "", "1e2", {"amount": "1", "currency": "EUR"})
    ),
]

NOTIFICATIONS_CASES = [
    *unknown_paths(("/api/notifications/", "/api/notifications/1", "/api/notifications/0/read")),
    *refused_methods({NOTIFICATIONS: "GET, HEAD", READ: "POST"}),
    *needs_caller((("GET", NOTIFICATIONS), ("POST", READ))),
    *(
        Case(
            name=f"notifications with {query}",
            target=f"{NOTIFICATIONS}?{query}",
            caller="customer",
            status=422,
            problem="validation-failed",
            fields=(query.partition("=")[0],),
        )
        for query in ("page=0", "page_size=0", "unread=yes", "unread=")
    ),
    Case(
        name="no notification",
        method="POST",
        target=READ,
        caller="customer",
        status=404,
        problem="not-found",
        detail="There is no notification <no-id>.",
    ),
]

HEALTH = [
    *unknown_paths(("/", "/livez/", "/readyz/", "/health", "/favicon.ico", "/api/../livez", "/static/x", "/admin/")),
    *refused_methods({"/livez": "GET, HEAD", "/readyz": "GET, HEAD"}),
    *(
        Case(
            name=f"{target} is well",
            target=target,
            status=200,
            answer={"status": "ok"},
            answer_headers={"Cache-Control": "no-store"},
        )
        for target in ("/livez", "/readyz")
    ),
]
