"""`params` and `macs` while the network is not known: words for numbers to come."""

from __future__ import annotations

from enasdsl.ir.space import Constraint
from enasdsl.semantics.symbols import Computed, Num

WORDS = ("params", "macs")


def word(name: str) -> Num:
    """One of WORDS as a number."""
    return Computed(name, ())


def unpriced(constraint: Constraint) -> bool:
    """Whether a constraint speaks of costs that are not known yet."""
    return _speaks(constraint.value)


def _speaks(num: Num) -> bool:
    match num:
        case Computed(operator, operands):
            return operator in WORDS or any(map(_speaks, operands))
        case _:
            return False
