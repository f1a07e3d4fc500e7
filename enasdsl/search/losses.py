"""What training minimises: the cross-entropy, heads at the side, and penalties."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from torch import Tensor, nn

from enasdsl.ir.graph import Network, Scan
from enasdsl.ir.parameters import steps
from enasdsl.nn.mode import Trace
from enasdsl.nn.weights import WeightStore
from enasdsl.search.problem import loss_of
from enasdsl.semantics.training import Penalty, Training


@contextmanager
def traced(store: WeightStore) -> Iterator[Trace]:
    """Runs of a network while training, noted in a trace."""
    store.trace = trace = Trace()
    try:
        yield trace
    finally:
        store.trace = None


def beside(trace: Trace, targets: Tensor, settings: Training) -> Tensor | float:
    """What joins the loss of a network: that of its heads at the side, and penalties."""
    found: Tensor | float = 0.0
    for logits in trace.auxiliary:
        found = found + settings.auxiliary.weight * loss_of(logits, targets)
    for sequence in trace.sequences:
        found = found + _penalty(sequence, settings.penalty)
    return found


def _penalty(sequence: Tensor, settings: Penalty) -> Tensor | float:
    """The penalties on the outputs [B, T, C] of a recurrent cell (Merity et al. 2017)."""
    found: Tensor | float = 0.0
    if settings.activation:
        found = found + settings.activation * sequence.square().mean()
    if settings.slowness and sequence.shape[1] > 1:
        found = found + settings.slowness * sequence.diff(dim=1).square().mean()
    return found


def aside(network: Network) -> frozenset[str]:
    """The places of operations that only heads at the side need."""
    first = len(network.inputs)
    needed = set(network.outputs)
    for index in reversed(range(len(network.steps))):
        step = network.steps[index]
        if first + index in needed:
            to_side = not isinstance(step, Scan) and step.op == "auxiliary"
            needed.update(step.inputs[:1] if to_side else step.inputs)
    kept, left = set[str](), set[str]()
    for index, step in enumerate(network.steps):
        within = steps(step.network) if isinstance(step, Scan) else (step,)
        (kept if first + index in needed else left).update(s.place for s in within)
    return frozenset(left - kept)


def hold(store: WeightStore, network: Network, keys: Iterable[tuple[str, str]]) -> None:
    """Keeps the weights of heads at the side as they began, as the authors' code does (facts D29).

    `keys` are those of all weights of the network.
    """
    places = aside(network)
    for place, weight in keys:
        tensor = store.tensor(place, weight)
        if place in places and isinstance(tensor, nn.Parameter):
            tensor.requires_grad_(False)
