"""What a search is after: arithmetic over figures and costs, and limits that must hold.

`accuracy - 0.1 * log(params), params <= 4M` is the language's own expressions: the first member
that is no comparison is the reward, comparisons are limits. Nothing is evaluated as Python.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property

from enasdsl.search.errors import SearchError
from enasdsl.source import SourceFile, Span
from enasdsl.syntax import ast
from enasdsl.syntax.parse import parse

Values = Mapping[str, float]

FUNCTIONS: Mapping[str, Callable[..., float]] = {
    "log": math.log,
    "exp": math.exp,
    "sqrt": math.sqrt,
    "abs": abs,
    "min": min,
    "max": max,
}
OPERATORS: Mapping[str, Callable[[float, float], float]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "^": math.pow,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}
COMPARISONS = ("<", "<=", ">", ">=")
_THOUSANDS = {"k": 3, "M": 6, "G": 9}
_SHORT = re.compile(r"(?<![\w.])(\d+(?:\.\d+)?)([kMG])\b")
_ALLOWED = (
    f"it is made of names, numbers, + - * / ^, {', '.join(FUNCTIONS)}, and of limits behind "
    "a comma, as in `accuracy - 0.1 * log(params), params <= 4M`"
)


@dataclass(frozen=True)
class Objective:
    """A reward, and limits that every architecture of the search keeps."""

    text: str
    value: ast.Expr
    limits: tuple[ast.Binary, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Objective:
        """The objective that a text says; raises SearchError."""
        members = _members(text)
        for member in members:
            _check(member, text, top=True)
        limits = tuple(m for m in members if isinstance(m, ast.Binary) and _is_limit(m))
        values = [m for m in members if m not in limits]
        if len(values) != 1:
            raise SearchError(
                f"`{text}` states {len(values) or 'no'} rewards",
                "state one; weigh several against each other with + and *",
            )
        objective = cls(text, values[0], limits)
        if not objective.directions:
            raise SearchError(f"`{text}` is the same for every architecture", _ALLOWED)
        return objective

    @classmethod
    def of(cls, name: str) -> Objective:
        """The objective that a value, whatever its name, be great."""
        return cls(name, ast.Reference(name, Span(SourceFile("--reward", name), 0, len(name))))

    @cached_property
    def directions(self) -> dict[str, int]:
        """The names in it, by whether more of it is better, 1, or worse, -1.

        Costs and figures are positive, so the signs of an expression say it.
        """
        found: dict[str, int] = {}
        for expr in (self.value, *self.limits):
            for name, direction in _signs(expr, 1):
                found.setdefault(name, direction)
        return found

    def check_names(self, known: Sequence[str]) -> None:
        """Raises SearchError for a name that is not `known`."""
        for name in self.directions:
            if name not in known:
                close = get_close_matches(name, known, n=1)
                raise SearchError(
                    f"the reward `{self.text}` reads `{name}`, which nothing measures here",
                    f"did you mean `{close[0]}`?" if close else f"there are: {', '.join(known)}",
                )

    def limiting(self) -> set[str]:
        """The names that limits read."""
        return {name for limit in self.limits for name, _ in _signs(limit, 1)}

    def reward(self, values: Values) -> float:
        """What an architecture with these values earns; raises SearchError where nothing."""
        try:
            return float(evaluate(self.value, values))
        except (ArithmeticError, ValueError) as error:
            said = ", ".join(f"{n} = {values[n]:g}" for n in self.directions)
            raise SearchError(f"`{self.text}` has no value where {said}: {error}") from error

    def allows(self, values: Values) -> bool:
        """Whether an architecture with these values keeps every limit."""
        return all(evaluate(limit, values) for limit in self.limits)

    def gains(self, values: Values) -> tuple[float, ...]:
        """The values that are traded against each other, each the better the greater."""
        return tuple(sign * values[name] for name, sign in self.directions.items())


def evaluate(expr: ast.Expr, values: Values) -> float:
    """The value of an expression that `Objective.parse` has let pass."""
    match expr:
        case ast.Number(value):
            return value
        case ast.Reference(name):
            return values[name]
        case ast.Unary(_, operand):
            return -evaluate(operand, values)
        case ast.Binary(operator, left, right):
            return OPERATORS[operator](evaluate(left, values), evaluate(right, values))
        case ast.Call(ast.Reference(name), arguments):
            return FUNCTIONS[name](*(evaluate(a.value, values) for a in arguments))
    raise AssertionError(expr)


def front(points: Sequence[tuple[float, ...]]) -> list[int]:
    """The Pareto front: those that no other equals or betters everywhere, the first of equals."""
    order = sorted(range(len(points)), key=lambda i: points[i], reverse=True)
    kept: list[int] = []
    for index in order:
        point = points[index]
        if not any(all(a >= b for a, b in zip(points[k], point, strict=True)) for k in kept):
            kept.append(index)
    return kept


def _members(text: str) -> tuple[ast.Expr, ...]:
    """What stands between the commas of `text`; raises SearchError where it cannot be read."""
    opening = "ops reward = ["
    plain = _SHORT.sub(lambda m: f"({m[1]} * {10 ** _THOUSANDS[m[2]]})", " ".join(text.split()))
    tree, found = parse(SourceFile("--reward", f"{opening}{plain}]\n"))
    if tree is None or len(tree.declarations) != 1:
        reason = f": {found[0].message}" if found else ""
        raise SearchError(f"the reward `{text}` cannot be read{reason}", _ALLOWED)
    (declaration,) = tree.declarations
    assert isinstance(declaration, ast.OpList)
    return declaration.items.items


def _is_limit(expr: ast.Binary) -> bool:
    return expr.operator in COMPARISONS


def _check(expr: ast.Expr, text: str, *, top: bool = False) -> None:
    """Raises SearchError for what a reward may not hold."""
    match expr:
        case ast.Number() | ast.Reference():
            return
        case ast.Unary("-", operand):
            _check(operand, text)
        case ast.Binary(operator, left, right) if operator in OPERATORS:
            if operator in COMPARISONS and not top:
                raise SearchError(f"a limit stands inside a reward in `{text}`", _ALLOWED)
            _check(left, text)
            _check(right, text)
        case ast.Call(ast.Reference(name), arguments) if name in FUNCTIONS:
            _check_arguments(name, arguments, text)
        case _:
            raise SearchError(f"`{text}` is no reward", _ALLOWED)


def _check_arguments(name: str, arguments: Sequence[ast.Argument], text: str) -> None:
    several = name in ("min", "max")
    if len(arguments) < 2 if several else len(arguments) != 1:
        number = "two or more numbers" if several else "one number"
        raise SearchError(f"`{name}` takes {number} in `{text}`", _ALLOWED)
    for argument in arguments:
        if not isinstance(argument, ast.Argument) or argument.name is not None:
            raise SearchError(f"`{text}` is no reward", _ALLOWED)
        _check(argument.value, text)


def _signs(expr: ast.Expr, sign: int) -> Iterator[tuple[str, int]]:
    """The names of an expression, each with whether the whole grows with it, times `sign`."""
    match expr:
        case ast.Reference(name):
            yield name, sign
        case ast.Unary(_, operand):
            yield from _signs(operand, -sign)
        case ast.Call(_, arguments):
            for argument in arguments:
                yield from _signs(argument.value, sign)
        case ast.Binary(operator, left, right):
            first, second = _factors(operator, left, right)
            yield from _signs(left, sign * first)
            yield from _signs(right, sign * second)


def _factors(operator: str, left: ast.Expr, right: ast.Expr) -> tuple[int, int]:
    """With which signs an expression grows with its two operands."""
    match operator:
        case "<" | "<=":
            return -1, 1
        case "-" | "/" | ">" | ">=":
            return 1, -1
        case "*":
            return _sign(right), _sign(left)
        case "^":
            return _sign(right), 1
        case _:
            return 1, 1


def _sign(expr: ast.Expr) -> int:
    """-1 for an expression that is negative where every name is positive, as far as is seen."""
    match expr:
        case ast.Number(value):
            return -1 if value < 0 else 1
        case ast.Unary(_, operand):
            return -_sign(operand)
        case ast.Binary("*" | "/", left, right):
            return _sign(left) * _sign(right)
        case _:
            return 1
