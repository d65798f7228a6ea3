"""Form fields that judge as strictly as the shop's contract: nothing is made into what it is not."""

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import (
    MaxLengthValidator,
    MaxValueValidator,
    MinLengthValidator,
    MinValueValidator,
    ProhibitNullCharactersValidator,
    RegexValidator,
)

MAX_ID = 10**18 - 1
AMOUNT = r"\A(0|[1-9][0-9]{0,9})(\.[0-9]{1,2})?\Z"
CURRENCIES = ("EUR", "GBP", "USD")


class StrictField(forms.Field):
    """Whatever is given is judged: an empty value is none that may be left out."""

    empty_values: Any = ()


class TextField(StrictField):
    """A text, trimmed before it is measured."""

    def __init__(self, least: int, most: int, pattern: str | None = None, **options: Any) -> None:
        limits = [MinLengthValidator(least), MaxLengthValidator(most), ProhibitNullCharactersValidator()]
        super().__init__(validators=[*limits, *([RegexValidator(pattern)] if pattern else [])], **options)

    def to_python(self, value: Any) -> str:
        if not isinstance(value, str):
            raise ValidationError("This should be a text.")
        return value.strip()


class AmountField(StrictField):
    """A decimal text, as it is."""

    def to_python(self, value: Any) -> int:
        if not isinstance(value, str) or not re.match(AMOUNT, value):
            raise ValidationError("This should be an amount with at most two decimals.")
        whole, _, decimals = value.partition(".")
        return int(whole) * 100 + int(decimals.ljust(2, "0"))


class ChoiceField(StrictField):
    """One of several texts."""

    def __init__(self, choices: tuple[str, ...], **options: Any) -> None:
        super().__init__(**options)
        self.choices = choices

    def to_python(self, value: Any) -> str:
        if not isinstance(value, str) or value not in self.choices:
            raise ValidationError(f"This should be one of {', '.join(self.choices)}.")
        return value


class BooleanField(StrictField):
    """True or false, and nothing that only resembles them."""

    def to_python(self, value: Any) -> bool:
        if not isinstance(value, bool):
            raise ValidationError("This should be true or false.")
        return value


class IdField(StrictField):
    """An id, or null."""

    def to_python(self, value: Any) -> int | None:
        if value is not None and (type(value) is not int or not 1 <= value <= MAX_ID):
            raise ValidationError("This should be an id.")
        return value


class QueryIntegerField(StrictField):
    """An integer in a query: digits, and nothing else."""

    def __init__(self, least: int = 0, most: int = MAX_ID, **options: Any) -> None:
        super().__init__(validators=[MinValueValidator(least), MaxValueValidator(most)], **options)

    def to_python(self, value: Any) -> int:
        if not re.fullmatch(r"[0-9]{1,18}", value):
            raise ValidationError("This should be an integer of 1 to 18 digits.")
        return int(value)


class QueryBooleanField(StrictField):
    def to_python(self, value: Any) -> bool:
        if value not in {"true", "false"}:
            raise ValidationError("This should be true or false.")
        return bool(value == "true")
