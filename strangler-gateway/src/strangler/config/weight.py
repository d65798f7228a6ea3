"""Weights as people write them, percent with up to two decimals, to whole hundredths and back."""

from decimal import Decimal, InvalidOperation

from strangler.model.flag import WEIGHT_SCALE


def weight_from_percent(percent: float | str) -> int:
    """Hundredths of a percent, 0 to 10,000. Raises ``ValueError`` that says what a weight may be."""
    try:
        # Through the text: 0.07 is 0.07, not the nearest binary fraction.
        exact = Decimal(str(percent).strip().removesuffix("%").strip())
    except InvalidOperation:
        raise ValueError(f"{percent!r} is not a number; write a percentage such as 5 or 0.05") from None
    if not (exact.is_finite() and 0 <= exact <= 100):
        raise ValueError(f"a weight is a percentage from 0 to 100, not {percent}")
    hundredths = exact * WEIGHT_SCALE
    if hundredths != int(hundredths):
        raise ValueError(f"a weight has at most two decimals, not {percent}")
    return int(hundredths)


def percent_from_weight(weight: int) -> str:
    """Percent with two decimals: 500 is ``5.00``."""
    whole, hundredths = divmod(weight, WEIGHT_SCALE)
    return f"{whole}.{hundredths:02}"
