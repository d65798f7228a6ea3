"""The catalog's wire models."""

from typing import Annotated, Literal

from pydantic import Field

from shop.kernel.money import minor_units
from shop.kernel.wire import (
    MAX_ID,
    Amount,
    Answer,
    Body,
    MoneyAnswer,
    MoneyBody,
    Paging,
    QueryBool,
    QueryInt,
    QueryText,
    Sku,
    Timestamp,
    text,
)

Name = text(1, 200)
Description = text(0, 4_000)
CategoryId = Annotated[int, Field(ge=1, le=MAX_ID)]
CategoryName = text(1, 100)
Slug = text(1, 64, r"^[a-z0-9]+(-[a-z0-9]+)*$")
Sort = Literal["id", "-id", "name", "-name", "price", "-price", "created_at", "-created_at"]


class ProductAnswer(Answer):
    id: int
    sku: str
    name: str
    description: str
    category_id: int | None
    price: MoneyAnswer
    active: bool
    version: int
    created_at: Timestamp
    updated_at: Timestamp


class NewProduct(Body):
    sku: Sku
    name: Name
    description: Description = ""
    category_id: CategoryId | None = None
    price: MoneyBody
    active: bool = True


class ProductChange(Body):
    """What is absent stays as it is: `model_fields_set` tells. Only `category_id` may be null."""

    name: Name = ""
    description: Description = ""
    category_id: CategoryId | None = None
    price: MoneyBody = MoneyBody(amount="0", currency="EUR")
    active: bool = True

    def values(self) -> dict[str, object]:
        """The changes as attributes of a product."""
        given = {field: getattr(self, field) for field in self.model_fields_set}
        if isinstance(price := given.get("price"), MoneyBody):
            given["price"] = price.money
        return given


class ProductQuery(Paging):
    q: Annotated[QueryText, Field(max_length=200)] = ""
    category_id: QueryInt | None = None
    active: QueryBool | None = None
    min_price: Amount | None = None
    max_price: Amount | None = None
    sort: Sort = "id"

    @property
    def least(self) -> int | None:
        return None if self.min_price is None else minor_units(self.min_price)

    @property
    def most(self) -> int | None:
        return None if self.max_price is None else minor_units(self.max_price)


class CategoryAnswer(Answer):
    id: int
    name: str
    slug: str
    version: int
    created_at: Timestamp
    updated_at: Timestamp


class NewCategory(Body):
    name: CategoryName
    slug: Slug


class CategoryChange(Body):
    """What is absent stays as it is: `model_fields_set` tells."""

    name: CategoryName = ""
    slug: Slug = ""

    def values(self) -> dict[str, object]:
        """The changes as attributes of a category."""
        return {field: getattr(self, field) for field in self.model_fields_set}


class CategoryQuery(Paging):
    sort: Literal["id", "-id", "name", "-name"] = "id"
