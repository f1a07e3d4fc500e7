"""Numbers that are too long to read, made readable."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Context, Decimal
from math import log10


def power_of_ten(value: int | float, *, digits: int = 3) -> str:
    """The value with `digits` significant digits, as `2.56e25`; small whole numbers stay as is."""
    if abs(value) < 10**6 and value == int(value):
        return str(int(value))
    rounded = significant(Decimal(value), digits)
    mantissa, exponent = f"{rounded:.{digits - 1}e}".split("e")
    return f"{mantissa}e{int(exponent)}"


def percent(share: float) -> str:
    """A share of one as `61 %`; only what is nothing, or all, is said to be so."""
    if 0 < share < 0.005:
        return "<1 %"
    if 0.995 <= share < 1:
        return ">99 %"
    return f"{100 * share:.0f} %"


def magnitude(value: int) -> float:
    """The decimal logarithm of a count, minus infinity for none."""
    return log10(value) if value else float("-inf")


def significant(value: Decimal, digits: int) -> Decimal:
    """The value rounded to `digits` significant digits."""
    return Context(prec=digits, rounding=ROUND_HALF_EVEN, Emax=10**9).plus(value)


def agrees(exact: int, printed: int | float) -> bool:
    """Whether a printed number is the exact one, to the digits that were printed.

    A whole number was printed exactly; of a float, as many digits as it takes to write it.
    """
    if isinstance(printed, int):
        return exact == printed
    written = Decimal(repr(printed)).normalize()
    return significant(Decimal(exact), len(written.as_tuple().digits)) == written
