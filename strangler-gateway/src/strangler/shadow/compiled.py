"""The settings of one route as a comparison looks them up."""

import math
import re
from datetime import date
from decimal import Decimal

from strangler.model.errors import StranglerError
from strangler.model.shadow import KNOWN_DIFFERENCES, ArrayRule, Comparing, Ignored

_DEEPEST = 200
"""Levels that are compared, at most: what compares them calls itself."""
_SPACE = re.compile(r"[\w-]+")
_REMEMBERED = 10_000
"""Fields of which is remembered what ignores them: a document may have any names."""


class RuleRefused(StranglerError):
    """A setting cannot be. The message says which, why, and what to write."""


class Compiled:
    """``Comparing`` made ready, for one day."""

    def __init__(self, comparing: Comparing, today: date) -> None:
        for name in comparing.normalise:
            if name not in KNOWN_DIFFERENCES:
                raise RuleRefused(f"normalise: there is no normaliser {name!r}; use {', '.join(KNOWN_DIFFERENCES)}")
        on = frozenset(comparing.normalise)
        self.ties = "array-order-among-ties" in on
        self.charset = "charset" in on
        self.date_format = "date-format" in on
        self.date_notation = "date-notation" in on
        self.dates = self.date_format or self.date_notation
        self.error_envelope = "error-envelope" in on
        self.head_refused = "head-refused" in on
        self.header_notation = "header-notation" in on
        self.key_order = "json-key-order" in on
        self.nulls = "null-or-absent" in on
        self.numbers = "number-or-text" in on
        self.server_headers = "server-headers" in on
        self.slash_redirect = "trailing-slash-redirect" in on
        self.validation_status = "validation-status" in on

        self.all_headers = "*" in comparing.headers
        self.headers = frozenset(name.lower() for name in comparing.headers)
        self.arrays = {rule.field: _checked(rule) for rule in comparing.arrays}
        self.tolerances = {field: _tolerance(field, most) for field, most in comparing.tolerances}
        self.generated = dict(map(_space, comparing.generated))
        """The space of each field's identifiers: they stand for each other within one."""
        self.expired = tuple(rule for rule in comparing.ignore if _expired(rule, today))
        self._exact = {rule.field for rule in comparing.ignore if rule not in self.expired}
        self._starts = tuple(field[:-1] for field in sorted(self._exact) if field.endswith("*"))
        self._known: dict[str, str] = {}
        self.max_bytes = comparing.max_bytes
        self.max_depth = min(comparing.max_depth, _DEEPEST)
        self.max_values = comparing.max_values
        self.max_differences = comparing.max_differences
        self.max_per_field = max(5, comparing.max_differences // 10)

    def ignored_by(self, field: str) -> str:
        """The ignore rule that takes differences in this field, as it stands in the settings; empty for none."""
        found = self._known.get(field)
        if found is None:
            found = self._find(field)
            if len(self._known) < _REMEMBERED:
                self._known[field] = found
        return found

    def _find(self, field: str) -> str:
        if field in self._exact:
            return field
        return next((f"{start}*" for start in self._starts if field.startswith(start)), "")


def _checked(rule: ArrayRule) -> ArrayRule:
    if rule.by not in {"index", "set", "key"}:
        raise RuleRefused(f"arrays: {rule.field}: by {rule.by!r}; use index, set or key")
    if rule.by == "key" and not rule.key:
        raise RuleRefused(f"arrays: {rule.field}: by key, but no key; name the member that tells elements apart")
    return rule


def _space(written: str) -> tuple[str, str]:
    """``effects.rows.items.insert.order_id as order``: the field and its space, which is its own if none is named."""
    field, named, space = written.rpartition(" as ")
    return (field, space) if named and _SPACE.fullmatch(space) else (written, written)


def _tolerance(field: str, most: float) -> Decimal:
    if not math.isfinite(most) or most < 0:
        raise RuleRefused(f"tolerances: {field}: {most} is no distance; use a number from 0")
    return Decimal(str(most))


def _expired(rule: Ignored, today: date) -> bool:
    if not rule.until:
        return False
    try:
        return date.fromisoformat(rule.until) <= today
    except ValueError:
        raise RuleRefused(f"ignore: {rule.field}: until {rule.until!r} is no date; write YYYY-MM-DD") from None
