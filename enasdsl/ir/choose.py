"""`choose` and `maybe`: the only source of decisions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from enasdsl.diagnostics.wording import several
from enasdsl.ir.build import Mistake, mistake
from enasdsl.ir.context import Context
from enasdsl.ir.joining import combine
from enasdsl.ir.members import Member, members
from enasdsl.ir.names import at
from enasdsl.ir.quantity import count_of, domain_of, limit
from enasdsl.ir.space import Domain, Kind, Source
from enasdsl.ir.typed import integer, items_of, label, surely, truth
from enasdsl.ir.values import (
    Absent,
    ChosenOp,
    Item,
    Listing,
    Lowered,
    Operation,
    Primitive,
    Stamp,
    Tensor,
)
from enasdsl.semantics.ops import OPS
from enasdsl.semantics.symbols import Condition, Test
from enasdsl.semantics.traverse import references
from enasdsl.source import Span
from enasdsl.syntax import ast


@dataclass(frozen=True, slots=True)
class Alternative:
    """One member of what is chosen from; `value` evaluates it where it has been chosen."""

    label: str
    path: str
    value: Callable[[Context], Lowered]


def choose(expr: ast.Choose, ctx: Context, *, role: str = "") -> Lowered:
    """One evaluation of a `choose`: makes the decision, and gives what it picks."""
    alternatives = _alternatives(expr.domain, ctx)
    domain = domain_of(expr, len(alternatives), ctx)
    name = role or _name_of(expr.domain)
    decision = _decide(expr, alternatives, domain, name, ctx)
    limit(expr, decision, domain, ctx)
    picks_one = domain.kind is Kind.ONE
    values = _evaluate(alternatives, decision, ctx, alone=picks_one, span=expr.span)
    labels = tuple(a.label for a in alternatives)
    _refuse_twins(values, labels, expr.domain.span)
    table = tuple(range(len(values)))
    if picks_one:
        return combine(values, decision, 0, table, ctx, name=name, labels=labels, span=expr.span)
    if domain.kind is Kind.SET:
        return Listing(
            tuple(
                Item(v, (Test(decision, frozenset((n,))),), a.label, a.path)
                for n, (v, a) in enumerate(zip(values, alternatives, strict=True))
            )
        )
    slots = [
        combine(values, decision, slot, table, ctx, name=name, labels=labels, span=expr.span)
        for slot in range(domain.most)
    ]
    return Listing(tuple(Item(v, label=f"{name}{n}") for n, v in enumerate(slots, 1)))


def choose_by_name(
    expr: ast.Choose, targets: tuple[ast.Name, ...], ctx: Context
) -> tuple[Lowered, ...]:
    """`a, b = choose 2 from S`: with repeats a decision for each name, else one in order."""
    count = 1 if expr.quantity is None else count_of(expr.quantity, ctx)
    if count != len(targets):
        raise mistake(
            "E0404",
            f"{several(len(targets), 'name')} for a choice of {count}",
            expr.span,
            "this gives another number of members",
        )
    if expr.repeats:
        single = ast.Choose(None, expr.domain, False, False, expr.span)
        return tuple(
            choose(single, ctx.but(site=(*ctx.site, t.text)), role=t.text) for t in targets
        )
    role = ",".join(t.text for t in targets)
    ordered = ast.Choose(expr.quantity, expr.domain, False, True, expr.span)
    found = choose(ordered, ctx, role=role)
    assert isinstance(found, Listing)
    return tuple(i.value for i in found.items)


def maybe(expr: ast.Maybe, ctx: Context, *, role: str) -> Lowered:
    """`maybe E`: a decision between leaving E out and taking it."""
    inner = expr.body
    name = role or (inner.name if isinstance(inner, ast.Reference) else "maybe")
    decision = ctx.ledger.decide(
        ctx.scope,
        at(expr.span, *ctx.site),
        name,
        Domain(Kind.ONE, 2),
        ("off", "on"),
        Source.OPERATION,
        _guard(ctx, expr.span),
        span=expr.span,
    )
    taken = Test(decision, frozenset((1,)))
    value = ctx.under((taken,)).evaluate(inner)
    if not isinstance(value, Operation):
        return Listing((Item(value, (taken,), "?"),))
    identity = Primitive(OPS["identity"], {}, expr.span)
    return ChosenOp(decision, 0, name, (identity, value), ("off", "on"), (0, 1))


# ---------------------------------------------------------------- alternatives


def _alternatives(domain: ast.Expr, ctx: Context) -> list[Alternative]:
    """What is chosen from; a list that is written out is evaluated only where it was chosen."""
    literal = _literal(domain, ctx)
    if literal is not None:
        return [found for item in literal.items for found in _written(item, ctx)]
    return _listed(ctx.evaluate(domain), domain, ctx)


def _written(item: ast.Expr, ctx: Context) -> list[Alternative]:
    """What an item of a written list stands for: itself, or the members of the list it names."""
    if isinstance(item, ast.Comprehension):
        return [found for member in members(item, ctx) for found in _each(member, item, ctx)]
    body = _unguarded(item, ctx)
    if body is None or _beyond(body, ctx):
        return []
    if isinstance(body, ast.Reference):
        if _literal(body, ctx) is not None:
            return _alternatives(body, ctx)
        value = ctx.evaluate(body)
        if isinstance(value, Listing):
            return _listed(value, body, ctx)
    return [Alternative(label(body), _path(body, ctx), _evaluator(body, {}))]


def _each(member: Member, expr: ast.Comprehension, ctx: Context) -> list[Alternative]:
    """What a member of a comprehension adds to the alternatives, if it is surely there."""
    ctx.program.budget.spend(1, expr.span)
    if not surely(member.condition, ctx.guard):
        raise _dependent(expr.source.span)
    body = _unguarded(member.body, member.ctx)
    if body is None or _beyond(body, member.ctx):
        return []
    path = _path(body, member.ctx)
    return [Alternative(member.text, path, _evaluator(body, member.names))]


def _path(body: ast.Expr, ctx: Context) -> str:
    """The path of the node or input of the cell that an alternative plainly names, if it does."""
    if ctx.frame is None or not isinstance(body, ast.Reference | ast.Index):
        return ""
    value = ctx.evaluate(body)
    if not isinstance(value, Tensor):
        return ""
    return next((i.path for i in ctx.frame.earlier if i.value == value), "")


def _beyond(expr: ast.Expr, ctx: Context) -> bool:
    """Whether an alternative would call an operation more often within itself than its `depth`."""
    if not ctx.program.bounded:
        return False
    declared = (ctx.program.checked.names.get(r.name) for r in references(expr))
    return any(
        isinstance(d, ast.OpDecl)
        and d.depth is not None
        and ctx.calls.get(d.name.text, 0) >= integer(d.depth, ctx)
        for d in declared
    )


def _listed(value: Lowered, domain: ast.Expr, ctx: Context) -> list[Alternative]:
    items = [found for item in items_of(value, domain.span) for found in _spread(item)]
    if not all(surely(item.condition, ctx.guard) for item in items):
        raise _dependent(domain.span)
    return [
        Alternative(i.label or str(n), i.path, _constant(i.value)) for n, i in enumerate(items, 1)
    ]


def _spread(item: Item) -> Iterator[Item]:
    """A member of a list, or where it is the name of another list, the members of that."""
    if not (item.named and isinstance(item.value, Listing)):
        yield item
        return
    for inner in item.value.items:
        there = (*item.condition, *inner.condition)
        yield from _spread(replace(inner, condition=there))


def _dependent(span: Span) -> Mistake:
    return mistake(
        "E0405",
        "the alternatives depend on another choice",
        span,
        "some of these are there only for some architectures",
        help="choose from a list whose members are always there",
    )


def _literal(domain: ast.Expr, ctx: Context) -> ast.ListLiteral | None:
    if isinstance(domain, ast.Reference) and ctx.lookup(domain.name) is None:
        declared = ctx.program.checked.names.get(domain.name)
        domain = declared.items if isinstance(declared, ast.OpList) else domain
    return domain if isinstance(domain, ast.ListLiteral) else None


def _unguarded(expr: ast.Expr, ctx: Context) -> ast.Expr | None:
    if isinstance(expr, ast.Guarded) and expr.otherwise is None:
        return expr.body if truth(expr.condition, ctx) else None
    return expr


def _evaluator(expr: ast.Expr, names: Mapping[str, Lowered]) -> Callable[[Context], Lowered]:
    return lambda ctx: ctx.fork(**names).evaluate(expr)


def _constant(value: Lowered) -> Callable[[Context], Lowered]:
    return lambda ctx: value


def _name_of(domain: ast.Expr) -> str:
    return domain.name if isinstance(domain, ast.Reference) else "choice"


def _evaluate(
    alternatives: list[Alternative], decision: int, ctx: Context, *, alone: bool, span: Span
) -> tuple[Lowered, ...]:
    found = []
    name = ctx.ledger.decisions[decision].path.rpartition(".")[2]
    for n, alternative in enumerate(alternatives):
        condition: Condition | None = (Test(decision, frozenset((n,))),) if alone else None
        inner = ctx.under(condition).inside(span, name, n)
        value = alternative.value(inner)
        if isinstance(value, Absent):
            raise mistake("E0404", "an alternative that is absent", span, "here")
        found.append(value)
    return tuple(found)


def _refuse_twins(values: tuple[Lowered, ...], labels: tuple[str, ...], span: Span) -> None:
    """Alternatives are a set: two that are the same value or operation are a mistake."""
    seen: defaultdict[object, list[int]] = defaultdict(list)
    for n, value in enumerate(values):
        alike = seen[_likeness(value)]
        twin = next((m for m in alike if values[m] == value), n)
        alike.append(n)
        if twin < n:
            raise mistake(
                "E0230",
                f"the alternative `{labels[n]}` comes twice",
                span,
                f"it is the same as `{labels[twin]}`",
                help="leave one of them out",
            )


def _likeness(value: Lowered) -> object:
    """Something that values have in common if they are equal, and few others have."""
    match value:
        case int() | float() | str() | Tensor():
            return type(value), value
        case Stamp(name=name, index=index):
            return name, index
        case Primitive(spec=spec, given=given):
            plain = (item for item in given.items() if isinstance(item[1], int | float | str))
            return spec.name, frozenset(plain)
        case _:
            return type(value)


# ------------------------------------------------------------------- decisions


def _guard(ctx: Context, span: Span) -> Condition:
    if ctx.guard is None:
        raise mistake(
            "E0406",
            "a choice inside an alternative that has no name of its own",
            span,
            "here",
            help="take the members apart by name: `a, b = choose 2 from ... with repeats`",
        )
    return ctx.guard


def _decide(
    expr: ast.Choose, alternatives: list[Alternative], domain: Domain, name: str, ctx: Context
) -> int:
    labels = tuple(a.label for a in alternatives)
    members = tuple(a.path for a in alternatives)
    is_input = bool(members) and all(members)
    source = Source.INPUT if is_input else _source_of(expr.domain, ctx)
    return ctx.ledger.decide(
        ctx.scope,
        at(expr.span, *ctx.site),
        name,
        domain,
        labels,
        source,
        _guard(ctx, expr.span),
        members=members if is_input else (),
        span=expr.span,
    )


def _source_of(domain: ast.Expr, ctx: Context) -> Source:
    literal = _literal(domain, ctx)
    if literal is None:
        return Source.VALUE if isinstance(domain, ast.Range) else Source.OPERATION
    first = literal.items[0]
    while isinstance(first, ast.Comprehension):
        first = first.body
    numbers = ast.Number | ast.Truth | ast.Text | ast.Unary | ast.Binary
    return Source.VALUE if isinstance(first, numbers) else Source.OPERATION
