"""What one architecture costs: its parameters and its multiply-accumulates, without torch."""

from __future__ import annotations

from dataclasses import dataclass

from enasdsl.ir.graph import Network, Scan
from enasdsl.ir.parameters import active_parameter_count
from enasdsl.ir.space import Architecture, Space
from enasdsl.ir.specialize import specialize
from enasdsl.semantics import ops


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
            found = ops.macs(ops.OPS[step.op], dict(step.args), inputs, step.shape)
            total += shared(times * found, examples)
    return total


def shared(total: int, examples: int) -> int:
    """What each of `examples` bears of a total, rounded up."""
    return -(-total // examples)
