"""What a list gives as one number: `sum`, `max`, `all`, `sorted` and so on.

Choices may leave members out, and then the others alone count: a sum of none is 0, and there is
nothing in an empty list that is out of order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from enasdsl.ir.build import mistake
from enasdsl.ir.comparing import Side, compare, kinds
from enasdsl.ir.connections import both, either, holds
from enasdsl.ir.constraint import masked
from enasdsl.ir.context import Context
from enasdsl.ir.folding import is_truth
from enasdsl.ir.typed import describe, surely
from enasdsl.ir.values import Item
from enasdsl.semantics.symbols import Chosen, Computed, Condition, Num, compute
from enasdsl.source import Span


@dataclass(frozen=True, slots=True)
class Listed:
    """The members of a list that stands at `span`."""

    name: str  # of the function
    items: Sequence[Item]
    ctx: Context
    span: Span

    def present(self, *items: Item) -> Num:
        """Whether members are there."""
        guard = self.ctx.guard
        tests: Condition = tuple(
            t for i in items if not surely(i.condition, guard) for t in i.condition
        )
        return holds(tuple(dict.fromkeys(tests)), self.ctx, span=self.span)

    def numbers(self, absent: Num) -> list[Num]:
        """The value of each member, or `absent` where it is not there."""
        return [self._either(self._number(item), self.present(item), absent) for item in self.items]

    def truths(self, *, absent: bool) -> list[Num]:
        """Whether each member holds, or `absent` where it is not there."""
        found = self.numbers(absent)
        odd = next((i for i in self.items if not is_truth(self._number(i))), None)
        if odd is not None:
            raise mistake(
                "E0208", f"`{self.name}` needs truths", self.span, f"there is {_told(odd)}"
            )
        return found

    def _either(self, value: Num, present: Num, absent: Num) -> Num:
        return value if present is True else compute("when", present, masked(value), absent)

    def _number(self, item: Item) -> Num:
        if isinstance(item.value, int | float | Chosen | Computed) and "text" not in kinds(
            item.value
        ):
            return item.value
        raise mistake("E0208", f"`{self.name}` needs numbers", self.span, f"there is {_told(item)}")

    def related(self, operator: str, *, near: bool) -> Num:
        """Whether every two members compare, of which the first stands before the second.

        Where only `near` ones need to, because the others follow, each is compared with those
        before it back to one that is there wherever it is itself.
        """
        return both(
            self._masked(
                first, second, compare(operator, self._side(first), self._side(second), self.ctx)
            )
            for first, second in self._pairs(near=near)
        )

    def _masked(self, first: Item, second: Item, truth: Num) -> Num:
        present = self.present(first, second)
        if present is True:
            return truth
        return either((compute("not", present), masked(truth)))

    def _pairs(self, *, near: bool) -> Iterator[tuple[Item, Item]]:
        for place, second in enumerate(self.items):
            known = (*(self.ctx.guard or ()), *second.condition)
            for first in reversed(self.items[:place]):
                yield first, second
                if near and surely(first.condition, known):
                    break

    def _side(self, item: Item) -> Side:
        return Side(item.value, item.label, self.span)


def _told(item: Item) -> str:
    return describe(item.value)


def _joined(operator: str, absent: Num) -> Callable[[Listed], Num]:
    def join(listed: Listed) -> Num:
        numbers = listed.numbers(absent)
        if not numbers:
            return absent
        return compute(operator, *numbers) if len(numbers) > 1 else numbers[0]

    return join


def _outermost(operator: str) -> Callable[[Listed], Num]:
    def join(listed: Listed) -> Num:
        there = next((i for i in listed.items if listed.present(i) is True), None)
        if there is None:
            raise mistake(
                "E0405" if listed.items else "E0402",
                f"`{listed.name}` of a list that may be empty",
                listed.span,
                "there may be no member",
                help="ask it of each member, as in `all(w <= 64 for w in widths)`",
            )
        (first,) = replace(listed, items=(there,)).numbers(0)
        numbers = listed.numbers(first)
        return compute(operator, *numbers) if len(numbers) > 1 else first

    return join


def _product(listed: Listed) -> Num:
    total: Num = 1
    for number in listed.numbers(1):
        total = compute("*", total, number)
    return total


OF_LISTS: Mapping[str, Callable[[Listed], Num]] = {
    "sum": _joined("+", 0),
    "product": _product,
    "min": _outermost("min"),
    "max": _outermost("max"),
    "all": lambda listed: both(listed.truths(absent=True)),
    "any": lambda listed: either(listed.truths(absent=False)),
    "sorted": lambda listed: listed.related("<=", near=True),
    "distinct": lambda listed: listed.related("!=", near=False),
}
"""The functions of lists, by name."""
