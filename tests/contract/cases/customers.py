"""Cases of the customers: registration, sessions, tokens and keys."""

from typing import Any

from contract.case import Case
from contract.cases.rules import bodies_without_object, needs_caller, refused_methods, unknown_paths, unreadable_bodies

CUSTOMERS, SESSION, TOKENS, ME, JWKS = (
    "/api/customers",
    "/api/session",
    "/api/tokens",
    "/api/me",
    "/.well-known/jwks.json",
)
STAFF_LOGIN = {"email": "staff@shop.example", "password": "staff-password"}
CUSTOMER_LOGIN = {"email": "customer@shop.example", "password": "customer-password"}

PATHS = unknown_paths(
    ("/api/customers/", "/api/customers/1", "/api/me/", "/api/sessions", "/.well-known/", "/.well-known/jwks")
)
METHODS = refused_methods(
    {CUSTOMERS: "POST", SESSION: "DELETE, POST", TOKENS: "POST", ME: "GET, HEAD", JWKS: "GET, HEAD"}
)
BODIES = [
    case
    for target in (CUSTOMERS, SESSION, TOKENS)
    for case in (*unreadable_bodies("POST", target), *bodies_without_object("POST", target, "anonymous"))
]
CALLERS = needs_caller((("GET", ME),))

_GOOD: dict[str, Any] = {"email": "ada@example.org", "password": "long enough", "name": "Ada"}
INVALID = [
    Case(
        name=f"registration with {name}",
        method="POST",
        target=CUSTOMERS,
        json={**_GOOD, **change},
        status=422,
        problem="validation-failed",
        fields=fields,
    )
    for name, change, fields in (
        ("an email without @", {"email": "ada.example.org"}, ("email",)),
        ("an email without domain", {"email": "ada@example"}, ("email",)),
        ("an email with a space", {"email": "a da@example.org"}, ("email",)),
        ("two @", {"email": "a@b@example.org"}, ("email",)),
        ("an email of 255", {"email": "a" * 243 + "@example.org"}, ("email",)),
        ("a password of 7", {"password": "1234567"}, ("password",)),
        ("a password of 129", {"password": "x" * 129}, ("password",)),
        ("a password of null", {"password": None}, ("password",)),
        ("a password as number", {"password": 12345678}, ("password",)),
        ("a password with U+0000", {"password": "12345678\0"}, ("password",)),
        ("a blank name", {"name": "  "}, ("name",)),
        ("a name of 101", {"name": "x" * 101}, ("name",)),
        ("roles", {"roles": ["staff"]}, ("roles",)),
        ("everything wrong", {"email": "", "password": "", "name": "", "x": 1}, ("email", "password", "name", "x")),
    )
] + [
    Case(
        name=f"{target} with {name}",
        method="POST",
        target=target,
        json=body,
        status=422,
        problem="validation-failed",
        fields=fields,
    )
    for target in (SESSION, TOKENS)
    for name, body, fields in (
        ("nothing", {}, ("email", "password")),
        ("an empty email", {"email": "", "password": "x"}, ("email",)),
        ("an email of 255", {"email": "x" * 255, "password": "x"}, ("email",)),
        ("an empty password", {"email": "x", "password": ""}, ("password",)),
        ("a password of 129", {"email": "x", "password": "x" * 129}, ("password",)),
        ("more", {"email": "x", "password": "x", "otp": "1"}, ("otp",)),
    )
]

WRONG_CREDENTIALS = [
    Case(
        name=f"{target} with {name}",
        method="POST",
        target=target,
        json=body,
        status=401,
        problem="unauthenticated",
        detail="The email or the password is wrong.",
        answer_headers={"WWW-Authenticate": 'Bearer realm="shop"', "Set-Cookie": None},
    )
    for target in (SESSION, TOKENS)
    for name, body in (
        ("a wrong password", {**STAFF_LOGIN, "password": "wrong-password"}),
        ("an unknown account", {"email": "nobody@shop.example", "password": "staff-password"}),
        ("no email at all", {"email": "staff", "password": "staff-password"}),
        ("white space around the password", {**STAFF_LOGIN, "password": " staff-password"}),
    )
]

CROSS_SITE = [
    Case(
        name=f"a session for {headers}",
        method="POST",
        target=SESSION,
        headers=headers,
        json=CUSTOMER_LOGIN,
        status=status,
        problem=None if status == 200 else "cross-site-request",
        detail=None if status == 200 else "The request came from another site.",
    )
    for headers, status in (
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "none"}, 200),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "https://evil.example"}, 200),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://<host>"}, 200),
        ({"Origin": "https://<host>"}, 200),
        ({"Origin": "http://<host>1"}, 403),
    )
]

READS = [
    Case(name="staff see themselves", target=ME, caller="staff", status=200, has={"id": 1, "roles": ["staff"]}),
    Case(
        name="customers see themselves",
        target=ME,
        caller="customer",
        status=200,
        has={"id": 2, "email": "customer@shop.example", "roles": ["customer"]},
        answer_headers={"Cache-Control": "no-store"},
    ),
    Case(
        name="an account that exists",
        method="POST",
        target=CUSTOMERS,
        json={**_GOOD, "email": " STAFF@shop.example"},
        status=409,
        problem="duplicate",
        detail="An account with this email already exists.",
    ),
]

CASES = [*PATHS, *METHODS, *BODIES, *CALLERS, *INVALID, *WRONG_CREDENTIALS, *CROSS_SITE, *READS]
