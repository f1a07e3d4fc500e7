"""How many values flow into an operation, against how many it reads."""

from __future__ import annotations

from enasdsl.diagnostics import Label
from enasdsl.semantics.calls import Signature, signature
from enasdsl.semantics.problems import Problems
from enasdsl.semantics.scopes import Scope, Table
from enasdsl.syntax import ast


class Reads:
    """Checks flows as far as the number of values in them is known from the text."""

    def __init__(self, table: Table, problems: Problems) -> None:
        self.table = table
        self.problems = problems

    def flow(self, flow: ast.Flow, scope: Scope) -> None:
        """Notes a stage that reads another number of values than flow into it."""
        coming = self._values(flow.stages[0], scope)
        before = flow.stages[0]
        for stage in flow.stages[1:]:
            known = self._signature(stage, scope)
            wrong = known is not None and None not in (known.reads, coming)
            if known is not None and wrong and known.reads != coming:
                self._mismatch(known, coming or 0, before, stage)
            coming = 1 if isinstance(stage, ast.Reference | ast.Call) else None
            before = stage

    def _signature(self, stage: ast.Expr, scope: Scope) -> Signature | None:
        function = stage.function if isinstance(stage, ast.Call) else stage
        if not isinstance(function, ast.Reference) or scope.find(function.name):
            return None
        return signature(function.name, self.table)

    def _values(self, expr: ast.Expr, scope: Scope) -> int | None:
        """How many values an expression stands for, where the text says it."""
        match expr:
            case ast.Tuple(items):
                counts = [self._values(item, scope) for item in items]
                return None if None in counts else sum(count or 0 for count in counts)
            case ast.Reference(name):
                return 1 if scope.is_single(name) else None
            case ast.Flow():
                return 1
            case ast.Call() if self._signature(expr, scope) is not None:
                return 1
            case _:
                return None

    def _mismatch(self, known: Signature, coming: int, before: ast.Expr, stage: ast.Expr) -> None:
        wanted = "one value" if known.reads == 1 else f"{known.reads} values"
        given = "one" if coming == 1 else str(coming)
        join = "join them first, for example with `concat`" if known.reads == 1 else None
        self.problems.error(
            "E0302",
            f"`{known.name}` reads {wanted}, and gets {given}",
            stage.span,
            f"reads {wanted}",
            others=(Label(before.span, f"{given} value{'' if coming == 1 else 's'}"),),
            help=join,
        )
