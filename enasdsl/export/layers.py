"""The plain PyTorch of operations with weights, and of those that are modules by custom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from enasdsl.export.code import Code, Numbers, Site, Writer, called

NORM = {"scale": "weight", "offset": "bias", "mean": "running_mean", "variance": "running_var"}
DENSE = {"weight": "weight", "bias": "bias"}


def call_module(site: Site, inputs: Sequence[Code], name: str) -> Code:
    return called(name, inputs[0])


def listed(*positional: str, **optional: tuple[str, str]) -> str:
    """Arguments as text; an optional one, with its default, is left out where it has that."""
    named = [f"{key}={text}" for key, (text, default) in optional.items() if text != default]
    return ", ".join([*positional, *named])


# ----------------------------------------------------------------- convolutions


def total(site: Site) -> int:
    """The zeros around an image, along one axis; those that no window reaches do not count."""
    if site.args.get("padding", "same") != "same":
        return 0
    kernel, stride = site.number("kernel"), int(site.args.get("stride", 1))
    found = int(site.args.get("dilation", 1)) * (kernel - 1)
    if found == 1 and all((n - 1) // stride == (n - 2) // stride for n in site.inputs[0].space):
        return 0
    return found


def _odd(site: Site) -> tuple[object, ...]:
    """What is padded by hand, since it is more behind than before."""
    return (total(site),) if total(site) % 2 else ()


def _sizes(site: Site) -> dict[str, int]:
    padding = 0 if total(site) % 2 else total(site) // 2
    names = ("kernel", "stride", "dilation", "groups")
    found = {name: site.number(name) for name in names if name in site.args}
    return {"in": site.channels(), "out": site.made, **found, "padding": padding}


def _conv(site: Site, n: Numbers) -> str:
    return "nn.Conv2d(" + listed(
        n["in"], n["out"], n["kernel"],
        stride=(n["stride"], "1"), padding=(n["padding"], "0"),
        dilation=(n["dilation"], "1"), groups=(n["groups"], "1"),
        bias=(str(bool(site.args["bias"])), "True"),
    ) + ")"  # fmt: skip


def _depthwise(site: Site, n: Numbers) -> str:
    return "nn.Conv2d(" + listed(
        n["in"], n["in"], n["kernel"],
        stride=(n["stride"], "1"), padding=(n["padding"], "0"),
        dilation=(n["dilation"], "1"), groups=(n["in"], "1"), bias=("False", "True"),
    ) + ")"  # fmt: skip


def _along(kernel: str, padding: str) -> Writer:
    def made(site: Site, n: Numbers) -> str:
        zeros = padding.format(n["padding"]) if n["padding"] != "0" else "0"
        return "nn.Conv2d(" + listed(
            n["in"], n["out"], kernel.format(n["kernel"]),
            stride=(n["stride"], "1"), padding=(zeros, "0"), bias=("False", "True"),
        ) + ")"  # fmt: skip

    def call(site: Site, inputs: Sequence[Code], name: str) -> Code:
        before, odd = divmod(total(site), 2)
        if not odd:
            return call_module(site, inputs, name)
        pads = (before, before + 1, 0, 0) if kernel.startswith("(1") else (0, 0, before, before + 1)
        return called(name, called("F.pad", inputs[0], pads))

    return Writer(call, made, _sizes, _odd, DENSE)


def call_padded(site: Site, inputs: Sequence[Code], name: str) -> Code:
    before, odd = divmod(total(site), 2)
    if not odd:
        return call_module(site, inputs, name)
    pads = (before, before + 1, before, before + 1)
    return called(name, called("F.pad", inputs[0], pads))


def _sequence_sizes(site: Site) -> dict[str, int]:
    names = ("kernel", "dilation", "groups")
    found = {name: site.number(name) for name in names}
    return {"in": site.channels(), "out": site.made, **found, "padding": _even(site)}


def _even(site: Site) -> int:
    return 0 if site.args["causal"] or total(site) % 2 else total(site) // 2


def _sequence_fixed(site: Site) -> tuple[object, ...]:
    return () if _even(site) or not total(site) else (total(site), site.args["causal"])


def _sequence_conv(site: Site, n: Numbers) -> str:
    return "nn.Conv1d(" + listed(
        n["in"], n["out"], n["kernel"],
        padding=(n["padding"], "0"), dilation=(n["dilation"], "1"), groups=(n["groups"], "1"),
        bias=(str(bool(site.args["bias"])), "True"),
    ) + ")"  # fmt: skip


def _call_sequence(site: Site, inputs: Sequence[Code], name: str) -> Code:
    x = Code(f"{inputs[0].operand}.transpose(1, 2)")
    if _sequence_fixed(site):
        before = total(site) if site.args["causal"] else total(site) // 2
        x = called("F.pad", x, (before, total(site) - before))
    return Code(f"{name}({x}).transpose(1, 2)")


# -------------------------------------------------------------- pools, dropouts


def _pool_sizes(site: Site) -> dict[str, int]:
    padding = 0 if total(site) % 2 else total(site) // 2
    return {"kernel": site.number("kernel"), "stride": site.number("stride"), "padding": padding}


def _avg_pool(site: Site, n: Numbers) -> str:
    if total(site) % 2:
        return f"AvgPoolSame({n['kernel']}, {n['stride']})"
    counted = ("False", "True") if n["padding"] != "0" else ("True", "True")
    return "nn.AvgPool2d(" + listed(
        n["kernel"], n["stride"], padding=(n["padding"], "0"), count_include_pad=counted
    ) + ")"  # fmt: skip


def _max_pool(site: Site, n: Numbers) -> str:
    return f"nn.MaxPool2d({listed(n['kernel'], n['stride'], padding=(n['padding'], '0'))})"


def _call_max(site: Site, inputs: Sequence[Code], name: str) -> Code:
    before, odd = divmod(total(site), 2)
    if not odd:
        return call_module(site, inputs, name)
    pads = (before, before + 1, before, before + 1)
    return called(name, called("F.pad", inputs[0], pads, 'value=float("-inf")'))


def _rate(site: Site) -> tuple[object, ...]:
    return (site.args["rate"],)


# --------------------------------------------------------- dense, norms, tables


def _linear(site: Site, n: Numbers) -> str:
    bias = (str(bool(site.args["bias"])), "True")
    return f"nn.Linear({listed(n['in'], n['out'], bias=bias)})"


def _ends(site: Site) -> dict[str, int]:
    return {"in": site.channels(), "out": site.made}


def _width(site: Site) -> dict[str, int]:
    return {"out": site.made}


def _norm(site: Site) -> tuple[object, ...]:
    return tuple((name, site.args.get(name)) for name in ("affine", "momentum", "eps"))


def _batch_norm(site: Site, n: Numbers) -> str:
    size = "2d" if site.rank == 2 else "1d"
    return f"nn.BatchNorm{size}(" + listed(
        n["out"], eps=(repr(site.args["eps"]), "1e-05"),
        momentum=(repr(site.args["momentum"]), "0.1"), affine=(repr(site.args["affine"]), "True"),
    ) + ")"  # fmt: skip


def _call_batch_norm(site: Site, inputs: Sequence[Code], name: str) -> Code:
    if site.rank != 1:
        return call_module(site, inputs, name)
    return Code(f"{name}({inputs[0].operand}.transpose(1, 2)).transpose(1, 2)")


def _layer_norm(site: Site, n: Numbers) -> str:
    affine = (repr(site.args["affine"]), "True")
    eps = (repr(site.args["eps"]), "1e-05")
    return f"nn.LayerNorm({listed(n['out'], eps=eps, elementwise_affine=affine)})"


def _call_layer_norm(site: Site, inputs: Sequence[Code], name: str) -> Code:
    if site.rank != 2:
        return call_module(site, inputs, name)
    return Code(f"{name}({inputs[0].operand}.movedim(1, -1)).movedim(-1, 1)")


def _embedding(site: Site, n: Numbers) -> str:
    return f"nn.Embedding({n['in']}, {n['out']})"


def _positions(site: Site) -> dict[str, int]:
    return {"positions": site.inputs[0].space[0], "out": site.made}


def _positional(site: Site, n: Numbers) -> str:
    return f"nn.Parameter(torch.zeros({n['positions']}, {n['out']}))"


def _add_own(site: Site, inputs: Sequence[Code], name: str) -> Code:
    return Code(f"{inputs[0].term} + {name}", 2)


def _per_channel(sign: str) -> Writer:
    fill = "ones" if sign == "*" else "zeros"

    def call(site: Site, inputs: Sequence[Code], name: str) -> Code:
        own = f"{name}[:, None, None]" if site.rank == 2 else name
        if sign == "*":
            return Code(f"{inputs[0].operand} * {own}", 1)
        return Code(f"{inputs[0].term} + {own}", 2)

    def made(site: Site, n: Numbers) -> str:
        return f"nn.Parameter(torch.{fill}({n['out']}))"

    return Writer(call, made, _width, weights={"scale": "", "offset": ""})


LAYERS: Mapping[str, Writer] = {
    "conv": Writer(call_padded, _conv, _sizes, lambda s: (*_odd(s), s.args["bias"]), DENSE),
    "depthwise_conv": Writer(call_padded, _depthwise, _sizes, _odd, DENSE),
    "row_conv": _along("(1, {})", "(0, {})"),
    "column_conv": _along("({}, 1)", "({}, 0)"),
    "sequence_conv": Writer(
        _call_sequence, _sequence_conv, _sequence_sizes,
        lambda s: (*_sequence_fixed(s), s.args["bias"]), DENSE,
    ),
    "linear": Writer(call_module, _linear, _ends, lambda s: (s.args["bias"],), DENSE),
    "embedding": Writer(call_module, _embedding, _ends, weights=DENSE),
    "positional_embedding": Writer(_add_own, _positional, _positions, weights={"weight": ""}),
    "learned_scale": _per_channel("*"),
    "learned_offset": _per_channel("+"),
    "batch_norm": Writer(_call_batch_norm, _batch_norm, _width, _norm, NORM),
    "layer_norm": Writer(_call_layer_norm, _layer_norm, _width, _norm, NORM),
    "avg_pool": Writer(call_module, _avg_pool, _pool_sizes, _odd),
    "max_pool": Writer(_call_max, _max_pool, _pool_sizes, _odd),
    "dropout": Writer(call_module, lambda s, n: f"nn.Dropout({s.args['rate']!r})", fixed=_rate),
    "sequence_dropout": Writer(
        call_module, lambda s, n: f"SequenceDropout({s.args['rate']!r})", fixed=_rate
    ),
    "drop_path": Writer(call_module, lambda s, n: f"DropPath({s.args['rate']!r})", fixed=_rate),
}  # fmt: skip
"""The writers of operations that are attributes of their class."""
