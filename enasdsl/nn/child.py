"""One architecture as a module of its own, with its own weights only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Self

import torch
from torch import Tensor

from enasdsl.ir.graph import Network, Step
from enasdsl.ir.parameters import Region, by_name, owned, pack, regions, used
from enasdsl.ir.space import Architecture, PlaceSpec
from enasdsl.nn.execute import Program, States
from enasdsl.nn.supernet import Supernet
from enasdsl.nn.weights import Init, WeightStore, cut


class Child(WeightStore):
    """A network with weights as large as it uses them, named as in the supernet.

    Without `batch_statistics`, as by default, batch norm keeps running values and uses them in
    evaluation. Dropout draws from `noise`, or from torch's generator of the device. `native` is as
    for a supernet.
    """

    def __init__(
        self,
        network: Network,
        places: Sequence[PlaceSpec],
        *,
        init: Init,
        generator: torch.Generator,
        batch_statistics: bool = False,
        native: bool = False,
    ) -> None:
        super().__init__()
        self.network = network
        self.batch_statistics = batch_statistics
        named = by_name(places)
        self.shared = used(network, named)
        shapes = {key: pack(region, region).shape for key, region in self.shared.items()}
        tensors = [w for spec in places for w in owned(spec) if w.key in shapes]
        self.allocate(
            [replace(w, shape=shapes[w.key]) for w in tensors], init=init, generator=generator
        )

        def packed(step: Step) -> dict[str, Region]:
            found = regions(step, named)
            return {name: pack(r, self.shared[r.key]) for name, r in found.items()}

        self.program = Program(network, packed, native=native)

    @classmethod
    def from_supernet(cls, supernet: Supernet, architecture: Architecture | Network) -> Self:
        """A child that starts from copies of the shared weights, and gives the same results."""
        network = supernet.program(architecture).network
        child = cls(
            network,
            supernet.space.places,
            init=Init("uniform", bound=0.0),
            generator=torch.Generator(),
            batch_statistics=supernet.batch_statistics,
            native=supernet.native,
        )
        with torch.no_grad():
            for key, region in child.shared.items():
                source = cut(supernet.tensor(*key), region.cuts)
                child.tensor(*key).data = source.detach().clone()
        child.noise = supernet.noise
        return child.train(supernet.training)

    def forward(self, x: Tensor, states: States | None = None) -> tuple[Tensor, States]:
        """The result, and the states of the recurrent cells, each [B, C]."""
        (y, *_), states = self.program.run(self, (x,), states, mode=self.mode)
        return y, states

    def loss(
        self, x: Tensor, targets: Tensor, states: States | None = None
    ) -> tuple[Tensor, States]:
        """The mean cross-entropy of the result, and the states, as `forward` has them."""
        return self.program.loss(self, (x,), targets, states, mode=self.mode)
