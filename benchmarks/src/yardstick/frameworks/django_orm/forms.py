"""The catalog's forms: bodies and queries, judged; a field that was not given is not in ``cleaned_data``."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError

from shop.kernel.errors import FieldError, ValidationFailed
from yardstick.frameworks.django_orm.fields import (
    CURRENCIES,
    AmountField,
    BooleanField,
    ChoiceField,
    IdField,
    QueryBooleanField,
    QueryIntegerField,
    StrictField,
    TextField,
)

SKU = r"\A[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z"
SLUG = r"\A[a-z0-9]+(-[a-z0-9]+)*\Z"


class StrictForm(forms.Form):
    """A form over JSON or a query."""

    optional: ClassVar[frozenset[str]] = frozenset()
    """Fields that may be left out."""
    closed: ClassVar[bool] = True
    """Whether unknown names are refused."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        super().__init__(data)
        self.unknown = [name for name in data if name not in self.fields] if self.closed else []
        for name in self.optional - set(data):
            del self.fields[name]

    @classmethod
    def judged(cls, data: object) -> dict[str, Any]:
        """The values that were given. Raises ``ValidationFailed``."""
        if not isinstance(data, Mapping):
            raise ValidationFailed(FieldError("", "Input should be an object"))
        form = cls(data)
        if wrong := list(form.problems()):
            raise ValidationFailed(*wrong)
        return form.cleaned_data

    def problems(self) -> Iterator[FieldError]:
        """One for each place that is wrong, in the order of the fields; unknown names come last."""
        for name, errors in self.errors.as_data().items():
            places = {_place(name, error): error.messages[0] for error in reversed(errors)}
            yield from (FieldError(place, message) for place, message in reversed(places.items()))
        yield from (FieldError(name, "There is no such field.") for name in self.unknown)


def _place(name: str, error: ValidationError) -> str:
    inside = (error.params or {}).get("inside")
    return f"{name}.{inside}" if inside else name


class MoneyForm(StrictForm):
    amount = AmountField()
    currency = ChoiceField(CURRENCIES)


class MoneyField(StrictField):
    """An amount and its currency, with a form of their own."""

    def to_python(self, value: Any) -> dict[str, Any]:
        try:
            return MoneyForm.judged(value)
        except ValidationFailed as refusal:
            wrong = [ValidationError(error.message, params={"inside": error.field}) for error in refusal.errors]
            raise ValidationError(wrong) from None


class NewProduct(StrictForm):
    sku = TextField(1, 64, SKU)
    name = TextField(1, 200)
    description = TextField(0, 4_000)
    category_id = IdField()
    price = MoneyField()
    active = BooleanField()
    optional = frozenset({"description", "category_id", "active"})


class ProductChange(StrictForm):
    name = TextField(1, 200)
    description = TextField(0, 4_000)
    category_id = IdField()
    price = MoneyField()
    active = BooleanField()
    optional = frozenset({"name", "description", "category_id", "price", "active"})


class NewCategory(StrictForm):
    name = TextField(1, 100)
    slug = TextField(1, 64, SLUG)


class CategoryChange(NewCategory):
    optional = frozenset({"name", "slug"})


class Paging(StrictForm):
    page = QueryIntegerField(1, 1_000_000)
    page_size = QueryIntegerField(1, 100)
    closed = False


class CategoryQuery(Paging):
    sort = ChoiceField(("id", "-id", "name", "-name"))
    optional = frozenset({"page", "page_size", "sort"})


class ProductQuery(Paging):
    q = TextField(0, 200)
    category_id = QueryIntegerField()
    active = QueryBooleanField()
    min_price = AmountField()
    max_price = AmountField()
    sort = ChoiceField(("id", "-id", "name", "-name", "price", "-price", "created_at", "-created_at"))
    optional = frozenset({"page", "page_size", "q", "category_id", "active", "min_price", "max_price", "sort"})
