"""Which values a body will treat alike from some point on, whatever it decides.

Two values are exchangeable if the rest of the body, with the two exchanged wherever it reads
either, is the same program. Its own structure shows that: no pick is made.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from enasdsl.ir.constraint import reads
from enasdsl.ir.graph import Apply, Call, Input, Node, Present, Select
from enasdsl.ir.space import Decision, Kind, Source
from enasdsl.ir.unique.plan import Plan
from enasdsl.ir.unique.sites import COMMUTATIVE
from enasdsl.semantics.symbols import Chosen, Condition, Counted, Either, Num, Test, Unread

_PLACED = frozenset({Kind.SET, Kind.MULTISET})  # picks in the order of the alternatives


@dataclass(frozen=True)
class Rest:
    """What is left of a body: the values to come, and the decisions that it will take."""

    plan: Plan
    decisions: Sequence[Decision]
    values: tuple[int, ...]
    ahead: frozenset[int]

    def of(self, read: Chosen | Counted) -> Decision:
        """The decision of which a constraint reads something."""
        return self.decisions[read.decision]

    def roles(self, standing: Iterable[int]) -> dict[int, int]:
        """A number for each value that stands and is still read, the same where exchangeable."""
        standing = tuple(standing)
        written = _Writing(self, {ref: ref for ref in standing})
        try:
            plain = written.all()
        except _Asymmetric:
            return {ref: role for role, ref in enumerate(standing)}
        heads: list[int] = []
        roles: dict[int, int] = {}
        for ref in standing:
            if ref not in written.met:
                continue
            for role, head in enumerate(heads):
                names = {r: r for r in standing} | {ref: head, head: ref}
                if _Writing(self, names, written.numbers).all() == plain:
                    roles[ref] = role
                    break
            else:
                roles[ref] = len(heads)
                heads.append(ref)
        return roles


def members(plan: Plan, decision: Decision) -> list[int] | None:
    """The nodes among which a decision picks inputs, or None where they are not known."""
    if decision.source is not Source.INPUT:
        return None
    refs = [plan.named.get(path.rpartition(".")[2], -1) for path in decision.members]
    return None if -1 in refs else refs


class _Asymmetric(Exception):
    """The rest reads something by which values can be told apart."""


@dataclass(slots=True)
class _Writing:
    """The rest written down, each part as a number that equal parts share."""

    rest: Rest
    names: Mapping[int, int]
    numbers: dict[object, int] = field(default_factory=dict)
    met: set[int] = field(default_factory=set)
    known: dict[int, int] = field(default_factory=dict)

    def all(self) -> list[int]:
        decisions = [self._number(self._decision(d)) for d in sorted(self.rest.ahead)]
        return [*decisions, *map(self._value, self.rest.values)]

    def _number(self, part: object) -> int:
        return self.numbers.setdefault(part, len(self.numbers))

    def _value(self, ref: int) -> int:
        if ref in self.names:
            self.met.add(ref)
            return self._number(("stands", self.names[ref]))
        if ref not in self.known:
            self.known[ref] = self._number(self._written(ref))
        return self.known[ref]

    def _written(self, ref: int) -> object:
        match self.rest.plan.body.values[ref]:
            case Input(name=name):
                return ("input", name)
            case Node(value=value, guard=guard, name=name):
                named = "" if self.rest.plan.modulo.rename else name
                return ("node", named, self._value(value), self._condition(guard))
            case Present(value=value, condition=condition):
                return ("present", self._value(value), self._condition(condition))
            case Select() as value:
                return self._select(value)
            case Call(body=body, inputs=inputs, output=output):
                return ("call", body, output, *map(self._value, inputs))
            case Apply(op=op, inputs=inputs, args=args):
                terms = [self._value(i) for i in inputs]
                if op in COMMUTATIVE and self.rest.plan.modulo.commute:
                    terms.sort()
                return (op, tuple((n, self._scalar(a)) for n, a in args), *terms)

    def _select(self, value: Select) -> object:
        branches = [None if b is None else self._value(b) for b in value.branches]
        head = ("select", value.decision, value.slot)
        tokens = self._tokens(value.decision)
        domain = self.rest.decisions[value.decision].domain
        if tokens is None or (domain.kind in _PLACED and domain.most > 1):
            return (*head, tuple(branches))
        return (*head, frozenset(zip(tokens, branches, strict=True)))

    def _decision(self, index: int) -> object:
        decision = self.rest.decisions[index]
        tokens = self._tokens(index)
        alternatives: object = decision.labels if tokens is None else frozenset(tokens)
        return (index, decision.domain, alternatives, self._condition(decision.guard))

    def _tokens(self, index: int) -> list[int] | None:
        """What a decision picks from, or None where that is not known as values."""
        refs = members(self.rest.plan, self.rest.decisions[index])
        if refs is None:
            return None
        self.met.update(set(refs) & set(self.names))
        return [self._number(("stands", self.names.get(r, r))) for r in refs]

    def _condition(self, condition: Condition) -> object:
        return frozenset(map(self._test, condition))

    def _test(self, test: Test | Unread | Either) -> object:
        if isinstance(test, Either):
            return ("either", frozenset(map(self._condition, test.options)))
        if isinstance(test, Unread):
            if test.node in self.names:
                self.met.add(test.node)
            return ("unread", self.names.get(test.node, test.node))
        tokens = self._tokens(test.decision)
        allowed = test.allowed if tokens is None else frozenset(tokens[i] for i in test.allowed)
        return ("test", test.decision, allowed)

    def _scalar(self, num: Num) -> object:
        for chosen in reads(num):
            if self.rest.decisions[chosen.decision].source is Source.INPUT:
                raise _Asymmetric
        return repr(num)
