"""What the `align` operation of a cell mends: values that differ in size or width."""

from __future__ import annotations

from dataclasses import replace

from enasdsl.ir.context import Context
from enasdsl.ir.joining import settle
from enasdsl.ir.names import at
from enasdsl.ir.typed import operation
from enasdsl.ir.values import Tensor
from enasdsl.semantics.symbols import Dim, Num
from enasdsl.source import Span


def aligned(values: list[Tensor], ctx: Context, *, channels: bool, span: Span) -> list[Tensor]:
    """The values, those that differ in size mended by the `align` operation of the cell."""
    ranks = {len(v.shape.space) for v in values}
    alike = len({(v.shape, v.stride) for v in values}) == 1
    if ctx.frame is None or ctx.frame.align is None or alike or len(ranks) > 1:
        return values
    least = min(v.target for v in values)
    widths = {v.shape.channels for v in values}
    width = next(iter(widths)) if len(widths) == 1 else ctx.ambient.get("filters")
    return [align(v, least, width if channels else None, ctx, span=span) for v in values]


def align(
    value: Tensor, space: tuple[int, ...], channels: Dim | Num | None, ctx: Context, *, span: Span
) -> Tensor:
    """`value` at `space` and with `channels` (None: any): itself, or what `align` makes of it."""
    wanted = value.shape.channels if channels is None else channels
    if value.shape.space == space and value.shape.channels == wanted:
        return replace(value, stride=1)
    key = (value.ref, space, wanted)
    known = ctx.builder.aligned.get(key)
    if known is None:
        known = ctx.builder.aligned[key] = _align(value, space, wanted, ctx, span)  # type: ignore[arg-type]
    return known


def _align(
    value: Tensor, space: tuple[int, ...], channels: Num, ctx: Context, span: Span
) -> Tensor:
    assert ctx.frame is not None
    ratio = -(-value.shape.space[0] // space[0]) if space else 1
    waiting = replace(value, stride=ratio)
    name = f"align{value.ref}"
    inner = ctx.placed("uses", at(span, "align", value.ref, space), name)
    inner = inner.but(ambient={**ctx.ambient, "filters": channels}, stride=ratio)
    op = operation(ctx.frame.align, inner)  # type: ignore[arg-type]
    return settle(inner.apply(op, [waiting], span=span), ctx, span=span)
