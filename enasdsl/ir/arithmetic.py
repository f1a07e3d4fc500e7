"""Operators and functions over numbers, and elementwise arithmetic over values."""

from __future__ import annotations

import math

from enasdsl.ir.build import mistake
from enasdsl.ir.cases import reached, told
from enasdsl.ir.comparing import COMPARISONS, Side, arithmetic, compare
from enasdsl.ir.connections import edges, number_of, reaches
from enasdsl.ir.constraint import masked
from enasdsl.ir.context import Context
from enasdsl.ir.lists import OF_LISTS, Listed
from enasdsl.ir.space import Kind
from enasdsl.ir.typed import always, describe, items_of, label
from enasdsl.ir.values import Item, Listing, Lowered, Picked, Primitive, Tensor
from enasdsl.semantics.constants import MOST_BITS
from enasdsl.semantics.ops import OPS
from enasdsl.semantics.symbols import Chosen, Computed, Num, Parts, Shape, Test, compute, extremes
from enasdsl.source import Span
from enasdsl.syntax import ast

FACTORIAL_LIMIT = 10_000


def _factorial(n: int) -> int:
    if not isinstance(n, int) or not 0 <= n <= FACTORIAL_LIMIT:
        raise ValueError(f"factorial needs a whole number from 0 to {FACTORIAL_LIMIT}")
    return math.factorial(n)


_ONE = ("abs", "factorial")
_OF_VALUES = ("channels", "count", "edges", "reachable")
FUNCTIONS = frozenset({*_ONE, *_OF_VALUES, *OF_LISTS})
"""The functions that give a number or a truth."""


def is_function(name: str, ctx: Context) -> bool:
    """Whether `name(...)` may be a function of numbers here (`sum` and `product` may be both)."""
    return name in FUNCTIONS and ctx.lookup(name) is None


def call_function(name: str, values: list[Lowered], expr: ast.Call, ctx: Context) -> Lowered:
    """A function of numbers; over decisions it stays symbolic."""
    items = _members(values, expr)
    match name:
        case "count":
            return number_of(items, ctx, span=expr.span)
        case "edges":
            return edges(items, ctx, span=expr.span)
        case "reachable":
            return _reachable(values, expr, ctx)
        case "channels":
            return _channels([always(i, ctx, span=expr.span) for i in items], expr, ctx)
        case "abs" | "factorial":
            return _of_one(name, [always(i, ctx, span=expr.span) for i in items], expr)
        case _:
            return OF_LISTS[name](Listed(name, items, ctx, expr.span))


def _members(values: list[Lowered], expr: ast.Call) -> list[Item]:
    """The arguments of a function, those of lists one by one, each by its own text."""
    items: list[Item] = []
    for n, value in enumerate(values):
        if isinstance(value, Listing):
            items += value.items
        else:
            text = label(expr.arguments[n].value) if len(values) == len(expr.arguments) else ""
            items.append(Item(value, label=text))
    return items


def _of_one(name: str, values: list[Lowered], expr: ast.Call) -> Num:
    match values:
        case [int() | float() as number]:
            try:
                return abs(number) if name == "abs" else _factorial(number)  # type: ignore[arg-type]
            except ValueError as error:
                raise mistake(
                    "E0208", f"`{name}` cannot take this", expr.span, str(error)
                ) from None
        case [Chosen() | Computed() as number] if name == "abs":
            return arithmetic("abs", Side(number, "", expr.span))
    found = describe(values[0]) if len(values) == 1 else f"{len(values)} values"
    known = "a fixed number" if name == "factorial" else "a number"
    raise mistake("E0208", f"`{name}` needs {known}", expr.span, f"this is {found}")


def _reachable(values: list[Lowered], expr: ast.Call, ctx: Context) -> Num:
    if len(values) != 2:
        raise mistake(
            "E0207", f"`reachable` takes two values and gets {len(values)}", expr.span, "here"
        )
    source, target = values
    return reaches(source, target, ctx, span=expr.span)


def _joint_width(parts: Parts, ctx: Context) -> Num | None:
    """The channels of those parts of a concatenation that are there, where decisions say which."""
    terms: list[Num] = [0]
    for condition, part in parts.items:
        width = _joint_width(part, ctx) if isinstance(part, Parts) else masked(part)
        there = told(condition, ctx)
        if width is None or there is None:
            return None
        terms.append(width if there is True else compute("*", width, there))
    return compute("+", *terms)


def _channels(values: list[Lowered], expr: ast.Call, ctx: Context) -> Num:
    """The channels of a value, which for a chosen input its choice settles."""
    match values:
        case [Tensor(shape=Shape(channels=int() | Chosen() | Computed() as channels))]:
            return channels
        case [Picked(decision, slot, branches)]:
            each = [_channels([branch], expr, ctx) for branch in branches]
            same = all(channels == each[0] for channels in each)
            if same or all(isinstance(channels, int) for channels in each):
                return each[0] if same else Chosen(decision, slot, tuple(each))  # type: ignore[arg-type]
        case [Tensor(shape=Shape(channels=Parts() as parts))]:
            joint = _joint_width(parts, ctx)
            if joint is not None:
                return joint
    found = describe(values[0]) if len(values) == 1 else f"{len(values)} values"
    raise mistake(
        "E0208", "`channels` needs one value of known width", expr.span, f"this is {found}"
    )


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
    if expr.operator in COMPARISONS:
        first = Side(left, label(expr.left), expr.left.span)
        return compare(expr.operator, first, Side(right, label(expr.right), expr.right.span), ctx)
    scalar = int | float | str | Chosen | Computed
    if isinstance(left, scalar) and isinstance(right, scalar):
        return _numbers(expr, left, right, ctx)
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


def _numbers(expr: ast.Binary, left: Num, right: Num, ctx: Context) -> Num:
    if expr.operator in _DIVISIONS and _may_be_zero(right):
        right = reached(right, ctx)
    sides = (Side(left, "", expr.left.span), Side(right, "", expr.right.span))
    try:
        refuse_huge(expr.operator, left, right, expr.span)
        found = arithmetic(expr.operator, *sides)
        if expr.operator in _DIVISIONS and _may_be_zero(right):
            raise ZeroDivisionError
        return found
    except ZeroDivisionError:
        what = "may be" if isinstance(right, Chosen | Computed) else "is"
        raise mistake("E0208", "division by zero", expr.right.span, f"this {what} zero") from None
    except (TypeError, ValueError, OverflowError) as error:
        raise mistake(
            "E0208", f"`{expr.operator}` cannot join these", expr.span, str(error)
        ) from None


def refuse_huge(operator: str, left: Num, right: Num, span: Span) -> None:
    """Refuses arithmetic whose result is too long to be worked with."""
    if _digits(operator, left, right) > MOST_BITS:
        raise mistake(
            "E0502",
            "a number too large to write out",
            span,
            f"the limit is {MOST_BITS:,} binary digits",
        )


_DIVISIONS = ("/", "//", "%")


def _may_be_zero(num: Num) -> bool:
    """Whether a number can be zero; of arithmetic over decisions, as far as its bounds say."""
    if isinstance(num, Computed):
        low, high = extremes(num)
        return low <= 0 <= high  # type: ignore[operator]
    return 0 in num.values if isinstance(num, Chosen) else num == 0


def _digits(operator: str, left: Num, right: Num) -> int:
    """How many binary digits a power or a product of whole numbers may have, 0 for all else."""
    if operator not in ("^", "*"):
        return 0
    most, factor = (max(_sizes(side), default=0) for side in (left, right))
    if operator == "*":
        return most.bit_length() + factor.bit_length()
    return most.bit_length() * factor if most > 1 else 0


def _sizes(num: Num) -> list[int]:
    """The absolute values of the whole numbers between which `num` lies."""
    return [abs(end) for end in extremes(num) if isinstance(end, int)]


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
            return _affine(x, _numbers(expr, 1.0, n, ctx), 0.0, ctx, expr.span)


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
