"""Numbers about the graph of a cell: how many members are there, and what reaches what."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from enasdsl.ir.build import mistake
from enasdsl.ir.context import Context
from enasdsl.ir.graph import Apply, Call, Input, Node, Present, Select
from enasdsl.ir.space import Kind
from enasdsl.ir.typed import describe
from enasdsl.ir.values import Item, Listing, Lowered, Picked, Tensor
from enasdsl.semantics.symbols import Chosen, Condition, Counted, Num, Test, compute
from enasdsl.source import Span


def number_of(items: Iterable[Item], ctx: Context, *, span: Span) -> Num:
    """How many of the items are there, which choices may settle."""
    total: Num = 0
    picked: defaultdict[int, set[int]] = defaultdict(set)
    for item in items:
        match item.condition:
            case (Test(decision, allowed),) if len(allowed) == 1:
                picked[decision] |= allowed
            case condition:
                total = compute("+", total, holds(condition, ctx, span=span))
    for decision, members in picked.items():
        total = compute("+", total, _counted(decision, frozenset(members), ctx))
    return total


def holds(condition: Condition, ctx: Context, *, span: Span) -> Num:
    """Whether a condition holds, as a number that choices settle."""
    truth: Num = True
    for test in condition:
        if not isinstance(test, Test):
            raise mistake(
                "E0208", "what is loose is not known before the search", span, "this depends on it"
            )
        truth = _both(truth, compute(">=", _counted(test.decision, test.allowed, ctx), 1))
    return truth


def reaches(source: Lowered, target: Lowered, ctx: Context, *, span: Span) -> Num:
    """Whether data flows from one value to another, or to one of a list; a `zero` passes none."""
    if not isinstance(source, Tensor):
        raise mistake("E0208", "`reachable` starts at a value", span, f"at {describe(source)}")
    return _Search(ctx, span, {source.ref: True}).end(target)


@dataclass(slots=True)
class _Search:
    """Values of the body that is being built, and whether the source reaches them."""

    ctx: Context
    span: Span
    known: dict[int, Num] = field(default_factory=dict)

    def end(self, target: Lowered) -> Num:
        match target:
            case Tensor(ref=ref):
                return self.value(ref)
            case Picked(decision, slot, branches):
                return _either(
                    _both(_takes(decision, slot, n, len(branches)), self.value(branch.ref))
                    for n, branch in enumerate(branches)
                )
            case Listing(items):
                return _either(
                    _both(holds(i.condition, self.ctx, span=self.span), self.end(i.value))
                    for i in items
                )
            case _:
                raise mistake(
                    "E0208", "`reachable` ends at values", self.span, f"at {describe(target)}"
                )

    def value(self, ref: int) -> Num:
        if ref not in self.known:
            self.known[ref] = self._found(ref)
        return self.known[ref]

    def _found(self, ref: int) -> Num:
        match self.ctx.builder.values[ref]:
            case Input() | Apply(op="zero"):
                return False
            case Apply(inputs=inputs) | Call(inputs=inputs):
                return _either(self.value(i) for i in inputs)
            case Node(value=inner):
                return self.value(inner)
            case Present(value=inner, condition=condition):
                return _both(holds(condition, self.ctx, span=self.span), self.value(inner))
            case Select(decision=decision, slot=slot, branches=branches):
                found = [False if b is None else self.value(b) for b in branches]
                if all(f == found[0] for f in found):
                    return found[0]
                return _either(
                    _both(_takes(decision, slot, n, len(branches)), f) for n, f in enumerate(found)
                )


def _counted(decision: int, allowed: frozenset[int], ctx: Context) -> Counted:
    domain = ctx.ledger.decisions[decision].domain
    distinct = domain.kind in (Kind.ONE, Kind.SET, Kind.ARRANGEMENT)
    return Counted(decision, allowed, min(domain.most, len(allowed)) if distinct else domain.most)


def _takes(decision: int, slot: int, index: int, size: int) -> Chosen:
    return Chosen(decision, slot, tuple(n == index for n in range(size)))


def _both(first: Num, second: Num) -> Num:
    if first is True or second is False:
        return second
    return first if second is True or first is False else compute("and", first, second)


def _either(truths: Iterable[Num]) -> Num:
    found: Num = False
    for truth in truths:
        if found is True or truth is False:
            continue
        found = truth if found is False or truth is True else compute("or", found, truth)
    return found
