"""Cells and blocks: stamped, with what is in force in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from enasdsl.diagnostics.wording import several
from enasdsl.ir.alignment import align
from enasdsl.ir.arithmetic import refuse_huge
from enasdsl.ir.build import Followup, mistake
from enasdsl.ir.context import AMBIENT, Context, Frame, StampedBody
from enasdsl.ir.graph import Call
from enasdsl.ir.joining import check_same, settle
from enasdsl.ir.names import at, place_text
from enasdsl.ir.statements import strided, value_of
from enasdsl.ir.typed import miscounted, number, stride_of
from enasdsl.ir.values import Item, Listing, Lowered, Stamp, Tensor
from enasdsl.semantics.shapes import cure
from enasdsl.semantics.symbols import (
    Num,
    Parts,
    Shape,
    compute,
)
from enasdsl.source import Span
from enasdsl.syntax import ast

SET_UP = 4
"""Steps of writing out that a cell or a block is worth, beside those of its body."""


def stamp(op: Stamp, inputs: list[Tensor], ctx: Context, *, span: Span) -> Lowered:
    """One more stamp of a cell, or one more evaluation of a block."""
    ctx.program.budget.spend(1, span)
    decl = op.decl
    if len(inputs) != len(decl.inputs):
        raise miscounted(op.name, len(decl.inputs), len(inputs), span)
    stride, ambient = in_force(op, inputs, ctx)
    if decl.kind == "block" and decl.states:
        raise mistake(
            "E0205",
            "a block with a state",
            decl.states[0].span,
            "only a cell runs along a sequence",
        )
    if decl.kind == "block":
        return _block(op, inputs, stride, ambient, ctx, span)
    name = op.name if op.index is None else f"{op.name}{op.index}"
    if op.index is None:
        stamps = ctx.ledger.stamps.setdefault(name, [])
        if (where := (ctx.scope.home, ctx.guard or ())) not in stamps:
            stamps.append(where)
    place = place_text(ctx.enter("stamps", at(span, "stamp"), name))
    shapes = tuple(_per_step(i.shape, op, span) if decl.states else i.shape for i in inputs)
    body = _body(op, name, shapes, stride, ambient, ctx)
    states = len(decl.states)
    refs = tuple(i.ref for i in inputs)
    outputs = []
    for n, shape in enumerate(body.outputs[:1] if states else body.outputs):
        whole = Shape(shape.channels, inputs[0].shape.space) if states else shape
        call = Call(body.index, refs, place, n, states, whole, ctx.place)
        outputs.append(Tensor(ctx.builder.add(call), whole, 1, span))
    if len(outputs) == 1:
        return outputs[0]
    return Listing(tuple(Item(o) for o in outputs), side_by_side=True)


def _per_step(shape: Shape, op: Stamp, span: Span) -> Shape:
    if shape.kind != "sequence":
        raise mistake(
            "E0301",
            f"`{op.name}` has a state and runs along a sequence",
            span,
            f"this is {shape}",
            help=cure(shape, "sequence"),
        )
    return Shape(shape.channels)


def widths(inputs: Sequence[Tensor]) -> dict[str, Num]:
    """The widths of an operation or a cell where none is in force: that of its first input."""
    first = inputs[0].shape if inputs else None
    if first is None or first.tokens or isinstance(first.channels, Parts):
        return {}
    return dict.fromkeys(AMBIENT, first.channels)


def in_force(op: Stamp, inputs: list[Tensor], ctx: Context) -> tuple[int, dict[str, Num]]:
    """The stride of a cell and what else is in force in it, after its `with` changes.

    Besides the ambient widths these are params that the changes name.
    """
    ambient = dict(ctx.ambient)
    own = widths(inputs)
    stride: Num = inputs[0].stride if inputs else 1
    for change in op.changes:
        value = number(change.value, ctx.but(ambient=ambient))
        name = change.name.text
        if name == "stride":
            stride = value
        else:
            ambient[name] = _changed(change, value, {**own, **ambient}, ctx)
    for name, given in op.given.items():
        if name == "stride":
            stride = given  # type: ignore[assignment]
        elif name in AMBIENT:
            ambient[name] = given  # type: ignore[assignment]
        else:
            raise mistake("E0207", f"`{op.name}` has no parameter `{name}`", op.span, "here")
    return stride_of(stride, op.span), ambient


def _changed(change: ast.Change, value: Num, ambient: dict[str, Num], ctx: Context) -> Num:
    if change.operator is None:
        return value
    name = change.name.text
    present = ambient.get(name, ctx.program.checked.params.get(name))
    if present is None:
        raise mistake(
            "E0207",
            f"no `{name}` is in force",
            change.name.span,
            "nothing to change",
            help=f"declare `param {name} = ...`",
        )
    refuse_huge(change.operator, present, value, change.value.span)
    return compute(change.operator, present, value)


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
        inputs = [
            builder.input(n.text, s, stride=stride, span=n.span)
            for n, s in zip(op.decl.inputs, shapes, strict=True)
        ]
        inner = inner.but(own=widths(inputs))
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
    where = op.decl.body.ending
    if len(carried) != len(outputs):
        raise mistake(
            "E0302",
            f"`{op.name}` has {several(len(carried), 'state')}",
            where,
            f"the body gives {several(len(outputs), 'next one')}",
        )
    for state, result in zip(carried, outputs, strict=True):
        check_same(state, result, "a state and its next value: a cell", span=where)


def _evaluate_cell(
    op: Stamp, inputs: list[Tensor], states: list[Tensor], ctx: Context
) -> list[Tensor]:
    ctx.program.budget.spend(SET_UP, op.span)
    frame = Frame(ctx.builder.frame(), ctx.scope, op.decl.align)
    inner = ctx.but(frame=frame)
    if op.decl.align is not None:
        inputs = _aligned_inputs(inputs, inner, op.decl.align.span)
    for name, value in zip(op.decl.inputs + op.decl.states, inputs + states, strict=True):
        path = f"{ctx.scope.path}.{name.text}"
        node = ctx.builder.node(
            name.text, value, ctx.guard or (), frame=frame.number, span=name.span
        )
        frame.refs[path] = node.ref
        inner.env[name.text] = node
        if name in op.decl.inputs:
            frame.inputs.append(Item(node, (), name.text, path))
    reported = len(ctx.ledger.diagnostics)
    result = value_of(op.decl.body, inner)
    if isinstance(result, Listing):
        span = op.decl.body.ending
        values = [settle(i.value, inner, span=span) for i in result.items]
    else:
        values = [settle(result, inner, span=op.decl.body.span)]
    if len(ctx.ledger.diagnostics) > reported:
        raise Followup
    return [strided(value, op.decl.body.ending) for value in values]


def _aligned_inputs(inputs: list[Tensor], ctx: Context, span: Span) -> list[Tensor]:
    """The inputs of a cell at the smallest of their sizes and at the width in force."""
    space = min(i.shape.space for i in inputs)
    width = ctx.ambient.get("filters")
    return [
        replace(align(replace(i, stride=1), space, width, ctx, span=span), stride=i.stride)
        for i in inputs
    ]


def _block(
    op: Stamp, inputs: list[Tensor], stride: int, ambient: dict[str, Num], ctx: Context, span: Span
) -> Lowered:
    inner = ctx.inside(span, op.name)
    inner = inner.but(env={}, ambient=ambient, own=widths(inputs), stride=stride)
    waiting = [replace(i, stride=stride) for i in inputs]
    outputs = _evaluate_cell(op, waiting, [], inner)
    if len(outputs) == 1:
        return outputs[0]
    return Listing(tuple(Item(o) for o in outputs), side_by_side=True)
