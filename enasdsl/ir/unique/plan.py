"""What is known of a body before anything is picked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from enasdsl.ir.constraint import reads
from enasdsl.ir.graph import Apply, Body, Input, Node, Present, Select, Value
from enasdsl.ir.specialize import asks_unread
from enasdsl.ir.unique.modulo import Modulo
from enasdsl.ir.unique.sites import Site, readers, sites, sources
from enasdsl.semantics.symbols import Condition, Either, Test


@dataclass(frozen=True)
class Plan:
    """A body, and how its values hang together."""

    body: Body
    index: int
    modulo: Modulo
    leaves: frozenset[int]  # nodes that are the cell's inputs, whatever stands before them

    @cached_property
    def sites(self) -> Mapping[int, Site]:
        return sites(self.body, self.modulo)

    @cached_property
    def read_elsewhere(self) -> frozenset[int]:
        """The decisions that something else than a site reads."""
        rest = (v for r, v in enumerate(self.body.values) if r not in self.sites)
        return frozenset(d for value in rest for d in decisions(value))

    @cached_property
    def asks_unread(self) -> bool:
        return asks_unread(self.body, self.index)

    @cached_property
    def nodes(self) -> tuple[int, ...]:
        """The nodes after the leaves, in order."""
        first = max(self.leaves, default=-1)
        values = enumerate(self.body.values)
        return tuple(r for r, v in values if isinstance(v, Node) and r > first)

    @cached_property
    def counted(self) -> tuple[tuple[int, Node], ...]:
        """The nodes and the leaves, of which `loose` may speak."""
        values = enumerate(self.body.values)
        return tuple((r, v) for r, v in values if isinstance(v, Node))

    @cached_property
    def named(self) -> Mapping[str, int]:
        """The nodes by their names; those whose name others have too are left out."""
        names = Counter(node.name for _, node in self.counted)
        return {node.name: ref for ref, node in self.counted if names[node.name] == 1}

    @cached_property
    def private(self) -> frozenset[int]:
        """The nodes behind which no other value sees what is computed for them."""
        read_by = readers(self.body)
        outputs = set(self.body.outputs)
        return frozenset(n for n in self.nodes if self._private(n, read_by, outputs))

    def _private(self, node: int, read_by: Mapping[int, set[int]], outputs: set[int]) -> bool:
        cone = self.cone(node)
        inner = cone - self.fixed
        return all(read_by[ref] <= cone and ref not in outputs for ref in inner - {node})

    @cached_property
    def fixed(self) -> frozenset[int]:
        """What stands by itself: inputs and nodes."""
        return frozenset(r for r, v in enumerate(self.body.values) if isinstance(v, Input | Node))

    def cone(self, ref: int) -> set[int]:
        """A value and what it may read down to other nodes and inputs, these included."""
        found = {ref}
        pending = list(sources(self.body.values[ref]))
        while pending:
            source = pending.pop()
            if source not in found:
                found.add(source)
                if source not in self.fixed:
                    pending.extend(sources(self.body.values[source]))
        return found


def plan(bodies: Sequence[Body], index: int, modulo: Modulo, *, inlined: bool) -> Plan:
    """The plan of a body: standing alone, where its inputs are leaves, or inside another."""
    body = bodies[index]
    names = {v.name for v in body.values[: body.inputs] if isinstance(v, Input)}
    nodes = [(r, v) for r, v in enumerate(body.values) if isinstance(v, Node)]
    frame = nodes[0][1].frame if nodes else 0
    leaves = {r for r, v in nodes if v.frame == frame and v.name in names}
    return Plan(body, index, modulo, frozenset() if inlined or index == 0 else frozenset(leaves))


def decisions(value: Value) -> Iterator[int]:
    """The decisions that a value reads itself."""
    match value:
        case Select(decision=decision):
            yield decision
        case Present(condition=condition) | Node(guard=condition):
            yield from tested(condition)
        case Apply(args=args):
            yield from (chosen.decision for _, arg in args for chosen in reads(arg))


def tested(condition: Condition) -> Iterator[int]:
    """The decisions that a condition reads."""
    for test in condition:
        match test:
            case Test(decision=decision):
                yield decision
            case Either(options):
                for option in options:
                    yield from tested(option)
