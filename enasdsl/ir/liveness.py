"""Which operations of a space's network are needed, as conditions over its decisions."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from heapq import heapify, heappop, heappush
from operator import add

from enasdsl.ir.graph import Apply, Body, Call, Input, Node, Present, Select, Value
from enasdsl.ir.places import join
from enasdsl.ir.space import Kind, Space
from enasdsl.semantics.diagrams import Atom, Diagram, Diagrams
from enasdsl.semantics.symbols import (
    OPERATORS,
    Chosen,
    Computed,
    Condition,
    Counted,
    Dim,
    Either,
    Num,
    Parts,
    Test,
    Unread,
)

Edge = tuple[int, Diagram]
"""A value that another one reads, and where it does."""


@dataclass(frozen=True, slots=True)
class Use:
    """An operation in one stamp of its body, and how often it runs where it is needed.

    That is where the stamp is, `outer`, and within it the operation, `inner`.
    """

    body: int
    ref: int
    prefix: str
    outer: Diagram
    inner: Diagram
    times: int


class Liveness:
    """Conditions, numbers and needs of one space's network as diagrams.

    Everything here raises TooManyNodes where `diagrams` allow no more.
    """

    def __init__(self, space: Space, diagrams: Diagrams) -> None:
        self.space = space
        self.diagrams = diagrams
        self._slotted = {decision for body in space.bodies for decision in _slots(body)}
        self._numbers: dict[Computed, Diagram] = {}
        self._widths: dict[Parts, Diagram] = {}
        self._unread: dict[int, Mapping[int, Diagram]] = {}
        self._needs: dict[int, tuple[Mapping[int, Diagram], ...]] = {}

    def uses(self) -> Iterator[Use]:
        """Every operation of every stamp that some architecture needs."""
        return self._visit(0, "", [True] * len(self.space.bodies[0].outputs), 1)

    # --------------------------------------------------------------- conditions

    def condition(self, condition: Condition) -> Diagram:
        """Where a condition holds."""
        return reduce(self.diagrams.both, map(self._holds, condition), True)

    def _holds(self, test: Test | Unread | Either) -> Diagram:
        match test:
            case Unread(body, node):
                return self.unread(body)[node]
            case Either(options):
                return reduce(self.diagrams.either, map(self.condition, options), False)
            case Test():
                return self._test(test)

    def _test(self, test: Test) -> Diagram:
        decision = self.space.decisions[test.decision]
        hits: list[Diagram] = []
        if test.decision in self._slotted or decision.domain.kind in (Kind.ONE, Kind.SEQUENCE):
            allowed = [index in test.allowed for index in range(decision.domain.size)]
            for slot in range(decision.domain.most):
                sure = slot < decision.domain.least and not decision.guard
                hits.append(self._slot(test.decision, slot, allowed, None if sure else False))
        else:
            atoms = (Atom(test.decision, -1, member) for member in sorted(test.allowed))
            hits += [self.diagrams.node(atom, (False, True)) for atom in atoms]
        return reduce(self.diagrams.either, hits, False)

    def _slot(
        self, decision: int, slot: int, values: Sequence[Hashable], missing: Hashable = None
    ) -> Diagram:
        """The value of what is picked in a slot; `missing` is None where that is surely made."""
        branches = (*values, values[-1] if missing is None else missing)
        return self.diagrams.node(Atom(decision, slot), branches)

    # ------------------------------------------------------------------ numbers

    def number(self, num: Num) -> Diagram:
        """A number, as far as it is settled."""
        match num:
            case Chosen(decision, slot, values, missing):
                return self._slot(decision, slot, values, missing)
            case Counted(decision, allowed):
                hits = (self._test(Test(decision, frozenset((m,)))) for m in sorted(allowed))
                return self.diagrams.combine(lambda *found: sum(found), *hits)
            case Computed(operator, operands):
                if num not in self._numbers:
                    self._numbers[num] = self.diagrams.combine(
                        OPERATORS[operator], *map(self.number, operands)
                    )
                return self._numbers[num]
            case _:
                return num

    def width(self, dim: Dim) -> Diagram:
        """How many channels `dim` is."""
        if not isinstance(dim, Parts):
            return self.number(dim)
        if dim not in self._widths:
            widths = [
                self.diagrams.where(self.condition(condition), self.width(part), 0)
                for condition, part in dim.items
            ]
            self._widths[dim] = reduce(lambda a, b: self.diagrams.combine(add, a, b), widths, 0)
        return self._widths[dim]

    # -------------------------------------------------------------------- needs

    def needs(self, index: int) -> tuple[Mapping[int, Diagram], ...]:
        """For each output of a body, where it depends on which value."""
        if index not in self._needs:
            body = self.space.bodies[index]
            self._needs[index] = tuple(
                dict(self._flow(body, {output: True})) for output in body.outputs
            )
        return self._needs[index]

    def unread(self, index: int) -> Mapping[int, Diagram]:
        """Where each node of a body is live and no other one of its frame reads it."""
        if index not in self._unread:
            body = self.space.bodies[index]
            nodes = {n: v for n, v in enumerate(body.values) if isinstance(v, Node)}
            found = {n: self.condition(node.guard) for n, node in nodes.items()}
            live = dict(found)
            for n, node in nodes.items():
                for ref, where in self._flow(body, {node.value: live[n]}, frame=node.frame):
                    if ref in nodes and nodes[ref].frame == node.frame:
                        found[ref] = self.diagrams.both(found[ref], self.diagrams.negated(where))
            self._unread[index] = found
        return self._unread[index]

    def _flow(
        self, body: Body, start: Mapping[int, Diagram], *, frame: int | None = None
    ) -> Iterator[Edge]:
        """What the values `start` depend on, themselves included, the latest first.

        With a `frame` the flow ends in its nodes, and says what reads what before it is known
        what is loose.
        """
        where = dict(start)
        pending = [-ref for ref in start]
        heapify(pending)
        while pending:
            ref = -heappop(pending)
            value, here = body.values[ref], where[ref]
            yield ref, here
            if frame is not None and isinstance(value, Node) and value.frame == frame:
                continue
            for source, condition in self._sources(body, value, loose=frame is None):
                there = self.diagrams.both(here, condition)
                if there is False:
                    continue
                if source not in where:
                    heappush(pending, -source)
                where[source] = self.diagrams.either(where.get(source, False), there)

    def _sources(self, body: Body, value: Value, *, loose: bool) -> Iterator[Edge]:
        match value:
            case Input():
                return
            case Node(value=inner):
                yield inner, True
            case Present(value=inner, condition=condition):
                yield inner, True if loose else self._settled(condition)
            case Select(decision=decision, slot=slot, branches=branches):
                for branch in {b for b in branches if b is not None}:
                    yield branch, self._slot(decision, slot, [b == branch for b in branches])
            case Call(states=0) if loose:
                inner_needs = self.needs(value.body)[value.output]
                for n, source in enumerate(value.inputs):
                    yield source, inner_needs.get(n, False)
            case Apply(inputs=inputs) | Call(inputs=inputs):
                for source in inputs:
                    yield from self._input(body, source, loose=loose)

    def _input(self, body: Body, ref: int, *, loose: bool) -> Iterator[Edge]:
        value = body.values[ref]
        if loose and isinstance(value, Present):
            yield value.value, self.condition(value.condition)
        else:
            yield ref, True

    def _settled(self, condition: Condition) -> Diagram:
        return self.condition(tuple(t for t in condition if not isinstance(t, Unread)))

    # ------------------------------------------------------------------- stamps

    def _visit(
        self, index: int, prefix: str, outputs: Sequence[Diagram], times: int
    ) -> Iterator[Use]:
        """The uses in one stamp of a body whose outputs are needed where `outputs` hold."""
        body = self.space.bodies[index]
        outer = outputs[0] if len(set(outputs)) == 1 else True
        need = self._joined(index, outputs if outer is True else [True] * len(outputs))
        stamps: dict[str, tuple[Call, list[Diagram]]] = {}
        for ref, inner in sorted(need.items()):
            value = body.values[ref]
            if isinstance(value, Apply):
                yield Use(index, ref, prefix, outer, inner, times)
            elif isinstance(value, Call):
                none: list[Diagram] = [False] * len(self.space.bodies[value.body].outputs)
                _, asked = stamps.setdefault(value.place, (value, none))
                asked[value.output] = self.diagrams.both(outer, inner)
        for place, (call, asked) in stamps.items():
            again = times * call.shape.space[0] if call.states else times
            whole = [asked[0]] * len(asked) if call.states else asked
            yield from self._visit(call.body, join(prefix, place), whole, again)

    def _joined(self, index: int, outputs: Sequence[Diagram]) -> Mapping[int, Diagram]:
        """Where each value of a body is needed, its outputs being needed where `outputs` hold."""
        need: dict[int, Diagram] = {}
        for output, inner in zip(outputs, self.needs(index), strict=True):
            for ref, where in inner.items():
                there = self.diagrams.both(output, where)
                need[ref] = self.diagrams.either(need.get(ref, False), there)
        return need


def _slots(body: Body) -> Iterator[int]:
    """The decisions of which a body tells slots apart."""
    for value in body.values:
        if isinstance(value, Select):
            yield value.decision
        yield from _chosen(value.shape.channels)
        for _, argument in value.args if isinstance(value, Apply) else ():
            yield from _chosen(argument)


def _chosen(num: Num | Parts) -> Iterator[int]:
    match num:
        case Chosen(decision=decision):
            yield decision
        case Computed(operands=operands):
            for operand in operands:
                yield from _chosen(operand)
        case Parts(items=items):
            for _, part in items:
                yield from _chosen(part)
