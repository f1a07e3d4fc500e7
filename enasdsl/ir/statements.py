"""The statements of bodies, and the nodes of cells."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from enasdsl.diagnostics.wording import several
from enasdsl.ir.between import between
from enasdsl.ir.build import Followup, Mistake, mistake
from enasdsl.ir.cases import Tree, truths, where
from enasdsl.ir.choose import choose_by_name
from enasdsl.ir.constraint import parts
from enasdsl.ir.context import Broken, Context, Frame
from enasdsl.ir.folding import is_truth
from enasdsl.ir.joining import settle
from enasdsl.ir.names import at
from enasdsl.ir.space import Constraint
from enasdsl.ir.typed import describe, integer, items_of, operation, truth
from enasdsl.ir.unpriced import WORDS, word
from enasdsl.ir.values import Absent, Item, Listing, Lowered, Tensor
from enasdsl.semantics.symbols import Chosen, Computed, Condition, Scalar
from enasdsl.source import Span
from enasdsl.syntax import ast

MISSING = ("E0402", "E0403")
"""What is said of a list that lacks a member, or has none."""


def run(body: ast.Body, ctx: Context) -> Lowered:
    """Executes the statements of a body; gives the value of its last expression.

    A body that ends with nodes gives the last of them. A mistake in a statement is recorded and
    the next ones go on; what then fails at the end is taken for a consequence.
    """
    result: Lowered = Absent()
    sound = True
    for statement in body.statements:
        if isinstance(statement, ast.Result):
            result = _result(statement, ctx, sound=sound)
        else:
            sound &= ctx.ledger.attempt(lambda s=statement: _attempt(s, ctx))  # type: ignore[misc]
    if isinstance(result, Absent) and not sound:
        raise Followup
    if isinstance(body.statements[-1], ast.Node):
        return Listing(_frame(ctx, body.span).earlier[-1:])
    return result


def _result(statement: ast.Result, ctx: Context, *, sound: bool) -> Lowered:
    try:
        return ctx.evaluate(statement.value)
    except Mistake:
        if sound:
            raise
        raise Followup from None


def value_of(body: ast.Body, ctx: Context) -> Lowered:
    """What a body gives where data is needed: a value, or several side by side."""
    result = run(body, ctx)
    if isinstance(result, Listing) and result.side_by_side:
        return result
    return settle(result, ctx, span=body.ending)


def _attempt(statement: ast.Statement, ctx: Context) -> None:
    """Executes a statement; where it misses a node that has a mistake, that is enough to say."""
    try:
        _execute(statement, ctx)
    except Mistake as found:
        if ctx.frame is not None and ctx.frame.broken and found.diagnostic.code in MISSING:
            raise Followup from None
        raise


def _execute(statement: ast.Statement, ctx: Context) -> None:
    match statement:
        case ast.Let():
            bind(statement, ctx)
        case ast.Node():
            _nodes(statement, ctx)
        case ast.Each():
            _each(statement, ctx)
        case ast.Require():
            require(statement, ctx)
        case _:
            raise mistake("E0110", "this statement belongs in a network", statement.span, "here")


def bind(statement: ast.Let, ctx: Context) -> None:
    """`a = value`, or `a, b = values`."""
    names = [t.text for t in statement.targets]
    ctx.env.update(dict.fromkeys(names, Broken()))
    if len(names) == 1:
        ctx.env[names[0]] = ctx.evaluate(statement.value, role=names[0])
        return
    if isinstance(statement.value, ast.Choose):
        values = choose_by_name(statement.value, statement.targets, ctx)
    else:
        value = ctx.evaluate(statement.value)
        values = tuple(i.value for i in items_of(value, statement.value.span))
    if len(values) != len(names):
        raise mistake(
            "E0404",
            f"{several(len(names), 'name')} for {several(len(values), 'value')}",
            statement.span,
            "here",
        )
    ctx.env.update(zip(names, values, strict=True))


def require(statement: ast.Require, ctx: Context) -> None:
    """`require condition`: recorded where decisions settle it, checked now where none does.

    What never holds in a branch is recorded, too: the branch is not taken.
    """
    value = ctx.fork(**{name: word(name) for name in WORDS}).evaluate(statement.condition)
    if not (isinstance(value, bool | Chosen | Computed) and is_truth(value)):
        raise mistake(
            "E0208",
            "a requirement must be true or false",
            statement.condition.span,
            f"this is {describe(value)}",
        )
    message = statement.message.value if statement.message else statement.condition.span.text
    for part in parts(value):
        if part is False and not ctx.guard:
            raise mistake(
                "E0408",
                "no architecture meets this requirement",
                statement.condition.span,
                message,
            )
        constraint = Constraint(part, ctx.guard or (), message, statement.span)
        if part is not True:
            ctx.ledger.constraints.setdefault(constraint, ctx.scope.home)


# ----------------------------------------------------------------------- nodes


def _frame(ctx: Context, span: Span) -> Frame:
    if ctx.frame is None:
        raise mistake("E0205", "a node outside a cell", span, "only a cell or a block has nodes")
    return ctx.frame


def _nodes(statement: ast.Node, ctx: Context) -> None:
    frame = _frame(ctx, statement.span)
    for index, condition in _numbers(statement.domain, ctx):
        name = f"node{index}"
        path = f"{frame.scope.path}.{name}" if frame.scope.path else name
        if path in frame.refs:
            raise mistake(
                "E0202",
                f"node {index} is there already",
                statement.domain.span,
                "each node of a cell has a number of its own",
            )
        key = at(statement.span, index)
        names: dict[str, Lowered] = {statement.variable.text: index} if statement.variable else {}
        inner = ctx.fork(**names).under(condition)
        inner = inner.but(scope=ctx.scope.child(key, name), place=ctx.enter("nodes", key, name))
        with _known_names(statement.body, ctx):
            result = value_of(statement.body, inner)
        gather(statement.body, inner, ctx, condition, name)
        value = strided(settle(result, inner, span=statement.body.span), statement.body.ending)
        live = (*(ctx.guard or ()), *condition)
        node = ctx.builder.node(name, value, live, frame=frame.number, span=statement.span)
        frame.refs[path] = node.ref
        frame.nodes.append(Item(node, condition, name, path))


@contextmanager
def _known_names(body: ast.Body, outer: Context) -> Iterator[None]:
    """Keeps what a node with a mistake binds, and itself, from being called unknown below it."""
    try:
        yield
    except (Mistake, Followup):
        _frame(outer, body.span).broken = True
        bound = (t.text for s in body.statements if isinstance(s, ast.Let) for t in s.targets)
        outer.env.update({name: Broken() for name in bound})
        raise


def strided(value: Tensor, span: Span) -> Tensor:
    """A result, whose stride, if it had one, some operation must have taken."""
    if value.stride == 1:
        return value
    raise mistake(
        "E0304",
        f"the stride of {value.stride} is never taken",
        span,
        f"this is still {value.shape}",
        help="what reads a value with a stride must take it, as does "
        "`op skip { identity when stride == 1 else factorized_reduction }`",
    )


def gather(
    body: ast.Body, inner: Context, outer: Context, condition: Condition, label: str
) -> None:
    """Makes the names bound in one evaluation of a body lists of their values outside it."""
    for statement in body.statements:
        for target in statement.targets if isinstance(statement, ast.Let) else ():
            value = inner.env.get(target.text)
            known = outer.env.get(target.text)
            if isinstance(value, Broken) or isinstance(known, Broken) or value is None:
                continue
            before = known.items if isinstance(known, Listing) else ()
            outer.env[target.text] = Listing((*before, Item(value, condition, label)))


def _numbers(domain: ast.Expr, ctx: Context) -> Iterator[tuple[int, Condition]]:
    """The numbers of nodes, each with the condition under which the node is live."""
    value = ctx.evaluate(domain)
    if isinstance(value, Listing):
        for item in value.items:
            if not isinstance(item.value, int):
                raise mistake("E0208", "nodes are numbered", domain.span, "this is no number")
            yield item.value, item.condition
    else:
        yield integer(domain, ctx), ()


def _each(statement: ast.Each, ctx: Context) -> None:
    frame = _frame(ctx, statement.span)
    found = _truth(statement.condition, ctx)
    if found is False:
        return
    wanted = items_of(ctx.evaluate(statement.source), statement.span)
    inside = ctx.under(where(found, lambda holds: holds is True, ctx, span=statement.span))
    op = operation(statement.operation, inside)
    changed = {}
    for item in wanted:
        inner = inside.inside(statement.span, item.label, item.path)
        value = inner.under(item.condition).apply(op, [item.value], span=statement.operation.span)
        choices: dict[Scalar, Lowered] = {
            True: settle(value, inner, span=statement.operation.span),
            False: item.value,
        }
        changed[item.path] = between(found, choices, ctx, span=statement.span)
    for members in (frame.inputs, frame.nodes):
        members[:] = [replace(m, value=changed.get(m.path, m.value)) for m in members]


def _truth(expr: ast.Expr | None, ctx: Context) -> Tree:
    if expr is None:
        return True
    value = ctx.evaluate(expr)
    return (
        truths(value, span=expr.span) if isinstance(value, Chosen | Computed) else truth(expr, ctx)
    )
