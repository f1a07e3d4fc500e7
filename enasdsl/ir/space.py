"""The space: its decisions in order, and an architecture as the record of one run."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from hashlib import sha256

from enasdsl.ir.graph import Body
from enasdsl.semantics.symbols import Condition, Either, Num, Picks, Test, Unread
from enasdsl.source import Span


class Kind(Enum):
    """How a decision picks from its `size` alternatives.

    ONE picks a single index. SEQUENCE picks `least` indices in order. SET picks from `least` to
    `most` different indices, kept ascending; with repeats (MULTISET) an index may come again.
    """

    ONE = "one"
    SEQUENCE = "sequence"
    ARRANGEMENT = "arrangement"  # a SEQUENCE without repeats
    SET = "set"
    MULTISET = "multiset"


@dataclass(frozen=True, slots=True)
class Domain:
    """What one decision may pick: tuples of indices below `size`, `least` to `most` long."""

    kind: Kind
    size: int
    least: int = 1
    most: int = 1


class Source(Enum):
    """What the alternatives are, which is how the controller looks at them."""

    INPUT = "input"  # values computed earlier: attention over anchors
    OPERATION = "operation"
    VALUE = "value"


@dataclass(frozen=True, slots=True)
class Decision:
    """One evaluation of a `choose`.

    `labels` name the alternatives, and `members`, for a Source.INPUT, the paths of the nodes and
    inputs that they are (`normal.node3`, `normal.prev`), in the same order. The decision is live
    where `guard` holds; a guard reads only earlier decisions.
    """

    path: str
    scope: str  # the path of the node, cell or block in which it is taken
    domain: Domain
    labels: tuple[str, ...]
    source: Source
    guard: Condition = ()
    members: tuple[str, ...] = ()
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Constraint:
    """A condition that every architecture must meet; `value` is a truth that decisions settle.

    One that is `priced` speaks of what the network costs at the sizes in force, which a space's
    hash does not tell apart.
    """

    value: Num
    guard: Condition
    message: str
    span: Span | None = field(default=None, compare=False)
    priced: bool = False


@dataclass(frozen=True, slots=True)
class Published:
    """A size that was printed, where, and why it differs from the exact one."""

    value: int | float
    origin: str
    why: str | None = None


@dataclass(frozen=True, slots=True)
class PlaceSpec:
    """One set of shared weights: the operation that owns it at its largest.

    `args` are the operation's arguments with every chosen number at its greatest; `inputs` are
    the channels of each input at their greatest, `outputs` those of the result. `tied` is the
    place whose weight this one uses instead of its own.
    """

    place: str
    op: str
    args: tuple[tuple[str, object], ...]
    inputs: tuple[int, ...]
    outputs: int
    space: tuple[int, ...] = ()  # of the first input
    tied: str | None = None


@dataclass(frozen=True, slots=True)
class Space:
    """Everything a compiled file says: decisions, constraints, and the graph of its network.

    `bodies[0]` is the network; the others are the cells that it stamps. Where a file declares
    cells `lone`, without a network, `bodies[0]` only stamps each of them once.
    """

    name: str
    task: str
    decisions: tuple[Decision, ...]
    constraints: tuple[Constraint, ...] = ()
    bodies: tuple[Body, ...] = field(default=(), compare=False, repr=False)
    places: tuple[PlaceSpec, ...] = field(default=(), compare=False, repr=False)
    published: tuple[Published, ...] = field(default=(), compare=False)
    modulo: tuple[str, ...] = ()
    lone: bool = field(default=False, compare=False)
    hash: str = field(init=False, compare=False)
    """Twelve hexadecimal digits of the decisions and constraints: which architectures fit."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "hash", _digest(self))

    def __hash__(self) -> int:
        return hash(self.hash)

    @property
    def network(self) -> bool:
        return bool(self.bodies) and not self.lone


def _digest(space: Space) -> str:
    lines = [space.name]
    for d in space.decisions:
        lines.append(f"{d.path} {d.domain} {d.labels} {_condition(d.guard)}")
    for c in space.constraints:
        if not c.priced:
            lines.append(f"{c.value} {_condition(c.guard)}")
    return sha256("\n".join(lines).encode()).hexdigest()[:12]


def _condition(condition: Condition) -> str:
    return " ".join(map(_test, condition))


def _test(test: Test | Unread | Either) -> str:
    match test:
        case Test(decision, allowed):
            return f"{decision}:{sorted(allowed)}"
        case Either(options):
            return f"({' or '.join(map(_condition, options))})"
        case _:
            return ""


@dataclass(frozen=True, slots=True)
class Architecture:
    """One run of a space: for each decision, in order, the picked indices, or None if not live."""

    space: str  # Space.name
    hash: str  # Space.hash
    picks: tuple[Picks, ...]
