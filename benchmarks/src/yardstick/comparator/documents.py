"""The answers that are compared: pages of products, of about the size that is asked for, alike on both sides."""

import json
import random
from collections.abc import Sequence


def documents(count: int, size: int) -> list[bytes]:
    """``count`` different pages, each with as many products as it takes to be ``size`` bytes long."""
    return [_page(random.Random(number), size) for number in range(count)]


def differing(pages: Sequence[bytes], percent: float) -> list[bytes]:
    """The same pages as another application has them: keys in another order, and of some a price that is wrong."""
    found = []
    for number, page in enumerate(pages):
        document = json.loads(page)
        items = [dict(reversed(item.items())) for item in document["items"]]
        if number % 100 < percent:
            items[0]["price"]["minor"] += 1
        found.append(json.dumps({**document, "items": items}, separators=(",", ":")).encode())
    return found


def _page(chance: random.Random, size: int) -> bytes:
    items: list[dict[str, object]] = []
    length = 0
    while length < size:
        items.append(_item(chance))
        length += len(json.dumps(items[-1], separators=(",", ":"))) + 1
    document = {"page": chance.randrange(100), "total": 10_000, "items": items}
    return json.dumps(document, separators=(",", ":")).encode()


def _item(chance: random.Random) -> dict[str, object]:
    number = chance.randrange(10_000)
    return {
        "id": number,
        "sku": f"SKU-{number:06d}",
        "name": f"Product {number}",
        "price": {"minor": chance.randrange(100_000), "currency": "EUR"},
        "tags": chance.sample(["new", "sale", "bulky", "fragile"], 2),
        "stock": None if chance.random() < 0.1 else chance.randrange(50),
        "updated_at": f"2026-01-{chance.randrange(1, 29):02d}T08:00:00.{chance.randrange(10**6):06d}Z",
    }
