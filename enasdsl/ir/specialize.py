"""One architecture's network: every choice settled, cells inlined, dead steps gone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

from enasdsl.ir.graph import (
    Apply,
    Body,
    Call,
    Input,
    Network,
    Node,
    Present,
    Scan,
    Select,
    Step,
    Value,
)
from enasdsl.ir.places import join
from enasdsl.ir.space import Architecture, Space
from enasdsl.semantics.ops import OPS
from enasdsl.semantics.symbols import (
    Condition,
    Dim,
    Picks,
    Reading,
    Shape,
    Spans,
    Unread,
    limit,
    resolve,
    spans,
    width,
)


class Reads(Protocol):
    """A step of a network, in whatever form."""

    @property
    def inputs(self) -> tuple[int, ...]: ...


S = TypeVar("S", bound=Reads)


def specialize(space: Space, architecture: Architecture) -> Network:
    """The network of an architecture; raises ValueError where the file has no network."""
    if not space.network:
        raise ValueError(f"space {space.name} has no network: its file declares cells alone")
    reading = read_off(space, architecture.picks)
    emitter = Emitter(space.bodies, plans(space.bodies, reading), reading)
    return emitter.network(0, "")


# ----------------------------------------------------------- what is read by whom


def read_off(space: Space, picks: tuple[Picks, ...]) -> Reading:
    """The picks, and the nodes that no other node of their cell reads."""
    reading = Reading(picks)
    for index, body in enumerate(space.bodies):
        if asks_unread(body, index):
            unread = reading.unread | {(index, n) for n in _unread(body, reading)}
            reading = Reading(picks, unread)
    return reading


def asks_unread(body: Body, index: int) -> bool:
    return any(
        isinstance(t, Unread) and t.body == index
        for v in body.values
        if isinstance(v, Present)
        for t in v.condition
    )


def _unread(body: Body, reading: Reading) -> set[int]:
    """The live nodes and inputs that no other node of the same frame reads.

    A node's own value is followed to where it ends in nodes of its frame; nodes of a block that
    was evaluated inside it are passed through.
    """
    nodes = {i: v for i, v in enumerate(body.values) if isinstance(v, Node)}
    live = {i for i, v in nodes.items() if reading.holds(v.guard)}
    read: set[int] = set()
    for index in live:
        read.update(ends(body, nodes[index], reading))
    return live - read


def ends(body: Body, node: Node, reading: Reading) -> Iterator[int]:
    seen: set[int] = set()
    pending = [node.value]
    while pending:
        ref = pending.pop()
        if ref in seen:
            continue
        seen.add(ref)
        value = body.values[ref]
        if isinstance(value, Node) and value.frame == node.frame:
            yield ref
        else:
            pending.extend(_sources(value, reading))


def _sources(value: Value, reading: Reading) -> tuple[int, ...]:
    """The values that `value` reads in this architecture."""
    match value:
        case Input():
            return ()
        case Apply(inputs=inputs) | Call(inputs=inputs):
            return inputs
        case Node(value=ref):
            return (ref,)
        case Present(value=ref, condition=condition):
            return (ref,) if _holds_now(condition, reading) else ()
        case Select(decision=decision):
            stamped = reading.picks[decision] is not None
            return (_branch(value, reading),) if stamped else ()


def _holds_now(condition: Condition, reading: Reading) -> bool:
    return reading.holds(tuple(t for t in condition if not isinstance(t, Unread)))


def _branch(value: Select, reading: Reading) -> int:
    picks = reading.picks[value.decision]
    branch = None if picks is None else value.branches[picks[value.slot]]
    if branch is None:
        raise ValueError(f"decision {value.decision} settles a value but is not live")
    return branch


# ---------------------------------------------------------------------- bodies


@dataclass(frozen=True, slots=True)
class Plan:
    """What one architecture needs of a body: its Apply and Call values, in order."""

    targets: dict[int, int]  # a needed value -> the Input, Apply or Call that it is
    needed: tuple[int, ...]

    @staticmethod
    def of(body: Body, reading: Reading) -> Plan:
        """What the outputs of a body need."""
        targets: dict[int, int] = {}
        seen: set[int] = set()
        pending = list(body.outputs)
        while pending:
            ref = pending.pop()
            if ref in targets:
                continue
            target = targets[ref] = _target(body, ref, reading)
            if target not in seen:
                seen.add(target)
                pending.extend(_present(body, body.values[target], reading))
        needed = sorted(t for t in seen if not isinstance(body.values[t], Input))
        return Plan(targets, tuple(needed))


def plans(bodies: tuple[Body, ...], reading: Reading) -> list[Plan]:
    """The plan of each body; an empty one where the architecture has no stamp of it."""
    found = [Plan({}, ()) for _ in bodies]
    reached, pending = {0}, [0]
    while pending:
        index = pending.pop()
        body = bodies[index]
        plan = found[index] = Plan.of(body, reading)
        calls = {v.body for ref in plan.needed if isinstance(v := body.values[ref], Call)}
        pending.extend(calls - reached)
        reached |= calls
    return found


def _target(body: Body, ref: int, reading: Reading) -> int:
    while True:
        value = body.values[ref]
        match value:
            case Node(value=inner) | Present(value=inner):
                ref = inner
            case Select():
                ref = _branch(value, reading)
            case _:
                return ref


def _present(body: Body, value: Value, reading: Reading) -> list[int]:
    """The inputs of a value that are there in this architecture."""
    assert isinstance(value, Apply | Call | Input)
    if isinstance(value, Input):
        return []
    return [i for i in value.inputs if is_present(body, i, reading)]


def is_present(body: Body, ref: int, reading: Reading) -> bool:
    """Whether a value is there in this architecture."""
    value = body.values[ref]
    return not isinstance(value, Present) or reading.holds(value.condition)


@dataclass(slots=True)
class Emitter:
    """Makes the steps of one architecture out of the values of the bodies."""

    bodies: tuple[Body, ...]
    plans: list[Plan]
    reading: Reading

    def network(self, index: int, prefix: str) -> Network:
        """A body as a network of its own."""
        body = self.bodies[index]
        shapes = tuple(self.shape(v.shape) for v in body.values[: body.inputs])
        steps: list[Step | Scan] = []
        outputs = self._inline(index, prefix, list(range(body.inputs)), steps, body.inputs)
        return _pruned(Network(shapes, tuple(steps), outputs))

    def _inline(
        self, index: int, prefix: str, inputs: list[int], steps: list[Step | Scan], base: int
    ) -> tuple[int, ...]:
        """Appends the steps of a body; gives where its outputs are."""
        body, plan = self.bodies[index], self.plans[index]
        where = dict(enumerate(inputs))
        called: dict[str, tuple[int, ...]] = {}
        for ref in plan.needed:
            value = body.values[ref]
            assert isinstance(value, Apply | Call)
            read = tuple(
                where[plan.targets[i]] for i in value.inputs if is_present(body, i, self.reading)
            )
            if isinstance(value, Apply):
                steps.append(self.step(body, value, read, prefix))
                where[ref] = base + len(steps) - 1
            elif value.states:
                steps.append(self._scan(value, read, prefix))
                where[ref] = base + len(steps) - 1
            else:
                if value.place not in called:
                    inner = join(prefix, value.place)
                    called[value.place] = self._inline(value.body, inner, list(read), steps, base)
                where[ref] = called[value.place][value.output]
        return tuple(where[plan.targets[o]] for o in body.outputs)

    def step(self, body: Body, value: Apply, read: tuple[int, ...], prefix: str) -> Step:
        """An operation with every number settled; `prefix` is the stamp that it stands in."""
        args = tuple((n, resolve(a, self.reading)) for n, a in value.args)
        shape = self.shape(value.shape)
        if not OPS[value.op].weights:
            return Step(value.op, args, read, "", shape)
        dims = [body.values[i].shape.channels for i in value.inputs]
        reads = tuple(self._spans(d) for d in dims)
        return Step(
            value.op,
            args,
            read,
            join(prefix, value.place),
            shape,
            reads if any(s is not None for s in reads) else None,  # type: ignore[arg-type]
            self._spans(value.shape.channels),
        )

    def _scan(self, value: Call, read: tuple[int, ...], prefix: str) -> Scan:
        place = join(prefix, value.place)
        network = self.network(value.body, place)
        return Scan(network, read, value.states, place, self.shape(value.shape))

    def shape(self, shape: Shape) -> Shape:
        """A shape with its channels settled."""
        if isinstance(shape.channels, int):
            return shape
        return Shape(width(spans(shape.channels, self.reading)), shape.space, shape.tokens)

    def _spans(self, dim: Dim) -> Spans | None:
        """The spans of a size, None where they are the whole of it."""
        if isinstance(dim, int):
            return None
        found = spans(dim, self.reading)
        return None if found == ((0, limit(dim)),) else found


def _pruned(network: Network) -> Network:
    """The network without what a cell computes and the cells after it do not read."""
    steps, outputs = needed(len(network.inputs), network.steps, network.outputs)
    return replace(network, steps=steps, outputs=outputs)


def needed(
    first: int, steps: Sequence[S], outputs: Sequence[int]
) -> tuple[tuple[S, ...], tuple[int, ...]]:
    """The steps on which an output depends, and the outputs; `first` inputs stand before them."""
    wanted = set(outputs)
    for ref in range(first + len(steps) - 1, first - 1, -1):
        if ref in wanted:
            wanted.update(steps[ref - first].inputs)
    kept = [ref for ref in range(first, first + len(steps)) if ref in wanted]
    if len(kept) == len(steps):
        return tuple(steps), tuple(outputs)
    where = {**{i: i for i in range(first)}, **{ref: first + n for n, ref in enumerate(kept)}}
    moved = (
        replace(step, inputs=tuple(where[i] for i in step.inputs))  # type: ignore[type-var]
        for step in (steps[ref - first] for ref in kept)
    )
    return tuple(moved), tuple(where[o] for o in outputs)
