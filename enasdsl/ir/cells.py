"""Cells, blocks and the statements of bodies."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from enasdsl.ir import primitives
from enasdsl.ir.build import Followup, Mistake, mistake
from enasdsl.ir.choose import choose_by_name
from enasdsl.ir.context import AMBIENT, Broken, Context, Frame, StampedBody
from enasdsl.ir.graph import Call
from enasdsl.ir.joining import check_same, settle
from enasdsl.ir.names import at, place_text
from enasdsl.ir.space import Constraint
from enasdsl.ir.typed import describe, integer, items_of, number, operation, span_of, truth
from enasdsl.ir.values import Absent, Item, Listing, Lowered, Stamp, Tensor
from enasdsl.semantics.symbols import (
    Chosen,
    Computed,
    Condition,
    Num,
    Shape,
    Test,
    compute,
    extremes,
)
from enasdsl.source import Span
from enasdsl.syntax import ast

# ------------------------------------------------------------------ statements


def run(body: ast.Body, ctx: Context) -> Lowered:
    """Executes the statements of a body; gives the value of its last expression.

    A mistake in a statement is recorded and the next ones go on; what then fails at the end is
    taken for a consequence.
    """
    result: Lowered = Absent()
    sound = True
    for statement in body.statements:
        if isinstance(statement, ast.Result):
            result = _result(statement, ctx, sound=sound)
        else:
            sound &= ctx.ledger.attempt(lambda s=statement: _execute(s, ctx))  # type: ignore[misc]
    if isinstance(result, Absent) and not sound:
        raise Followup
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
    return settle(result, ctx, span=body.statements[-1].span)


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
            "E0404", f"{len(names)} names for {len(values)} values", statement.span, "here"
        )
    ctx.env.update(zip(names, values, strict=True))


def require(statement: ast.Require, ctx: Context) -> None:
    """`require condition`: recorded where decisions settle it, checked now where none does."""
    value = ctx.evaluate(statement.condition)
    message = statement.message.value if statement.message else statement.condition.span.text
    match value:
        case bool():
            if not value:
                raise mistake(
                    "E0408",
                    "no architecture meets this requirement",
                    statement.condition.span,
                    message,
                )
        case Chosen() | Computed():
            constraint = Constraint(value, ctx.guard or (), message, statement.span)
            if constraint not in ctx.ledger.constraints:
                ctx.ledger.constraints.append(constraint)
        case _:
            raise mistake(
                "E0208",
                "a requirement must be true or false",
                statement.condition.span,
                f"this is {describe(value)}",
            )


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
        inner = replace(
            inner, scope=ctx.scope.child(key, name), place=ctx.enter("nodes", key, name)
        )
        result = value_of(statement.body, inner)
        value = settle(result, inner, span=statement.body.span)
        if value.stride != 1:
            raise mistake(
                "E0304",
                f"the stride of {value.stride} is never taken",
                statement.body.statements[-1].span,
                f"this is still {value.shape}",
                help="every operation on an input of a cell with a stride must take it: "
                "`identity when stride == 1 else factorized_reduction`",
            )
        node = ctx.builder.node(name, value, condition, frame=frame.number, span=statement.span)
        frame.refs[path] = node.ref
        frame.nodes.append(Item(node, condition, name, path))


def _numbers(domain: ast.Expr, ctx: Context) -> Iterator[tuple[int, Condition]]:
    """The numbers of nodes, each with the condition under which the node is live."""
    if isinstance(domain, ast.Range):
        high = number(domain.high, ctx)
        if isinstance(high, Chosen):
            yield from _chosen_numbers(domain, high, ctx)
        else:
            yield from ((n, ()) for n in span_of(domain, ctx))
        return
    value = ctx.evaluate(domain)
    if isinstance(value, Listing):
        for item in value.items:
            if not isinstance(item.value, int):
                raise mistake("E0208", "nodes are numbered", domain.span, "this is no number")
            yield item.value, item.condition
    else:
        yield integer(domain, ctx), ()


def _chosen_numbers(
    domain: ast.Range, high: Chosen, ctx: Context
) -> Iterator[tuple[int, Condition]]:
    low = integer(domain.low, ctx)
    least, most = (int(e) for e in extremes(high))
    for n in range(low, most + 1):
        deep = frozenset(i for i, v in enumerate(high.values) if int(v) >= n)
        yield n, (() if n <= least else (Test(high.decision, deep),))


def _each(statement: ast.Each, ctx: Context) -> None:
    frame = _frame(ctx, statement.span)
    if statement.condition is not None and not truth(statement.condition, ctx):
        return
    wanted = items_of(ctx.evaluate(statement.source), statement.span)
    op = operation(statement.operation, ctx)
    changed = {}
    for item in wanted:
        inner = ctx.inside(statement.span, item.label, item.path)
        value = inner.under(item.condition).apply(op, [item.value], span=statement.operation.span)
        changed[item.path] = settle(value, inner, span=statement.operation.span)
    for members in (frame.inputs, frame.nodes):
        members[:] = [replace(m, value=changed.get(m.path, m.value)) for m in members]


# ----------------------------------------------------------------------- cells


def stamp(op: Stamp, inputs: list[Tensor], ctx: Context, *, span: Span) -> Lowered:
    """One more stamp of a cell, or one more evaluation of a block."""
    decl = op.decl
    if len(inputs) != len(decl.inputs):
        raise mistake(
            "E0302",
            f"`{op.name}` reads {len(decl.inputs)} values and gets {len(inputs)}",
            span,
            "here",
        )
    stride, ambient = in_force(op, inputs, ctx)
    if decl.kind == "block":
        return _block(op, inputs, stride, ambient, ctx, span)
    name = op.name if op.index is None else f"{op.name}{op.index}"
    place = place_text(ctx.enter("stamps", at(span, "stamp"), name))
    shapes = tuple(_per_step(i.shape, op, span) if decl.states else i.shape for i in inputs)
    body = _body(op, name, shapes, stride, ambient, ctx)
    states = len(decl.states)
    refs = tuple(i.ref for i in inputs)
    outputs = []
    for n, shape in enumerate(body.outputs[:1] if states else body.outputs):
        whole = Shape(shape.channels, inputs[0].shape.space) if states else shape
        call = Call(body.index, refs, place, n, states, whole)
        outputs.append(Tensor(ctx.builder.add(call, span=span), whole, 1, span))
    if len(outputs) == 1:
        return outputs[0]
    return Listing(tuple(Item(o) for o in outputs), side_by_side=True)


def _per_step(shape: Shape, op: Stamp, span: Span) -> Shape:
    if len(shape.space) != 1 or shape.tokens:
        raise mistake(
            "E0301", f"`{op.name}` has a state and runs along a sequence", span, f"this is {shape}"
        )
    return Shape(shape.channels)


def in_force(op: Stamp, inputs: list[Tensor], ctx: Context) -> tuple[int, dict[str, Num]]:
    """The stride of a cell and the widths in force in it, after its `with` changes."""
    ambient = dict(ctx.ambient)
    stride: Num = inputs[0].stride if inputs else 1
    for change in op.changes:
        value = number(change.value, replace(ctx, ambient=ambient))
        name = change.name.text
        if name == "stride":
            stride = value
        else:
            ambient[name] = _changed(change, value, ambient, ctx)
    for name, given in op.given.items():
        if name == "stride":
            stride = given  # type: ignore[assignment]
        elif name in AMBIENT:
            ambient[name] = given  # type: ignore[assignment]
        else:
            raise mistake("E0207", f"`{op.name}` has no parameter `{name}`", op.span, "here")
    if not isinstance(stride, int) or stride < 1:
        raise mistake("E0305", "a stride is a fixed whole number of at least 1", op.span, "here")
    return stride, ambient


def _changed(change: ast.Change, value: Num, ambient: dict[str, Num], ctx: Context) -> Num:
    if change.operator is None:
        return value
    name = change.name.text
    if name not in ambient:
        raise mistake(
            "E0207",
            f"no `{name}` is in force",
            change.name.span,
            "nothing to change",
            help=f"declare `param {name} = ...`",
        )
    return compute(change.operator, ambient[name], value)


def _body(
    op: Stamp,
    name: str,
    shapes: tuple[Shape, ...],
    stride: int,
    ambient: dict[str, Num],
    ctx: Context,
) -> StampedBody:
    key = (name, shapes, stride, tuple(sorted(ambient.items(), key=lambda kv: kv[0])))
    program = ctx.program
    if key not in program.stamped:
        builder = ctx.ledger.builder(name)
        scope = program.root.child(("cell", name), name)
        inner = Context(program, builder, scope, {}, ambient, stride=stride)
        if op.index is not None:
            inner.env["index"] = op.index
        inputs = [
            builder.input(n.text, s, stride=stride, span=n.span)
            for n, s in zip(op.decl.inputs, shapes, strict=True)
        ]
        states = _states(op, shapes, ambient)
        carried = [
            builder.input(n.text, s, stride=1, span=n.span)
            for n, s in zip(op.decl.states, states, strict=True)
        ]
        outputs = _evaluate_cell(op, inputs, carried, inner)
        _check_states(op, carried, outputs)
        body = builder.finish(tuple(outputs))
        ctx.ledger.bodies[builder.index] = body
        program.stamped[key] = StampedBody(builder.index, body, tuple(o.shape for o in outputs))
    return program.stamped[key]


def _states(op: Stamp, shapes: tuple[Shape, ...], ambient: dict[str, Num]) -> list[Shape]:
    width = ambient.get("hidden", shapes[0].channels)
    return [Shape(width)] * len(op.decl.states)  # type: ignore[arg-type]


def _check_states(op: Stamp, carried: list[Tensor], outputs: list[Tensor]) -> None:
    if not carried:
        return
    where = op.decl.body.statements[-1].span
    if len(carried) != len(outputs):
        raise mistake(
            "E0302",
            f"`{op.name}` has {len(carried)} states",
            where,
            f"the body gives {len(outputs)} next ones",
        )
    for state, result in zip(carried, outputs, strict=True):
        check_same(state, result, "a state and its next value: a cell", span=where)


def _evaluate_cell(
    op: Stamp, inputs: list[Tensor], states: list[Tensor], ctx: Context
) -> list[Tensor]:
    frame = Frame(ctx.builder.frame(), ctx.scope, op.decl.align)
    inner = replace(ctx, frame=frame)
    if op.decl.align is not None:
        inputs = _aligned_inputs(inputs, inner, op.decl.align.span)
    for name, value in zip(op.decl.inputs + op.decl.states, inputs + states, strict=True):
        path = f"{ctx.scope.path}.{name.text}"
        node = ctx.builder.node(name.text, value, (), frame=frame.number, span=name.span)
        frame.refs[path] = node.ref
        inner.env[name.text] = node
        if name in op.decl.inputs:
            frame.inputs.append(Item(node, (), name.text, path))
    result = value_of(op.decl.body, inner)
    if isinstance(result, Listing):
        span = op.decl.body.statements[-1].span
        return [settle(i.value, inner, span=span) for i in result.items]
    return [result]  # type: ignore[list-item]


def _aligned_inputs(inputs: list[Tensor], ctx: Context, span: Span) -> list[Tensor]:
    """The inputs of a cell at the smallest of their sizes and at the width in force."""
    space = min(i.shape.space for i in inputs)
    width = ctx.ambient.get("filters")
    return [
        replace(
            primitives.align(replace(i, stride=1), space, width, ctx, span=span), stride=i.stride
        )
        for i in inputs
    ]


def _block(
    op: Stamp, inputs: list[Tensor], stride: int, ambient: dict[str, Num], ctx: Context, span: Span
) -> Lowered:
    inner = ctx.inside(span, op.name)
    inner = replace(inner, env={}, ambient=ambient, stride=stride)
    waiting = [replace(i, stride=stride) for i in inputs]
    outputs = _evaluate_cell(op, waiting, [], inner)
    if len(outputs) == 1:
        return outputs[0]
    return Listing(tuple(Item(o) for o in outputs), side_by_side=True)
