"""What goes over the wire: bodies that are judged strictly, queries, and answers in their one form."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, StringConstraints
from pydantic_core import PydanticCustomError

MAX_ID = 10**18 - 1

Item = TypeVar("Item")


def _without_nul(value: str) -> str:
    if "\0" in value:  # PostgreSQL cannot store it
        raise PydanticCustomError("nul", "Text should not contain the character U+0000")
    return value


def _digits(value: Any) -> Any:
    if isinstance(value, str) and not re.fullmatch(r"[0-9]{1,18}", value):
        raise PydanticCustomError("int_parsing", "Input should be a valid integer of 1 to 18 digits")
    return value


def _true_or_false(value: Any) -> Any:
    if isinstance(value, str) and value not in {"true", "false"}:
        raise PydanticCustomError("bool_parsing", "Input should be true or false")
    return value


def _text(minimum: int, maximum: int, pattern: str | None = None) -> StringConstraints:
    """Trimmed first, then measured in code points."""
    return StringConstraints(strip_whitespace=True, min_length=minimum, max_length=maximum, pattern=pattern)


NoNul = AfterValidator(_without_nul)
Amount = Annotated[str, StringConstraints(pattern=r"^(0|[1-9][0-9]{0,9})(\.[0-9]{1,2})?$")]
ProductName = Annotated[str, _text(1, 200), NoNul]
Description = Annotated[str, _text(0, 4_000), NoNul]
CategoryName = Annotated[str, _text(1, 100), NoNul]
Sku = Annotated[str, _text(1, 64, r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"), NoNul]
Slug = Annotated[str, _text(1, 64, r"^[a-z0-9]+(-[a-z0-9]+)*$"), NoNul]
CategoryId = Annotated[int, Field(ge=1, le=MAX_ID)]
QueryInt = Annotated[int, BeforeValidator(_digits)]
QueryBool = Annotated[bool, BeforeValidator(_true_or_false)]
Timestamp = Annotated[
    datetime,
    PlainSerializer(lambda at: at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"), return_type=str, when_used="json"),
]


def minor_units(amount: str) -> int:
    """Return the hundredths of an amount: `12.5` is 1250."""
    whole, _, decimals = amount.partition(".")
    return int(whole) * 100 + int(decimals.ljust(2, "0"))


class Body(BaseModel):
    """Exact types, no unknown keys."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Money(Body):
    amount: Amount
    currency: Literal["EUR", "GBP", "USD"]

    @property
    def minor(self) -> int:
        return minor_units(self.amount)

    @classmethod
    def of(cls, minor: int, currency: str) -> "Money":
        return cls.model_construct(amount=f"{minor // 100}.{minor % 100:02}", currency=currency)


class NewProduct(Body):
    sku: Sku
    name: ProductName
    description: Description = ""
    category_id: CategoryId | None = None
    price: Money
    active: bool = True


class ProductChanges(Body):
    """What is absent stays as it is; only the category may be null. The defaults are never read: see `given`."""

    name: ProductName = ""
    description: Description = ""
    category_id: CategoryId | None = None
    price: Money = Money.of(0, "EUR")
    active: bool = True

    @property
    def given(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.model_fields_set}


class NewCategory(Body):
    name: CategoryName
    slug: Slug


class CategoryChanges(Body):
    """What is absent stays as it is. The defaults are never read: see `given`."""

    name: CategoryName = ""
    slug: Slug = ""

    @property
    def given(self) -> dict[str, str]:
        return {name: getattr(self, name) for name in self.model_fields_set}


class Query(BaseModel):
    """Texts to begin with, so types are read from them; unknown parameters are ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Paging(Query):
    page: Annotated[QueryInt, Field(ge=1, le=1_000_000)] = 1
    page_size: Annotated[QueryInt, Field(ge=1, le=100)] = 20

    @property
    def offset(self) -> int:
        return (self.page - 1) * self.page_size


class CategoryQuery(Paging):
    sort: Literal["id", "-id", "name", "-name"] = "id"


class ProductQuery(Paging):
    q: Annotated[str, _text(0, 200), NoNul] = ""
    category_id: QueryInt | None = None
    active: QueryBool | None = None
    min_price: Amount | None = None
    max_price: Amount | None = None
    sort: Literal["id", "-id", "name", "-name", "price", "-price", "created_at", "-created_at"] = "id"


class Product(BaseModel):
    id: int
    sku: str
    name: str
    description: str
    category_id: int | None
    price: Money
    active: bool
    version: int
    created_at: Timestamp
    updated_at: Timestamp


class Category(BaseModel):
    id: int
    name: str
    slug: str
    version: int
    created_at: Timestamp
    updated_at: Timestamp


class ProductPage(BaseModel):
    items: list[Product]
    total: int
    page: int
    page_size: int


class CategoryPage(BaseModel):
    items: list[Category]
    total: int
    page: int
    page_size: int
