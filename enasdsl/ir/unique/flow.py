"""The graph of operations that picks make of a body, under the rules of `modulo`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from hashlib import sha256
from math import prod

from enasdsl.ir.graph import Apply, Call, Input, Node, Present, Select, Value
from enasdsl.ir.specialize import ends
from enasdsl.ir.unique.isomorphism import Graph, canonical
from enasdsl.ir.unique.modulo import Modulo
from enasdsl.ir.unique.plan import Plan
from enasdsl.ir.unique.sites import COMMUTATIVE, labelled, sources
from enasdsl.semantics.symbols import Reading, resolve

Terms = tuple[int, ...] | None
"""What a value is: the vertices whose sum it is, none for a zero; None where it is not there."""

SUMS = frozenset({"sum", "add"})
PRODUCTS = frozenset({"product", "multiply"})
_ALIKE = -1  # the port of what is read without an order
_PADDED = frozenset({"concat", "mean", "min", "max", "subtract", "divide"})  # a zero input counts


class Tied(Exception):
    """One decision labels two vertices of a graph, so that their labels are not independent."""

    def __init__(self, decision: int) -> None:
        self.decision = decision


Place = tuple[int | str, ...]
"""Which body stands alone, and from there the stamps that lead inside."""

Labels = Mapping[tuple[int, int], tuple[str, int]]
"""For a Select and the alternative picked there, its name and how many labels share it."""


@dataclass(slots=True)
class Flow:
    """A graph while it grows; what `known` holds of a body is reached by its place and value."""

    plans: Mapping[int, Plan]
    stamped: frozenset[str]  # the places of cells that are vertices, not looked into
    designs: Sequence[str]  # the name of each body
    modulo: Modulo
    labels: list[str] = field(default_factory=list)
    reads: list[tuple[tuple[int, int], ...]] = field(default_factory=list)
    ways: list[int] = field(default_factory=list)
    alive: list[bool] = field(default_factory=list)
    known: dict[tuple[Place, int], Terms] = field(default_factory=dict)
    sums: dict[tuple[int, ...], int] = field(default_factory=dict)
    sited: frozenset[int] = frozenset()
    read: frozenset[tuple[int, int]] = frozenset()  # nodes that others read, where a body asks
    names: Mapping[int, Labels] = field(default_factory=dict)  # by body
    reading: Reading = field(default_factory=lambda: Reading(()))

    def copy(self) -> Flow:
        return replace(
            self,
            labels=self.labels.copy(),
            reads=self.reads.copy(),
            ways=self.ways.copy(),
            alive=self.alive.copy(),
            known=self.known.copy(),
            sums=self.sums.copy(),
        )

    def graph(self, marks: Sequence[tuple[str, Terms]]) -> Graph:
        """The graph so far, with a vertex for each mark that reads what is marked."""
        first = len(self.labels)
        labels = [*self.labels, *(mark for mark, _ in marks)]
        reads = [*self.reads, *(tuple((0, t) for t in terms or ()) for _, terms in marks)]
        kept = range(len(labels))
        if self.modulo.prune:
            kept = sorted(_behind(range(first, len(labels)), reads))  # type: ignore[assignment]
        place = {vertex: n for n, vertex in enumerate(kept)}
        ways = [*self.ways, *(1 for _ in marks)]
        return Graph(
            tuple(labels[v] for v in kept),
            tuple(tuple((p, place[u]) for p, u in reads[v]) for v in kept),
            tuple(ways[v] for v in kept),
        )

    # ------------------------------------------------------------ bodies and nodes

    def enter(self, index: int, at: Place) -> None:
        """Begins a body that stands alone: its inputs are vertices."""
        plan = self.plans[index]
        inputs = plan.leaves or range(plan.body.inputs)
        for ref in inputs:
            value = plan.body.values[ref]
            assert isinstance(value, Input | Node)
            self.known[at, ref] = (self._vertex(f"input {at[0]} {value.name}", (), alive=True),)

    def node(self, index: int, at: Place, ref: int) -> None:
        """Evaluates a node, if it is live."""
        plan = self.plans[index]
        node = plan.body.values[ref]
        assert isinstance(node, Node)
        if not self.reading.holds(node.guard):
            return
        before, known = len(self.labels), len(self.known)
        self.value(index, at, ref)
        if plan.asks_unread:
            self.read |= {(index, r) for r in ends(plan.body, node, self.reading)}
        if ref in plan.private:
            terms = self._contracted(before, self.known[at, ref])
            for key in list(self.known)[known:]:
                del self.known[key]
            self.known[at, ref] = terms

    def leave(self, index: int, at: Place) -> None:
        """Evaluates the outputs of a body, once its nodes are there."""
        self.settle_unread(index)
        for output in self.plans[index].body.outputs:
            self.value(index, at, output)

    def settle_unread(self, index: int) -> None:
        """Says which nodes of a body nobody reads, once all of them are there."""
        plan = self.plans[index]
        if plan.asks_unread:
            live = {(index, r) for r, node in plan.counted if self.reading.holds(node.guard)}
            unread = self.reading.unread | (live - self.read)
            self.reading = Reading(self.reading.picks, frozenset(unread))

    def value(self, index: int, at: Place, ref: int) -> Terms:
        """Evaluates a value and all that it reads."""
        body = self.plans[index].body
        pending = [ref]
        while pending:
            top = pending[-1]
            if (at, top) in self.known:
                pending.pop()
                continue
            missing = [r for r in self._sources(index, top) if (at, r) not in self.known]
            if missing:
                pending.extend(missing)
            else:
                pending.pop()
                self.known[at, top] = self._compute(index, at, top, body.values[top])
        return self.known[at, ref]

    def _sources(self, index: int, ref: int) -> tuple[int, ...]:
        plan = self.plans[index]
        match plan.body.values[ref]:
            case Select() as value:
                site = plan.sites.get(ref)
                if site is not None and site.labels[self._pick(value)] is not None:
                    return site.ports
                return (self._branch(value),)
            case Present(value=inner, condition=condition):
                return (inner,) if self.reading.holds(condition) else ()
            case value:
                return sources(value)

    def _pick(self, value: Select) -> int:
        picks = self.reading.picks[value.decision]
        assert picks is not None
        return picks[value.slot]

    def _branch(self, value: Select) -> int:
        branch = value.branches[self._pick(value)]
        assert branch is not None
        return branch

    def _sorted(self, before: int, way_out: int) -> Terms:
        """Puts the vertices from `before` on in an order that their own does not change."""
        place = {v: v for v in range(before)}
        left = list(range(before, len(self.labels)))
        while left:
            rows = [
                (self.labels[v], sorted((p, place[u]) for p, u in self.reads[v]), v)
                for v in left
                if all(u in place for _, u in self.reads[v])
            ]
            rows.sort()
            place |= {v: len(place) + n for n, (_, _, v) in enumerate(rows)}
            left = [v for v in left if v not in place]
        order = sorted(range(before, len(self.labels)), key=place.__getitem__)
        self.reads[before:] = [
            tuple(sorted((p, place[u]) for p, u in self.reads[v])) for v in order
        ]
        self.labels[before:] = [self.labels[v] for v in order]
        self.ways[before:] = [self.ways[v] for v in order]
        self.alive[before:] = [self.alive[v] for v in order]
        return (place[way_out],)

    # ---------------------------------------------------------------- single values

    def _compute(self, index: int, at: Place, ref: int, value: Value) -> Terms:
        match value:
            case Input():
                raise AssertionError("inputs are there from the start")
            case Node():
                return self._named(at, value, self.known[at, value.value])
            case Present(condition=condition):
                return self.known[at, value.value] if self.reading.holds(condition) else None
            case Select():
                return self._select(index, at, ref, value)
            case Call():
                return self._call(index, at, value)
            case Apply():
                terms = [self.known[at, i] for i in value.inputs]
                return self._apply(value, [t for t in terms if t is not None])

    def _named(self, at: Place, node: Node, terms: Terms) -> Terms:
        modulo = self.modulo
        if not terms or modulo.rename or modulo.contract:
            return terms
        return (self._vertex(f"node {at} {node.name}", ((0, self._one(terms)),)),)

    def _select(self, index: int, at: Place, ref: int, value: Select) -> Terms:
        site = self.plans[index].sites.get(ref)
        pick = self._pick(value)
        label = site.labels[pick] if site is not None else None
        if site is None or label is None:
            return self.known[at, self._branch(value)]
        name, ways = self.names.get(index, {}).get((ref, pick), (label, 1))
        if ways > 1:
            if value.decision in self.sited:
                raise Tied(value.decision)
            self.sited |= {value.decision}
        terms = [self.known[at, port] for port in site.ports]
        return self._joined(name, [t for t in terms if t is not None], alike=site.alike, ways=ways)

    def _apply(self, value: Apply, inputs: list[tuple[int, ...]]) -> Terms:
        modulo = self.modulo
        if value.op == "zero" and (modulo.erase or modulo.prune):
            return ()
        if value.op == "identity" and modulo.contract:
            return inputs[0]
        if value.op in SUMS and modulo.contract:
            return tuple(sorted(term for terms in inputs for term in terms))
        if value.op in SUMS and not any(inputs):
            return ()
        if value.op in PRODUCTS and not all(inputs):
            return ()
        alike = modulo.commute and value.op in COMMUTATIVE
        padded = value.op in _PADDED
        args = ((name, resolve(arg, self.reading)) for name, arg in value.args)
        return self._joined(labelled(value.op, args), inputs, alike=alike, padded=padded)

    def _call(self, index: int, at: Place, value: Call) -> Terms:
        inputs = [self.known[at, i] or () for i in value.inputs]
        if index == 0 and value.place in self.stamped:
            return self._joined(f"cell {self.designs[value.body]} {value.output}", inputs)
        inner = (*at, value.place)
        body = self.plans[value.body].body
        if (inner, 0) not in self.known:
            for ref, terms in enumerate(inputs):
                self.known[inner, ref] = terms
            for ref in range(len(inputs), body.inputs):
                self.known[inner, ref] = (self._vertex("state", (), alive=True),)
            for ref in self.plans[value.body].nodes:
                self.node(value.body, inner, ref)
            self.settle_unread(value.body)
        return self.value(value.body, inner, body.outputs[value.output])

    # -------------------------------------------------------------------- vertices

    def _contracted(self, before: int, terms: Terms) -> Terms:
        """Makes one vertex of those from `before` on, where they read one value at most.

        They have one way out, which is all that is ever read of them.
        """
        reads = self.reads[before:]
        outside = {u for edges in reads for _, u in edges if u < before}
        choices = [ways for ways in self.ways[before:] if ways > 1]
        if len(reads) < 2 or not terms or len(terms) > 1 or terms[0] < before:
            return terms
        if any(v >= before for v in self.sums.values()):
            return terms
        if len(outside) > 1 or len(choices) > 1:
            return self._sorted(before, terms[0])
        inside = tuple(tuple((p, max(u - before, -1) + 1) for p, u in edges) for edges in reads)
        label = _part(tuple(self.labels[before:]), inside, terms[0] - before)
        alive = self.alive[terms[0]]
        for column in (self.labels, self.reads, self.ways, self.alive):
            del column[before:]
        edges = tuple((0, u) for u in outside)
        return (self._vertex(label, edges, alive=alive, ways=prod(choices)),)

    def _joined(
        self,
        label: str,
        inputs: Sequence[tuple[int, ...]],
        *,
        alike: bool = False,
        padded: bool = False,
        ways: int = 1,
    ) -> tuple[int, ...]:
        """A vertex that reads values at its ports, or a zero where the rules make it one."""
        edges = [
            (_ALIKE if alike else port, self._one(terms) if terms else self._zero())
            for port, terms in enumerate(inputs)
            if terms or padded
        ]
        alive = any(self.alive[source] for _, source in edges)
        if (self.modulo.prune or self.modulo.erase) and inputs and not any(inputs):
            return ()
        if self.modulo.prune and not alive:
            return ()
        return (self._vertex(label, tuple(sorted(edges)), alive=alive, ways=ways),)

    def _one(self, terms: tuple[int, ...]) -> int:
        """The vertex of a value, which for several terms is their sum."""
        if len(terms) == 1:
            return terms[0]
        if terms not in self.sums:
            edges = tuple((_ALIKE, t) for t in terms)
            alive = any(self.alive[t] for t in terms)
            self.sums[terms] = self._vertex("sum", edges, alive=alive)
        return self.sums[terms]

    def _zero(self) -> int:
        return self._vertex("zero", ())

    def _vertex(
        self,
        label: str,
        reads: tuple[tuple[int, int], ...],
        *,
        alive: bool | None = None,
        ways: int = 1,
    ) -> int:
        self.labels.append(label)
        self.reads.append(reads)
        self.ways.append(ways)
        self.alive.append(any(self.alive[u] for _, u in reads) if alive is None else alive)
        return len(self.labels) - 1


def _behind(starts: Iterable[int], reads: Sequence[tuple[tuple[int, int], ...]]) -> set[int]:
    """The vertices that are read, however far behind, from `starts`; these included."""
    found = set(starts)
    pending = list(found)
    while pending:
        for _, source in reads[pending.pop()]:
            if source not in found:
                found.add(source)
                pending.append(source)
    return found


@lru_cache(maxsize=65536)
def _part(
    labels: tuple[str, ...], reads: tuple[tuple[tuple[int, int], ...], ...], way_out: int
) -> str:
    """A name for a small graph; what it reads outside is vertex 0, its own follow."""
    names = ["outside", *labels]
    names[way_out + 1] += " (the way out)"
    form = canonical(Graph(tuple(names), ((), *reads), (1,) * len(names)))
    return sha256(repr(form).encode()).hexdigest()[:16]
