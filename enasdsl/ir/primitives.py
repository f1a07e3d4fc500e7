"""Primitive operations over values: arguments, shapes, pending strides, alignment, places."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from enasdsl.diagnostics import Label
from enasdsl.diagnostics.wording import several
from enasdsl.ir.alignment import aligned
from enasdsl.ir.build import Mistake, mistake
from enasdsl.ir.cases import narrowed, reached
from enasdsl.ir.context import AMBIENT, Context
from enasdsl.ir.graph import Apply, Present
from enasdsl.ir.joining import mismatch, settle
from enasdsl.ir.names import at, place_text
from enasdsl.ir.space import Domain, Kind
from enasdsl.ir.typed import describe, stride_of, surely
from enasdsl.ir.values import Listing, Lowered, Primitive, Tensor
from enasdsl.semantics.ops import Default, OpParameter
from enasdsl.semantics.shapes import ShapeMismatch
from enasdsl.semantics.symbols import (
    NUMBERS,
    Chosen,
    Computed,
    Condition,
    Dim,
    Num,
    Parts,
    Shape,
    Test,
    Unread,
    extremes,
)
from enasdsl.source import Span


def unary(op: Primitive, inputs: list[Tensor], ctx: Context, *, span: Span) -> Tensor:
    """An operation over one value; one that moves a window takes the pending stride."""
    if len(inputs) != 1:
        raise mistake(
            "E0302",
            f"`{op.spec.name}` reads one value and gets {len(inputs)}",
            span,
            "here",
            help="join them first, with `concat` or `sum`",
        )
    (x,) = inputs
    args = _arguments(op, x, ctx)
    if op.spec.strides:
        args["stride"] = _stride(op, x)
    shape = _shape(op, args, inputs, ctx, span)
    _look_back(op, args, x, ctx, span)
    if args.get("tied"):
        _check_tie(x, ctx, span)
    ref = _add(op, args, (x.ref,), shape, ctx, span)
    waits = not (op.spec.strides or "stride" in op.given) and shape.space == x.shape.space
    stride = x.stride if waits else 1
    return Tensor(ref, shape, stride, span if _sizes(op) or shape != x.shape else x.origin)


def _sizes(op: Primitive) -> bool:
    """Whether an operation says itself how wide its value is; else that comes from before it."""
    return any(p.implicit in (Default.FILTERS, Default.HIDDEN) for p in op.spec.parameters)


def _look_back(op: Primitive, args: dict[str, Num], x: Tensor, ctx: Context, span: Span) -> None:
    """Refuses, in a language model, what lets a position read the words that it must predict."""
    network = ctx.program.checked.network
    if network is None or ctx.program.task.kind != "language_model" or not x.shape.space:
        return
    pools = op.spec.name in ("global_avg_pool", "flatten")
    if pools or not extremes(args.get("causal", True))[0]:
        raise mistake(
            "E0308",
            f"`{op.spec.name}` reads the words that a language model must predict",
            span,
            "each position reads those behind it, too",
            help=None if pools else f"write `{op.spec.name}` with `causal: true`",
        )


def _check_tie(x: Tensor, ctx: Context, span: Span) -> None:
    tables = [v for v in ctx.builder.values if isinstance(v, Apply) and v.op == "embedding"]
    if not tables or tables[0].shape.channels != x.shape.channels:
        found = f"its vectors have {tables[0].shape.channels}" if tables else "there is none here"
        raise mistake(
            "E0307",
            "a matrix cannot be tied to this embedding" if tables else "nothing to tie a matrix to",
            span,
            f"this reads {x.shape.channels} channels, and the embedding: {found}",
            help="tie the head of a network to the embedding in its stem, at the same width",
        )


def merge(op: Primitive, inputs: Sequence[Lowered], ctx: Context, *, span: Span) -> Tensor:
    """An operation over several values, those of lists among them, where they are present."""
    items = [item for value in inputs for item in _flat(value, ctx, span)]
    if not items:
        raise mistake("E0402", f"`{op.spec.name}` of nothing", span, "there is no value to join")
    if op.spec.arity and len(items) != op.spec.arity:
        raise mistake(
            "E0302",
            f"`{op.spec.name}` joins {several(op.spec.arity, 'value')}",
            span,
            f"this gives {several(len(items), 'value')}",
        )
    if not _never_empty([condition for _, condition in items], ctx):
        ctx.ledger.doubt(
            mistake(
                "E0402",
                f"`{op.spec.name}` of what may be nothing",
                span,
                "a choice can leave out all of these",
                help="choose at least one, or add a value that is always there",
            )
        )
    values = [t for t, _ in items]
    values = aligned(values, ctx, channels=op.spec.name != "concat", span=span)
    args = _arguments(op, values[0], ctx)
    shape = _joined(op, args, values, [c for _, c in items], ctx, span)
    _look_back(op, args, values[0], ctx, span)
    refs = tuple(
        _present(v, condition, ctx) for v, (_, condition) in zip(values, items, strict=True)
    )
    return Tensor(_add(op, args, refs, shape, ctx, span), shape, values[0].stride, span)


def _never_empty(conditions: list[Condition], ctx: Context) -> bool:
    """Whether a list with members under these conditions surely has one.

    Something is always loose; and a decision that picks more alternatives than have no member
    here picks one that has.
    """
    covered: dict[int, set[int]] = {}
    for condition in conditions:
        if surely(condition, ctx.guard) or any(isinstance(t, Unread) for t in condition):
            return True
        match [t for t in condition if not surely((t,), ctx.guard)]:
            case [Test(decision, allowed)]:
                covered.setdefault(decision, set()).update(allowed)
    return any(
        _distinct(domain := ctx.ledger.decisions[decision].domain) > domain.size - len(members)
        for decision, members in covered.items()
    )


def _distinct(domain: Domain) -> int:
    """How many different alternatives a decision surely picks."""
    return min(domain.least, 1) if domain.kind in (Kind.SEQUENCE, Kind.MULTISET) else domain.least


def _flat(value: Lowered, ctx: Context, span: Span) -> list[tuple[Tensor, Condition]]:
    if not isinstance(value, Listing):
        return [(settle(value, ctx, span=span), ())]
    found = []
    for item in value.items:
        for tensor, condition in _flat(item.value, ctx, span):
            found.append((tensor, (*item.condition, *condition)))
    return found


def _present(value: Tensor, condition: Condition, ctx: Context) -> int:
    if not condition:
        return value.ref
    return ctx.builder.add(Present(value.ref, condition, value.shape))


def _joined(
    op: Primitive,
    args: dict[str, Num],
    values: list[Tensor],
    conditions: list[Condition],
    ctx: Context,
    span: Span,
) -> Shape:
    plain = _shape(op, args, values, ctx, span)
    if op.spec.name != "concat" or not any(conditions):
        return plain
    parts: list[tuple[Condition, Dim]] = [
        (condition, value.shape.channels)
        for value, condition in zip(values, conditions, strict=True)
    ]
    return Shape(Parts(tuple(parts)), plain.space)


# ------------------------------------------------------------------- arguments


def _arguments(op: Primitive, x: Tensor, ctx: Context) -> dict[str, Num]:
    unmoved = op.spec.arity == 1 and _stride(op, x) == 1
    if "stride" in op.given and not op.spec.strides and not unmoved:
        raise mistake(
            "E0207",
            f"`{op.spec.name}` moves no window and takes no stride",
            op.span,
            "a stride is given here",
            help=f"write a pooling or a convolution with the stride beside it, "
            f"as in `max_pool(2, stride: 2) -> {op.spec.name}`",
        )
    allowed = {p.name for p in op.spec.parameters} | {"stride", *AMBIENT}
    odd = next((n for n in op.given if n not in allowed), None)
    if odd is not None:
        raise mistake("E0207", f"`{op.spec.name}` has no parameter `{odd}`", op.span, "here")
    return {p.name: _argument(op, p, x, ctx) for p in op.spec.parameters}


def _argument(op: Primitive, parameter: OpParameter, x: Tensor, ctx: Context) -> Num:
    name = parameter.name
    value: Lowered | None = op.given.get(name)
    if value is None and parameter.implicit == Default.REQUIRED:
        raise mistake(
            "E0207",
            f"`{op.spec.name}` needs `{name}`",
            op.span,
            "it is not given",
            help=f"write `{op.spec.name}({name}: ...)`",
        )
    if value is None and parameter.implicit in AMBIENT:
        value = op.given.get(parameter.implicit) or _in_force(op, parameter, x, ctx)
    elif value is None:
        return parameter.default  # type: ignore[return-value]
    if not isinstance(value, NUMBERS):
        raise mistake(
            "E0207",
            f"`{name}` of `{op.spec.name}` takes {_KINDS[parameter.kind]}",
            op.span,
            f"this is {describe(value)}",
        )
    if parameter.fixed:
        value = narrowed(value, ctx)
    if parameter.fixed and isinstance(value, Chosen | Computed):
        raise mistake(
            "E0207",
            f"`{name}` of `{op.spec.name}` cannot be a choice",
            op.span,
            "it is chosen here",
            help=f"choose among operations that differ in it: "
            f"`choose [{op.spec.name}(..., {name}: v) for v in [...]]`",
        )
    return _checked(op, parameter, value, ctx)


def _checked(op: Primitive, parameter: OpParameter, value: Num, ctx: Context) -> Num:
    """An argument that the operation takes, if need be for those picks alone that get here."""
    try:
        _check_argument(op, parameter, value)
    except Mistake:
        here = reached(value, ctx)
        if here == value:
            raise
        _check_argument(op, parameter, here)
        return here
    return value


def _in_force(op: Primitive, parameter: OpParameter, x: Tensor, ctx: Context) -> Num:
    found = ctx.ambient.get(parameter.implicit, ctx.own.get(parameter.implicit))
    if found is not None:
        return found
    if isinstance(x.shape.channels, Parts) or x.shape.tokens:
        raise mistake(
            "E0207",
            f"`{op.spec.name}` needs `{parameter.name}` here",
            op.span,
            f"no `{parameter.implicit}` is in force",
            help=f"write it out, or declare `param {parameter.implicit} = ...`",
        )
    return x.shape.channels


def _check_argument(op: Primitive, parameter: OpParameter, value: Num) -> None:
    wanted: tuple[type, ...] = (int, float) if parameter.kind is float else (parameter.kind,)
    for end in extremes(value):
        is_bool = isinstance(end, bool)
        if not isinstance(end, wanted) or (is_bool and parameter.kind is not bool):
            raise mistake(
                "E0207",
                f"`{parameter.name}` of `{op.spec.name}` takes {_KINDS[parameter.kind]}",
                op.span,
                f"this is {describe(end)}",
            )
        if parameter.least is not None and end < parameter.least:  # type: ignore[operator]
            raise mistake(
                "E0211",
                f"`{parameter.name}` of `{op.spec.name}` is at least {parameter.least:g}",
                op.span,
                f"here it is {end}",
            )
        if parameter.choices and end not in parameter.choices:
            raise mistake(
                "E0207",
                f"`{parameter.name}` of `{op.spec.name}` is one of {', '.join(parameter.choices)}",
                op.span,
                f"here it is {end}",
            )


_KINDS = {int: "a whole number", float: "a number", bool: "true or false", str: "a text"}


def _stride(op: Primitive, x: Tensor) -> int:
    return stride_of(op.given.get("stride", x.stride), op.span)


# ---------------------------------------------------------------------- shapes


def _narrowed(shape: Shape, ctx: Context) -> Shape:
    """A shape that choices settle, as it is where this is reached."""
    if isinstance(shape.channels, int | Parts):
        return shape
    return replace(shape, channels=narrowed(shape.channels, ctx))  # type: ignore[arg-type]


def _shape(
    op: Primitive, args: dict[str, Num], inputs: list[Tensor], ctx: Context, span: Span
) -> Shape:
    different = next((v for v in inputs if v.stride != inputs[0].stride), None)
    if different is not None:
        raise mismatch(f"{_called(op)} joins values of one stride", inputs[0], different, span=span)
    shapes = tuple(v.shape for v in inputs)
    try:
        return op.spec.shape(args, shapes)
    except ShapeMismatch as found:
        with suppress(ShapeMismatch):
            return op.spec.shape(args, tuple(_narrowed(shape, ctx) for shape in shapes))
        if found.at > 0 and found.help is None:
            raise mismatch(
                f"{_called(op)} joins values of one shape",
                inputs[0],
                inputs[found.at],
                span=span,
            ) from None
        x = inputs[found.at]
        others = () if x.origin == span else (Label(x.origin, f"this is {x.shape}"),)
        text, why = str(found), "it does not fit here"
        raise mistake("E0301", text, span, why, *others, help=found.help) from None


def _called(op: Primitive) -> str:
    signs = {"add": "+", "subtract": "-", "multiply": "*", "divide": "/"}
    return f"`{signs.get(op.spec.name, op.spec.name)}`"


def _add(
    op: Primitive,
    args: dict[str, Num],
    refs: tuple[int, ...],
    shape: Shape,
    ctx: Context,
    span: Span,
) -> int:
    place = _place(op, ctx, span) if op.spec.weights else ""
    value = Apply(op.spec.name, tuple(args.items()), refs, place, shape, ctx.place)
    if place:
        _own(value, ctx, span)
    return ctx.builder.add(value)


def _place(op: Primitive, ctx: Context, span: Span) -> str:
    place = place_text(ctx.enter("uses", at(span, op.spec.name), op.spec.name))
    return f"//{ctx.builder.name}/{place}" if "stamps" in ctx.shared else place


def _own(value: Apply, ctx: Context, span: Span) -> None:
    """Refuses weights that `share` gives to uses of different sizes."""
    body = -1 if value.place.startswith("//") else ctx.builder.index
    channels = tuple(ctx.builder.values[i].shape.channels for i in value.inputs)
    uses = (value.args, channels, value.shape.channels)
    if ctx.ledger.owners.setdefault((body, value.place), uses) == uses:
        return
    chosen = next((n for n, a in value.args if isinstance(a, Chosen | Computed)), None)
    raise mistake(
        "E0307",
        "weights cannot be shared between uses of different sizes",
        span,
        f"its `{chosen}` is chosen afresh at each use"
        if chosen
        else f"{value.shape} here, and another size at an earlier use",
        help="give the choice a name outside of the uses, so that they all mean one"
        if chosen
        else "leave this operation out of `share`, or bring its inputs to one width",
    )
