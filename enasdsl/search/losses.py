"""What training minimises: the cross-entropy, heads at the side, and penalties."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from torch import Tensor, nn

from enasdsl.ir.graph import Network, Scan, Step
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
    trunk = _behind(network, network.outputs)
    at = range(len(network.inputs), len(network.inputs) + len(network.steps))
    heads = [
        s.inputs[1] for i, s in zip(at, network.steps, strict=True) if i in trunk and _joins(s)
    ]
    side = _behind(network, heads) - trunk
    found = {i: s for i, s in zip(at, network.steps, strict=True) if i in trunk | side}
    kept = {p for i, s in found.items() if i in trunk for p in _places(s)}
    return frozenset(p for i, s in found.items() if i in side for p in _places(s)) - kept


def _behind(network: Network, outputs: Iterable[int]) -> set[int]:
    """The values from which `outputs` are made, heads at the side left out."""
    first = len(network.inputs)
    needed = set(outputs)
    for index in reversed(range(first, first + len(network.steps))):
        step = network.steps[index - first]
        if index in needed:
            needed.update(step.inputs[:1] if _joins(step) else step.inputs)
    return needed


def _joins(step: Step | Scan) -> bool:
    return isinstance(step, Step) and step.op == "auxiliary"


def _places(step: Step | Scan) -> Iterator[str]:
    yield from (s.place for s in (steps(step.network) if isinstance(step, Scan) else (step,)))


def hold(store: WeightStore, network: Network, keys: Iterable[tuple[str, str]]) -> None:
    """Keeps the weights of heads at the side as they began, as the authors' code does (facts D29).

    `keys` are those of all weights of the network.
    """
    places = aside(network)
    for place, weight in keys:
        tensor = store.tensor(place, weight)
        if place in places and isinstance(tensor, nn.Parameter):
            tensor.requires_grad_(False)
