"""The reference of one operation: what it takes, gives, owns and costs, from its own record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import prod
from textwrap import indent, wrap

from enasdsl.ir.costs import operation_macs
from enasdsl.semantics.constants import spell
from enasdsl.semantics.imports import prelude
from enasdsl.semantics.ops import OPS, Default, OpParameter, OpSpec, Weight, axis_size
from enasdsl.semantics.shapes import ShapeMismatch
from enasdsl.semantics.symbols import Num, Shape
from enasdsl.syntax import ast

Facts = dict[str, object]

SAMPLES = (
    Shape(16, (32, 32)),
    Shape(16, (35,)),
    Shape(16),
    Shape(10_000, (35,), tokens=True),
)
"""An image, a sequence, a vector and tokens: what an operation is shown on."""

_GIVEN: Mapping[str, Num] = {"kernel": 3, "filters": 32, "units": 32, "size": 32, "heads": 4}
WIDTH = 96
_READS = {0: "any number of values", 1: "one value", 2: "two values", 3: "three values"}
_KINDS = {int: "whole number", float: "number", bool: "true or false", str: "text"}


def composites() -> dict[str, ast.OpDecl]:
    """The operations of the prelude by name."""
    declared = prelude().tree.declarations
    return {d.name.text: d for d in declared if isinstance(d, ast.OpDecl)}


def operation_facts(name: str) -> Facts:
    """Everything about one operation as plain data; raises KeyError for an unknown one."""
    if name in OPS:
        return _primitive(OPS[name])
    return _composite(composites()[name])


def _primitive(spec: OpSpec) -> Facts:
    return {
        "name": spec.name,
        "signature": _signature(spec.name, [_heading(p) for p in spec.parameters]),
        "category": spec.category,
        "summary": spec.summary,
        "reads": _READS[spec.arity],
        "takes_stride": spec.strides,
        "parameters": [_parameter(p) for p in spec.parameters],
        "weights": [_weight(w) for w in spec.weights],
        "examples": list(_examples(spec)),
    }


def _composite(declared: ast.OpDecl) -> Facts:
    heads = [
        p.name.text + ("" if p.default is None else f" = {_source(p.default)}")
        for p in declared.parameters
    ]
    return {
        "name": declared.name.text,
        "signature": _signature(declared.name.text, heads),
        "category": "prelude",
        "summary": _remark(declared),
        "definition": declared.span.text,
    }


def _signature(name: str, parameters: Sequence[str]) -> str:
    return f"{name}({', '.join(parameters)})" if parameters else name


def _heading(parameter: OpParameter) -> str:
    match parameter.implicit:
        case Default.REQUIRED:
            return parameter.name
        case "":
            return f"{parameter.name} = {spell(parameter.default)}"
        case implicit:
            return f"{parameter.name} = {implicit}"


def _parameter(parameter: OpParameter) -> Facts:
    widths = (Default.FILTERS, Default.HIDDEN)
    implicit = parameter.implicit
    default = parameter.default if not implicit else implicit if implicit in widths else None
    return {
        "name": parameter.name,
        "kind": _KINDS[parameter.kind],
        "required": implicit == Default.REQUIRED,
        "default": default,
        "least": parameter.least,
        "choices": list(parameter.choices),
        "may_be_chosen": not parameter.fixed,
    }


def _weight(weight: Weight) -> Facts:
    return {
        "name": weight.name,
        "axes": list(weight.axes),
        "init": weight.init,
        "trained": not weight.buffer,
        "when": weight.when,
    }


def _source(expr: ast.Expr) -> str:
    return expr.span.text


def _remark(declared: ast.OpDecl) -> str:
    """The comment that stands right above an operation in the prelude."""
    above = declared.span.source.text[: declared.span.start].rstrip("\n").split("\n")
    lines: list[str] = []
    while above and above[-1].startswith("#"):
        lines.insert(0, above.pop().removeprefix("#").strip())
    return " ".join(lines)


# -------------------------------------------------------------------- examples


def _examples(spec: OpSpec) -> Iterator[Facts]:
    """What the operation makes of each kind of value that it reads, and what that costs."""
    strides = (1, 2) if spec.strides else (1,)
    for sample in SAMPLES:
        for stride in strides:
            args = _sample_arguments(spec, sample)
            if spec.strides:
                args["stride"] = stride
            inputs = (sample,) * (spec.arity or 2)
            try:
                output = spec.shape(args, inputs)
            except ShapeMismatch:
                continue
            yield {
                "input": str(sample),
                "stride": stride,
                "output": str(output),
                "parameters": _trained(spec, args, sample, output),
                "macs": operation_macs(spec, args, inputs, output),
            }


def _sample_arguments(spec: OpSpec, sample: Shape) -> dict[str, Num]:
    return {p.name: _sample_argument(p) for p in spec.parameters}


def _sample_argument(parameter: OpParameter) -> Num:
    if not parameter.implicit:
        assert isinstance(parameter.default, bool | int | float | str)
        return parameter.default
    return _GIVEN.get(parameter.name, 1)


def _trained(spec: OpSpec, args: Mapping[str, Num], sample: Shape, output: Shape) -> int:
    channels = int(sample.channels), int(output.channels)  # type: ignore[arg-type]
    positions = prod(sample.space)
    return sum(
        prod(axis_size(axis, args, channels, positions) for axis in weight.axes)
        for weight in spec.weights
        if not weight.buffer and (weight.when is None or args[weight.when])
    )


# ------------------------------------------------------------------------ text


def operation_text(name: str) -> str:
    """The same for a person."""
    facts = operation_facts(name)
    lines = [str(facts["signature"]), f"  {facts['summary']}"]
    if name not in OPS:
        return "\n".join([*lines, "", indent(str(facts["definition"]), "  ")])
    spec = OPS[name]
    stride = "; takes the stride in force" if spec.strides else ""
    lines.append(f"  reads {_READS[spec.arity]}{stride}")
    lines += _section("parameters", [(p.name, describe_parameter(p)) for p in spec.parameters])
    lines += _section("weights", [(w.name, _owned(w)) for w in spec.weights])
    lines += _section(_shown_as(spec), list(map(_example, _examples(spec))))
    return "\n".join(lines)


def _section(title: str, rows: Sequence[tuple[str, ...]]) -> list[str]:
    if not rows:
        return []
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    return ["", f"  {title}", *(f"    {line}" for line in lines)]


def describe_parameter(parameter: OpParameter) -> str:
    """The kind of a parameter, its bounds and what holds where it is left out, in one line."""
    words = [_KINDS[parameter.kind]]
    if parameter.choices:
        words = [" or ".join(map(spell, parameter.choices))]
    if parameter.least is not None:
        words.append(f"at least {parameter.least:g}")
    match parameter.implicit:
        case Default.REQUIRED:
            words.append("must be given")
        case "":
            words.append(f"{spell(parameter.default)} if left out")
        case implicit:
            words.append(f"the `{implicit}` in force if left out, else the channels of the input")
    words.append("must be fixed" if parameter.fixed else "may be chosen")
    return ", ".join(words)


def _owned(weight: Weight) -> str:
    shape = " x ".join(map(str, weight.axes))
    when = f", with {weight.when}: true" if weight.when else ""
    return f"{shape}{when}{', not trained' if weight.buffer else ''}"


def _shown_as(spec: OpSpec) -> str:
    given = ", ".join(
        f"{p.name}: {spell(_sample_argument(p))}" for p in spec.parameters if p.implicit
    )
    return f"as {spec.name}({given})" if given else f"as {spec.name}"


def _example(facts: Facts) -> tuple[str, ...]:
    stride = f", stride {facts['stride']}" if facts["stride"] != 1 else ""
    costs = [f"{facts[key]:,} {key}" for key in ("parameters", "macs") if facts[key]]
    return f"{facts['input']}{stride}", f"-> {facts['output']}", ", ".join(costs)


def overview_text() -> str:
    """All operations, a line or two for each, by category."""
    categories: dict[str, list[tuple[str, str]]] = {}
    for spec in OPS.values():
        heading = _signature(spec.name, [p.name for p in spec.parameters])
        categories.setdefault(spec.category, []).append((heading, spec.summary))
    for name, declared in composites().items():
        heading = _signature(name, [p.name.text for p in declared.parameters])
        categories.setdefault("prelude", []).append((heading, _remark(declared)))
    lines: list[str] = []
    for category, rows in categories.items():
        lines += ["", category]
        for heading, summary in rows:
            lines += _entry(heading, summary)
    return "\n".join(lines[1:])


def _entry(heading: str, summary: str) -> list[str]:
    """A heading and, at a common column beside or below it, what it does."""
    column = 32
    told = wrap(summary, WIDTH - column)
    if len(heading) > column - 4:
        return [f"  {heading}", *(" " * column + line for line in told)]
    first, *rest = told or [""]
    return [f"  {heading:<{column - 2}}{first}".rstrip(), *(" " * column + line for line in rest)]
