"""The graphs that a unit can make, each once, with the labels of its sites left open.

Decisions are taken as the values that read them are evaluated. Wherever nothing that was decided
is read again, graphs that renaming makes equal go on as one: what follows is the same for both,
for the values that are still read carry marks, and only exchangeable ones carry the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from enasdsl.ir.constraint import made, reads, satisfied
from enasdsl.ir.domain import enumerate_domain, size
from enasdsl.ir.folding import folded, settle, settled
from enasdsl.ir.space import Decision, Kind, Source, Space
from enasdsl.ir.unique.flow import Flow, Tied
from enasdsl.ir.unique.isomorphism import Edge, Form, Graph, canonical, labelings
from enasdsl.ir.unique.plan import tested
from enasdsl.ir.unique.sites import Choice, atoms, choices
from enasdsl.ir.unique.symmetry import Rest, members
from enasdsl.ir.unique.units import Step, Unit, constrained
from enasdsl.semantics.symbols import (
    Chosen,
    Computed,
    Counted,
    Num,
    Picks,
    Reading,
    Scalar,
    resolve,
)


class TooManyGraphs(Exception):
    """A unit makes more graphs than can be listed."""


@dataclass(frozen=True, slots=True)
class State:
    picks: tuple[Picks, ...]
    flow: Flow
    demands: tuple[Num, ...]  # what is left of each constraint


class Skeletons:
    """The graphs of one unit."""

    def __init__(self, space: Space, unit: Unit, *, limit: int) -> None:
        self.space = space
        self.unit = unit
        self.left = limit
        self.free = _free(space, unit)

    def classes(self) -> int:
        """How many different architectures the unit has; raises TooManyGraphs, TooSymmetric."""
        while True:
            try:
                return self._classes()
            except Tied as tied:
                self.free = {d: c for d, c in self.free.items() if d != tied.decision}

    def _classes(self) -> int:
        self._name()
        seen: set[object] = set()
        found: set[tuple[Form, object]] = set()
        total = 0
        for state in self._all():
            graph = final(self.unit, state.flow)
            aside = tuple(state.picks[d] for d in self.unit.aside)
            if (graph, aside) in seen:
                continue
            seen.add((graph, aside))
            form = canonical(graph)
            if (form, aside) not in found:
                found.add((form, aside))
                total += labelings(graph)
        return total

    def _name(self) -> None:
        """Names the labels of free decisions by their atoms."""
        every = {(r, s): site for r, p in self.unit.plans.items() for s, site in p.sites.items()}
        numbered = dict(enumerate(every.values()))
        atom, sizes = atoms(numbered, self.free)
        self.free = {d: choices(d, numbered, atom) for d in self.free}
        self.names: dict[int, dict[tuple[int, int], tuple[str, int]]] = {}
        for number, (body, ref) in enumerate(every):
            for choice in self.free.get(numbered[number].decision, ()):
                if number in choice.labels:
                    name = choice.labels[number]
                    names = self.names.setdefault(body, {})
                    names[ref, choice.index] = (f"one of {name}", sizes[name])

    # ------------------------------------------------------------------ enumeration

    def _all(self) -> Iterator[State]:
        states: Iterable[State] = [self._start()]
        decided: set[int] = set()
        for place, step in enumerate(self.unit.steps):
            for decision in self._order(step.needs, decided):
                states = self._decide(states, decision)
            states = self._evaluate(states, step)
            if step.ref is not None:
                states = self._merged(states, place, frozenset(decided))
        rest = [*self.unit.aside, *(d for c in self.unit.constraints for d in constrained(c))]
        for decision in self._order(rest, decided):
            states = self._decide(states, decision)
        for state in states:
            open_ = zip(self.unit.constraints, state.demands, strict=True)
            if all(satisfied(c, state.picks) for c, left in open_ if not settled(left)):
                yield state

    def _start(self) -> State:
        picks: tuple[Picks, ...] = (None,) * len(self.space.decisions)
        flow = Flow(self.unit.plans, self.unit.stamped, self.unit.designs, self.unit.modulo)
        flow.names = self.names
        for root in self.unit.roots:
            flow.enter(root, (root,))
        return State(picks, flow, tuple(folded(c.value) for c in self.unit.constraints))

    def _order(self, wanted: Iterable[int], decided: set[int]) -> list[int]:
        """The decisions to take, each behind those that its guard reads."""
        order: dict[int, None] = {}
        pending = sorted(set(wanted), reverse=True)
        while pending:
            decision = pending[-1]
            before = [d for d in _guards(self.space.decisions[decision]) if d not in decided]
            before = [d for d in before if d not in order]
            if before:
                pending.extend(before)
                continue
            pending.pop()
            if decision not in decided:
                order[decision] = None
        decided.update(order)
        return list(order)

    def _decide(self, states: Iterable[State], index: int) -> Iterator[State]:
        decision = self.space.decisions[index]
        options: Sequence[Picks]
        if index in self.free:
            options = [(choice.index,) for choice in self.free[index]]
        else:
            if size(decision.domain) > self.left:
                raise TooManyGraphs
            options = list(enumerate_domain(decision.domain))
        concerned = [n for n, c in enumerate(self.unit.constraints) if index in constrained(c)]
        for state in states:
            live = Reading(state.picks).holds(decision.guard)
            for picked in options if live else (None,):
                self._spend()
                picks = (*state.picks[:index], picked, *state.picks[index + 1 :])
                demands = self._demands(state.demands, concerned, index, picked)
                if demands is not None:
                    yield State(picks, state.flow, demands)

    def _demands(
        self, demands: tuple[Num, ...], concerned: Sequence[int], index: int, picked: Picks
    ) -> tuple[Num, ...] | None:
        """What is left of the constraints, or None where one fails."""
        if not concerned:
            return demands
        left = list(demands)

        def values(part: Chosen | Counted) -> Scalar | None:
            if part.decision != index:
                return None
            return resolve(part, reading)

        reading = Reading((None,) * index + (picked,))
        for n in concerned:
            constraint = self.unit.constraints[n]
            chosen = [c for c in reads(left[n]) if c.decision == index]
            if constraint.guard or not all(made(c, picked) for c in chosen):
                left[n] = True if not constraint.guard else left[n]
                continue
            left[n] = settle(left[n], values)
            if settled(left[n]) and not left[n]:
                return None
        return tuple(left)

    def _evaluate(self, states: Iterable[State], step: Step) -> Iterator[State]:
        at = (step.body,)
        for state in states:
            self._spend()
            flow = state.flow.copy()
            flow.reading = Reading(state.picks, flow.reading.unread)
            if step.ref is None:
                flow.leave(step.body, at)
            else:
                flow.node(step.body, at, step.ref)
            yield replace(state, flow=flow)

    def _spend(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise TooManyGraphs

    # --------------------------------------------------------------------- symmetry

    def _merged(
        self, states: Iterable[State], place: int, decided: frozenset[int]
    ) -> Iterable[State]:
        """One state for each class of those from which the same can follow."""
        step = self.unit.steps[place]
        later = self.unit.steps[place + 1 :]
        plan = self.unit.plans[step.body]
        ahead = frozenset(self.unit.decisions) - decided
        read = {d for s in later for d in s.needs}
        read |= {g for d in ahead for g in _guards(self.space.decisions[d])}
        carried = sorted(read & decided)
        inputs = (self.space.decisions[d].source is Source.INPUT for d in carried)
        last = not ahead and len(later) < 2  # what follows is compared as soon
        if last or any(s.body != step.body for s in later) or any(inputs):
            return states
        values = tuple(
            r for s in later for r in ((s.ref,) if s.ref is not None else plan.body.outputs)
        )
        rest = Rest(plan, self.space.decisions, values, ahead)
        return self._merge(states, step.body, rest, carried)

    def _merge(
        self, states: Iterable[State], body: int, rest: Rest, carried: Sequence[int]
    ) -> Iterator[State]:
        roles: dict[tuple[int, ...], Mapping[int, int]] = {}
        seen: set[object] = set()
        for state in states:
            known = state.flow.known
            standing = tuple(ref for at, ref in known if at == (body,))
            if standing not in roles:
                roles[standing] = rest.roles(standing)
            read = state.flow.read
            marks = [
                (ref, f"role {role} {(body, ref) in read}") for ref, role in roles[standing].items()
            ]
            graph = state.flow.graph([(mark, known[(body,), ref]) for ref, mark in marks])
            first = len(graph.labels) - len(marks)
            places = {ref: first + n for n, (ref, _) in enumerate(marks)}
            stated = _stated(graph, state.demands, places, rest)
            if stated is None:
                yield state
                continue
            aside = tuple(state.picks[d] for d in (*carried, *self.unit.aside))
            if (stated, aside) in seen:
                continue
            seen.add((stated, aside))
            key = (canonical(stated), aside)
            if key not in seen:
                seen.add(key)
                yield state


def _stated(
    graph: Graph, demands: Iterable[Num], places: Mapping[int, int], rest: Rest
) -> Graph | None:
    """A graph with what is left of the constraints, or None where that cannot be drawn."""
    labels, reads = list(graph.labels), list(graph.reads)
    places = dict(places)
    coming = set(rest.values)

    def vertex(label: str, edges: Iterable[Edge] = ()) -> int:
        labels.append(label)
        reads.append(tuple(edges))
        return len(labels) - 1

    def place(ref: int) -> int:
        if ref not in places and ref in coming:
            places[ref] = vertex(f"to come {ref}")
        return places[ref]

    def write(num: Num) -> int:
        match num:
            case Computed(operator, operands):
                alike = operator in _ALIKE
                parts = [(0 if alike else n, write(o)) for n, o in enumerate(operands)]
                return vertex(operator, parts)
            case Counted(allowed=allowed):
                label, refs = _read_as(num, rest), members(rest.plan, rest.of(num))
                return vertex(label, [(0, place(refs[i])) for i in allowed] if refs else ())
            case Chosen():
                return vertex(_read_as(num, rest))
            case _:
                return vertex(repr(num))

    try:
        for n, demand in enumerate(demands):
            value = write(demand)
            vertex(f"constraint {n}", [(0, value)])
    except (_Undrawn, KeyError):
        return None
    return Graph(tuple(labels), tuple(reads), graph.ways + (1,) * (len(labels) - len(graph.ways)))


_ALIKE = frozenset({"+", "*", "and", "or", "min", "max", "==", "!="})


class _Undrawn(Exception):
    """A constraint reads something that a graph does not show."""


def _read_as(num: Chosen | Counted, rest: Rest) -> str:
    decision = rest.of(num)
    if num.decision not in rest.ahead:
        raise _Undrawn
    if decision.source is not Source.INPUT:
        return repr(num)
    if isinstance(num, Chosen) or members(rest.plan, decision) is None:
        raise _Undrawn
    return f"counted {num.decision} {num.most}"


def final(unit: Unit, flow: Flow) -> Graph:
    """The graph of a unit when everything is decided."""
    marks = []
    for root in unit.roots:
        body = unit.plans[root].body
        outputs = (flow.known[(root,), output] for output in body.outputs)
        marks += [(f"output {root} {n}", terms) for n, terms in enumerate(outputs)]
    return flow.graph(marks)


def _guards(decision: Decision) -> list[int]:
    return list(tested(decision.guard))


def _free(space: Space, unit: Unit) -> dict[int, list[Choice]]:
    """The decisions that sites alone read, whose labels can be counted instead of listed."""
    if len(unit.roots) != 1:
        return {}
    sited: set[int] = set()
    bound: set[int] = {d for c in unit.constraints for d in constrained(c)}
    for decision in space.decisions:
        bound.update(_guards(decision))
    for plan in unit.plans.values():
        sited.update(site.decision for site in plan.sites.values())
        bound.update(plan.read_elsewhere)
    ones = (d for d in sited - bound if space.decisions[d].domain.kind is Kind.ONE)
    return {d: [] for d in ones if d in unit.decisions}
