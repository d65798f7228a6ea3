"""What stands in the shop before the cases run, made through the API itself: products in a category of their own."""

import itertools
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from contract.client import Answer, Client

_numbers = itertools.count(1)

# Names that sort differently by bytes, by locale, by case and before normalisation.
NAMES = (
    "Zebra",
    "apple",
    "Äpfel",
    "ärmel",
    "Straße",
    "STRASSE 2",
    "ẞchild",
    "Ⅷ roman",
    "ｆｕｌｌ width",
    "e\u0301clair decomposed",
    "\u00e9clair composed",
    "zebra",
    "10% off_sale",
    "back\\slash",
    "İstanbul",
    "中文椅子",
    "🪑 chair",
    "\u0130\u0131 dots",
    'quoted "name"',
    "O'Brien; DROP TABLE",
    "ﬁ ligature",
    "Ω omega",
    "Ω ohm",
)


def fold(text: str) -> str:
    """The caseless form, as the reference page defines it."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def unique(prefix: str = "T") -> str:
    """Return a SKU that no other test uses."""
    return f"{prefix}-{next(_numbers):06}"


@dataclass(frozen=True, slots=True)
class World(Mapping[str, Any]):
    """Names for cases to use, and the products that lists are judged by. Each look at `unique…` gives a new one."""

    names: Mapping[str, Any]
    products: Sequence[Mapping[str, Any]]
    makers: Mapping[str, Callable[[], Any]] = field(
        default_factory=lambda: {"unique-sku": unique, "unique-slug": lambda: unique("slug").lower()}
    )

    def __getitem__(self, name: str) -> Any:
        maker = self.makers.get(name)
        return maker() if maker else self.names[name]

    def __iter__(self) -> Iterator[str]:
        return iter([*self.names, *self.makers])

    def __len__(self) -> int:
        return len(self.names) + len(self.makers)


def build(staff: Client) -> World:
    """Make the world. `product` and `category` are never changed; what a case deletes it makes itself."""
    category = _made(staff.post("/api/categories", {"name": "Wörld", "slug": unique("world").lower()}))
    other = _made(staff.post("/api/categories", {"name": "Other", "slug": unique("other").lower()}))
    bare = _made(staff.post("/api/categories", {"name": "Bare", "slug": unique("bare").lower()}))
    products = [
        _made(
            staff.post(
                "/api/products",
                {
                    "sku": unique("World"),
                    "name": name,
                    "description": f"Number {number % 4} of <b>many</b>\nline",
                    "category_id": category["id"],
                    "price": {
                        "amount": f"{(number * 7) % 5}.{number % 3}0",
                        "currency": ("EUR", "GBP", "USD")[number % 3],
                    },
                    "active": number % 4 != 0,
                },
            )
        )
        for number, name in enumerate(NAMES)
    ]
    first = products[1]
    stocked = staff.post(f"/api/stock/{first['sku']}/adjustments", {"delta": 100, "reason": "opening stock"})
    assert stocked.status == 201, stocked
    return World(
        names={
            "product": first["id"],
            "sku": first["sku"],
            "category": category["id"],
            "category-slug": category["slug"],
            "other-category": other["id"],
            "bare-category": bare["id"],
            "no-id": 10**17,
            "host": urlsplit(staff.url).netloc,
        },
        products=products,
    )


def _made(answer: Answer) -> dict[str, Any]:
    assert answer.status == 201, answer
    made: dict[str, Any] = answer.json()
    return made
