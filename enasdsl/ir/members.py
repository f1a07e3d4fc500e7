"""The members of comprehensions: where the body of each is evaluated, and what it is called."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from enasdsl.ir.cases import Split, named, truths
from enasdsl.ir.context import Context
from enasdsl.ir.typed import items_of, label, truth
from enasdsl.ir.values import Lowered
from enasdsl.semantics.symbols import Chosen, Computed, Condition
from enasdsl.syntax import ast


@dataclass(frozen=True, slots=True)
class Member:
    """One evaluation of a body: `names` are what the comprehension binds for it.

    `label` is that of the member of the source, `path` the node or input that it is.
    """

    body: ast.Expr
    ctx: Context
    names: dict[str, Lowered]
    condition: Condition
    label: str

    @property
    def text(self) -> str:
        """The body as an alternative is called: with the bound numbers and texts in it."""
        text = label(self.body)
        for name, value in self.names.items():
            if isinstance(value, int | float | str):
                said = str(value).lower() if isinstance(value, bool) else str(value)
                text = re.sub(rf"\b{name}\b(?!:)", lambda _, said=said: said, text)  # type: ignore[misc]
        return text if text != label(self.body) else f"{text}[{self.label}]"


def condition(expr: ast.Expr, ctx: Context) -> Condition | None:
    """Where the condition of a member holds; None where it fails whatever is chosen."""
    value = ctx.evaluate(expr)
    if not isinstance(value, Chosen | Computed):
        return () if truth(expr, ctx) else None
    found = truths(value, span=expr.span)
    if isinstance(found, Split):
        return named(found, lambda holds: holds is True, ctx, span=expr.span)
    return () if found else None


def members(expr: ast.Comprehension, ctx: Context) -> Iterator[Member]:
    """The members of `body for v in source when condition`, those of nested ones in turn."""
    for n, item in enumerate(items_of(ctx.evaluate(expr.source), expr.source.span)):
        name = item.label or str(n + 1)
        names = {expr.variable.text: item.value}
        inner = ctx.fork(**names).under(item.condition).inside(expr.span, name, n)
        there = () if expr.condition is None else condition(expr.condition, inner)
        if there is None:
            continue
        inner, there = inner.under(there), (*item.condition, *there)
        if not isinstance(expr.body, ast.Comprehension):
            yield Member(expr.body, inner, names, there, item.label)
            continue
        for below in members(expr.body, inner):
            yield replace(
                below,
                names={**names, **below.names},
                condition=(*there, *below.condition),
                label=",".join(filter(None, (item.label, below.label))),
            )
