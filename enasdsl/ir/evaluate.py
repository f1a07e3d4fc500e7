"""Expressions: from the syntax tree to values, operations, lists and numbers."""

from __future__ import annotations

from typing import assert_never

from enasdsl.diagnostics.wording import several
from enasdsl.ir import mentions
from enasdsl.ir.apply import bind, parameter_name
from enasdsl.ir.arithmetic import binary, call_function, is_function, unary
from enasdsl.ir.between import between, by_case
from enasdsl.ir.build import mistake
from enasdsl.ir.cases import Split, named, tree, truths, where
from enasdsl.ir.choose import choose, maybe
from enasdsl.ir.context import Context
from enasdsl.ir.members import members
from enasdsl.ir.ranges import ranged
from enasdsl.ir.typed import (
    always,
    describe,
    integer,
    items_of,
    label,
    number,
    operation,
)
from enasdsl.ir.values import (
    Absent,
    Bound,
    Item,
    Listing,
    Lowered,
    Operation,
    Picked,
    Pipeline,
    Primitive,
    Repeated,
    Shared,
    Tensor,
)
from enasdsl.semantics.ops import OPS
from enasdsl.semantics.symbols import Chosen, Computed, Scalar
from enasdsl.syntax import ast


def evaluate(expr: ast.Expr, ctx: Context, *, role: str = "") -> Lowered:  # noqa: C901
    """The value of `expr`; `role` is what a choice in it is called if nothing else names it."""
    match expr:
        case ast.Number() | ast.Text() | ast.Truth():
            return expr.value
        case ast.Reference():
            return mentions.reference(expr, ctx)
        case ast.ListLiteral():
            return Listing(tuple(item for e in expr.items for item in _member(e, ctx)))
        case ast.Comprehension():
            return comprehension(expr, ctx)
        case ast.Call():
            return call(expr, ctx)
        case ast.Index():
            return _index(expr, ctx)
        case ast.Unary():
            return unary(expr, ctx.evaluate(expr.operand), ctx)
        case ast.Binary():
            return _binary(expr, ctx)
        case ast.Range():
            return Listing(tuple(ranged(expr, ctx)))
        case ast.Tuple():
            items = tuple(item for e in expr.items for item in _member(e, ctx))
            return Listing(items, side_by_side=True)
        case ast.Flow():
            return flow(expr, ctx, role=role)
        case ast.Guarded():
            return guarded(expr, ctx, role=role)
        case ast.Choose():
            return choose(expr, ctx, role=role)
        case ast.Maybe():
            return maybe(expr, ctx, role=role)
        case ast.Repeat():
            return Repeated(expr, number(expr.count, ctx), ctx, expr.span)
        case ast.Share():
            across = frozenset(n.text for n in expr.across)
            return Shared(operation(expr.body, ctx), across, expr.span)
        case _:
            assert_never(expr)


# ----------------------------------------------------------------------- lists


def _member(expr: ast.Expr, ctx: Context) -> tuple[Item, ...]:
    """The item that an expression adds to a list, or none where its guard does not hold."""
    if isinstance(expr, ast.Comprehension):
        return comprehension(expr, ctx).items
    value = ctx.evaluate(expr)
    match value:
        case Absent():
            return ()
        case Listing(items=(Item(label="?") as only,)):
            return (only,)
        case _:
            body = expr.body if isinstance(expr, ast.Guarded) else expr
            return (Item(value, label=label(expr), named=isinstance(body, ast.Reference)),)


def comprehension(expr: ast.Comprehension, ctx: Context) -> Listing:
    """`body for v in source when condition`: one evaluation of the body for each member."""
    found = []
    for member in members(expr, ctx):
        match member.ctx.evaluate(member.body):
            case Absent():
                continue
            case Listing(items=(Item(value=value, condition=there, label="?"),)):
                found.append(Item(value, (*member.condition, *there), member.label))
            case value:
                found.append(Item(value, member.condition, member.label))
    return Listing(tuple(found))


def _index(expr: ast.Index, ctx: Context) -> Lowered:
    items = items_of(ctx.evaluate(expr.target), expr.target.span)
    place = number(expr.index, ctx)
    if not isinstance(place, Chosen | Computed):
        return _member_at(items, integer(expr.index, ctx), expr, ctx)
    return by_case(
        tree(place, span=expr.index.span),
        lambda at, inner: _member_at(items, at, expr, inner),
        ctx,
        span=expr.span,
    )


def _member_at(items: tuple[Item, ...], place: Scalar, expr: ast.Index, ctx: Context) -> Lowered:
    if isinstance(place, bool) or not isinstance(place, int) or not 1 <= place <= len(items):
        raise mistake(
            "E0403",
            f"there is no member {place}",
            expr.index.span,
            f"the list has {several(len(items), 'member')}, counted from 1",
        )
    return always(items[place - 1], ctx, span=expr.span)


# ----------------------------------------------------------------------- calls


def call(expr: ast.Call, ctx: Context) -> Lowered:
    """An operation with its arguments, an operation over values, or a function of numbers."""
    function = expr.function
    if isinstance(function, ast.Reference) and is_function(function.name, ctx):
        return _apply_function(function.name, expr, ctx)
    callee = ctx.evaluate(function)
    if not isinstance(callee, Operation):
        raise mistake(
            "E0206", f"{describe(callee)} cannot be called", function.span, "this is no operation"
        )
    values = [_argument(a, callee, n, ctx) for n, a in enumerate(expr.arguments)]
    positional = [
        v
        for a, v in zip(expr.arguments, values, strict=True)
        if a.name is None and not isinstance(v, Absent)
    ]
    named = _named(expr.arguments, values)
    if positional and all(isinstance(v, Tensor | Picked | Listing) for v in positional):
        return ctx.apply(bind(callee, [], named, expr.span), positional, span=expr.span)
    return bind(callee, positional, named, expr.span)


def _argument(argument: ast.Argument, callee: Operation, at_: int, ctx: Context) -> Lowered:
    name = argument.name.text if argument.name else parameter_name(callee, at_)
    if isinstance(argument.value, ast.Comprehension):
        return comprehension(argument.value, ctx)
    return ctx.evaluate(argument.value, role=name)


def _named(arguments: tuple[ast.Argument, ...], values: list[Lowered]) -> Bound:
    return {a.name.text: v for a, v in zip(arguments, values, strict=True) if a.name is not None}


def _apply_function(name: str, expr: ast.Call, ctx: Context) -> Lowered:
    values: list[Lowered] = []
    for argument in expr.arguments:
        value = (
            comprehension(argument.value, ctx)
            if isinstance(argument.value, ast.Comprehension)
            else ctx.evaluate(argument.value)
        )
        if not isinstance(value, Absent):
            values.append(value)
    if name in OPS and not _numeric(values):
        spec = Primitive(OPS[name], {}, expr.function.span)
        return ctx.apply(spec, values, span=expr.span)
    return call_function(name, values, expr, ctx)


def _numeric(values: list[Lowered]) -> bool:
    flat = [i.value for v in values if isinstance(v, Listing) for i in v.items]
    flat += [v for v in values if not isinstance(v, Listing)]
    return bool(flat) and all(isinstance(v, int | float | Chosen | Computed) for v in flat)


# --------------------------------------------------------------- flows, guards


def flow(expr: ast.Flow, ctx: Context, *, role: str) -> Lowered:
    """Data flow from a value, or the composition of operations."""
    first = ctx.evaluate(expr.stages[0], role=role)
    stages = [(operation(s, ctx), s.span) for s in expr.stages[1:]]
    if isinstance(first, Operation):
        spans = (expr.stages[0].span, *(s for _, s in stages))
        return Pipeline((first, *(op for op, _ in stages)), spans)
    value: Lowered = first
    for op, span in stages:
        inputs = _side_by_side(value)
        value = ctx.apply(op, inputs, span=span)
    return value


def _side_by_side(value: Lowered) -> list[Lowered]:
    if isinstance(value, Listing) and value.side_by_side:
        return [i.value for i in value.items]
    return [value]


def guarded(expr: ast.Guarded, ctx: Context, *, role: str) -> Lowered:
    """`body when condition else otherwise`, where decisions may settle the condition."""
    condition = ctx.evaluate(expr.condition)
    if isinstance(condition, Chosen | Computed):
        found = truths(condition, span=expr.condition.span)
        if isinstance(found, Split):
            return _chosen_guard(expr, found, ctx, role=role)
        condition = found
    if not isinstance(condition, bool):
        raise mistake(
            "E0208",
            "a condition must be true or false",
            expr.condition.span,
            f"this is {describe(condition)}",
        )
    if condition:
        return ctx.evaluate(expr.body, role=role)
    return Absent() if expr.otherwise is None else ctx.evaluate(expr.otherwise, role=role)


def _chosen_guard(expr: ast.Guarded, found: Split, ctx: Context, *, role: str) -> Lowered:
    span = expr.condition.span
    inside = ctx.under(where(found, lambda holds: holds is True, ctx, span=span))
    body = inside.evaluate(expr.body, role=role)
    if expr.otherwise is not None:
        outside = ctx.under(
            where(found, lambda holds: holds is False, ctx, span=expr.condition.span)
        )
        other = outside.evaluate(expr.otherwise, role=role)
    elif isinstance(body, Operation):
        other = Primitive(OPS["identity"], {}, expr.span)
    else:
        there = named(found, lambda holds: holds is True, ctx, span=expr.condition.span)
        return Listing((Item(body, there, "?"),))
    return between(found, {True: body, False: other}, ctx, span=expr.span)


# ------------------------------------------------------------------- operators


def _binary(expr: ast.Binary, ctx: Context) -> Lowered:
    if expr.operator == "with":
        return _loose_with_inputs(expr, ctx)
    left = ctx.evaluate(expr.left)
    right = ctx.evaluate(expr.right)
    if expr.operator == "*" and isinstance(left, Operation):
        if not isinstance(right, int | Chosen | Computed) or isinstance(right, bool):
            raise mistake(
                "E0208",
                "a number of repetitions is needed",
                expr.right.span,
                f"this is {describe(right)}",
            )
        return Repeated(left, right, ctx, expr.span)
    return binary(expr, left, right, ctx)


def _loose_with_inputs(expr: ast.Binary, ctx: Context) -> Lowered:
    is_loose = isinstance(expr.left, ast.Reference) and expr.left.name == "loose"
    is_inputs = isinstance(expr.right, ast.Reference) and expr.right.name == "inputs"
    if not (is_loose and is_inputs) or ctx.frame is None:
        raise mistake("E0210", "`with` joins only `loose with inputs`", expr.span, "here")
    return mentions.loose(ctx, ctx.frame.earlier)
