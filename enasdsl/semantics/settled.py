"""Conditions and choices that have only one outcome, whatever the params are set to."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from enasdsl.diagnostics import Diagnostic, Fix
from enasdsl.semantics.constants import Interval, NotConstant, evaluate
from enasdsl.semantics.ops import OPS
from enasdsl.semantics.scopes import AMBIENT, Entry
from enasdsl.semantics.traverse import walk
from enasdsl.semantics.unused import warning
from enasdsl.source import Span
from enasdsl.syntax import ast

Bounds = tuple[float, float]
Known = Mapping[str, Bounds | tuple[object, ...]]
"""What is known of a name wherever it is read: the least and the greatest number, or all values."""

_INFINITY = math.inf
_IDLE = re.compile(r"\s*\b(?P<words>with\s+repeats(?:\s+in\s+order)?|in\s+order)\Z")
_ORDERS: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def settled(tree: ast.Ast, entries: Mapping[str, Entry]) -> Iterator[Diagnostic]:
    """What is said of guards, requirements and choices of which the outcome is known."""
    known = _params(tree)
    for declaration in tree.declarations:
        counters = _counters(declaration, known)
        inner = {
            n: b for n, b in {**known, **counters}.items() if n not in known or n not in counters
        }
        for part in walk(declaration):
            match part:
                case ast.Guarded():
                    yield from _guard(part, inner)
                case ast.Each(condition=condition) | ast.Comprehension(condition=condition):
                    yield from _condition(condition, inner)
                case ast.Require():
                    yield from _requirement(part, inner)
                case ast.Choose():
                    yield from _choice(part, entries)


# ------------------------------------------------------------------------ what is known


def _params(tree: ast.Ast) -> dict[str, Bounds | tuple[object, ...]]:
    """The params whose range is written in numbers, and that nothing but `--set` can change."""
    changed = {c.name.text for p in walk(tree) if isinstance(p, ast.CellLike) for c in p.changes}
    found: dict[str, Bounds | tuple[object, ...]] = {}
    for param in tree.declarations:
        if not isinstance(param, ast.Param) or param.name.text in changed | AMBIENT:
            continue
        match _constant(param.domain if param.domain else param.default):
            case Interval(low, high):
                found[param.name.text] = (low, high)
            case tuple(values):
                found[param.name.text] = values
            case int(value) if not isinstance(value, bool):
                found[param.name.text] = (0, _INFINITY)
    return found


def _constant(expr: ast.Expr) -> object:
    try:
        return evaluate(expr, {})
    except NotConstant:
        return None


def _counters(declaration: ast.Declaration, known: Known) -> dict[str, Bounds]:
    """The numbers that nodes, repetitions and comprehensions count; a name that two use is out."""
    found: dict[str, list[Bounds | None]] = {}
    for part in walk(declaration):
        match part:
            case ast.Node(variable=ast.Name(name), domain=domain):
                found.setdefault(name, []).append(_between(domain, known))
            case ast.Comprehension(variable=ast.Name(name), source=source):
                found.setdefault(name, []).append(_between(source, known))
            case ast.Repeat(variable=ast.Name(name), count=count):
                most = _bounds(count, known)
                found.setdefault(name, []).append((1, most[1]) if most else None)
            case ast.Let(targets=targets):
                for target in targets:
                    found.setdefault(target.text, []).append(None)
            case ast.Parameter(name=ast.Name(name)):
                found.setdefault(name, []).append(None)
    return {n: b[0] for n, b in found.items() if len(b) == 1 and b[0] is not None}


def _between(domain: ast.Expr, known: Known) -> Bounds | None:
    if not isinstance(domain, ast.Range):
        return None
    low, high = _bounds(domain.low, known), _bounds(domain.high, known)
    return (low[0], high[1]) if low and high and low[0] <= high[1] else None


def _bounds(expr: ast.Expr, known: Known) -> Bounds | None:
    """The least and the greatest number that `expr` can be, where that is known."""
    match expr:
        case ast.Number(value):
            return value, value
        case ast.Reference(name):
            numbers = [v for v in known.get(name, ()) if isinstance(v, int | float)]
            whole = len(numbers) == len(known.get(name, ()))
            return (min(numbers), max(numbers)) if numbers and whole else None
        case ast.Binary("+" | "-" as sign, left, right):
            first, second = _bounds(left, known), _bounds(right, known)
            if first is None or second is None:
                return None
            if sign == "+":
                return first[0] + second[0], first[1] + second[1]
            return first[0] - second[1], first[1] - second[0]
        case _:
            return None


# ------------------------------------------------------------------------------ outcomes


def outcome(condition: ast.Expr, known: Known) -> bool | None:
    """Whether a condition always or never holds; None where that depends."""
    match condition:
        case ast.Truth(value):
            return value
        case ast.Unary("not", operand):
            inner = outcome(operand, known)
            return None if inner is None else not inner
        case ast.Binary("and" | "or" as word, left, right):
            decisive = word == "or"
            results = {outcome(left, known), outcome(right, known)}
            if decisive in results:
                return decisive
            return None if None in results else not decisive
        case ast.Binary(sign, left, right) if sign in ("==", "!=", *_ORDERS):
            return _comparison(sign, left, right, known)
        case _:
            return None


def _comparison(sign: str, left: ast.Expr, right: ast.Expr, known: Known) -> bool | None:
    if sign in ("==", "!="):
        equal = _equal(left, right, known)
        return None if equal is None else equal == (sign == "==")
    first, second = _bounds(left, known), _bounds(right, known)
    if first is None or second is None:
        return None
    holds = {_ORDERS[sign](a, b) for a in first for b in second}
    return holds.pop() if len(holds) == 1 else None


def _equal(left: ast.Expr, right: ast.Expr, known: Known) -> bool | None:
    first, second = _bounds(left, known), _bounds(right, known)
    if first and second:
        if first[1] < second[0] or second[1] < first[0]:
            return False
        return True if len({*first, *second}) == 1 else None
    for name, text in ((left, right), (right, left)):
        if isinstance(name, ast.Reference) and isinstance(text, ast.Text):
            values = known.get(name.name, ())
            if values and text.value not in values:
                return False
    return None


def _guard(guard: ast.Guarded, known: Known) -> Iterator[Diagnostic]:
    holds = outcome(guard.condition, known)
    if holds is None:
        return
    kept = guard.body if holds else guard.otherwise
    fix = Fix(guard.span, _whole(kept), "leave the guard out") if kept else None
    lost = "the `else` is never taken" if guard.otherwise else "nothing is ever left out"
    said = lost if holds else "what it guards is never there"
    yield _finding(guard.condition, holds=holds, help=said, fix=fix)


def _whole(expr: ast.Expr) -> str:
    """The text of a part of a guard, with the parentheses around it."""
    text = expr.span.source.text
    inside = text[: expr.span.start].endswith("(") and text[expr.span.stop :].startswith(")")
    return f"({expr.span.text})" if inside else expr.span.text


def _condition(condition: ast.Expr | None, known: Known) -> Iterator[Diagnostic]:
    holds = outcome(condition, known) if condition else None
    if condition and holds is not None:
        yield _finding(condition, holds=holds, help="leave it out" if holds else None)


def _finding(
    condition: ast.Expr, *, holds: bool, help: str | None, fix: Fix | None = None
) -> Diagnostic:
    always = "always" if holds else "never"
    return warning(
        "W0707",
        f"this guard {always} holds",
        condition.span,
        f"{always} true, whatever the params are set to",
        help=help,
        fix=fix,
    )


def _requirement(require: ast.Require, known: Known) -> Iterator[Diagnostic]:
    if outcome(require.condition, known):
        yield warning(
            "W0708",
            "this requirement always holds",
            require.condition.span,
            "always true, whatever is chosen",
            help="it keeps no architecture out; take it away, or require less",
        )


# ------------------------------------------------------------------------------- choices


def _choice(choose: ast.Choose, entries: Mapping[str, Entry]) -> Iterator[Diagnostic]:
    words = _IDLE.search(choose.span.text) if choose.quantity is None else None
    if words:
        yield _idle_words(choose.span, words)
    alone = _only(choose.domain, entries)
    if alone is None or not (choose.quantity is None or _constant(choose.quantity) == 1):
        return
    plain = choose.quantity is None and not words
    yield warning(
        "W0706",
        "a choice with one alternative",
        choose.domain.span,
        "there is nothing else to take",
        help="it is a decision all the same, with one outcome",
        fix=Fix(choose.span, alone.span.text, "write the alternative itself") if plain else None,
    )


def _idle_words(choice: Span, words: re.Match[str]) -> Diagnostic:
    source, start = choice.source, choice.start
    shown = " ".join(words["words"].split())
    return warning(
        "W0709",
        f"`{shown}` means nothing for a choice of one",
        Span(source, start + words.start("words"), choice.stop),
        "one member neither repeats nor has an order",
        help="take the words away",
        fix=Fix(Span(source, start + words.start(), choice.stop), "", f"take `{shown}` away"),
    )


def _only(domain: ast.Expr, entries: Mapping[str, Entry]) -> ast.Expr | None:
    """The one alternative of a list that is written out, where it is surely one."""
    if not isinstance(domain, ast.ListLiteral) or len(domain.items) != 1:
        return None
    match domain.items[0]:
        case ast.Number() | ast.Text() | ast.Truth() | ast.Call(function=ast.Reference()) as item:
            return item
        case ast.Reference(name) as item:
            entry = entries.get(name)
            operation = entry is not None and isinstance(entry.declaration, ast.OpDecl)
            return item if operation or name in OPS else None
        case _:
            return None
