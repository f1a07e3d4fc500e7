"""What a lowering sees at each place of a file: the shapes of values, and the scopes of bodies."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from enasdsl.ir import evaluate
from enasdsl.ir.context import Context
from enasdsl.ir.lower import lower
from enasdsl.ir.names import Scope
from enasdsl.ir.space import Space
from enasdsl.ir.values import Lowered, Picked, Tensor
from enasdsl.semantics.checked import Checked
from enasdsl.source import Span
from enasdsl.syntax import ast

Place = tuple[str, int, int]
"""A file and the stretch of it that an expression covers."""


def place(span: Span) -> Place:
    return (span.source.name, span.start, span.stop)


@dataclass(slots=True)
class Sight:
    """The shapes of each expression that has one, and every scope in which it was evaluated."""

    shapes: defaultdict[Place, dict[str, None]] = field(default_factory=lambda: defaultdict(dict))
    scopes: defaultdict[Place, dict[int, Scope]] = field(default_factory=lambda: defaultdict(dict))

    def evaluate(self, expr: ast.Expr, ctx: Context, *, role: str = "") -> Lowered:
        """The value of `expr`, noted."""
        at = place(expr.span)
        self.scopes[at][id(ctx.scope)] = ctx.scope
        value = evaluate.evaluate(expr, ctx, role=role)
        for tensor in _tensors(value):
            self.shapes[at][str(tensor.shape)] = None
        return value

    def shapes_at(self, span: Span) -> tuple[str, ...]:
        return tuple(self.shapes.get(place(span), ()))

    def paths_within(self, span: Span) -> tuple[str, ...]:
        """The paths of the outermost scopes in which the text of `span` was evaluated."""
        found = {
            scope.path: None
            for (file, start, stop), scopes in self.scopes.items()
            if file == span.source.name and span.start <= start and stop <= span.stop
            for scope in scopes.values()
        }
        return tuple(path for path in found if not any(_below(path, other) for other in found))


def look(checked: Checked) -> tuple[Space | None, Sight]:
    """The outline of a file's space, and what was seen on the way to it."""
    sight = Sight()
    space, _ = lower(checked, outline=True, evaluate=sight.evaluate)
    return space, sight


def _tensors(value: Lowered) -> tuple[Tensor, ...]:
    match value:
        case Tensor():
            return (value,)
        case Picked(branches=branches):
            return branches
        case _:
            return ()


def _below(path: str, other: str) -> bool:
    return path != other and (not other or path.startswith(f"{other}."))
