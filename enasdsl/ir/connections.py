"""Numbers about the graph of a cell: which members are there, and what reads what."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from enasdsl.ir.build import mistake
from enasdsl.ir.context import Context, Frame
from enasdsl.ir.graph import Apply, Call, Input, Node, Present, Select
from enasdsl.ir.space import Kind
from enasdsl.ir.typed import describe
from enasdsl.ir.values import Item, Listing, Lowered, Picked, Tensor
from enasdsl.semantics.symbols import Chosen, Condition, Counted, Either, Num, Test, Unread, compute
from enasdsl.source import Span


class Untraced(Exception):
    """An outline is asked what reads what, which only the whole network tells."""


def number_of(items: Iterable[Item], ctx: Context, *, span: Span) -> Num:
    """How many of the items are there, which choices may settle."""
    terms: list[Num] = []
    picked: defaultdict[int, set[int]] = defaultdict(set)
    for item in items:
        match item.condition:
            case (Test(decision, allowed),) if len(allowed) == 1:
                picked[decision] |= allowed
            case condition:
                terms.append(holds(condition, ctx, span=span))
    terms += (_counted(decision, frozenset(members), ctx) for decision, members in picked.items())
    fixed = sum(term for term in terms if isinstance(term, int))
    return _added([*(term for term in terms if not isinstance(term, int)), fixed])


def _added(terms: list[Num]) -> Num:
    return compute("+", *terms) if len(terms) > 1 else compute("+", terms[0], 0)


def holds(condition: Condition, ctx: Context, *, span: Span) -> Num:
    """Whether a condition holds, as a number that choices settle."""
    return both(_holds(test, ctx, span) for test in condition)


def _holds(test: Test | Unread | Either, ctx: Context, span: Span) -> Num:
    match test:
        case Test(decision, allowed):
            return compute(">=", _counted(decision, allowed, ctx), 1)
        case Either(options):
            return either(holds(option, ctx, span=span) for option in options)
        case Unread():
            return _unread(test, ctx, span)


def reaches(source: Lowered, target: Lowered, ctx: Context, *, span: Span) -> Num:
    """Whether data flows from one value to another, or to one of a list; a `zero` passes none."""
    if not isinstance(source, Tensor):
        raise mistake("E0208", "`reachable` starts at a value", span, f"at {describe(source)}")
    return _end(target, _Reach(ctx, span, source.ref), ctx, span)


def edges(targets: Iterable[Item], ctx: Context, *, span: Span) -> Num:
    """How many pairs of an input or a node and one of the nodes `targets` there are in which the
    second reads the first; what goes through a `zero` is no edge."""
    frame = _frame(ctx, span)
    nodes = [_node(item, frame, ctx, span) for item in targets]
    terms: list[Num] = []
    for source in frame.earlier:
        reach = _Reach(ctx, span, frame.refs[source.path], frame.number)
        terms += (
            both((holds(condition, ctx, span=span), reach.of(node.value)))
            for node, condition in nodes
        )
    fixed = sum(term for term in terms if isinstance(term, int))
    return _added([*(term for term in terms if not isinstance(term, int)), fixed])


def _frame(ctx: Context, span: Span) -> Frame:
    if ctx.frame is None:
        raise mistake("E0205", "`edges` outside a cell", span, "only a cell or a block has nodes")
    return ctx.frame


def _node(item: Item, frame: Frame, ctx: Context, span: Span) -> tuple[Node, Condition]:
    ref = frame.refs.get(item.path)
    if ref is None and isinstance(item.value, Tensor):
        ref = item.value.ref
    node = None if ref is None else ctx.builder.values[ref]
    if not isinstance(node, Node):
        raise mistake(
            "E0208",
            "`edges` counts what nodes read",
            span,
            f"this is {describe(item.value)}",
            help="write `edges`, `edges(nodes)` or `edges(nodes[2])`",
        )
    return node, item.condition


def _unread(test: Unread, ctx: Context, span: Span) -> Num:
    """Whether no other node of its cell reads a node; nodes that follow are then refused."""
    node = ctx.builder.values[test.node]
    assert isinstance(node, Node)
    ctx.builder.complete.setdefault(node.frame, span)
    reach = _Reach(ctx, span, test.node, node.frame, zeros=True)
    return both(
        compute("not", both((holds(other.guard, ctx, span=span), reach.of(other.value))))
        for ref, other in enumerate(ctx.builder.values)
        if isinstance(other, Node) and other.frame == node.frame and ref != test.node
    )


@dataclass(slots=True)
class _Reach:
    """Whether `source` reaches the values of the body that is being built.

    With a `frame` it does so directly: through no other of its nodes. With `zeros` a `zero`
    passes what it reads on.
    """

    ctx: Context
    span: Span
    source: int
    frame: int | None = None
    zeros: bool = False
    known: list[Num] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.ctx.program.outline:
            raise Untraced

    def of(self, ref: int) -> Num:
        """The answer for a value; each is found from those before it."""
        for at in range(len(self.known), ref + 1):
            self.known.append(True if at == self.source else self._found(at))
        return self.known[ref]

    def _found(self, ref: int) -> Num:
        match self.ctx.builder.values[ref]:
            case Input():
                return False
            case Apply(op="zero") if not self.zeros:
                return False
            case Node(frame=frame) if frame == self.frame:
                return False
            case Apply(inputs=inputs) | Call(inputs=inputs):
                return either(self.known[i] for i in dict.fromkeys(inputs))
            case Node(value=inner):
                return self.known[inner]
            case Present(value=inner, condition=condition):
                if self.known[inner] is False:
                    return False
                tests = tuple(test for test in condition if not isinstance(test, Unread))
                return both((holds(tests, self.ctx, span=self.span), self.known[inner]))
            case Select(decision=decision, slot=slot, branches=branches):
                found = [False if b is None else self.known[b] for b in branches]
                if all(f is found[0] for f in found):
                    return found[0]
                return either(
                    both((_takes(decision, slot, n, len(branches)), f)) for n, f in enumerate(found)
                )


def _end(target: Lowered, reach: _Reach, ctx: Context, span: Span) -> Num:
    match target:
        case Tensor(ref=ref):
            return reach.of(ref)
        case Picked(decision, slot, branches):
            return either(
                both((_takes(decision, slot, n, len(branches)), reach.of(branch.ref)))
                for n, branch in enumerate(branches)
            )
        case Listing(items):
            return either(
                both((holds(i.condition, ctx, span=span), _end(i.value, reach, ctx, span)))
                for i in items
            )
        case _:
            raise mistake("E0208", "`reachable` ends at values", span, f"at {describe(target)}")


def _counted(decision: int, allowed: frozenset[int], ctx: Context) -> Counted:
    domain = ctx.ledger.decisions[decision].domain
    distinct = domain.kind in (Kind.ONE, Kind.SET, Kind.ARRANGEMENT)
    return Counted(decision, allowed, min(domain.most, len(allowed)) if distinct else domain.most)


def _takes(decision: int, slot: int, index: int, size: int) -> Chosen:
    return Chosen(decision, slot, tuple(n == index for n in range(size)))


def both(truths: Iterable[Num]) -> Num:
    """Whether all of these hold."""
    return _junction("and", truths, ends=False)


def either(truths: Iterable[Num]) -> Num:
    """Whether one of these holds."""
    return _junction("or", truths, ends=True)


def _junction(operator: str, truths: Iterable[Num], *, ends: bool) -> Num:
    open_ = list(_open(truths, ends=ends))
    if any(truth is ends for truth in open_):
        return ends
    if not open_:
        return not ends
    return compute(operator, *open_) if len(open_) > 1 else open_[0]


def _open(truths: Iterable[Num], *, ends: bool) -> Iterator[Num]:
    """The truths that say something, up to the one that settles it."""
    for truth in truths:
        if truth is not (not ends):
            yield truth
        if truth is ends:
            return
