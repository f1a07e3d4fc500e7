"""Whether an expression stands for a value of the network, or for an operation or a constant."""

from __future__ import annotations

from collections.abc import Iterable

from enasdsl.semantics.ops import OPS
from enasdsl.semantics.scopes import AMBIENT, FUNCTIONS, SETS, SIZES, Scope, Table
from enasdsl.semantics.traverse import parts
from enasdsl.syntax import ast


def is_value(expr: object, scope: Scope, table: Table) -> bool | None:
    """True for a value that flows, False for what is none, None where the text does not say."""
    match expr:
        case ast.Number() | ast.Text() | ast.Truth() | ast.Range() | ast.Repeat():
            return False
        case ast.Reference(name):
            return _mention(name, scope, table)
        case ast.Flow(stages):
            return is_value(stages[0], scope, table)
        case ast.Guarded(body) | ast.Maybe(body) | ast.Share(body):
            return is_value(body, scope, table)
        case ast.Choose(domain=domain):
            return is_value(domain, scope, table)
        case ast.Index(target):
            return is_value(target, scope, table)
        case ast.Comprehension():
            return None
        case ast.Call(function, arguments):
            return _call(function, arguments, scope, table)
        case _:
            return are_values(parts(expr), scope, table)


def _mention(name: str, scope: Scope, table: Table) -> bool | None:
    if scope.is_single(name):
        return True
    if scope.find(name) or scope.find_listed(name):
        return None
    if name in table.entries:
        return None if isinstance(table.entries[name].declaration, ast.Let) else False
    if name in SETS:
        return True
    return False if name in OPS or name in AMBIENT | SIZES | FUNCTIONS else None


def _call(
    function: ast.Expr, arguments: tuple[ast.Argument, ...], scope: Scope, table: Table
) -> bool | None:
    """An operation called with values gives a value, and one with its arguments alone does not."""
    plain = [argument.value for argument in arguments if argument.name is None]
    found = are_values(plain, scope, table)
    return found if found or is_value(function, scope, table) is False else None


def are_values(expressions: Iterable[object], scope: Scope, table: Table) -> bool | None:
    """Whether any of these is a value that flows."""
    found = [is_value(expr, scope, table) for expr in expressions]
    if True in found:
        return True
    return None if None in found else False
