"""The values of constant expressions: params, their ranges, arguments, published sizes."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from enasdsl.semantics.symbols import OPERATORS, Scalar
from enasdsl.source import Span
from enasdsl.syntax import ast

MOST_BITS = 40_000
"""Greatest size of a whole number; beyond it, arithmetic is refused rather than waited for."""
MOST_MEMBERS = 10_000
"""Most members that are written out, those of nested comprehensions multiplied."""
MOST_FACTORIAL = 1_000
_BUDGET = ""
"""The name, which no file can write, under which the members still allowed are kept."""


class NotConstant(Exception):
    """An expression whose value is not known before the search; `span` is the part at fault."""

    def __init__(self, span: Span, reason: str) -> None:
        super().__init__(reason)
        self.span = span
        self.reason = reason


class Impossible(NotConstant):
    """Constant arithmetic that has no value, such as a division by zero."""


@dataclass(frozen=True, slots=True)
class Interval:
    """The numbers from `low` to `high`, both included; `step` None means every real number."""

    low: int | float
    high: int | float
    step: int | float | None

    def __contains__(self, value: object) -> bool:
        if not isinstance(value, int | float) or isinstance(value, bool):
            return False
        if not self.low <= value <= self.high:
            return False
        if self.step is None:
            return True
        if isinstance(value, int) and isinstance(self.low, int) and isinstance(self.step, int):
            return (value - self.low) % self.step == 0
        steps = (value - self.low) / self.step
        return math.isclose(steps, round(steps), abs_tol=1e-9)

    @property
    def size(self) -> int | None:
        """How many members there are, or None for a continuous interval."""
        if self.low > self.high:
            return 0
        if self.step is None:
            return None
        if all(isinstance(number, int) for number in (self.low, self.high, self.step)):
            return int((self.high - self.low) // self.step) + 1
        return math.floor((self.high - self.low) / self.step + 1e-9) + 1

    def __iter__(self) -> Iterator[int | float]:
        if self.step is None or self.size is None:
            raise TypeError("a continuous interval cannot be written out")
        step = self.step
        return (self.low + i * step for i in range(self.size))

    def __str__(self) -> str:
        step = "" if self.step in (None, 1) else f" step {spell(self.step)}"
        return f"{spell(self.low)}..{spell(self.high)}{step}"


Value = Scalar | Interval | tuple[Any, ...]
Names = Mapping[str, Value]


def is_number(value: object) -> bool:
    """Whether `value` is a whole or a real number, which a truth is not."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def evaluate(expr: ast.Expr, names: Names) -> Value:
    """The value of a constant expression over `names`. Raises NotConstant."""
    rule = _RULES.get(type(expr))
    if rule is None:
        raise NotConstant(expr.span, "this is not known before the search")
    return rule(expr, names)


def scalar(expr: ast.Expr, names: Names) -> Scalar:
    """The number, truth or text that `expr` is. Raises NotConstant."""
    value = evaluate(expr, names)
    if isinstance(value, Interval | tuple):
        raise NotConstant(expr.span, "this is a list, and one value is needed")
    return value


def spell(value: object) -> str:
    """A value as a file writes it."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return f'"{value}"'
        case tuple():
            return "[" + ", ".join(map(spell, value)) + "]"
        case int() if value.bit_length() > 200:
            return f"a number of about {value.bit_length() * 30103 // 100000} digits"
        case _:
            return str(value)


# ------------------------------------------------------------------ arithmetic


def _power(base: int | float, exponent: int | float) -> int | float | complex:
    if isinstance(base, int) and isinstance(exponent, int) and exponent > 0:
        if base.bit_length() * exponent > MOST_BITS:
            raise OverflowError
        return int(base**exponent)
    return base**exponent


def _times(left: int | float, right: int | float) -> int | float:
    whole = isinstance(left, int) and isinstance(right, int)
    if whole and int(left).bit_length() + int(right).bit_length() > MOST_BITS:
        raise OverflowError
    return left * right


_ARITHMETIC: Mapping[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": _times,
    "/": OPERATORS["/"],
    "//": OPERATORS["//"],
    "%": operator.mod,
    "^": _power,
}
_ORDER = ("<", "<=", ">", ">=")


def _binary(expr: ast.Binary, names: Names) -> Value:
    if expr.operator in ("and", "or"):
        return _logic(expr, names)
    if expr.operator not in OPERATORS and expr.operator not in _ARITHMETIC:
        raise NotConstant(expr.span, "this is not known before the search")
    left, right = scalar(expr.left, names), scalar(expr.right, names)
    if expr.operator in ("==", "!="):
        return OPERATORS[expr.operator](left, right)
    texts = isinstance(left, str) and isinstance(right, str) and expr.operator in _ORDER
    if not texts:
        _require_number(expr.left, left)
        _require_number(expr.right, right)
    return _calculate(expr, left, right)


def _calculate(expr: ast.Binary, left: Scalar, right: Scalar) -> Scalar:
    function = _ARITHMETIC.get(expr.operator) or OPERATORS[expr.operator]
    try:
        value = function(left, right)
    except ZeroDivisionError:
        raise Impossible(expr.span, "this divides by zero") from None
    except OverflowError:
        raise Impossible(expr.span, "this number is too large to write down") from None
    if isinstance(value, complex) or (isinstance(value, float) and not math.isfinite(value)):
        raise Impossible(expr.span, "this is no finite number")
    return value


def _logic(expr: ast.Binary, names: Names) -> bool:
    left = truth(expr.left, names)
    if left is (expr.operator == "or"):
        return left
    return truth(expr.right, names)


def truth(expr: ast.Expr, names: Names) -> bool:
    """The truth that a constant condition is. Raises NotConstant."""
    value = scalar(expr, names)
    if not isinstance(value, bool):
        raise Impossible(expr.span, "a condition is true or false, and this is " + spell(value))
    return value


def _unary(expr: ast.Unary, names: Names) -> Value:
    if expr.operator == "not":
        return not truth(expr.operand, names)
    value = scalar(expr.operand, names)
    _require_number(expr.operand, value)
    return -value  # type: ignore[operator]


def _require_number(expr: ast.Expr, value: Value) -> None:
    if not is_number(value):
        raise Impossible(expr.span, f"arithmetic takes numbers, and this is {spell(value)}")


# -------------------------------------------------------------- names and lists


def _reference(expr: ast.Reference, names: Names) -> Value:
    try:
        return names[expr.name]
    except KeyError:
        raise NotConstant(expr.span, f"`{expr.name}` is not known before the search") from None


def _guarded(expr: ast.Guarded, names: Names) -> Value:
    if truth(expr.condition, names):
        return evaluate(expr.body, names)
    if expr.otherwise is None:
        raise Impossible(expr.span, "the condition does not hold, and there is no `else`")
    return evaluate(expr.otherwise, names)


def _list(expr: ast.ListLiteral, names: Names) -> tuple[Value, ...]:
    values: list[Value] = []
    for item in expr.items:
        match item:
            case ast.Guarded(body, condition, None):
                values.extend([evaluate(body, names)] if truth(condition, names) else [])
            case ast.Comprehension():
                values.extend(_comprehension(item, names))
            case _:
                values.append(evaluate(item, names))
    return tuple(values)


def _range(expr: ast.Range, names: Names) -> Interval:
    low, high = _bound(expr.low, names), _bound(expr.high, names)
    if expr.step is not None:
        step = _bound(expr.step, names)
        if step <= 0:
            raise Impossible(expr.step.span, "a step is more than zero")
        return Interval(low, high, step)
    whole = isinstance(low, int) and isinstance(high, int)
    return Interval(low, high, 1 if whole else None)


def _bound(expr: ast.Expr, names: Names) -> int | float:
    value = scalar(expr, names)
    _require_number(expr, value)
    return value  # type: ignore[return-value]


def members(expr: ast.Expr, names: Names) -> tuple[Value, ...]:
    """The members of a constant list or range, written out. Raises NotConstant."""
    value = evaluate(expr, names)
    match value:
        case Interval(step=None):
            raise Impossible(expr.span, "a range of real numbers has no members without a `step`")
        case Interval():
            if (value.size or 0) > names.get(_BUDGET, MOST_MEMBERS):  # type: ignore[operator]
                raise Impossible(expr.span, f"more than {MOST_MEMBERS:,} members in all")
            return tuple(value)
        case tuple():
            return value
        case _:
            raise Impossible(expr.span, f"a list is needed, and this is {spell(value)}")


def _comprehension(expr: ast.Comprehension, names: Names) -> tuple[Value, ...]:
    values = members(expr.source, names)
    left = int(names.get(_BUDGET, MOST_MEMBERS)) // max(len(values), 1)  # type: ignore[arg-type]
    found: list[Value] = []
    for value in values:
        row = {**names, _BUDGET: left, expr.variable.text: value}
        if expr.condition is None or truth(expr.condition, row):
            nested = isinstance(expr.body, ast.Comprehension)
            found += _comprehension(expr.body, row) if nested else [evaluate(expr.body, row)]  # type: ignore[arg-type]
    return tuple(found)


# ------------------------------------------------------------------- functions


def _factorial(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError("factorial takes a whole number that is not negative")
    if value > MOST_FACTORIAL:
        raise OverflowError
    return math.factorial(value)


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "factorial": _factorial,
    "min": lambda *values: min(values),
    "max": lambda *values: max(values),
    "count": lambda *values: len(values),
    "abs": abs,
    "sum": lambda *values: sum(values),
}
"""The functions that constants may call; those of lists take the members side by side."""
_ONE = ("factorial", "abs")


def _call(expr: ast.Call, names: Names) -> Value:
    name = expr.function.name if isinstance(expr.function, ast.Reference) else ""
    if name not in FUNCTIONS:
        raise NotConstant(expr.span, "this is not known before the search")
    values = _arguments(expr, names)
    if name in _ONE and len(values) != 1:
        raise Impossible(expr.span, f"{name} takes one number, and here are {len(values)}")
    try:
        return FUNCTIONS[name](*values)  # type: ignore[no-any-return]
    except OverflowError:
        raise Impossible(expr.span, "this number is too large to write down") from None
    except (TypeError, ValueError) as error:
        reason = str(error) if name == "factorial" else f"{name} cannot take these values"
        raise Impossible(expr.span, reason) from None


def _arguments(expr: ast.Call, names: Names) -> list[Value]:
    values: list[Value] = []
    for argument in expr.arguments:
        if argument.name is not None:
            raise NotConstant(argument.name.span, "functions of numbers have no named arguments")
        if isinstance(argument.value, ast.Comprehension):
            values.extend(_comprehension(argument.value, names))
            continue
        value = evaluate(argument.value, names)
        whole = isinstance(value, Interval | tuple)
        values.extend(members(argument.value, names) if whole else [value])
    return values


_RULES: Mapping[type, Callable[[Any, Names], Value]] = {
    ast.Number: lambda expr, names: expr.value,
    ast.Text: lambda expr, names: expr.value,
    ast.Truth: lambda expr, names: expr.value,
    ast.Reference: _reference,
    ast.Unary: _unary,
    ast.Binary: _binary,
    ast.Range: _range,
    ast.ListLiteral: _list,
    ast.Guarded: _guarded,
    ast.Call: _call,
}
