"""Operators and functions over numbers, and elementwise arithmetic over values."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from enasdsl.ir.build import mistake
from enasdsl.ir.connections import number_of, reaches
from enasdsl.ir.context import Context
from enasdsl.ir.space import Kind
from enasdsl.ir.typed import always, describe, items_of, surely
from enasdsl.ir.values import Item, Listing, Lowered, Picked, Primitive, Tensor
from enasdsl.semantics.ops import OPS
from enasdsl.semantics.symbols import Chosen, Computed, Num, Shape, Test, compute
from enasdsl.source import Span
from enasdsl.syntax import ast

FACTORIAL_LIMIT = 10_000


def _factorial(n: int) -> int:
    if not isinstance(n, int) or not 0 <= n <= FACTORIAL_LIMIT:
        raise ValueError(f"factorial needs a whole number from 0 to {FACTORIAL_LIMIT}")
    return math.factorial(n)


FUNCTIONS: Mapping[str, Callable[..., Num]] = {
    "factorial": _factorial,
    "abs": abs,
    "min": min,
    "max": max,
}
_OF_LISTS = {"sum": sum, "product": math.prod, "count": len}
_OF_VALUES = ("channels", "reachable")


def is_function(name: str, ctx: Context) -> bool:
    """Whether `name(...)` may be a function of numbers here (`sum` and `product` may be both)."""
    known = name in FUNCTIONS or name in _OF_LISTS or name in _OF_VALUES
    return known and ctx.lookup(name) is None


def call_function(name: str, values: list[Lowered], expr: ast.Call, ctx: Context) -> Lowered:
    """A function of numbers; over decisions it stays symbolic where its arguments are few."""
    items: list[Item] = []
    for value in values:
        items += value.items if isinstance(value, Listing) else [Item(value)]
    if name == "count":
        return number_of(items, ctx, span=expr.span)
    if name == "reachable":
        return _reachable(values, expr, ctx)
    flat = [_present(name, item, ctx, expr) for item in items]
    if name == "channels":
        return _channels(flat, expr)
    if any(isinstance(v, Chosen | Computed) for v in flat):
        return _symbolic(name, flat, expr)
    if not all(isinstance(v, int | float) for v in flat):
        odd = next(v for v in flat if not isinstance(v, int | float))
        raise mistake("E0208", f"`{name}` needs numbers", expr.span, f"there is {describe(odd)}")
    try:
        if name in _OF_LISTS:
            return _OF_LISTS[name](flat)  # type: ignore[operator, no-any-return]
        return FUNCTIONS[name](*flat)
    except (ValueError, TypeError) as error:
        raise mistake("E0208", f"`{name}` cannot take these", expr.span, str(error)) from None


def _present(name: str, item: Item, ctx: Context, expr: ast.Call) -> Lowered:
    """A member as the function sees it: a sum counts one that is absent as nothing."""
    if surely(item.condition, ctx.guard):
        return item.value
    if name != "sum" or not isinstance(item.value, int | float | Chosen | Computed):
        return always(item, ctx, span=expr.span)
    return compute("*", item.value, number_of((item,), ctx, span=expr.span))


def _reachable(values: list[Lowered], expr: ast.Call, ctx: Context) -> Num:
    if len(values) != 2:
        raise mistake(
            "E0207", f"`reachable` takes two values and gets {len(values)}", expr.span, "here"
        )
    source, target = values
    return reaches(source, target, ctx, span=expr.span)


def _channels(values: list[Lowered], expr: ast.Call) -> Num:
    """The channels of a value, which for a chosen input its choice settles."""
    match values:
        case [Tensor(shape=Shape(channels=int() | Chosen() | Computed() as channels))]:
            return channels
        case [Picked(decision, slot, branches)]:
            each = [_channels([branch], expr) for branch in branches]
            same = all(channels == each[0] for channels in each)
            if same or all(isinstance(channels, int) for channels in each):
                return each[0] if same else Chosen(decision, slot, tuple(each))  # type: ignore[arg-type]
    found = describe(values[0]) if len(values) == 1 else f"{len(values)} values"
    raise mistake(
        "E0208", "`channels` needs one value of known width", expr.span, f"this is {found}"
    )


def _symbolic(name: str, flat: list[Lowered], expr: ast.Call) -> Num:
    joined = {"sum": "+", "product": "*", "min": "min", "max": "max"}.get(name)
    if joined is None:
        raise mistake("E0208", f"`{name}` needs fixed numbers", expr.span, "one is chosen")
    total = flat[0]
    for value in flat[1:]:
        total = compute(joined, total, value)  # type: ignore[arg-type]
    return total  # type: ignore[return-value]


def unary(expr: ast.Unary, value: Lowered, ctx: Context) -> Lowered:
    """`-x` of a number or a value, `not x` of a truth."""
    name = "neg" if expr.operator == "-" else "not"
    if isinstance(value, int | float | Chosen | Computed):
        return compute(name, value)
    if isinstance(value, Tensor | Picked) and name == "neg":
        return _affine(value, -1.0, 0.0, ctx, expr.span)
    raise mistake(
        "E0208",
        f"`{expr.operator}` needs a number",
        expr.operand.span,
        f"this is {describe(value)}",
    )


def binary(expr: ast.Binary, left: Lowered, right: Lowered, ctx: Context) -> Lowered:
    """Arithmetic of numbers, elementwise arithmetic of values, or the difference of lists."""
    if expr.operator == "except":
        return _except(expr, left, right, ctx)
    scalar = int | float | str | Chosen | Computed
    if isinstance(left, scalar) and isinstance(right, scalar):
        return _numbers(expr, left, right)
    tensor = Tensor | Picked
    if expr.operator in _ELEMENTWISE and (isinstance(left, tensor) or isinstance(right, tensor)):
        return _elementwise(expr, left, right, ctx)
    odd = right if isinstance(left, scalar) else left
    where = expr.right if isinstance(left, scalar) else expr.left
    raise mistake(
        "E0208",
        f"`{expr.operator}` cannot join these",
        where.span,
        f"this is {describe(odd)}",
    )


def _numbers(expr: ast.Binary, left: Num, right: Num) -> Num:
    if expr.operator == "^" and not _small_power(left, right):
        raise mistake(
            "E0502",
            "a power too large to write out",
            expr.span,
            "the limit is 4,096 binary digits in each factor and an exponent of 4,096",
        )
    try:
        return compute(expr.operator, left, right)
    except ZeroDivisionError:
        raise mistake("E0208", "division by zero", expr.right.span, "this is zero") from None
    except (TypeError, ValueError, OverflowError) as error:
        raise mistake(
            "E0208", f"`{expr.operator}` cannot join these", expr.span, str(error)
        ) from None


def _small_power(left: Num, right: Num) -> bool:
    bases = left.values if isinstance(left, Chosen) else (left,)
    exponents = right.values if isinstance(right, Chosen) else (right,)
    return all(not isinstance(b, int) or b.bit_length() <= 4096 for b in bases) and all(
        not isinstance(e, int) or abs(e) <= 4096 for e in exponents
    )


_ELEMENTWISE = {"+": "add", "-": "subtract", "*": "multiply", "/": "divide"}


def _elementwise(expr: ast.Binary, left: Lowered, right: Lowered, ctx: Context) -> Lowered:
    for side, where in ((left, expr.left), (right, expr.right)):
        if not isinstance(side, Tensor | Picked | int | float | Chosen | Computed):
            raise mistake(
                "E0208",
                f"`{expr.operator}` cannot join these",
                where.span,
                f"this is {describe(side)}",
            )
    if isinstance(left, Tensor | Picked) and isinstance(right, Tensor | Picked):
        spec = Primitive(OPS[_ELEMENTWISE[expr.operator]], {}, expr.span)
        return ctx.apply(spec, [left, right], span=expr.span)
    if isinstance(left, Tensor | Picked):
        return _tensor_first(expr, left, right, ctx)  # type: ignore[arg-type]
    return _number_first(expr, left, right, ctx)  # type: ignore[arg-type]


def _tensor_first(expr: ast.Binary, x: Tensor | Picked, n: Num, ctx: Context) -> Lowered:
    match expr.operator:
        case "+":
            return _affine(x, 1.0, n, ctx, expr.span)
        case "-":
            return _affine(x, 1.0, compute("neg", n), ctx, expr.span)
        case "*":
            return _affine(x, n, 0.0, ctx, expr.span)
        case _:
            return _affine(x, _numbers(expr, 1.0, n), 0.0, ctx, expr.span)


def _number_first(expr: ast.Binary, n: Num, x: Tensor | Picked, ctx: Context) -> Lowered:
    match expr.operator:
        case "+":
            return _affine(x, 1.0, n, ctx, expr.span)
        case "-":
            return _affine(x, -1.0, n, ctx, expr.span)
        case "*":
            return _affine(x, n, 0.0, ctx, expr.span)
        case _:
            spec = Primitive(OPS["reciprocal"], {}, expr.span)
            turned = ctx.apply(spec, [x], span=expr.span)
            return _affine(turned, n, 0.0, ctx, expr.span)


def _affine(x: Lowered, scale: Num, offset: Num, ctx: Context, span: Span) -> Lowered:
    spec = Primitive(OPS["affine"], {"scale": scale, "offset": offset}, span)
    return ctx.apply(spec, [x], span=span)


def _except(expr: ast.Binary, left: Lowered, right: Lowered, ctx: Context) -> Lowered:
    items = _apart(left, ctx) or items_of(left, expr.left.span)
    gone = [i.value for i in right.items] if isinstance(right, Listing) else [right]
    return Listing(tuple(i for i in items if not any(_same(i, g) for g in gone)))


def _apart(value: Lowered, ctx: Context) -> tuple[Item, ...]:
    """What `choose 1 from` may give, each there where it is picked, as in a larger set."""
    if not isinstance(value, Picked):
        return ()
    decision = ctx.ledger.decisions[value.decision]
    if decision.domain.kind is not Kind.ONE:
        return ()
    return tuple(
        Item(branch, (Test(value.decision, frozenset((n,))),), label)
        for n, (branch, label) in enumerate(zip(value.branches, value.labels, strict=True))
    )


def _same(item: Item, value: Lowered) -> bool:
    if isinstance(item.value, Tensor) and isinstance(value, Tensor):
        return item.value.ref == value.ref
    return item.value == value
