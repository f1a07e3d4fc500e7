"""The network of many architectures at once: choices become weighted sums.

Each decision takes part with some of its picks, its `Support`. With all of them a choice is a
mixture of its alternatives (Liu et al. 2019, section 2.2); with one it is that alternative, times
a weight, and the rest of the network is not there (Dong and Yang 2019, section 3.2).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from enasdsl.ir.domain import Pick, enumerate_domain, size
from enasdsl.ir.graph import Apply, Body, Call, Input, Network, Node, Present, Select, Step, Value
from enasdsl.ir.places import join
from enasdsl.ir.space import Architecture, Domain, Space
from enasdsl.ir.specialize import Emitter, needed, read_off
from enasdsl.semantics.symbols import Condition, Reading, Shape, Test

BLENDED = {"sum": False, "mean": True}
"""Merges whose inputs may be there in part, and whether their weights then sum to one."""


@dataclass(frozen=True, slots=True)
class Support:
    """The picks with which each decision takes part, in order; none where it is not live.

    `soft` where several may: the network is then for all architectures, not for one.
    """

    picks: tuple[tuple[Pick, ...], ...]
    soft: bool


@dataclass(frozen=True, slots=True)
class Share:
    """The weights together that a decision gives to some of its picks, by their place in it."""

    decision: int
    picks: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Mix:
    """A sum of values, each times the product of its shares; `normal`: over the sum of those."""

    inputs: tuple[int, ...]
    shares: tuple[tuple[Share, ...], ...]
    normal: bool


@dataclass(frozen=True, slots=True)
class Loop:
    """A recurrent cell run along a sequence, as a Scan of a Network is.

    `sequences` says which of its inputs have a time axis.
    """

    body: Blend
    inputs: tuple[int, ...]
    sequences: tuple[bool, ...]
    states: int


@dataclass(frozen=True, slots=True)
class Blend:
    """A static network with weighted sums: inputs' shapes, steps in order, and the outputs."""

    inputs: tuple[Shape, ...]
    steps: tuple[Step | Mix | Loop, ...]
    outputs: tuple[int, ...]


def everything(space: Space) -> Support:
    """Every pick of every decision."""
    return Support(tuple(tuple(enumerate_domain(d.domain)) for d in space.decisions), soft=True)


def alone(architecture: Architecture) -> Support:
    """The picks of one architecture."""
    return Support(tuple(() if p is None else (p,) for p in architecture.picks), soft=False)


def relax(space: Space, support: Support) -> Blend:
    """The network in which each decision takes part with its picks of `support`.

    A soft one is there only for a space without `ir.rigid.obstacles`.
    """
    return _relaxer(space, support).blend(0, "")


def _relaxer(space: Space, support: Support) -> _Relaxer:
    picks = tuple(own[0] if own else None for own in support.picks)
    # Of a soft support the reading says what is loose, which is then the same for all picks.
    return _Relaxer(space, support, read_off(space, picks))


def reached(space: Space, support: Support) -> Iterator[tuple[Body, Value]]:
    """The values that a blend needs, each with its body."""
    relaxer = _relaxer(space, support)
    for index, body in enumerate(space.bodies):
        yield from ((body, body.values[ref]) for ref in relaxer.plan(index))


def operations(blend: Blend) -> Network:
    """The operations of a blend, those of its recurrent cells included, one after another."""
    return Network(blend.inputs, tuple(_steps(blend)), ())


def _steps(blend: Blend) -> Iterator[Step]:
    for step in blend.steps:
        if isinstance(step, Loop):
            yield from _steps(step.body)
        elif isinstance(step, Step):
            yield step


Steps = list[Step | Mix | Loop]


@dataclass(slots=True)
class _Relaxer:
    """What is the same for all stamps: the space, what takes part, and what each body needs."""

    space: Space
    support: Support
    reading: Reading
    plans: dict[int, list[int]] = field(default_factory=dict)

    def blend(self, index: int, prefix: str) -> Blend:
        """A body as a blend of its own."""
        body = self.space.bodies[index]
        shapes = tuple(self.emitter.shape(v.shape) for v in body.values[: body.inputs])
        steps: Steps = []
        outputs = self.inline(index, prefix, list(range(body.inputs)), steps, body.inputs)
        return Blend(shapes, *needed(body.inputs, steps, outputs))

    def inline(
        self, index: int, prefix: str, inputs: list[int], steps: Steps, base: int
    ) -> tuple[int, ...]:
        """Appends the steps of a body to those before it; gives where its outputs are."""
        stamp = _Stamp(self, self.space.bodies[index], prefix, steps, base, dict(enumerate(inputs)))
        for ref in self.plan(index):
            stamp.add(ref)
        return tuple(stamp.where[o] for o in stamp.body.outputs)

    @property
    def emitter(self) -> Emitter:
        return Emitter(self.space.bodies, [], self.reading)

    def plan(self, index: int) -> list[int]:
        """The values of a body that its outputs need, in order."""
        if index not in self.plans:
            body = self.space.bodies[index]
            seen: set[int] = set()
            pending = list(body.outputs)
            while pending:
                ref = pending.pop()
                if ref not in seen:
                    seen.add(ref)
                    pending.extend(self.reads(body, ref))
            self.plans[index] = sorted(seen)
        return self.plans[index]

    def reads(self, body: Body, ref: int) -> list[int]:
        """The values that a value reads."""
        match body.values[ref]:
            case Node(value=inner) | Present(value=inner):
                return [inner]
            case Select() as value:
                return [branch for branch, _ in self.branches(value)]
            case Apply(inputs=inputs) | Call(inputs=inputs):
                return [i for i in inputs if self.shares(body, i) is not None]
            case _:
                return []

    def branches(self, value: Select) -> list[tuple[int, tuple[Share, ...]]]:
        """The branches that take part, each with its share."""
        settled = size(self.space.decisions[value.decision].domain) == 1
        found: list[tuple[int, tuple[Share, ...]]] = []
        for index, branch in enumerate(value.branches):
            at = slice(value.slot, value.slot + 1)
            picks = self.support.picks[value.decision]
            own = tuple(n for n, pick in enumerate(picks) if pick[at] == (index,))
            if branch is not None and own:
                found.append((branch, () if settled else (Share(value.decision, own),)))
        return found

    def shares(self, body: Body, ref: int) -> tuple[Share, ...] | None:
        """With which shares an input of an operation counts; None where it is not there."""
        value = body.values[ref]
        if not isinstance(value, Present):
            return ()
        soft = self.support.soft
        settled = tuple(t for t in value.condition if not (soft and isinstance(t, Test)))
        if not self.reading.holds(settled):
            return None
        found: list[Share] = []
        for decision, tests in by_decision(value.condition).items():
            picks = self.support.picks[decision]
            if not always(self.space.decisions[decision].domain, tests):
                own = tuple(n for n, pick in enumerate(picks) if passes(pick, tests))
                found.append(Share(decision, own))
        return tuple(found) if all(share.picks for share in found) else None


@dataclass(slots=True)
class _Stamp:
    """One stamp of a body: `where` says which value of the blend each of its values is."""

    relaxer: _Relaxer
    body: Body
    prefix: str
    steps: Steps
    base: int
    where: dict[int, int]
    called: dict[str, tuple[int, ...]] = field(default_factory=dict)

    def add(self, ref: int) -> None:
        """Appends what a value is made of, the values that it reads being there."""
        match self.body.values[ref]:
            case Node(value=inner) | Present(value=inner):
                self.where[ref] = self.where[inner]
            case Select() as value:
                self.where[ref] = self._selected(value)
            case Apply() as value:
                self.where[ref] = self._applied(value)
            case Call() as value:
                self.where[ref] = self._called(value)
            case Input():
                pass

    def _put(self, step: Step | Mix | Loop) -> int:
        self.steps.append(step)
        return self.base + len(self.steps) - 1

    def _selected(self, value: Select) -> int:
        """A mixture of the branches; where some cannot be taken, the others share its weight."""
        found = self.relaxer.branches(value)
        inputs = tuple(self.where[branch] for branch, _ in found)
        shares = tuple(own for _, own in found)
        if shares == ((),):
            return inputs[0]
        normal = self.relaxer.support.soft and None in value.branches
        return self._put(Mix(inputs, shares, normal))

    def _applied(self, value: Apply) -> int:
        counted = self._inputs(value)
        if any(shares for _, shares in counted):
            if value.op in BLENDED:
                inputs, shares = zip(*counted, strict=True)
                return self._put(Mix(inputs, shares, BLENDED[value.op]))
            counted = [(self._weighted(at, own), ()) for at, own in counted]
        read = tuple(at for at, _ in counted)
        return self._put(self.relaxer.emitter.step(self.body, value, read, self.prefix))

    def _weighted(self, at: int, shares: tuple[Share, ...]) -> int:
        return self._put(Mix((at,), (shares,), normal=False)) if shares else at

    def _called(self, value: Call) -> int:
        read = [at for at, _ in self._inputs(value)]
        place = join(self.prefix, value.place)
        if value.states:
            body = self.relaxer.blend(value.body, place)
            sequences = tuple(bool(self.body.values[i].shape.space) for i in value.inputs)
            return self._put(Loop(body, tuple(read), sequences, value.states))
        if value.place not in self.called:
            outputs = self.relaxer.inline(value.body, place, read, self.steps, self.base)
            self.called[value.place] = outputs
        return self.called[value.place][value.output]

    def _inputs(self, value: Apply | Call) -> list[tuple[int, tuple[Share, ...]]]:
        """The inputs that are there, each with its shares."""
        counted = ((i, self.relaxer.shares(self.body, i)) for i in value.inputs)
        return [(self.where[i], shares) for i, shares in counted if shares is not None]


def by_decision(condition: Condition) -> dict[int, tuple[Test, ...]]:
    """The tests of a condition by the decision that they are on."""
    found: dict[int, tuple[Test, ...]] = {}
    for test in condition:
        if isinstance(test, Test):
            found[test.decision] = (*found.get(test.decision, ()), test)
    return found


def passes(pick: Pick, tests: tuple[Test, ...]) -> bool:
    """Whether a pick passes every test of its decision."""
    return all(not test.allowed.isdisjoint(pick) for test in tests)


@lru_cache(maxsize=4096)
def always(domain: Domain, tests: tuple[Test, ...]) -> bool:
    """Whether every pick of a domain passes the tests."""
    return all(passes(pick, tests) for pick in enumerate_domain(domain))
