"""Expressions: from the syntax tree to values, operations, lists and numbers."""

from __future__ import annotations

from typing import assert_never

import enasdsl.ir.apply as application
import enasdsl.ir.choose as choosing
import enasdsl.ir.mentions as mentions
from enasdsl.ir.arithmetic import binary, call_function, is_function, truth, unary
from enasdsl.ir.build import mistake
from enasdsl.ir.context import Context
from enasdsl.ir.values import (
    Absent,
    Bound,
    ChosenOp,
    Composite,
    Item,
    Listing,
    Lowered,
    Operation,
    Picked,
    Pipeline,
    Primitive,
    Repeated,
    Shared,
    Stamp,
    Tensor,
)
from enasdsl.semantics.ops import OPS
from enasdsl.semantics.symbols import Chosen, Computed, Num, Test
from enasdsl.source import Span
from enasdsl.syntax import ast

RANGE_LIMIT = 100_000
"""How many members a range may have."""


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
            return unary(expr, evaluate(expr.operand, ctx), ctx)
        case ast.Binary():
            return _binary(expr, ctx)
        case ast.Range():
            return Listing(tuple(Item(n, label=str(n)) for n in span_of(expr, ctx)))
        case ast.Tuple():
            items = tuple(item for e in expr.items for item in _member(e, ctx))
            return Listing(items, side_by_side=True)
        case ast.Flow():
            return flow(expr, ctx, role=role)
        case ast.Guarded():
            return guarded(expr, ctx, role=role)
        case ast.Choose():
            return choosing.choose(expr, ctx, role=role)
        case ast.Maybe():
            return choosing.maybe(expr, ctx, role=role)
        case ast.Repeat():
            return Repeated(expr, number(expr.count, ctx), ctx, expr.span)
        case ast.Share():
            across = frozenset(n.text for n in expr.across)
            return Shared(operation(expr.body, ctx), across)
        case _:
            assert_never(expr)


# ----------------------------------------------------------------------- lists


def _member(expr: ast.Expr, ctx: Context) -> tuple[Item, ...]:
    """The item that an expression adds to a list, or none where its guard does not hold."""
    if isinstance(expr, ast.Comprehension):
        return comprehension(expr, ctx).items
    value = evaluate(expr, ctx)
    match value:
        case Absent():
            return ()
        case Listing(items=(Item(label="?") as only,)):
            return (only,)
        case _:
            return (Item(value, label=label(expr)),)


def label(expr: ast.Expr) -> str:
    """How an alternative is called: its own text, without spaces."""
    return "".join(expr.span.text.split())


def comprehension(expr: ast.Comprehension, ctx: Context) -> Listing:
    """`body for v in source when condition`: one evaluation of the body for each member."""
    source = items_of(evaluate(expr.source, ctx), expr.source.span)
    found: list[Item] = []
    for n, item in enumerate(source):
        inner = ctx.fork(**{expr.variable.text: item.value}).under(item.condition)
        inner = inner.inside(expr.span, item.label or str(n + 1), n)
        if expr.condition is not None and not truth(expr.condition, inner):
            continue
        value = evaluate(expr.body, inner)
        if not isinstance(value, Absent):
            found.append(Item(value, item.condition, item.label))
    return Listing(tuple(found))


def items_of(value: Lowered, span: Span) -> tuple[Item, ...]:
    if isinstance(value, Listing):
        return value.items
    raise mistake("E0209", "a list is needed here", span, f"this is {describe(value)}")


def span_of(expr: ast.Range, ctx: Context) -> range:
    """The whole numbers of a range whose ends do not depend on a decision."""
    low, high = integer(expr.low, ctx), integer(expr.high, ctx)
    step = 1 if expr.step is None else integer(expr.step, ctx)
    if step < 1:
        raise mistake("E0402", "a range needs a positive step", expr.span, f"the step is {step}")
    found = range(low, high + 1, step)
    if len(found) > RANGE_LIMIT:
        raise mistake(
            "E0501",
            f"a range of {len(found):,} members",
            expr.span,
            f"the limit is {RANGE_LIMIT:,}",
            help="make the param that counts nodes, layers or repeats smaller",
        )
    return found


def _index(expr: ast.Index, ctx: Context) -> Lowered:
    items = items_of(evaluate(expr.target, ctx), expr.target.span)
    place = integer(expr.index, ctx)
    if not 1 <= place <= len(items):
        raise mistake(
            "E0403",
            f"there is no member {place}",
            expr.index.span,
            f"the list has {len(items)} members, counted from 1",
        )
    return items[place - 1].value


# ----------------------------------------------------------------------- calls


def call(expr: ast.Call, ctx: Context) -> Lowered:
    """An operation with its arguments, an operation over values, or a function of numbers."""
    function = expr.function
    if isinstance(function, ast.Reference) and is_function(function.name, ctx):
        return _apply_function(function.name, expr, ctx)
    callee = evaluate(function, ctx)
    if not isinstance(callee, Operation):
        raise mistake(
            "E0206", f"{describe(callee)} cannot be called", function.span, "this is no operation"
        )
    values = [_argument(a, callee, n, ctx) for n, a in enumerate(expr.arguments)]
    positional = [v for a, v in zip(expr.arguments, values, strict=True) if a.name is None]
    if positional and all(isinstance(v, Tensor | Picked | Listing) for v in positional):
        named = _named(expr.arguments, values)
        return application.apply(
            application.bind(callee, [], named, expr.span), positional, ctx, span=expr.span
        )
    plain = [v for v in positional if not isinstance(v, Absent)]
    return application.bind(callee, plain, _named(expr.arguments, values), expr.span)


def _argument(argument: ast.Argument, callee: Operation, at_: int, ctx: Context) -> Lowered:
    name = argument.name.text if argument.name else application.parameter_name(callee, at_)
    if isinstance(argument.value, ast.Comprehension):
        return comprehension(argument.value, ctx)
    return evaluate(argument.value, ctx, role=name)


def _named(arguments: tuple[ast.Argument, ...], values: list[Lowered]) -> Bound:
    return {a.name.text: v for a, v in zip(arguments, values, strict=True) if a.name is not None}


def _apply_function(name: str, expr: ast.Call, ctx: Context) -> Lowered:
    values: list[Lowered] = []
    for argument in expr.arguments:
        value = (
            comprehension(argument.value, ctx)
            if isinstance(argument.value, ast.Comprehension)
            else evaluate(argument.value, ctx)
        )
        values.append(value)
    if name in OPS and not _numeric(values):
        spec = Primitive(OPS[name], {}, expr.function.span)
        return application.apply(spec, values, ctx, span=expr.span)
    return call_function(name, values, expr)


def _numeric(values: list[Lowered]) -> bool:
    flat = [i.value for v in values if isinstance(v, Listing) for i in v.items]
    flat += [v for v in values if not isinstance(v, Listing)]
    return bool(flat) and all(isinstance(v, int | float | Chosen | Computed) for v in flat)


# --------------------------------------------------------------- flows, guards


def flow(expr: ast.Flow, ctx: Context, *, role: str) -> Lowered:
    """Data flow from a value, or the composition of operations."""
    first = evaluate(expr.stages[0], ctx, role=role)
    stages = [(operation(s, ctx), s.span) for s in expr.stages[1:]]
    if isinstance(first, Operation):
        spans = (expr.stages[0].span, *(s for _, s in stages))
        return Pipeline((first, *(op for op, _ in stages)), spans)
    value: Lowered = first
    for op, span in stages:
        inputs = _side_by_side(value)
        value = application.apply(op, inputs, ctx, span=span)
    return value


def _side_by_side(value: Lowered) -> list[Lowered]:
    if isinstance(value, Listing) and value.side_by_side:
        return [i.value for i in value.items]
    return [value]


def operation(expr: ast.Expr, ctx: Context, *, role: str = "") -> Operation:
    value = evaluate(expr, ctx, role=role)
    if isinstance(value, Operation):
        return value
    raise mistake("E0206", "an operation is needed here", expr.span, f"this is {describe(value)}")


def guarded(expr: ast.Guarded, ctx: Context, *, role: str) -> Lowered:
    """`body when condition else otherwise`, where the condition may be a decision's."""
    condition = evaluate(expr.condition, ctx)
    if isinstance(condition, Chosen):
        return _chosen_guard(expr, condition, ctx, role=role)
    if not isinstance(condition, bool):
        raise mistake(
            "E0208",
            "a condition must be true or false",
            expr.condition.span,
            f"this is {describe(condition)}",
        )
    if condition:
        return evaluate(expr.body, ctx, role=role)
    return Absent() if expr.otherwise is None else evaluate(expr.otherwise, ctx, role=role)


def _chosen_guard(expr: ast.Guarded, condition: Chosen, ctx: Context, *, role: str) -> Lowered:
    yes = Test(condition.decision, frozenset(i for i, v in enumerate(condition.values) if v))
    no = Test(condition.decision, frozenset(i for i, v in enumerate(condition.values) if not v))
    body = evaluate(expr.body, ctx.under((yes,)), role=role)
    if expr.otherwise is None:
        if isinstance(body, Operation):
            other: Lowered = Primitive(OPS["identity"], {}, expr.span)
        else:
            return Listing((Item(body, (yes,), "?"),))
    else:
        other = evaluate(expr.otherwise, ctx.under((no,)), role=role)
    table = tuple(0 if v else 1 for v in condition.values)
    name = ctx.ledger.decisions[condition.decision].path.rpartition(".")[2]
    return choosing.combine(
        (body, other),
        condition.decision,
        condition.slot,
        table,
        ctx,
        name=name,
        labels=("true", "false"),
        span=expr.span,
    )


# ------------------------------------------------------------------- operators


def _binary(expr: ast.Binary, ctx: Context) -> Lowered:
    if expr.operator == "with":
        return _loose_with_inputs(expr, ctx)
    left = evaluate(expr.left, ctx)
    right = evaluate(expr.right, ctx)
    if expr.operator == "*" and isinstance(left, Operation):
        if not isinstance(right, int | Chosen) or isinstance(right, bool):
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


# --------------------------------------------------------------------- numbers


def number(expr: ast.Expr, ctx: Context, *, role: str = "") -> Num:
    value = evaluate(expr, ctx, role=role)
    if isinstance(value, int | float | Chosen | Computed):
        return value
    raise mistake("E0208", "a number is needed here", expr.span, f"this is {describe(value)}")


def integer(expr: ast.Expr, ctx: Context) -> int:
    """A whole number that no decision settles."""
    value = number(expr, ctx)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    what = "depends on a choice" if isinstance(value, Chosen | Computed) else f"is {value}"
    raise mistake("E0208", "a fixed whole number is needed here", expr.span, f"this {what}")


def describe(value: Lowered) -> str:
    """What a value is, in words, for messages."""
    match value:
        case bool():
            return f"the truth value {str(value).lower()}"
        case int() | float():
            return f"the number {value}"
        case str():
            return f"the text {value!r}"
        case Chosen() | Computed():
            return "a chosen number"
        case Tensor(shape=shape):
            return f"a value of shape {shape}"
        case Picked():
            return "a chosen input"
        case Listing():
            return "a list"
        case Absent():
            return "absent here"
        case Primitive() | Composite() | Stamp() | Pipeline() | ChosenOp() | Repeated() | Shared():
            return "an operation"
        case _:
            assert_never(value)
