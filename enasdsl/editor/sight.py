"""What a lowering sees at each place of a file: the shapes of values, and the scopes of bodies."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from enasdsl.ir import apply, evaluate
from enasdsl.ir.context import Context, Frame
from enasdsl.ir.lower import lower
from enasdsl.ir.names import Scope
from enasdsl.ir.space import Space
from enasdsl.ir.values import Lowered, Operation, Picked, Tensor
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
    frames: dict[int, Frame] = field(default_factory=dict)

    def evaluate(self, expr: ast.Expr, ctx: Context, *, role: str = "") -> Lowered:
        """The value of `expr`, noted."""
        self.scopes[place(expr.span)][id(ctx.scope)] = ctx.scope
        if ctx.frame is not None and id(ctx.frame) not in self.frames:
            self.frames[id(ctx.frame)] = ctx.frame
            for item in ctx.frame.inputs:
                self._inputs(item.value)
        value = evaluate.evaluate(expr, ctx, role=role)
        self._note(expr.span, value)
        return value

    def apply(
        self, op: Operation, inputs: Sequence[Lowered], ctx: Context, *, span: Span
    ) -> Lowered:
        """What an operation makes of its inputs, noted."""
        value = apply.apply(op, inputs, ctx, span=span)
        self._note(span, value)
        return value

    def _note(self, span: Span, value: Lowered) -> None:
        for tensor in _tensors(value):
            self.shapes[place(span)][str(tensor.shape)] = None

    def _inputs(self, value: Lowered) -> None:
        """Notes the shape of an input of a cell at the name that declares it."""
        for tensor in _tensors(value):
            self._note(tensor.origin, tensor)

    def shapes_at(self, span: Span) -> tuple[str, ...]:
        return tuple(self.shapes.get(place(span), ()))

    def shapes_from(self, span: Span) -> tuple[str, ...]:
        """The shapes of the narrowest expression that begins with `span`."""
        found = (
            (stop, shapes)
            for (file, start, stop), shapes in self.shapes.items()
            if (file, start) == (span.source.name, span.start) and stop >= span.stop
        )
        return tuple(min(found, key=lambda pair: pair[0], default=(0, {}))[1])

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
    space, _ = lower(checked, outline=True, evaluate=sight.evaluate, apply=sight.apply)
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
