"""Numbers and sizes that may depend on the architecture, and the conditions on which they depend.

A decision is named by its index in the space; an assignment maps such an index to the picked
indices, a tuple of ints, or None where the decision is not live.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache, reduce
from itertools import product
from math import prod

Scalar = int | float | bool | str
Picks = tuple[int, ...] | None


@dataclass(frozen=True, slots=True)
class Test:
    """True where one of the indices picked by `decision` is in `allowed`."""

    decision: int
    allowed: frozenset[int]


@dataclass(frozen=True, slots=True)
class Unread:
    """True where no other node of its cell reads the node that is value `node` of body `body`."""

    body: int
    node: int


@dataclass(frozen=True, slots=True)
class Either:
    """True where every test of one of the `options` holds."""

    options: tuple[tuple[Test, ...], ...]


Condition = tuple[Test | Unread | Either, ...]
"""A conjunction; the empty one always holds."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What is known of one architecture while a body is specialised."""

    picks: tuple[Picks, ...]
    unread: frozenset[tuple[int, int]] = frozenset()  # (body, node)

    def holds(self, condition: Condition) -> bool:
        return all(self._holds(test) for test in condition)

    def _holds(self, test: Test | Unread | Either) -> bool:
        match test:
            case Unread(body, node):
                return (body, node) in self.unread
            case Either(options):
                return any(map(self.holds, options))
            case Test(decision, allowed):
                picks = self.picks[decision]
                return picks is not None and any(p in allowed for p in picks)


@dataclass(frozen=True, slots=True)
class Chosen:
    """A scalar that one decision settles: `values` by the index picked in `slot`.

    Where that pick is not made it is `missing`; None stands for no value at all.
    """

    decision: int
    slot: int
    values: tuple[Scalar, ...]
    missing: Scalar | None = None

    def of(self, picks: Picks) -> Scalar | None:
        """The value for what the decision picks."""
        if picks is None or self.slot >= len(picks):
            return self.missing
        return self.values[picks[self.slot]]


@dataclass(frozen=True, slots=True)
class Counted:
    """How many of the indices picked by `decision` are in `allowed`, at most `most` of them.

    It is 0 where the decision is not live. Numbers that files can name hold it in a Computed.
    """

    decision: int
    allowed: frozenset[int]
    most: int


@dataclass(frozen=True, slots=True)
class Computed:
    """Arithmetic over scalars that several decisions settle."""

    operator: str
    operands: tuple[Num, ...]


Num = Scalar | Chosen | Counted | Computed
NUMBERS = (int, float, str, Chosen, Counted, Computed)  # what isinstance takes for a Num

OPERATORS: Mapping[str, Callable[..., Scalar]] = {
    "+": lambda *terms: reduce(operator.add, terms),
    "-": operator.sub,
    "*": lambda *factors: reduce(operator.mul, factors),
    "/": lambda a, b: a // b if isinstance(a, int) and isinstance(b, int) and a % b == 0 else a / b,
    "//": lambda a, b: int(a // b),
    "%": operator.mod,
    "^": operator.pow,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "and": lambda *truths: all(truths),
    "or": lambda *truths: any(truths),
    "not": operator.not_,
    "neg": operator.neg,
    "min": min,
    "max": max,
    "abs": abs,
    "when": lambda condition, value, other: value if condition else other,
}


def compute(name: str, *operands: Num) -> Num:
    """The value of an operation, folded where its operands allow it."""
    decided = {(o.decision, o.slot) for o in operands if isinstance(o, Chosen)}
    if any(isinstance(o, Computed | Counted) for o in operands) or len(decided) > 1:
        return Computed(name, operands)
    function = OPERATORS[name]
    if not decided:
        return function(*operands)
    ((decision, slot),) = decided
    size = next(len(o.values) for o in operands if isinstance(o, Chosen))
    columns = [o.values if isinstance(o, Chosen) else (o,) * size for o in operands]
    values = tuple(function(*row) for row in zip(*columns, strict=True))
    absent = [o.missing if isinstance(o, Chosen) else o for o in operands]
    missing = None if None in absent else function(*absent)
    return Chosen(decision, slot, values, missing)


def resolve(num: Num, reading: Reading) -> Scalar:
    """The number that `num` is in one architecture."""
    match num:
        case Chosen(decision):
            value = num.of(reading.picks[decision])
            if value is None:
                raise ValueError(f"decision {decision} is not live in this architecture")
            return value
        case Counted(decision, allowed):
            return sum(p in allowed for p in reading.picks[decision] or ())
        case Computed(name, operands):
            return OPERATORS[name](*(resolve(o, reading) for o in operands))
        case _:
            return num


_RISING = ("+", "min", "max")  # they grow with each of their operands
TABULATED = 20_000
"""For how many joint picks arithmetic of several decisions is written out."""


def extremes(num: Num) -> tuple[Scalar, Scalar]:
    """The least and the greatest value.

    For arithmetic of several decisions with more than TABULATED joint picks, bounds on them.
    """
    match num:
        case Chosen(values=values):
            return min(values), max(values)
        case Counted(most=most):
            return 0, most
        case Computed():
            return _extremes(num, repr(num))
        case _:
            return num, num


@lru_cache(maxsize=4096)
def _extremes(num: Computed, spelled: str) -> tuple[Scalar, Scalar]:
    """The extremes of arithmetic, remembered; `spelled` tells 1, 1.0 and true apart."""
    if prod(_axes(num).values()) <= TABULATED and not _counts(num):
        found = list(_table(num).values())
    else:
        ends = [extremes(o) for o in num.operands]
        rising = num.operator in _RISING
        corners = list(zip(*ends, strict=True)) if rising else _corners(ends)
        found = [OPERATORS[num.operator](*c) for c in corners]
    return min(found), max(found)


def _counts(num: Num) -> bool:
    """Whether `num` depends on how many members a choice picks."""
    match num:
        case Counted():
            return True
        case Computed(_, operands):
            return any(map(_counts, operands))
        case _:
            return False


_Axes = dict[tuple[int, int], int]


def _axes(num: Num) -> _Axes:
    """The (decision, slot) pairs that `num` reads, each with the number of its alternatives."""
    match num:
        case Chosen(decision, slot, values):
            return {(decision, slot): len(values)}
        case Computed(_, operands):
            return {axis: size for o in operands for axis, size in _axes(o).items()}
        case _:
            return {}


def _table(num: Num) -> dict[tuple[int, ...], Scalar]:
    """The value of `num` for each joint pick along its axes."""
    match num:
        case Chosen(values=values):
            return {(i,): v for i, v in enumerate(values)}
        case Computed(name, operands):
            axes = _axes(num)
            order = {axis: place for place, axis in enumerate(axes)}
            tables = [(tuple(order[a] for a in _axes(o)), _table(o)) for o in operands]
            return {
                picks: OPERATORS[name](*(t[tuple(picks[p] for p in own)] for own, t in tables))
                for picks in product(*map(range, axes.values()))
            }
        case Counted():
            raise ValueError("a count of picks has no table")
        case _:
            return {(): num}


def _corners(pairs: list[tuple[Scalar, Scalar]]) -> list[tuple[Scalar, ...]]:
    rows: list[tuple[Scalar, ...]] = [()]
    for pair in pairs:
        rows = [(*row, value) for row in rows for value in dict.fromkeys(pair)]
    return rows


# ----------------------------------------------------------------------- sizes


@dataclass(frozen=True, slots=True)
class Parts:
    """The channels of a concatenation: each part is there only where its condition holds."""

    items: tuple[tuple[Condition, Dim], ...]


Dim = int | Chosen | Computed | Parts
Spans = tuple[tuple[int, int], ...]
"""Half-open ranges of channels, ascending."""


def limit(dim: Dim) -> int:
    """The most channels that `dim` can have: the size of the shared weights along it."""
    if isinstance(dim, Parts):
        return sum(limit(part) for _, part in dim.items)
    return int(extremes(dim)[1])


def spans(dim: Dim, reading: Reading) -> Spans:
    """Which of the `limit(dim)` channels an architecture has, adjacent ranges joined."""
    if not isinstance(dim, Parts):
        return ((0, int(resolve(dim, reading))),)
    found: list[tuple[int, int]] = []
    offset = 0
    for condition, part in dim.items:
        if reading.holds(condition):
            for start, stop in spans(part, reading):
                if found and found[-1][1] == offset + start:
                    found[-1] = (found[-1][0], offset + stop)
                else:
                    found.append((offset + start, offset + stop))
        offset += limit(part)
    return tuple(found)


def width(found: Spans) -> int:
    """The number of channels in `found`."""
    return sum(stop - start for start, stop in found)


@dataclass(frozen=True, slots=True)
class Shape:
    """The shape of one example: `channels`, then the sizes of `space`.

    An image is (C; H, W), a sequence (C; T), a vector (C;). Token indices are a sequence whose
    `channels` is the size of the vocabulary. As tensors, batch first: [B, C, H, W], [B, T, C],
    [B, C], and int64 [B, T] for tokens.
    """

    channels: Dim
    space: tuple[int, ...] = ()
    tokens: bool = False

    @property
    def kind(self) -> str:
        """`image`, `sequence` or `vector`; `words` for token indices."""
        return "words" if self.tokens else ("vector", "sequence", "image")[len(self.space)]

    def __str__(self) -> str:
        size = describe(self.channels)
        if self.tokens:
            return f"{self.space[0]} tokens of {size}"
        return " x ".join([size, *map(str, self.space)])


def describe(dim: Dim) -> str:
    """A size as a person reads it: `20`, or `8..64` where it is chosen."""
    if isinstance(dim, int):
        return str(dim)
    if isinstance(dim, Parts):
        least = sum(limit(part) for condition, part in dim.items if not condition)
        most = limit(dim)
    else:
        least, most = (int(e) for e in extremes(dim))
    return str(most) if least == most else f"{least}..{most}"
