"""Fresh accounts, products and stock for tests that change them."""

from typing import Any

from contract.client import Client
from contract.world import unique

PASSWORD = "correct horse battery"


def register(anonymous: Client) -> tuple[dict[str, Any], Client]:
    """Register a customer nobody else uses; return it and a client that bears its token."""
    email = f"{unique('c')}@example.org".lower()
    registered = anonymous.post("/api/customers", {"email": email, "password": PASSWORD, "name": "Ada"})
    assert registered.status == 201, registered
    got = anonymous.post("/api/tokens", {"email": email, "password": PASSWORD})
    assert got.status == 200, got
    customer: dict[str, Any] = registered.json()
    return customer, anonymous.bearing(got.json()["access_token"])


def stocked(staff: Client, quantity: int, **more: Any) -> dict[str, Any]:
    """Create a product of 10.00 EUR with so much stock."""
    product = {"sku": unique("stock"), "name": "Oak chair", "price": {"amount": "10.00", "currency": "EUR"}, **more}
    answer = staff.post("/api/products", product)
    assert answer.status == 201, answer
    created: dict[str, Any] = answer.json()
    if quantity:
        adjust(staff, created["sku"], quantity)
    return created


def adjust(staff: Client, sku: str, delta: int) -> None:
    answer = staff.post(f"/api/stock/{sku}/adjustments", {"delta": delta, "reason": "test"})
    assert answer.status == 201, answer


def stock(client: Client, sku: str) -> tuple[int, int, int]:
    """Return what is on hand, reserved and available."""
    found = client.get(f"/api/stock/{sku}").json()
    return found["on_hand"], found["reserved"], found["available"]
