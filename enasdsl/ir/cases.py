"""Numbers that decisions settle, as trees of what each decision picks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TypeAlias, TypeGuard

from enasdsl.ir.build import mistake
from enasdsl.ir.constraint import mapped as mapped_parts
from enasdsl.ir.constraint import masked
from enasdsl.ir.context import Context
from enasdsl.ir.space import Kind
from enasdsl.ir.typed import describe
from enasdsl.semantics.symbols import (
    Chosen,
    Computed,
    Condition,
    Counted,
    Either,
    Num,
    Scalar,
    Test,
    Unread,
    compute,
)
from enasdsl.source import Span

CASES = 4096
"""In how many ways decisions may settle a number that says what is built."""

LOOKED_AT = 16
"""How many of these ways are looked through for the effort of one step of writing out."""


@dataclass(frozen=True, slots=True)
class Split:
    """What follows each alternative that `decision` may pick in `slot`."""

    decision: int
    slot: int
    branches: tuple[Tree, ...]


Tree: TypeAlias = Split | Scalar


def tree(num: Num, *, span: Span) -> Tree:
    """The values of `num` by what decides them, the first decision at the root.

    Raises a mistake for a number that depends on how many members a choice picks, and for one
    that takes more than CASES picks to tell.
    """
    return _Trees(span).tree(num)


@dataclass(slots=True)
class _Trees:
    span: Span
    left: int = CASES

    def tree(self, num: Num) -> Tree:
        first = _first(num)
        if first is None:
            return self._scalar(num)
        self.left -= len(first.values)
        if self.left < 0:
            raise mistake(
                "E0501",
                f"more than {CASES:,} joint picks settle this",
                self.span,
                "too many decisions are read here",
                help="let what is built depend on fewer decisions at once",
            )
        asked = first.decision, first.slot
        if num is first:
            return _split(*asked, first.values)
        branches = (self.tree(put(num, *asked, n)) for n in range(len(first.values)))
        return _split(*asked, tuple(branches))

    def _scalar(self, num: Num) -> Scalar:
        if isinstance(num, Counted | Computed | Chosen):
            raise mistake(
                "E0208",
                "how many members are picked cannot say what is built",
                self.span,
                "this depends on the size of a chosen set",
                help="choose the number first, `n = choose 1..3`, and then `choose n from ...`",
            )
        return num


def _split(decision: int, slot: int, branches: tuple[Tree, ...]) -> Tree:
    """What follows each pick, as no question where the pick makes no difference."""
    same = len({(type(branch), branch) for branch in branches}) == 1
    return branches[0] if same else Split(decision, slot, branches)


def _first(num: Num) -> Chosen | None:
    """The chosen number in `num` whose decision comes first."""
    match num:
        case Chosen():
            return num
        case Computed(_, operands):
            found = [c for c in map(_first, operands) if c is not None]
            return min(found, key=lambda c: (c.decision, c.slot), default=None)
        case _:
            return None


def put(num: Num, decision: int, slot: int, pick: int) -> Num:
    """`num` where a decision picks `pick` in a slot."""
    match num:
        case Chosen(decision=read, slot=place, values=values):
            return values[pick] if (read, place) == (decision, slot) else num
        case Computed(name, operands):
            return _folded(name, tuple(put(o, decision, slot, pick) for o in operands))
        case _:
            return num


def _folded(name: str, operands: tuple[Num, ...]) -> Num:
    match name, operands:
        case "and", _ if False in operands:
            return False
        case "or", _ if True in operands:
            return True
        case "when", (bool() as condition, value, other):
            return value if condition else other
        case _:
            return compute(name, *operands)


# --------------------------------------------------------------------- regions


def leaves(found: Tree) -> tuple[Scalar, ...]:
    """The different values, in the order in which they come."""
    if not isinstance(found, Split):
        return (found,)
    values: dict[tuple[type, Scalar], Scalar] = {}
    for branch in found.branches:
        for value in leaves(branch) if isinstance(branch, Split) else (branch,):
            values.setdefault((type(value), value), value)
    return tuple(values.values())


def mapped(found: Tree, change: Callable[[Scalar], Scalar]) -> Tree:
    """The tree with its values changed, and no question asked that makes no difference."""
    if not isinstance(found, Split):
        return change(found)
    branches = [mapped(b, change) if isinstance(b, Split) else change(b) for b in found.branches]
    return _split(found.decision, found.slot, tuple(branches))


def where(
    found: Tree, holds: Callable[[Scalar], bool], ctx: Context, *, span: Span
) -> Condition | None:
    """The condition under which the value is one for which `holds`; None where none can say it."""
    if not isinstance(found, Split):
        return ()
    ctx.program.budget.spend(_size(found) // LOOKED_AT, span)
    boxes = []
    for box in _boxes(mapped(found, holds), ctx):
        if box is None:
            return None
        boxes.append(box)
    return ctx.ledger.union(boxes)


def regions(found: Tree, ctx: Context, *, span: Span) -> dict[Scalar, Condition | None]:
    """For each value, the condition under which it is the one; None where none can say it."""
    if _flat(found, ctx):
        tests = ((b, Test(found.decision, own)) for b, own in groups(found.branches))
        return {value: ctx.ledger.union([(test,)]) for value, test in tests}  # type: ignore[misc]
    return {
        value: where(found, lambda v, value=value: v == value, ctx, span=span)  # type: ignore[misc]
        for value in leaves(found)
    }


def _flat(found: Tree, ctx: Context) -> TypeGuard[Split]:
    """Whether a choice of one alone settles the value."""
    if not isinstance(found, Split) or any(isinstance(b, Split) for b in found.branches):
        return False
    return ctx.ledger.decisions[found.decision].domain.kind is Kind.ONE


def named(found: Tree, holds: Callable[[Scalar], bool], ctx: Context, *, span: Span) -> Condition:
    """The condition under which `holds`; raises a mistake where no guard can name it."""
    condition = where(found, holds, ctx, span=span)
    if condition is None:
        raise mistake(
            "E0406",
            "a condition on one of several members that are picked at once",
            span,
            "no guard can name this member",
            help="give it a choice of its own, or take the members apart `with repeats`",
        )
    return condition


def truths(num: Num, *, span: Span) -> Tree:
    """The tree of a condition, which must be true or false."""
    found = tree(num, span=span)
    odd = next((value for value in leaves(found) if not isinstance(value, bool)), None)
    if odd is not None:
        raise mistake(
            "E0208", "a condition must be true or false", span, f"this can be {describe(odd)}"
        )
    return found


def by_pick(decision: int, slot: int, nums: tuple[Num, ...]) -> Num:
    """The number that is `nums[n]` where a decision picks n in a slot.

    Where the number of a pick is not there, it has some other value: nothing reads it.
    """
    if all(isinstance(num, Scalar) for num in nums):
        return Chosen(decision, slot, nums)  # type: ignore[arg-type]
    found: dict[str, tuple[Num, list[int]]] = {}
    for n, num in enumerate(nums):
        found.setdefault(repr(num), (num, []))[1].append(n)
    *first, (num, _) = found.values()
    result = masked(num)
    for num, members in reversed(first):
        test = Chosen(decision, slot, tuple(n in members for n in range(len(nums))))
        result = compute("when", test, masked(num), result)
    return result


def groups(branches: tuple[Tree, ...]) -> list[tuple[Tree, frozenset[int]]]:
    """The different branches, each with the alternatives that lead to it."""
    found: dict[tuple[type, Tree], list[int]] = {}
    for n, branch in enumerate(branches):
        found.setdefault((type(branch), branch), []).append(n)
    return [(branch, frozenset(members)) for (_, branch), members in found.items()]


def _size(found: Tree) -> int:
    """How many picks and values a tree has."""
    if not isinstance(found, Split):
        return 1
    inner = (_size(branch) for branch in found.branches if isinstance(branch, Split))
    return len(found.branches) + sum(inner)


def _boxes(truths: Tree, ctx: Context) -> Iterator[Condition | None]:
    """The conditions, of which never two hold, that lead to True."""
    if not isinstance(truths, Split):
        if truths is True:
            yield ()
        return
    one = ctx.ledger.decisions[truths.decision].domain.kind is Kind.ONE
    for branch, members in groups(truths.branches):
        test = Test(truths.decision, members)
        for box in _boxes(branch, ctx):
            yield None if box is None or not one else (test, *box)


def narrowed(num: Num, ctx: Context) -> Num:
    """`num` with what the guard of the surroundings says that decisions have picked."""
    for decision, allowed in _allowed(ctx).items():
        if len(allowed) == 1:
            num = put(num, decision, 0, *allowed)
    return num


def _allowed(ctx: Context) -> dict[int, frozenset[int]]:
    """For each choice of one that the guard of the surroundings asks, what it may have picked."""
    found: dict[int, frozenset[int]] = {}
    for test in ctx.guard or ():
        if isinstance(test, Test) and ctx.ledger.decisions[test.decision].domain.kind is Kind.ONE:
            found[test.decision] = found.get(test.decision, test.allowed) & test.allowed
    return found


def reached(num: Num, ctx: Context) -> Num:
    """`num` with a value that it has here in place of those that the guard rules out."""
    allowed = _allowed(ctx)

    def kept(leaf: Chosen | Counted) -> Num:
        here = allowed.get(leaf.decision)
        if not isinstance(leaf, Chosen) or not here:
            return leaf
        some = leaf.values[min(here)]
        values = (v if n in here else some for n, v in enumerate(leaf.values))
        return replace(leaf, values=tuple(values))

    return mapped_parts(num, kept)


def told(condition: Condition, ctx: Context) -> Num | None:
    """Whether a condition holds, as a truth that single picks settle; None for any other one."""
    found = [_told(test, ctx) for test in condition]
    return None if None in found else _folded("and", (True, *found))  # type: ignore[arg-type]


def _told(test: Test | Unread | Either, ctx: Context) -> Num | None:
    match test:
        case Test(decision, allowed):
            domain = ctx.ledger.decisions[decision].domain
            picked = tuple(n in allowed for n in range(domain.size))
            return Chosen(decision, 0, picked, False) if domain.kind is Kind.ONE else None
        case Either(options):
            found = [told(option, ctx) for option in options]
            return None if None in found else _folded("or", (False, *found))  # type: ignore[arg-type]
        case _:
            return None
