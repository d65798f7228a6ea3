"""The building blocks of wire models: strict bodies, plain queries, and answers whose times and money have one form."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Generic, Literal, Self, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, StringConstraints
from pydantic_core import PydanticCustomError

from shop.kernel.money import Money, minor_units
from shop.kernel.pages import PageRequest

MAX_ID = 10**18 - 1
SKU_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
AMOUNT_PATTERN = r"^(0|[1-9][0-9]{0,9})(\.[0-9]{1,2})?$"

T = TypeVar("T")


def without_nul(value: str) -> str:
    """Refuse U+0000, which PostgreSQL cannot store."""
    if "\0" in value:
        raise PydanticCustomError("nul", "Text should not contain the character U+0000")
    return value


def _ascii_integer(value: Any) -> Any:
    if isinstance(value, str) and not re.fullmatch(r"[0-9]{1,18}", value):
        raise PydanticCustomError("int_parsing", "Input should be a valid integer of 1 to 18 digits")
    return value


def _boolean(value: Any) -> Any:
    if isinstance(value, str) and value not in {"true", "false"}:
        raise PydanticCustomError("bool_parsing", "Input should be true or false")
    return value


def text(minimum: int, maximum: int, pattern: str | None = None) -> Any:
    """A text that is trimmed, then measured in code points."""
    limits = StringConstraints(strip_whitespace=True, min_length=minimum, max_length=maximum, pattern=pattern)
    return Annotated[str, limits, AfterValidator(without_nul)]


Sku = text(1, 64, SKU_PATTERN)
Amount = Annotated[str, StringConstraints(pattern=AMOUNT_PATTERN)]
Currency = Literal["EUR", "GBP", "USD"]
Timestamp = Annotated[
    datetime,
    PlainSerializer(lambda at: at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"), return_type=str, when_used="json"),
]
QueryInt = Annotated[int, BeforeValidator(_ascii_integer)]
PageNumber = Annotated[int, Field(ge=1, le=1_000_000), BeforeValidator(_ascii_integer)]
PageSize = Annotated[int, Field(ge=1, le=100), BeforeValidator(_ascii_integer)]
QueryBool = Annotated[bool, BeforeValidator(_boolean)]
QueryText = Annotated[str, StringConstraints(strip_whitespace=True), AfterValidator(without_nul)]


class Body(BaseModel):
    """A request body: exact types, no unknown keys."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Query(BaseModel):
    """A query string: texts to begin with, so types are read from them; unknown parameters are ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Paging(Query):
    page: PageNumber = 1
    page_size: PageSize = 20

    @property
    def request(self) -> PageRequest:
        return PageRequest(self.page, self.page_size)


class Answer(BaseModel):
    """What is sent back, read from the attributes of what a use case returned."""

    model_config = ConfigDict(from_attributes=True, frozen=True)

    @classmethod
    def of(cls, source: object) -> Self:
        return cls.model_validate(source)


class PageAnswer(Answer, Generic[T]):
    items: list[T]
    total: int
    page: int
    page_size: int


class MoneyBody(Body):
    amount: Amount
    currency: Currency

    @property
    def money(self) -> Money:
        return Money(minor_units(self.amount), self.currency)


class MoneyAnswer(Answer):
    amount: str
    currency: str
