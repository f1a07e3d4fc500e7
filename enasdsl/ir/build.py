"""The body under construction, and the decisions and mistakes that lowering collects."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from enasdsl.diagnostics import Diagnostic, Fix, Label
from enasdsl.ir.graph import Body, Input, Node, Value
from enasdsl.ir.names import Key, Places, Scope
from enasdsl.ir.space import Constraint, Decision, Domain, Kind, Source
from enasdsl.ir.values import Tensor
from enasdsl.semantics.regions import Sizes, union
from enasdsl.semantics.symbols import Condition, Shape
from enasdsl.source import Span


class Mistake(Exception):
    """Carries a diagnostic from where it was found to the statement that goes on after it."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic.message)
        self.diagnostic = diagnostic


class Followup(Exception):
    """Something cannot be evaluated because of a mistake that was already reported."""


def mistake(
    code: str,
    message: str,
    span: Span,
    label: str,
    *others: Label,
    help: str | None = None,
    fix: Fix | None = None,
) -> Mistake:
    return Mistake(Diagnostic(code, message, Label(span, label), others, help, fix))


@dataclass(slots=True, eq=False)
class Builder:
    """One body under construction."""

    index: int
    name: str
    ledger: Ledger
    values: list[Value] = field(default_factory=list)
    inputs: int = 0
    places: Places = field(default_factory=Places)
    frames: int = 0
    aligned: dict[tuple[int, tuple[int, ...], object], Tensor] = field(default_factory=dict)
    complete: dict[int, Span] = field(default_factory=dict)  # where loose ends were counted

    def add(self, value: Value) -> int:
        """Appends a value and gives its index."""
        self.values.append(value)
        return len(self.values) - 1

    def input(self, name: str, shape: Shape, *, stride: int, span: Span) -> Tensor:
        self.inputs += 1
        return Tensor(self.add(Input(name, shape)), shape, stride, span)

    def node(
        self, name: str, tensor: Tensor, guard: Condition, *, frame: int, span: Span
    ) -> Tensor:
        if frame in self.complete:
            raise mistake(
                "E0409",
                "a requirement asks for loose ends before the last node",
                self.complete[frame],
                "which ends are loose is not settled here",
                Label(span, f"`{name}` follows, and may read them"),
                help="move the requirement below the last node",
            )
        ref = self.add(Node(name, tensor.ref, guard, frame, tensor.shape))
        return Tensor(ref, tensor.shape, tensor.stride, span)

    def frame(self) -> int:
        self.frames += 1
        return self.frames

    def finish(self, outputs: tuple[Tensor, ...]) -> Body:
        refs = tuple(t.ref for t in outputs)
        return Body(self.name, tuple(self.values), self.inputs, refs)


@dataclass(slots=True, eq=False)
class Ledger:
    """What one lowering collects: decisions, constraints, bodies and diagnostics."""

    decisions: list[Decision] = field(default_factory=list)
    homes: list[str] = field(default_factory=list)  # of the decisions, the cells they are in
    order: Mapping[str, int] = field(default_factory=dict)  # of decisions, where they have one
    constraints: dict[Constraint, str] = field(default_factory=dict)  # and the cells they are in
    stamps: dict[str, list[tuple[str, Condition]]] = field(default_factory=dict)  # of lone cells
    bodies: list[Body | None] = field(default_factory=list)
    diagnostics: dict[tuple[str, Span, str], Diagnostic] = field(default_factory=dict)
    doubts: list[Diagnostic] = field(default_factory=list)
    owners: dict[tuple[int, str], object] = field(default_factory=dict)  # of weights, by place
    _decided: dict[tuple[int, Key], int] = field(default_factory=dict)
    _scopes: list[Scope] = field(default_factory=list)
    _uses: list[tuple[Span, str]] = field(default_factory=list)

    def builder(self, name: str) -> Builder:
        self.bodies.append(None)
        return Builder(len(self.bodies) - 1, name, self)

    def decide(
        self,
        scope: Scope,
        key: Key,
        wanted: str,
        domain: Domain,
        labels: tuple[str, ...],
        source: Source,
        guard: Condition,
        *,
        members: tuple[str, ...] = (),
        span: Span,
    ) -> int:
        """The decision that `key` identifies in `scope`, made at its first evaluation.

        A further evaluation, for another input, widens the guard: the decision is live for both.
        """
        known = self._decided.get((id(scope), key))
        if known is None:
            path = scope.decision(key, wanted)
            decision = Decision(path, scope.path, domain, labels, source, guard, members, span)
            known = self._take(decision, scope)
            self._decided[id(scope), key] = known
        elif (self.decisions[known].labels, self.decisions[known].domain) != (labels, domain):
            raise mistake(
                "E0407",
                "this choice has other alternatives in another evaluation",
                span,
                f"{', '.join(self.decisions[known].labels)} first, {', '.join(labels)} now",
                help="a cell is decided once: a guard in it may not depend on where it stands",
            )
        else:
            decision = self.decisions[known]
            if decision.guard != guard:
                joined = self.union((decision.guard, guard))
                self.decisions[known] = replace(decision, guard=joined)
        return known

    def _take(self, decision: Decision, scope: Scope) -> int:
        """Enters a new decision at its place; gives its index."""
        self._scopes.append(scope)  # keeps id(scope) its own
        place = self.order.get(decision.path, len(self.decisions))
        if place == len(self.decisions):
            self.decisions.append(decision)
            self.homes.append(scope.home)
        self.decisions[place], self.homes[place] = decision, scope.home
        return place

    def union(self, conditions: Iterable[Condition]) -> Condition:
        """A condition that holds where one of several does."""
        return union(conditions, Sizes(self._size))

    def _size(self, decision: int) -> int:
        domain = self.decisions[decision].domain
        return domain.size if domain.kind is Kind.ONE else 0

    @contextmanager
    def used_at(self, span: Span, name: str) -> Iterator[None]:
        """Blames mistakes within an operation of another file on the place that uses it."""
        self._uses.append((span, name))
        try:
            yield
        except Mistake as found:
            raise Mistake(self._blamed(found.diagnostic)) from found
        finally:
            self._uses.pop()

    def _blamed(self, diagnostic: Diagnostic) -> Diagnostic:
        if not self._uses or diagnostic.label.span.source.name == self._uses[0][0].source.name:
            return diagnostic
        span, name = self._uses[0]
        inside = diagnostic.label
        others = (inside, *(o for o in diagnostic.others if o.span != span))
        return replace(diagnostic, label=Label(span, f"in `{name}`, used here"), others=others)

    def report(self, diagnostic: Diagnostic) -> None:
        diagnostic = self._blamed(diagnostic)
        key = (diagnostic.code, diagnostic.label.span, diagnostic.label.span.source.name)
        self.diagnostics.setdefault(key, diagnostic)

    def doubt(self, found: Mistake) -> None:
        """Keeps a mistake that a requirement of the file may rule out."""
        self.doubts.append(self._blamed(found.diagnostic))

    def attempt(self, action: Callable[[], None]) -> bool:
        """Runs `action`; a mistake in it is recorded, and False says that there was one."""
        try:
            action()
        except Mistake as found:
            self.report(found.diagnostic)
            return False
        except Followup:
            return False
        return True
