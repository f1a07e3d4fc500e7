"""Operations over values: binding arguments, and what the arrow does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import assert_never

from enasdsl.ir import cells, primitives
from enasdsl.ir.between import selected
from enasdsl.ir.build import mistake
from enasdsl.ir.cases import Split, Tree, leaves, regions, tree, where
from enasdsl.ir.context import AMBIENT, Broken, Context
from enasdsl.ir.joining import select, settle
from enasdsl.ir.names import at
from enasdsl.ir.space import Kind
from enasdsl.ir.statements import gather, run, value_of
from enasdsl.ir.typed import describe, integer, miscounted, stride_of, whole
from enasdsl.ir.values import (
    Bound,
    ByCase,
    ChosenOp,
    Composite,
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
    Trailing,
)
from enasdsl.semantics.symbols import NUMBERS, Condition, Num, Test
from enasdsl.source import Span
from enasdsl.syntax import ast

CALL_DEPTH = 64
"""How deep operations may call each other where no `depth` is declared."""

# ------------------------------------------------------------------- arguments


def parameter_name(callee: Operation, position: int) -> str:
    """The name of a positional parameter, or nothing where there is none."""
    match callee:
        case Primitive(spec=spec) if position < len(spec.parameters):
            return spec.parameters[position].name
        case Composite(decl=decl) if position < len(decl.parameters):
            return decl.parameters[position].name.text
        case _:
            return ""


def bind(callee: Operation, positional: Sequence[Lowered], named: Bound, span: Span) -> Operation:
    """The operation with these arguments given besides those that it already has."""
    given = dict(named)
    for n, value in enumerate(positional):
        name = parameter_name(callee, n)
        if not name:
            raise mistake("E0207", "too many arguments", span, f"argument {n + 1} has no parameter")
        given[name] = value
    match callee:
        case Primitive() | Composite() | Stamp():
            return replace(callee, given={**callee.given, **given})
        case _ if not given:
            return callee
        case _:
            raise mistake("E0207", "arguments to an operation that takes none", span, "here")


# ----------------------------------------------------------------- application


def apply(op: Operation, inputs: Sequence[Lowered], ctx: Context, *, span: Span) -> Lowered:
    """What `op` makes of its inputs; where one is a chosen input, of each alternative by itself."""
    budget = ctx.program.budget
    budget.enter(span)
    try:
        return _apply(op, inputs, ctx, span=span)
    finally:
        budget.depth -= 1


def _apply(op: Operation, inputs: Sequence[Lowered], ctx: Context, *, span: Span) -> Lowered:
    if isinstance(op, Pipeline):
        return _pipeline(op, inputs, ctx.using(span))
    if isinstance(op, Trailing):
        return apply(op.operation, inputs[-op.count :], ctx, span=span)
    if isinstance(op, Primitive) and op.spec.arity != 1:
        return primitives.merge(op, inputs, ctx, span=span)
    picked = next((i for i in inputs if isinstance(i, Picked)), None)
    if picked is not None:
        return _push(op, picked, inputs, ctx, span=span)
    if isinstance(op, Composite):
        _check_lists(op, inputs, span)
    if isinstance(op, ChosenOp) and any(map(_several, inputs)):
        return _chosen(op, inputs, ctx, span=span)
    if isinstance(op, ByCase) and any(map(_several, inputs)):
        return _by_case(op, inputs, ctx, span=span)
    return _applied(op, [settle(i, ctx, span=span) for i in inputs], ctx, span=span)


def _several(value: Lowered) -> bool:
    """Whether this is a list, which each alternative of an operation has to join by itself."""
    return isinstance(value, Listing) and len(value.items) != 1


def _check_lists(op: Composite, inputs: Sequence[Lowered], span: Span) -> None:
    """Refuses a list that flows into an operation, which may be meant for a parameter."""
    wanted = [p.name.text for p in op.decl.parameters if p.name.text not in op.given]
    if wanted and any(isinstance(i, Listing) and len(i.items) > 1 for i in inputs):
        raise mistake(
            "E0303",
            "a list where one value is needed",
            span,
            "data flows through here",
            help=f"a list of values is given to a parameter by its name, `{wanted[0]}: [...]`",
        )


def _applied(
    op: Primitive | Composite | Stamp | ChosenOp | ByCase | Repeated | Shared,
    values: list[Tensor],
    ctx: Context,
    *,
    span: Span,
) -> Lowered:
    match op:
        case Primitive():
            return primitives.unary(op, values, ctx, span=span)
        case Composite():
            return _composite(op, values, ctx, span=span)
        case Stamp():
            return cells.stamp(op, values, ctx, span=span)
        case ChosenOp():
            return _chosen(op, values, ctx, span=span)
        case Repeated():
            return _repeat(op, values, ctx.using(span), span=span)
        case ByCase():
            return _by_case(op, values, ctx, span=span)
        case Shared():
            return _shared(op, values, ctx, span=span)
        case _:
            assert_never(op)


def _shared(op: Shared, inputs: list[Tensor], ctx: Context, *, span: Span) -> Lowered:
    """Leaves the shared kinds out of the place; across uses, `share` itself is the one place.

    Its parts keep places of their own there, and each use makes its own decisions.
    """
    kept = tuple(part for part in ctx.place if part[0] not in ctx.shared | op.across)
    inner = ctx.but(shared=ctx.shared | (op.across - {"uses"}), place=kept)
    if "uses" not in op.across:
        return apply(op.operation, inputs, inner, span=span)
    scope = ctx.scope.child((*at(span), *ctx.site), "shared")
    inner = inner.but(scope=scope, site=()).placed("uses", at(op.span), "shared")
    return apply(op.operation, inputs, inner, span=op.span)


def _pipeline(op: Pipeline, inputs: Sequence[Lowered], ctx: Context) -> Lowered:
    value: Lowered = None  # type: ignore[assignment]
    for stage, span in zip(op.stages, op.spans, strict=True):
        value = apply(stage, inputs, ctx, span=span)
        inputs = [value]
    return value


def _push(
    op: Operation, picked: Picked, inputs: Sequence[Lowered], ctx: Context, *, span: Span
) -> Lowered:
    """Applies `op` once for each different input that the decision may pick."""
    decision = ctx.ledger.decisions[picked.decision]
    groups: dict[tuple[object, ...], list[int]] = {}
    varied = [i for i in inputs if isinstance(i, Picked)]
    for n in range(len(picked.labels)):
        read = tuple(_identity(_branch(i, picked, n), ctx) for i in varied)
        groups.setdefault(read, []).append(n)
    branches: dict[int, Tensor] = {}
    for members in groups.values():
        chosen = [_branch(i, picked, members[0]) for i in inputs]
        label = picked.labels[members[0]]
        key = at(span, "input", picked.decision, members[0])
        inner = ctx.placed("inputs", key, f"{decision.path.rpartition('.')[2]}={label}")
        if decision.domain.kind is Kind.ONE:
            inner = inner.under((Test(picked.decision, frozenset(members)),))
        result = settle(apply(op, chosen, inner, span=span), inner, span=span)
        branches.update(dict.fromkeys(members, result))
    return replace(picked, branches=tuple(branches[n] for n in range(len(picked.labels))))


def _identity(value: Lowered, ctx: Context) -> object:
    """What tells inputs apart: which value it is, or in an outline its shape alone."""
    if ctx.program.outline and isinstance(value, Tensor):
        return value.shape, value.stride
    return value


def _branch(value: Lowered, picked: Picked, n: int) -> Lowered:
    if isinstance(value, Picked) and (value.decision, value.slot) == (picked.decision, picked.slot):
        return value.branches[n]
    return value


# ------------------------------------------------------------- composed operations


def _composite(op: Composite, inputs: list[Tensor], ctx: Context, *, span: Span) -> Lowered:
    decl = op.decl
    name = decl.name.text
    inputs = _restrided(inputs, op.given.get("stride"), span)
    inner = ctx.inside(span, name)
    inner = inner.but(
        env=_arguments(op, span),
        ambient=_ambient(op.given, ctx),
        own=cells.widths(inputs),
        stride=inputs[0].stride,
        frame=None,
        calls=_deeper(decl, ctx, span),
    )
    _fill_defaults(decl, inner, span)
    if decl.span.source.name == span.source.name:
        return _evaluated(decl, inputs, inner, span)
    with ctx.ledger.used_at(span, name):
        return _evaluated(decl, inputs, inner, span)


def _evaluated(decl: ast.OpDecl, inputs: list[Tensor], inner: Context, span: Span) -> Lowered:
    """The body of an operation over its inputs."""
    name = decl.name.text
    if decl.inputs:
        if len(decl.inputs) != len(inputs):
            raise miscounted(name, len(decl.inputs), len(inputs), span)
        inner.env.update({n.text: v for n, v in zip(decl.inputs, inputs, strict=True)})
        return value_of(decl.body, inner)
    result = run(decl.body, inner)
    if not isinstance(result, Operation):
        raise mistake(
            "E0206",
            f"the body of `{name}` gives {describe(result)}, not an operation",
            decl.body.ending,
            "an operation is needed",
            help=f"name what it reads: `op {name} on x {{ ... }}`",
        )
    return apply(result, inputs, inner, span=decl.body.ending)


def _restrided(inputs: list[Tensor], stride: Lowered | None, span: Span) -> list[Tensor]:
    if stride is None or not inputs:
        return inputs
    return [replace(inputs[0], stride=stride_of(stride, span)), *inputs[1:]]


def _arguments(op: Composite, span: Span) -> dict[str, Lowered | Broken]:
    known = {p.name.text for p in op.decl.parameters}
    odd = next((n for n in op.given if n not in known | {"stride", *AMBIENT}), None)
    if odd is not None:
        raise mistake("E0207", f"`{op.decl.name.text}` has no parameter `{odd}`", op.span, "here")
    return {n: v for n, v in op.given.items() if n in known}


def _fill_defaults(decl: ast.OpDecl, inner: Context, span: Span) -> None:
    for parameter in decl.parameters:
        name = parameter.name.text
        if name in inner.env:
            continue
        if parameter.default is None:
            raise mistake("E0207", f"`{decl.name.text}` needs `{name}`", span, "it is not given")
        inner.env[name] = inner.evaluate(parameter.default, role=name)


def _ambient(given: Bound, ctx: Context) -> dict[str, Num]:
    changed = {n: given[n] for n in AMBIENT if n in given}
    return {**ctx.ambient, **{n: v for n, v in changed.items() if isinstance(v, NUMBERS)}}


def _deeper(decl: ast.OpDecl, ctx: Context, span: Span) -> dict[str, int]:
    name = decl.name.text
    depth = ctx.calls.get(name, 0) + 1
    bound = CALL_DEPTH if decl.depth is None else integer(decl.depth, ctx)
    if depth > bound:
        raise mistake(
            "E0503",
            f"`{name}` calls itself more than {bound} deep",
            span,
            "the bound is reached",
            help="end the recursion with `when`, or declare a larger `depth`",
        )
    return {**ctx.calls, name: depth}


# -------------------------------------------------------------- chosen operations


def _chosen(op: ChosenOp, inputs: Sequence[Lowered], ctx: Context, *, span: Span) -> Lowered:
    results = []
    picks: list[list[int]] = [[] for _ in op.branches]
    for pick, place in enumerate(op.table):
        picks[place].append(pick)
    for n, (branch, own) in enumerate(zip(op.branches, picks, strict=True)):
        picked = frozenset(own)
        condition: Condition | None = (Test(op.decision, picked),) if op.alone else None
        inner = ctx.under(condition)
        key = at(span, "alternative", op.decision, op.slot, n)
        inner = inner.placed("alternatives", key, f"{op.name}={op.labels[n]}")
        inner = inner.but(site=(*ctx.site, "alternative", n))
        results.append(settle(apply(branch, inputs, inner, span=span), inner, span=span))
    if len(results) == 1:
        return results[0]
    return select(
        results, op.decision, op.slot, op.table, ctx,
        source=False, guarded=op.guarded, span=span,
    )  # fmt: skip


def _by_case(op: ByCase, inputs: Sequence[Lowered], ctx: Context, *, span: Span) -> Lowered:
    found: Tree = op.tree  # type: ignore[assignment]
    results = {}
    there = regions(found, ctx, span=span)
    for value, case in op.cases:
        inner = ctx.under(there[value])
        label = str(value).lower()
        inner = inner.placed("alternatives", at(span, "case", op.span.start, value), label)
        inner = inner.but(site=(*ctx.site, "case", value))
        results[value] = settle(apply(case, inputs, inner, span=span), inner, span=span)
    return selected(found, results, ctx, span=span)


def _repeat(op: Repeated, inputs: list[Tensor], ctx: Context, *, span: Span) -> Lowered:
    exits: list[Lowered] = [inputs[0]]
    for inner, step in iterations(op, ctx):
        exits.append(apply(step, inputs if len(exits) == 1 else exits[-1:], inner, span=span))
    found = repetitions(op)
    if not isinstance(found, Split):
        return exits[-1]
    reached = {n: settle(exits[int(n)], ctx, span=span) for n in leaves(found)}
    return selected(found, reached, ctx, span=span)


def iterations(op: Repeated, ctx: Context) -> Iterator[tuple[Context, Operation]]:
    """For each repetition: the context in which it is live, and its operation."""
    found = repetitions(op)
    counts = [int(n) for n in leaves(found)]
    for n in range(1, max(counts) + 1):
        condition = where(found, lambda v, n=n: v >= n, ctx, span=op.span)  # type: ignore[misc]
        inner = ctx.under(condition)
        if isinstance(op.operation, ast.Repeat):
            inner = inner.inside(op.span, f"{n}", n)
            yield inner, _body_operation(op.operation, n, op, inner, condition or ())
        else:
            yield inner.but(site=(*ctx.site, n)), op.operation


def _body_operation(
    repeat: ast.Repeat, n: int, op: Repeated, inner: Context, condition: Condition
) -> Operation:
    home = op.context
    assert isinstance(home, Context)
    names = {} if repeat.variable is None else {repeat.variable.text: n}
    body = inner.but(env={**home.env, **names}, frame=home.frame)
    step = run(repeat.body, body)
    gather(repeat.body, body, home, condition, f"{n}")
    if not isinstance(step, Operation):
        raise mistake(
            "E0206",
            "the body of a repeat must be an operation",
            op.span,
            f"this is {describe(step)}",
        )
    return step


def repetitions(op: Repeated) -> Tree:
    """How often an operation is repeated, by what settles it."""
    found = tree(op.count, span=op.span)
    if min(whole(n, op.span) for n in leaves(found)) < 0:
        raise mistake("E0208", "a repeat needs a whole number", op.span, "this can be negative")
    return found
