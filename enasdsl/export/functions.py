"""The plain PyTorch of operations that have nothing to keep."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import reduce

from enasdsl.export.code import Code, Site, Writer, called

Call = Callable[[Site, Sequence[Code], str], Code]


def _args(site: Site) -> tuple[object, ...]:
    return tuple(site.args.items())


def _simple(name: str) -> Writer:
    return Writer(lambda site, inputs, _: called(name, inputs[0]))


def _method(call: Callable[[Site, str], str]) -> Writer:
    return Writer(lambda site, inputs, _: Code(call(site, inputs[0].operand)), fixed=_args)


def _operator(sign: str) -> Writer:
    def call(site: Site, inputs: Sequence[Code], _: str) -> Code:
        if len(inputs) == 1:
            return inputs[0]
        return Code(f" {sign} ".join(x.operand for x in inputs), atom=False)

    return Writer(call)


def _elementwise(sign: str) -> Writer:
    """Two values, of which a vector goes with every position of the other."""

    def call(site: Site, inputs: Sequence[Code], _: str) -> Code:
        ranks = [len(shape.space) for shape in site.inputs]
        words = [
            x.operand + ("" if rank or not max(ranks) else _spread(max(ranks)))
            for x, rank in zip(inputs, ranks, strict=True)
        ]
        return Code(f" {sign} ".join(words), atom=False)

    return Writer(call)


def _spread(rank: int) -> str:
    return "[:, :, None, None]" if rank == 2 else "[:, None]"


def _pairwise(name: str) -> Writer:
    def call(site: Site, inputs: Sequence[Code], _: str) -> Code:
        return reduce(lambda x, y: called(name, x, y), inputs)

    return Writer(call)


def _mean(site: Site, inputs: Sequence[Code], _: str) -> Code:
    if len(inputs) == 1:
        return inputs[0]
    return Code(f"({' + '.join(x.operand for x in inputs)}) / {len(inputs)}", atom=False)


def _concat(site: Site, inputs: Sequence[Code], _: str) -> Code:
    if len(inputs) == 1:
        return inputs[0]
    return Code(f"torch.cat(({', '.join(map(str, inputs))}), {site.axis})")


def _affine(site: Site, inputs: Sequence[Code], _: str) -> Code:
    scale, offset, x = site.args["scale"], site.args["offset"], inputs[0].operand
    if scale == -1 and offset != 0:
        return Code(f"{offset} - {x}", atom=False)
    scaled = x if scale == 1 else f"{scale} * {x}"
    if offset == 0:
        return inputs[0] if scale == 1 else Code(scaled, atom=False)
    return Code(f"{scaled} + {offset}", atom=False)


def _zero(site: Site, inputs: Sequence[Code], _: str) -> Code:
    stride = site.number("stride")
    x = str(inputs[0]) if stride == 1 else f"{inputs[0].operand}[:, :, ::{stride}, ::{stride}]"
    return called("torch.zeros_like", x)


def _attention(site: Site, inputs: Sequence[Code], _: str) -> Code:
    return called(
        "attention", *inputs, f"heads={site.args['heads']}", f"causal={site.args['causal']}"
    )


def _part(site: Site, x: str) -> str:
    return f"{x}.chunk({site.args['of']}, {site.axis})[{site.number('index') - 1}]"


FUNCTIONS: Mapping[str, Writer] = {
    **{
        name: _simple(f"torch.{name}")
        for name in ("relu", "tanh", "sigmoid", "abs", "sqrt", "exp", "log", "sin", "cos", "sinc")
    },
    **{name: _simple(f"torch.{name}") for name in ("sinh", "cosh", "asinh", "atan", "erf")},
    "reciprocal": _simple("torch.reciprocal"),
    "relu6": _simple("F.relu6"),
    "gelu": _simple("F.gelu"),
    "swish": _simple("F.silu"),
    "hard_swish": _simple("F.hardswish"),
    "hard_sigmoid": _simple("F.hardsigmoid"),
    "softplus": _simple("F.softplus"),
    "softmax": _method(lambda site, x: f"{x}.softmax({site.axis})"),
    "identity": Writer(lambda site, inputs, _: inputs[0]),
    "auxiliary": Writer(lambda site, inputs, _: inputs[0]),
    "zero": Writer(_zero, fixed=_args),
    "global_avg_pool": _method(lambda site, x: f"{x}.mean({(2, 3) if site.rank == 2 else 1})"),
    "upsample": _method(
        lambda site, x: (
            f"{x}.repeat_interleave({site.args['factor']}, 2)"
            f".repeat_interleave({site.args['factor']}, 3)"
        )
    ),
    "shift": _method(lambda site, x: f"F.pad({x}, (0, 1, 0, 1))[:, :, 1:, 1:]"),
    "channel_shuffle": _method(lambda site, x: f"channel_shuffle({x}, {site.args['groups']})"),
    "channel_part": _method(_part),
    "to_sequence": _method(lambda site, x: f"{x}.flatten(2).transpose(1, 2)"),
    "flatten": _method(lambda site, x: f"{x}.flatten(1)"),
    "attention": Writer(_attention, fixed=_args),
    "sum": _operator("+"),
    "product": _operator("*"),
    "mean": Writer(_mean),
    "min": _pairwise("torch.minimum"),
    "max": _pairwise("torch.maximum"),
    "concat": Writer(_concat),
    "add": _elementwise("+"),
    "subtract": _elementwise("-"),
    "multiply": _elementwise("*"),
    "divide": _elementwise("/"),
    "affine": Writer(_affine, fixed=_args),
}
"""The writers of operations that are expressions."""
