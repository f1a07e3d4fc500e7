"""Names: what a reference means in its surroundings."""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never

from enasdsl.ir.build import Followup, mistake
from enasdsl.ir.connections import edges
from enasdsl.ir.context import Broken, Context
from enasdsl.ir.typed import always, integer, surely
from enasdsl.ir.values import Composite, Item, Listing, Lowered, Primitive, Stamp
from enasdsl.semantics.checked import Checked
from enasdsl.semantics.ops import OPS
from enasdsl.semantics.symbols import Unread
from enasdsl.source import Span
from enasdsl.syntax import ast


def reference(expr: ast.Reference, ctx: Context) -> Lowered:
    """What a name means here: a local, then a word of the language, then a global."""
    found = ctx.lookup(expr.name)
    if found is None:
        found = _derived(expr.name, ctx, expr.span)
    if found is None:
        found = _global(expr, ctx)
    if found is None:
        raise mistake(
            "E0204", f"unknown name `{expr.name}`", expr.span, "nothing has this name here"
        )
    match found:
        case Listing(items=(Item(label="?") as only,)) if surely(only.condition, ctx.guard):
            return only.value
        case _:
            return found


def _derived(name: str, ctx: Context, span: Span) -> Lowered | None:
    task = ctx.program.task
    match name:
        case "stride":
            return ctx.stride
        case "classes":
            return task.classes
        case "vocabulary":
            return task.vocabulary
        case "length" if task.input.tokens:
            return task.input.space[0]
        case _ if name in ctx.ambient:
            return ctx.ambient[name]
        case _ if name in ctx.own:
            return ctx.own[name]
        case "edges":
            return edges(() if ctx.frame is None else ctx.frame.nodes, ctx, span=span)
        case "earlier" | "nodes" | "inputs" | "previous" | "loose":
            return _part_of_frame(name, ctx, span)
        case _:
            return ctx.program.checked.params.get(name)


def _part_of_frame(name: str, ctx: Context, span: Span) -> Lowered:
    frame = ctx.frame
    if frame is None:
        raise mistake("E0205", f"`{name}` outside a cell", span, "only a cell or a block has nodes")
    match name:
        case "earlier":
            return Listing(frame.earlier)
        case "nodes":
            return Listing(tuple(frame.nodes))
        case "inputs":
            return Listing(tuple(frame.inputs))
        case "previous":
            return always((frame.nodes or frame.inputs)[-1], ctx, span=span)
        case _:
            return loose(ctx, tuple(frame.nodes))


def loose(ctx: Context, members: tuple[Item, ...]) -> Listing:
    """Those of `members` that no other node reads."""
    assert ctx.frame is not None
    body = ctx.builder.index
    found = []
    for item in members:
        ref = ctx.frame.refs[item.path]
        found.append(replace(item, condition=(*item.condition, Unread(body, ref))))
    return Listing(tuple(found))


def _global(expr: ast.Reference, ctx: Context) -> Lowered | None:
    checked = ctx.program.checked
    declared = checked.names.get(expr.name)
    match declared:
        case ast.OpDecl():
            return Composite(declared, {}, expr.span)
        case ast.OpList():
            return ctx.evaluate(declared.items)
        case ast.CellDecl() | ast.CellLike():
            return stamps(declared, expr.span, ctx)
        case ast.Let():
            known = ctx.program.lets.get(expr.name)
            if known is None or isinstance(known, Broken):
                raise Followup
            return known
        case None:
            spec = OPS.get(expr.name)
            return None if spec is None else Primitive(spec, {}, expr.span)
        case _:
            assert_never(declared)


def origin(
    declared: ast.CellDecl | ast.CellLike, checked: Checked
) -> tuple[ast.CellDecl, tuple[ast.Change, ...]]:
    """The cell that a cell is like in the end, and all changes on the way, the last one last.

    Whether it is a cell or a block is said where it is declared, not by what it is like.
    """
    if isinstance(declared, ast.CellDecl):
        return declared, ()
    base = checked.names[declared.base.text]
    assert isinstance(base, ast.CellDecl | ast.CellLike)
    found, changes = origin(base, checked)
    return replace(found, kind=declared.kind), (*changes, *declared.changes)


def stamps(declared: ast.CellDecl | ast.CellLike, span: Span, ctx: Context) -> Lowered:
    """A cell as an operation, or the list of the members of an array of cells."""
    base, changes = origin(declared, ctx.program.checked)
    name = declared.name.text
    if base.count is None:
        return Stamp(base, name, changes, None, {}, span)
    count = integer(base.count, ctx)
    ctx.program.budget.spend(max(count, 0), span)
    return Listing(
        tuple(
            Item(Stamp(base, name, changes, i, {}, span), label=f"{name}{i}")
            for i in range(1, count + 1)
        )
    )
