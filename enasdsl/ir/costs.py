"""What one architecture costs: its parameters and its multiply-accumulates, without torch."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from enasdsl.ir.graph import Apply, Body, Call, Network, Scan
from enasdsl.ir.parameters import active_parameter_count, parameter_count
from enasdsl.ir.space import Architecture, Space
from enasdsl.ir.specialize import specialize
from enasdsl.semantics.ops import OPS, OpSpec, axis_size
from enasdsl.semantics.shapes import Args
from enasdsl.semantics.symbols import Shape, extremes, limit


@dataclass(frozen=True, slots=True)
class Cost:
    """The trained numbers of an architecture, and its multiply-accumulates for one example.

    An example is one image, or one token of a language model: what an operation takes for the
    whole sequence is divided by the length and rounded up. Products with weights count, and those
    of attention; tables, poolings, norms, activations and elementwise arithmetic do not.
    """

    params: int
    macs: int


def cost(space: Space, architecture: Architecture) -> Cost:
    """The cost of an architecture; raises ValueError where the file has no network."""
    network = specialize(space, architecture)
    params = active_parameter_count(network, space.places)
    return Cost(params, macs(network, examples=examples(space)))


def examples(space: Space) -> int:
    """How many examples the network's input holds: the tokens of a sequence, or one image."""
    if space.task != "language_model":
        return 1
    return space.bodies[0].values[0].shape.space[0]


def macs(network: Network, *, examples: int = 1, times: int = 1) -> int:
    """The multiply-accumulates for each of `examples` of a network that runs `times` times."""
    shapes = [*network.inputs, *(step.shape for step in network.steps)]
    total = 0
    for step in network.steps:
        inputs = tuple(shapes[i] for i in step.inputs)
        if isinstance(step, Scan):
            total += macs(step.network, examples=examples, times=times * step.shape.space[0])
        else:
            found = operation_macs(OPS[step.op], dict(step.args), inputs, step.shape)
            total += shared(times * found, examples)
    return total


def operation_macs(spec: OpSpec, args: Args, inputs: tuple[Shape, ...], output: Shape) -> int:
    """How often an operation multiplies and adds, for one example of settled shapes."""
    if not spec.macs:
        return 0
    channels = int(inputs[0].channels), int(output.channels)  # type: ignore[arg-type]
    axes = (prod(output.space) if axis == "places" else axis for axis in spec.macs)
    return prod(axis_size(axis, args, channels, 0) for axis in axes)


def ceiling(space: Space) -> Cost:
    """What no architecture of a space with a network costs more than."""

    def of(index: int, times: int) -> int:
        total = 0
        stamped = set()
        for value in space.bodies[index].values:
            if isinstance(value, Apply):
                total += shared(times * _most(value, space.bodies[index]), examples(space))
            elif isinstance(value, Call) and value.place not in stamped:
                stamped.add(value.place)
                total += of(value.body, times * (value.shape.space[0] if value.states else 1))
        return total

    return Cost(parameter_count(space.places), of(0, 1))


def _most(value: Apply, body: Body) -> int:
    """The multiply-accumulates of an operation at its largest."""
    args = {name: extremes(arg)[name != "groups"] for name, arg in value.args}
    shapes = [body.values[i].shape for i in value.inputs]
    inputs = tuple(Shape(limit(s.channels), s.space) for s in shapes)
    output = Shape(limit(value.shape.channels), value.shape.space)
    return operation_macs(OPS[value.op], args, inputs, output)


def shared(total: int, examples: int) -> int:
    """What each of `examples` bears of a total, rounded up."""
    return -(-total // examples)
