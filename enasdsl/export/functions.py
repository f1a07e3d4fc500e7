"""The plain PyTorch of operations that have nothing to keep."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import reduce

from enasdsl.export.code import Code, Site, Writer, called

Call = Callable[[Site, Sequence[Code], str], Code]


def _args(site: Site) -> tuple[object, ...]:
    return tuple(site.args.items())


def _method(call: Callable[[Site, str], str]) -> Writer:
    return Writer(lambda site, inputs, _: Code(call(site, inputs[0].operand)), fixed=_args)


def _operator(sign: str, level: int) -> Writer:
    def call(site: Site, inputs: Sequence[Code], _: str) -> Code:
        if len(inputs) == 1:
            return inputs[0]
        words = (x.term if level == 2 else x.operand for x in inputs)
        return Code(f" {sign} ".join(words), level)

    return Writer(call)


def _elementwise(sign: str) -> Writer:
    """Two values, of which a vector goes with every position of the other."""
    level = 2 if sign in "+-" else 1

    def call(site: Site, inputs: Sequence[Code], _: str) -> Code:
        ranks = [len(shape.space) for shape in site.inputs]
        words = []
        for x, rank in zip(inputs, ranks, strict=True):
            spread = max(ranks) > rank == 0
            plain = x.term if level == 2 else x.operand
            words.append(f"{x.operand}{_spread(max(ranks))}" if spread else plain)
        return Code(f" {sign} ".join(words), level)

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
    return Code(f"({' + '.join(x.term for x in inputs)}) / {len(inputs)}", 1)


def _concat(site: Site, inputs: Sequence[Code], _: str) -> Code:
    if len(inputs) == 1:
        return inputs[0]
    return Code(f"torch.cat(({', '.join(map(str, inputs))}), {site.axis})")


def _affine(site: Site, inputs: Sequence[Code], _: str) -> Code:
    scale, offset, x = site.args["scale"], site.args["offset"], inputs[0]
    if scale == -1 and offset != 0:
        return Code(f"{offset} - {x.term}", 2)
    scaled = x if scale == 1 else Code(f"{scale} * {x.operand}", 1)
    return scaled if offset == 0 else Code(f"{scaled.term} + {offset}", 2)


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


ACTIVATIONS = {
    **{
        name: f"torch.{name}"
        for name in (
            "relu", "tanh", "sigmoid", "abs", "sqrt", "exp", "log", "sin", "cos", "sinc", "sinh",
            "cosh", "asinh", "atan", "erf", "reciprocal",
        )
    },
    "relu6": "F.relu6",
    "gelu": "F.gelu",
    "swish": "F.silu",
    "hard_swish": "F.hardswish",
    "hard_sigmoid": "F.hardsigmoid",
    "softplus": "F.softplus",
    "identity": "nn.Identity()",
}  # fmt: skip
"""The operations of one value that one class may have for another."""


def activated(function: str, x: Code) -> Code:
    """An activation of a value."""
    return x if function == ACTIVATIONS["identity"] else called(function, x)


FUNCTIONS: Mapping[str, Writer] = {
    **{
        name: Writer(lambda site, inputs, _: activated(ACTIVATIONS[site.op], inputs[0]))
        for name in ACTIVATIONS
    },
    "softmax": _method(lambda site, x: f"{x}.softmax({site.axis})"),
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
    "sum": _operator("+", 2),
    "product": _operator("*", 1),
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
