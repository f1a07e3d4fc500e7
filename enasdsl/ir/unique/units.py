"""The parts of a space whose classes are independent of each other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from enasdsl.ir.constraint import reads
from enasdsl.ir.graph import Apply, Call, Node, Present, Select, Value
from enasdsl.ir.space import Constraint, Space
from enasdsl.ir.unique.modulo import Modulo
from enasdsl.ir.unique.plan import Plan, decisions, plan, tested
from enasdsl.semantics.symbols import Condition, Unread


@dataclass(frozen=True, slots=True)
class Step:
    """A node to evaluate or, where `nodes` has no more, the outputs of a body."""

    body: int
    ref: int | None
    needs: tuple[int, ...]  # decisions


@dataclass(frozen=True)
class Unit:
    """Bodies that share decisions: those of one cell, or of the network and what it chooses.

    `aside` are decisions that no value reads: they tell architectures apart by themselves.
    """

    name: str
    modulo: Modulo
    plans: Mapping[int, Plan]  # by body
    designs: tuple[str, ...]  # the name of every body
    roots: tuple[int, ...]
    stamped: frozenset[str]
    decisions: tuple[int, ...]
    aside: tuple[int, ...]
    constraints: tuple[Constraint, ...]
    steps: tuple[Step, ...]


def units(space: Space, modulo: Modulo) -> list[Unit]:
    """The units of a space, together with all of its decisions."""
    return _Division(space, modulo).units()


class _Division:
    def __init__(self, space: Space, modulo: Modulo) -> None:
        self.space = space
        self.modulo = modulo
        self.bodies = space.bodies
        self.own = [frozenset(d for v in b.values for d in decisions(v)) for b in space.bodies]
        self.stamped = self._stamped()
        self.whole = [self._with_calls(n) for n in range(len(space.bodies))]

    def units(self) -> list[Unit]:
        groups = _Groups(len(self.space.decisions))
        for index, decision in enumerate(self.space.decisions):
            groups.join(index, *tested(decision.guard))
        for constraint in self.space.constraints:
            groups.join(*constrained(constraint))
        roots = self._roots()
        for root in roots:
            groups.join(*self.whole[root])
        return [self._unit(group, roots) for group in groups.all()]

    def _unit(self, group: Sequence[int], roots: Sequence[int]) -> Unit:
        mine = tuple(r for r in roots if self.whole[r] & set(group))
        used = frozenset[int]().union(*(self._within(r) for r in mine))
        plans = {r: self._plan(r, inlined=r not in mine) for r in sorted(used)}
        seen = frozenset[int]().union(*(self.whole[r] for r in mine))
        constraints = (c for c in self.space.constraints if constrained(c) & set(group))
        return Unit(
            name=self.bodies[mine[0]].name if mine else self.space.decisions[group[0]].path,
            modulo=self.modulo,
            plans=plans,
            designs=tuple(body.name for body in self.bodies),
            roots=mine,
            stamped=frozenset(self.bodies[0].values[c].place for c in self.stamped),  # type: ignore[union-attr]
            decisions=tuple(group),
            aside=tuple(d for d in group if d not in seen),
            constraints=tuple(constraints),
            steps=tuple(step for r in mine for step in self._steps(plans[r])),
        )

    def _plan(self, index: int, *, inlined: bool) -> Plan:
        return plan(self.bodies, index, self.modulo, inlined=inlined)

    def _steps(self, plan: Plan) -> Iterator[Step]:
        for node in plan.nodes:
            yield Step(plan.index, node, tuple(sorted(self._needs(plan, node, step=True))))
        needed = frozenset[int]().union(*(self._needs(plan, o) for o in plan.body.outputs))
        yield Step(plan.index, None, tuple(sorted(needed)))

    def _needs(self, plan: Plan, ref: int, *, step: bool = False) -> frozenset[int]:
        cone = plan.cone(ref) if step or ref not in plan.fixed else set[int]()
        values = [plan.body.values[r] for r in cone if r == ref or r not in plan.fixed]
        found = frozenset(d for value in values for d in decisions(value))
        calls = [v for v in values if isinstance(v, Call)]
        called = (self.whole[v.body] for v in calls if self._looked_into(plan.index, v))
        return found.union(*called)

    def _looked_into(self, index: int, call: Call) -> bool:
        return index != 0 or call.place not in {self._place(c) for c in self.stamped}

    def _place(self, call: int) -> str:
        value = self.bodies[0].values[call]
        assert isinstance(value, Call)
        return value.place

    def _within(self, index: int) -> frozenset[int]:
        """A body and those that are looked into from it."""
        found = {index}
        for value in self.bodies[index].values:
            if isinstance(value, Call) and self._looked_into(index, value):
                found |= self._within(value.body)
        return frozenset(found)

    def _with_calls(self, index: int) -> frozenset[int]:
        """The decisions of a body and of the cells in it that are looked into."""
        found = self.own[index]
        for ref, value in enumerate(self.bodies[index].values):
            if isinstance(value, Call) and not (index == 0 and ref in self.stamped):
                found |= self._with_calls(value.body)
        return found

    def _stamped(self) -> frozenset[int]:
        """The calls of the network that every architecture makes."""
        if not self.bodies:
            return frozenset()
        values = self.bodies[0].values
        certain = set(self.bodies[0].outputs)
        for ref in reversed(range(len(values))):
            value = values[ref]
            if ref in certain:
                match value:
                    case Apply(inputs=inputs) | Call(inputs=inputs):
                        certain.update(inputs)
                    case Node(value=inner):
                        certain.add(inner)
        return frozenset(r for r in certain if isinstance(values[r], Call))

    def _roots(self) -> list[int]:
        """The network and its stamped cells; of stamps that are the same program, one."""
        found: dict[object, int] = {}
        called = [self.bodies[0].values[c] for c in sorted(self.stamped)] if self.bodies else []
        stamped = (v.body for v in called if isinstance(v, Call))
        for index in [0, *dict.fromkeys(stamped)] if self.bodies else []:
            if self.whole[index]:
                found.setdefault(self._program(index), index)
        return list(found.values())

    def _program(self, index: int) -> object:
        """A body without places and sizes, its operations by the order in which they are met."""
        plan = self._plan(index, inlined=False)
        first = max(plan.leaves, default=-1) + 1 if index else 0
        met: dict[object, int] = {}
        values: list[object] = []
        for value in plan.body.values[first:]:
            if isinstance(value, Apply):
                number = met.setdefault((value.op, repr(value.args)), len(met))
                special = value.op if value.op in ("zero", "identity") else ""
                values.append((special, number, tuple(i - first for i in value.inputs)))
            else:
                values.append(_bare(value, first, self._program))
        return (plan.body.name, tuple(values), tuple(o - first for o in plan.body.outputs))


def _bare(value: Value, first: int, program: object) -> object:
    match value:
        case Select(decision=d, slot=s, branches=branches):
            return ("select", d, s, tuple(None if b is None else b - first for b in branches))
        case Present(value=inner, condition=condition):
            return ("present", inner - first, _bare_condition(condition, first))
        case Node(name=name, value=inner, guard=guard):
            return ("node", name, inner - first, _bare_condition(guard, first))
        case Call(body=body, inputs=inputs, output=output):
            return ("call", program(body), output, tuple(i - first for i in inputs))  # type: ignore[operator]
        case _:
            return ("input",)


def _bare_condition(condition: Condition, first: int) -> object:
    return tuple(("unread", t.node - first) if isinstance(t, Unread) else t for t in condition)


def constrained(constraint: Constraint) -> set[int]:
    """The decisions that a constraint reads."""
    return {*tested(constraint.guard), *(chosen.decision for chosen in reads(constraint.value))}


class _Groups:
    """Decisions joined to groups."""

    def __init__(self, size: int) -> None:
        self.head = list(range(size))

    def find(self, item: int) -> int:
        while self.head[item] != item:
            self.head[item] = self.head[self.head[item]]
            item = self.head[item]
        return item

    def join(self, *items: int) -> None:
        heads = sorted({self.find(item) for item in items})
        for head in heads[1:]:
            self.head[head] = heads[0]

    def all(self) -> list[list[int]]:
        found: defaultdict[int, list[int]] = defaultdict(list)
        for item in range(len(self.head)):
            found[self.find(item)].append(item)
        return list(found.values())
