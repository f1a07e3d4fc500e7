"""What the shared weights are trained with in one step: architectures, or weighed choices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from enasdsl.ir.parameters import Region, used
from enasdsl.ir.space import Architecture
from enasdsl.nn.relaxed import RelaxedSupernet, Weighing
from enasdsl.nn.supernet import Supernet
from enasdsl.search.problem import Batch, States, loss_of


class Trainee(Protocol):
    """A network over the shared weights; `architecture` is the one that it stands for."""

    @property
    def architecture(self) -> Architecture: ...
    def loss(self, batch: Batch, states: States) -> tuple[Tensor, States]:
        """The mean cross-entropy, and the states carried out."""
        ...

    def regions(self) -> Mapping[tuple[str, str], Region]:
        """Which parts of the shared weights it uses."""
        ...


@dataclass(frozen=True, slots=True)
class Single:
    """One architecture."""

    supernet: Supernet
    architecture: Architecture

    def loss(self, batch: Batch, states: States) -> tuple[Tensor, States]:
        return self.supernet.loss(batch.inputs, batch.targets, self.architecture, states)

    def regions(self) -> Mapping[tuple[str, str], Region]:
        network = self.supernet.program(self.architecture).network
        return used(network, self.supernet.places)


@dataclass(frozen=True, slots=True)
class Weighed:
    """Many architectures at once."""

    relaxed: RelaxedSupernet
    weighing: Weighing

    @property
    def architecture(self) -> Architecture:
        return self.weighing.architecture

    def loss(self, batch: Batch, states: States) -> tuple[Tensor, States]:
        logits, last = self.relaxed.run(batch.inputs, self.weighing, states)
        return loss_of(logits, batch.targets), last

    def regions(self) -> Mapping[tuple[str, str], Region]:
        operations = self.relaxed.operations(self.weighing.support)
        return used(operations, self.relaxed.supernet.places)
