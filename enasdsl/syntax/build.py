"""From the parser's tree to the Ast, bottom up and without recursion."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from enasdsl.diagnostics import Diagnostic, Fix, Label
from enasdsl.source import SourceFile, Span
from enasdsl.syntax import ast

NESTING_LIMIT = 100
DIGIT_LIMIT = 1000

_ESCAPE = re.compile(r"\\(.)")
_ESCAPES = {'"': '"', "\\": "\\", "n": "\n", "t": "\t"}


class Subtree(Protocol):
    """A node of the parser's tree: the name of a rule over subtrees, tokens and None."""

    data: Any
    children: list[Any]

    @property
    def meta(self) -> Any:
        """Where the node stands: `empty`, or `start_pos` and `end_pos`."""


class Leaf(Protocol):
    """A token of the parser's tree."""

    type: str
    value: str
    start_pos: int | None
    end_pos: int | None


def build(source: SourceFile, root: Subtree) -> tuple[ast.Ast, list[Diagnostic]]:
    """The Ast of a parsed file; statements that the parser gave up are left out."""
    builder = _Builder(source)
    order: list[Any] = []
    pending: list[Any] = [root]
    while pending:
        item = pending.pop()
        order.append(item)
        if hasattr(item, "children"):
            pending.extend(item.children)
    values: list[Any] = []
    depths: list[int] = []
    for item in reversed(order):
        if not hasattr(item, "children"):
            values.append(None if item is None else builder.leaf(item))
            depths.append(0)
            continue
        count = len(item.children)
        first = len(values) - count
        value = builder.node(item, values[first:])
        nests = isinstance(value, ast.Body | ast.Expr)
        depth = max(depths[first:], default=0) + nests
        del values[first:], depths[first:]
        if nests and depth == NESTING_LIMIT + 1:
            builder.found.append(too_deep(value.span))
        values.append(value)
        depths.append(depth)
    return ast.Ast(source, values[0]), builder.found


def too_deep(span: Span) -> Diagnostic:
    """Says that the construct at `span` is nested beyond the limit."""
    start = Span(span.source, span.start, min(span.stop, span.start + 1))
    return Diagnostic(
        "E0110",
        f"nested more than {NESTING_LIMIT} levels deep",
        Label(start, "too many constructs stand inside each other here"),
        help=f"the limit is {NESTING_LIMIT} levels; give the inner parts names of their own",
    )


class _Builder:
    """One handler for each rule of the grammar, named as the rule is."""

    def __init__(self, source: SourceFile) -> None:
        self.source = source
        self.found: list[Diagnostic] = []

    def leaf(self, token: Leaf) -> Any:
        """A name becomes a Name; every other token stays."""
        return ast.Name(token.value, self.place(token)) if token.type == "NAME" else token

    def node(self, tree: Subtree, values: list[Any]) -> Any:
        """The value of one subtree from those of its children."""
        handler: Callable[[Span, list[Any]], Any] = getattr(self, f"on_{tree.data}")
        if tree.meta.empty:
            return handler(Span(self.source, 0, 0), values)
        return handler(Span(self.source, tree.meta.start_pos, tree.meta.end_pos), values)

    def place(self, token: Leaf) -> Span:
        assert token.start_pos is not None
        assert token.end_pos is not None
        return Span(self.source, token.start_pos, token.end_pos)

    # --------------------------------------------------------------------- lists of things

    def on_error(self, span: Span, values: list[Any]) -> None:
        """A statement in which the parser has already found a mistake."""

    def on_file(self, span: Span, values: list[Any]) -> tuple[Any, ...]:
        return tuple(value for value in values if value is not None)

    def on_body(self, span: Span, values: list[Any]) -> ast.Body:
        return ast.Body(self.on_file(span, values), span)

    on_part_body = on_body
    on_settings = on_parameters = on_names = on_changes = on_file

    def on_key(self, span: Span, values: list[Any]) -> ast.Name:
        return ast.Name(".".join(name.text for name in values), span)

    # ------------------------------------------------------------------------ declarations

    def on_space(self, span: Span, values: list[Any]) -> ast.SpaceName:
        return ast.SpaceName(values[0], span)

    def on_import_(self, span: Span, values: list[Any]) -> ast.Import:
        return ast.Import(values[0], span)

    def on_param(self, span: Span, values: list[Any]) -> ast.Param:
        name, default, domain = values
        return ast.Param(name, default, domain, span)

    def on_ops(self, span: Span, values: list[Any]) -> ast.OpList:
        return ast.OpList(values[0], values[1], span)

    def on_parameter(self, span: Span, values: list[Any]) -> ast.Parameter:
        return ast.Parameter(values[0], values[1])

    def on_op(self, span: Span, values: list[Any]) -> ast.OpDecl:
        name, parameters, inputs, depth, body = values
        return ast.OpDecl(name, parameters or (), inputs or (), depth, body, span)

    def on_cell(self, span: Span, values: list[Any]) -> ast.CellDecl:
        kind, name, count, inputs, states, align, body = values
        return ast.CellDecl(kind.value, name, count, inputs, states or (), align, body, span)

    def on_cell_like(self, span: Span, values: list[Any]) -> ast.CellLike:
        kind, name, base, changes = values
        return ast.CellLike(kind.value, name, base, changes or (), span)

    def on_set_change(self, span: Span, values: list[Any]) -> ast.Change:
        return ast.Change(values[0], None, values[1])

    def on_scale_change(self, span: Span, values: list[Any]) -> ast.Change:
        name, operator, value = values
        return ast.Change(name, operator.value, value)

    def on_network(self, span: Span, values: list[Any]) -> ast.Network:
        return ast.Network(values[0], values[1], span)

    def on_rule(self, span: Span, values: list[Any]) -> tuple[ast.Name, ...]:
        return tuple(values)

    def on_modulo(self, span: Span, values: list[Any]) -> ast.Modulo:
        return ast.Modulo(self.on_file(span, values), span)

    def on_published(self, span: Span, values: list[Any]) -> ast.Published:
        value, origin, why = values
        return ast.Published(value, origin, why, span)

    def on_recipe(self, span: Span, values: list[Any]) -> ast.RecipeDecl:
        name, base, settings = values
        return ast.RecipeDecl(name, base, settings, span)

    def on_setting(self, span: Span, values: list[Any]) -> ast.Setting:
        return ast.Setting(values[0], values[1], span)

    # -------------------------------------------------------------------------- statements

    def on_let(self, span: Span, values: list[Any]) -> ast.Let:
        target, value = values
        items: Sequence[ast.Expr] = target.items if isinstance(target, ast.Tuple) else (target,)
        for item in items:
            if not isinstance(item, ast.Reference):
                self.found.append(
                    Diagnostic(
                        "E0109",
                        "only names can stand left of `=`",
                        Label(item.span, "this is not a name"),
                        help="write `name = value`, or `==` to compare two values",
                    )
                )
        names = (ast.Name(i.name, i.span) for i in items if isinstance(i, ast.Reference))
        return ast.Let(tuple(names), value, span)

    def on_node(self, span: Span, values: list[Any]) -> ast.Node:
        return ast.Node(None, values[0], values[1], span)

    def on_node_range(self, span: Span, values: list[Any]) -> ast.Node:
        variable, domain, body = values
        return ast.Node(variable, domain, body, span)

    def on_each(self, span: Span, values: list[Any]) -> ast.Each:
        source, operation, condition = values
        return ast.Each(source, operation, condition, span)

    def on_require(self, span: Span, values: list[Any]) -> ast.Require:
        return ast.Require(values[0], values[1], span)

    def on_part(self, span: Span, values: list[Any]) -> ast.Part:
        return ast.Part(values[0].value, values[1], span)

    def on_result(self, span: Span, values: list[Any]) -> ast.Result:
        return ast.Result(values[0], span)

    # ------------------------------------------------------------------------- expressions

    def on_guarded(self, span: Span, values: list[Any]) -> ast.Guarded:
        body, condition, otherwise = values
        return ast.Guarded(body, condition, otherwise, span)

    def on_flow(self, span: Span, values: list[Any]) -> ast.Flow:
        return ast.Flow(tuple(values), span)

    def on_tuple(self, span: Span, values: list[Any]) -> ast.Tuple:
        return ast.Tuple(tuple(values), span)

    def on_unary(self, span: Span, values: list[Any]) -> ast.Unary:
        return ast.Unary(values[0].value, values[1], span)

    def on_binary(self, span: Span, values: list[Any]) -> ast.Binary:
        left, operator, right = values
        return ast.Binary(operator.value, left, right, span)

    def on_with_(self, span: Span, values: list[Any]) -> ast.Binary:
        return ast.Binary("with", values[0], values[1], span)

    def on_range(self, span: Span, values: list[Any]) -> ast.Range:
        low, high, step = values
        return ast.Range(low, high, step, span)

    def on_quantity_range(self, span: Span, values: list[Any]) -> ast.Range:
        return ast.Range(values[0], values[1], None, span)

    def on_choose_some(self, span: Span, values: list[Any]) -> ast.Choose:
        quantity, domain, repeats, order = values
        return ast.Choose(quantity, domain, repeats is not None, order is not None, span)

    def on_choose_one(self, span: Span, values: list[Any]) -> ast.Choose:
        return self.on_choose_some(span, [None, *values])

    def on_maybe(self, span: Span, values: list[Any]) -> ast.Maybe:
        return ast.Maybe(values[0], span)

    def on_share(self, span: Span, values: list[Any]) -> ast.Share:
        return ast.Share(values[0], values[1], span)

    def on_repeat(self, span: Span, values: list[Any]) -> ast.Repeat:
        count, variable, body = values
        return ast.Repeat(count, variable, body, span)

    def on_call(self, span: Span, values: list[Any]) -> ast.Call:
        return ast.Call(values[0], values[1], span)

    def on_arguments(self, span: Span, values: list[Any]) -> tuple[ast.Argument, ...]:
        return tuple(
            ast.Argument(None, value, value.span) if isinstance(value, ast.Comprehension) else value
            for value in values
        )

    def on_argument(self, span: Span, values: list[Any]) -> ast.Argument:
        return ast.Argument(values[0], values[1], span)

    def on_index(self, span: Span, values: list[Any]) -> ast.Index:
        return ast.Index(values[0], values[1], span)

    def on_comprehension(self, span: Span, values: list[Any]) -> ast.Comprehension:
        """Clauses nest from the left: the body of all but the last is a comprehension itself."""
        found, *clauses = values
        for variable, source, condition in reversed(clauses):
            found = ast.Comprehension(found, variable, source, condition, span)
        return found  # type: ignore[no-any-return]

    def on_for_clause(self, span: Span, values: list[Any]) -> tuple[Any, ...]:
        return tuple(values)

    def on_list(self, span: Span, values: list[Any]) -> ast.ListLiteral:
        return ast.ListLiteral(tuple(values), span)

    # -------------------------------------------------------------------------------- atoms

    def on_reference(self, span: Span, values: list[Any]) -> ast.Reference:
        return ast.Reference(values[0].text, span)

    def on_truth(self, span: Span, values: list[Any]) -> ast.Truth:
        return ast.Truth(values[0].value == "true", span)

    def on_integer(self, span: Span, values: list[Any]) -> ast.Number:
        digits = values[0].value.replace("_", "")
        if len(digits) > DIGIT_LIMIT:
            self.too_large(span, f"a whole number has at most {DIGIT_LIMIT} digits")
            return ast.Number(0, span)
        return ast.Number(int(digits), span)

    def on_real(self, span: Span, values: list[Any]) -> ast.Number:
        value = float(values[0].value.replace("_", ""))
        if math.isinf(value):
            self.too_large(span, "the largest number with a point or an exponent is about 1.8e308")
        return ast.Number(value, span)

    def too_large(self, span: Span, reason: str) -> None:
        self.found.append(
            Diagnostic("E0115", "this number is too large", Label(span, "too large"), help=reason)
        )

    def on_text(self, span: Span, values: list[Any]) -> ast.Text:
        raw = values[0].value[1:-1]
        for escape in _ESCAPE.finditer(raw):
            if escape[1] not in _ESCAPES:
                self.unknown_escape(span, escape)
        return ast.Text(_ESCAPE.sub(lambda match: _ESCAPES.get(match[1], match[1]), raw), span)

    def unknown_escape(self, span: Span, escape: re.Match[str]) -> None:
        start = span.start + 1 + escape.start()
        place = Span(span.source, start, start + 2)
        self.found.append(
            Diagnostic(
                "E0114",
                f"`{escape[0]}` means nothing in a text",
                Label(place, "unknown escape"),
                help=r"the escapes are `\"`, `\\`, `\n` and `\t`; write `\\` for one backslash",
                fix=Fix(place, "\\" + escape[0], "double the backslash"),
            )
        )
