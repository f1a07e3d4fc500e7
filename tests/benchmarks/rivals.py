"""A supernet and hand-written children side by side: proven equal, then ready to be timed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from random import Random

import torch
from torch import Tensor, nn

from benchmarks.frame import Action
from benchmarks.images import MacroChild, MicroChild
from benchmarks.words import RnnChild
from enasdsl.ir.parameters import Region, regions, steps, used
from enasdsl.ir.record import to_json
from enasdsl.ir.sample import sample
from enasdsl.ir.space import Architecture, Space
from enasdsl.nn.loss import loss_of
from enasdsl.nn.supernet import Supernet
from enasdsl.nn.weights import Init, cut
from enasdsl.search.compiling import SpaceFile
from enasdsl.search.descent import Descent
from enasdsl.search.enas import controller_of
from enasdsl.semantics.recipe import Recipe
from enasdsl.semantics.symbols import Shape
from enasdsl.semantics.task import IMAGE_CLASSIFIER, Task

LR = 1e-6
PROVEN = 16
"""Examples on which a pair is proven equal."""
Choices = dict[str, object]


@dataclass(frozen=True)
class Contest:
    """A space with a size, and how its children are written by hand."""

    space_name: str
    task: Task
    params: dict[str, object]
    child: Callable[[Choices], nn.Module]
    batch: int
    native: bool = False

    @cached_property
    def recipe(self) -> Recipe:
        settings = {f"params.{name}": value for name, value in self.params.items()}
        return SpaceFile.open(self.space_name).recipe("paper", settings, self.task)[1]

    @cached_property
    def space(self) -> Space:
        file = SpaceFile.open(self.space_name)
        return file.space({**self.recipe.params, **self.params}, self.task)

    def data(self) -> tuple[Tensor, Tensor]:
        """A minibatch of noise: neither time nor equality depends on what it shows."""
        generator = torch.Generator().manual_seed(1)
        if self.task is IMAGE_CLASSIFIER:
            x = torch.randn(self.batch, 3, 32, 32, generator=generator)
            return x, torch.randint(10, (self.batch,), generator=generator)
        size = (2, self.batch, *self.task.input.space)
        x, y = torch.randint(self.task.vocabulary, size, generator=generator)
        return x, y

    def supernet(self) -> Supernet:
        """Shared weights that keep running values, as the children do."""
        generator = torch.Generator().manual_seed(0)
        init = Init("uniform", 0.05) if self.task is not IMAGE_CLASSIFIER else Init()
        return Supernet(
            self.space,
            init=init,
            generator=generator,
            batch_statistics=False,
            native=self.native,
        )

    def architectures(self, n: int) -> Sequence[Architecture]:
        return sample(self.space, n, Random(1))


def words(hidden: int, vocabulary: int) -> Contest:
    task = Task("language_model", Shape(vocabulary, (35,), tokens=True), vocabulary=vocabulary)
    undropped = dict.fromkeys(("word_drop", "input_drop", "state_drop", "output_drop"), 0.0)
    params: dict[str, object] = {"hidden": hidden, **undropped}
    return Contest("rnn", task, params, lambda c: RnnChild(c, 12, hidden, vocabulary), 64)


def micro() -> Contest:
    params: dict[str, object] = {"head_drop": 0.0, "aux": False}
    return Contest("micro", IMAGE_CLASSIFIER, params, lambda c: MicroChild(c, 20, 2), 128)


def macro() -> Contest:
    params: dict[str, object] = {"head_drop": 0.0}
    return Contest("macro", IMAGE_CLASSIFIER, params, lambda c: MacroChild(c, 36), 128)


class Pair:
    """One architecture with the shared weights, and as a child with copies of them."""

    def __init__(
        self, contest: Contest, architecture: Architecture, *, proven: bool = True
    ) -> None:
        self.contest, self.architecture = contest, architecture
        self.net = net = contest.supernet()
        choices = to_json(net.space, architecture)["choices"]
        assert isinstance(choices, dict)
        self.child = contest.child(choices)
        self.x, self.y = contest.data()
        self.recipe = contest.recipe
        self.controller = controller_of(net.space, self.recipe.controller, 0)
        self.draws = torch.Generator().manual_seed(2)
        with torch.no_grad():
            for found, own in self.parameters():
                own.copy_(torch.cat([cut(net.tensor(*r.key), r.cuts) for r in found]))
        if proven:
            self.prove()
        self.child.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.descent = Descent(net, self.recipe.weights)
        weights = self.recipe.weights
        self.optimizer = torch.optim.SGD(
            self.child.parameters(),
            LR,
            weights.momentum,
            weight_decay=weights.decay,
            nesterov=weights.nesterov and weights.momentum > 0,
        )

    def parameters(self) -> Iterator[tuple[list[Region], nn.Parameter]]:
        """Each parameter of the child, with the shared ones of which it consists, row by row."""
        pending = iter(list(self._regions(buffers=False)))
        for own in self.child.parameters():
            found = [next(pending)]
            while sum(_rows(region) for region in found) < len(own):
                found.append(next(pending))
            yield found, own
        assert next(pending, None) is None

    def _regions(self, *, buffers: bool) -> Iterator[Region]:
        """What the network uses of the shared tensors, in the order of first use."""
        network = self.net.program(self.architecture).network
        every = (r for step in steps(network) for r in regions(step, self.net.places).values())
        yield from {r.key: r for r in every if r.buffer == buffers}.values()

    def supernet_loss(self, x: Tensor, y: Tensor) -> Tensor:
        return self.net.loss(x, y, self.architecture)[0]

    def child_loss(self, x: Tensor, y: Tensor) -> Tensor:
        x = x.contiguous(memory_format=torch.channels_last) if x.dim() == 4 else x
        result = self.child(x)
        return loss_of(result[0] if isinstance(result, tuple) else result, y)

    def prove(self) -> None:
        """Loss, gradients and running values are equal in double precision; raises otherwise."""
        self.net.double(), self.child.double()
        x, y = self.x[:PROVEN], self.y[:PROVEN]
        x = x.double() if x.is_floating_point() else x
        mine, wanted = self.supernet_loss(x, y), self.child_loss(x, y)
        torch.testing.assert_close(mine, wanted, rtol=1e-10, atol=0)
        torch.autograd.backward([mine, wanted])
        for found, own in self.parameters():
            grads = [cut(_grad(self.net.tensor(*r.key)), r.cuts) for r in found]
            torch.testing.assert_close(torch.cat(grads), own.grad, rtol=1e-6, atol=1e-9)
        kept = [self.net.tensor(*r.key) for r in self._regions(buffers=True)]
        theirs = [b for b in self.child.buffers() if b.dim() > 0]
        torch.testing.assert_close(kept, theirs, rtol=1e-9, atol=1e-12)
        self.net.float(), self.child.float()

    def supernet_step(self) -> None:
        """What a search does for one minibatch: draws, builds, and trains."""
        with torch.no_grad():
            self.controller.sample(1, self.draws)
        self.net.programs.clear()
        self.descent.clear()
        self.supernet_loss(self.x, self.y).backward()  # type: ignore[no-untyped-call]
        network = self.net.program(self.architecture).network
        self.descent.step(LR, [used(network, self.net.places)])

    def child_step(self) -> None:
        self.optimizer.zero_grad()
        self.child_loss(self.x, self.y).backward()  # type: ignore[no-untyped-call]
        bound = self.recipe.weights.clip or float("inf")
        nn.utils.clip_grad_norm_(self.child.parameters(), bound)
        self.optimizer.step()

    @property
    def actions(self) -> tuple[Action, Action]:
        return self.supernet_step, self.child_step


def _rows(region: Region) -> int:
    return sum(stop - start for start, stop in region.spans[0])


def _grad(tensor: Tensor) -> Tensor:
    assert tensor.grad is not None
    return tensor.grad
