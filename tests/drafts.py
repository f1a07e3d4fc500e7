"""Networks written by hand, step by step, for the tests of their torch code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch

from enasdsl.ir.graph import Network, Scan, Step
from enasdsl.ir.space import PlaceSpec, Space
from enasdsl.nn.supernet import Supernet
from enasdsl.nn.weights import Init
from enasdsl.semantics.ops import OPS
from enasdsl.semantics.symbols import Scalar, Shape, Spans

DEFAULTS: dict[str, Scalar] = {
    "stride": 1, "groups": 1, "dilation": 1, "padding": "same", "bias": False, "tied": False,
    "affine": True, "causal": False, "momentum": 0.1, "eps": 1e-5,
    "word_dropout": 0.0,
}  # fmt: skip


def arguments(op: str, given: Mapping[str, Scalar]) -> tuple[tuple[str, Scalar], ...]:
    names = [p.name for p in OPS[op].parameters] + ["stride"] * OPS[op].strides
    return tuple((name, given.get(name, DEFAULTS.get(name, 1))) for name in names)


class Draft:
    """A network written by hand, step by step, together with its places."""

    def __init__(self, *inputs: Shape) -> None:
        self.inputs = inputs
        self.shapes = list(inputs)
        self.steps: list[Step | Scan] = []
        self.places: list[PlaceSpec] = []

    def add(
        self, op: str, *inputs: int, place: str = "", ties: str | None = None, **given: Scalar
    ) -> int:
        args = arguments(op, given)
        shapes = tuple(self.shapes[i] for i in inputs)
        shape = OPS[op].shape(dict(args), shapes)
        place = place or f"net/node{len(self.steps)}/{op}"
        self.steps.append(Step(op, args, inputs, place, shape))
        if OPS[op].weights and place not in {p.place for p in self.places}:
            width = channels((shape,))[0]
            self.places.append(
                PlaceSpec(place, op, args, channels(shapes), width, shapes[0].space, tied=ties)
            )
        return self._push(shape)

    def scan(self, body: Draft, *inputs: int, states: int, outputs: tuple[int, ...]) -> int:
        sequence = next(self.shapes[i] for i in inputs if self.shapes[i].space)
        network = Network(body.inputs, tuple(body.steps), outputs)
        shape = Shape(body.shapes[outputs[0]].channels, sequence.space)
        self.steps.append(Scan(network, inputs, states, "net/cell", shape))
        self.places += body.places
        return self._push(shape)

    def _push(self, shape: Shape) -> int:
        self.shapes.append(shape)
        return len(self.shapes) - 1

    def network(self, *outputs: int) -> Network:
        return Network(self.inputs, tuple(self.steps), outputs or (len(self.shapes) - 1,))


def channels(shapes: Sequence[Shape]) -> tuple[int, ...]:
    found = []
    for shape in shapes:
        assert isinstance(shape.channels, int)
        found.append(shape.channels)
    return tuple(found)


def supernet(
    places: Sequence[PlaceSpec], *, batch_statistics: bool = True, init: Init | None = None
) -> Supernet:
    space = Space("hand", "image_classifier", (), places=tuple(places))
    generator = torch.Generator().manual_seed(1)
    return Supernet(
        space, init=init or Init(), generator=generator, batch_statistics=batch_statistics
    )


def steps_with_spans(
    network: Network, spans: Mapping[str, tuple[tuple[Spans, ...] | None, Spans | None]]
) -> Network:
    steps = tuple(
        replace(s, reads=spans[s.place][0], writes=spans[s.place][1])
        if isinstance(s, Step) and s.place in spans
        else s
        for s in network.steps
    )
    return replace(network, steps=steps)


def conv_net(filters: int = 6) -> Draft:
    draft = Draft(Shape(3, (8, 8)))
    at = draft.add("conv", 0, place="stem/conv", kernel=3, filters=filters, stride=2, bias=True)
    at = draft.add("batch_norm", at, place="stem/norm")
    at = draft.add("relu", at)
    at = draft.add("global_avg_pool", at)
    draft.add("linear", at, place="head/linear", units=4, bias=True)
    return draft


def highway(hidden: int, *, norm: bool = False) -> Draft:
    """A recurrent highway cell of two nodes over x and h; its value is their mean."""
    body = Draft(Shape(hidden), Shape(hidden))
    joined = body.add("concat", 0, 1)
    nodes: list[int] = []
    for read, carry in ((joined, 1), (None, None)):
        source = nodes[0] if read is None else read
        kept = source if carry is None else carry
        gate = body.add("linear", source, units=hidden)
        gate = body.add("sigmoid", gate)
        new = body.add("tanh", body.add("linear", source, units=hidden))
        rest = body.add("affine", gate, scale=-1, offset=1)
        parts = body.add("multiply", gate, new), body.add("multiply", rest, kept)
        nodes.append(body.add("add", *parts))
    last = body.add("mean", *nodes)
    if norm:
        body.add("batch_norm", last)
    return body


def language_model(hidden: int = 6, *, norm: bool = False) -> Draft:
    draft = Draft(Shape(11, (5,), tokens=True))
    at = draft.add("embedding", 0, place="stem/embedding", size=hidden)
    body = highway(hidden, norm=norm)
    at = draft.scan(body, at, states=1, outputs=(len(body.shapes) - 1,))
    draft.add("linear", at, place="head/linear", ties="stem/embedding", units=11)
    return draft


def sliced() -> tuple[Draft, Network]:
    """A conv, a norm and a linear over parts of their channels; a 3 x 3 kernel out of 5 x 5."""
    large = Draft(Shape(9, (6, 6)))
    at = large.add("conv", 0, place="a", kernel=5, filters=8, bias=True)
    at = large.add("batch_norm", at, place="b.norm(0.1)")
    at = large.add("global_avg_pool", at)
    large.add("linear", at, place="c/é=%", units=4)
    small = Draft(Shape(5, (6, 6)))
    at = small.add("conv", 0, place="a", kernel=3, filters=6, bias=True)
    at = small.add("batch_norm", at, place="b.norm(0.1)")
    at = small.add("global_avg_pool", at)
    small.add("linear", at, place="c/é=%", units=4)
    six: Spans = ((0, 2), (3, 5), (6, 8))
    spans = {
        "a": ((((1, 3), (5, 8)),), six),
        "b.norm(0.1)": ((six,), six),
        "c/é=%": ((six,), None),
    }
    return large, steps_with_spans(small.network(), spans)
