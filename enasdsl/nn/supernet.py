"""One module with every weight of a space, run as any of its architectures."""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import Tensor, nn

from enasdsl.ir.graph import Network
from enasdsl.ir.parameters import by_name, owned, regions, used
from enasdsl.ir.space import Architecture, Space
from enasdsl.ir.specialize import specialize
from enasdsl.nn.execute import Program, States
from enasdsl.nn.weights import Init, WeightStore


class Supernet(WeightStore):
    """The shared weights of a space (Pham et al. 2018, section 2).

    A gradient reaches only the weights that the architecture uses; all others keep `grad` None,
    and of a sliced weight the rest gets zeros. With `batch_statistics`, batch norm normalises by
    the batch in training and evaluation alike and keeps nothing; without, it keeps running values.
    With `native`, kernels in C++ run where there are some.
    Dropout draws from `noise`, or, where that is None, from torch's generator of the device.
    """

    def __init__(
        self,
        space: Space,
        *,
        init: Init,
        generator: torch.Generator,
        batch_statistics: bool = True,
        native: bool = False,
        remembered: int = 64,
    ) -> None:
        super().__init__()
        self.space = space
        self.batch_statistics = batch_statistics
        self.native = native
        self.places = by_name(space.places)
        self.remembered = remembered
        self.programs: OrderedDict[Architecture | int, Program] = OrderedDict()
        tensors = [w for spec in space.places for w in owned(spec)]
        self.allocate(tensors, init=init, generator=generator)

    def forward(
        self, x: Tensor, architecture: Architecture | Network, states: States | None = None
    ) -> tuple[Tensor, States]:
        """The result for one architecture, and the states of its recurrent cells, each [B, C]."""
        (y, *_), states = self.program(architecture).run(self, (x,), states, mode=self.mode)
        return y, states

    def loss(
        self,
        x: Tensor,
        targets: Tensor,
        architecture: Architecture | Network,
        states: States | None = None,
    ) -> tuple[Tensor, States]:
        """The mean cross-entropy of one architecture's result, and its states, as `forward` has."""
        return self.program(architecture).loss(self, (x,), targets, states, mode=self.mode)

    def active(self, architecture: Architecture | Network) -> list[nn.Parameter]:
        """The parameters that an architecture uses, each once."""
        network = (
            architecture
            if isinstance(architecture, Network)
            else self.program(architecture).network
        )
        found = (self.tensor(*key) for key in used(network, self.places))
        return [p for p in found if isinstance(p, nn.Parameter)]

    def program(self, architecture: Architecture | Network) -> Program:
        """The bound network of an architecture; the latest are remembered.

        Raises ValueError for an architecture of another space.
        """
        key = id(architecture) if isinstance(architecture, Network) else architecture
        program = self.programs.pop(key, None)
        if program is None:
            network = self._network(architecture)
            program = Program(network, lambda step: regions(step, self.places), native=self.native)
        self.programs[key] = program
        if len(self.programs) > self.remembered:
            self.programs.popitem(last=False)
        return program

    def _network(self, architecture: Architecture | Network) -> Network:
        if isinstance(architecture, Network):
            return architecture
        if architecture.hash != self.space.hash:
            raise ValueError(
                f"the architecture is of {architecture.space} ({architecture.hash}), "
                f"the supernet of {self.space.name} ({self.space.hash})"
            )
        return specialize(self.space, architecture)
