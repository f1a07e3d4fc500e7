"""What is learned from a data set: its minibatches, its loss, and what an architecture earns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from math import exp
from typing import Any, Protocol

import torch
from torch import Tensor

from enasdsl.data.augment import Augment
from enasdsl.data.errors import DataError
from enasdsl.data.images import ImageData
from enasdsl.data.text import TextData
from enasdsl.nn.loss import loss_of as loss_of
from enasdsl.search.errors import SearchError
from enasdsl.search.seeds import generator
from enasdsl.semantics.recipe import Reward
from enasdsl.semantics.training import Data

States = tuple[Tensor, ...] | None
Model = Callable[[Tensor, States], tuple[Tensor, States]]
"""A network: inputs and the states carried in, to logits and the states carried out."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Inputs and their targets; `fresh` where no state is carried over from the batch before."""

    inputs: Tensor
    targets: Tensor
    fresh: bool = True


@dataclass(frozen=True, slots=True)
class Measure:
    """What a network does on some examples: its reward, and the figure behind it."""

    reward: float
    figure: float


class Problem(Protocol):
    """A data set under a recipe: resumable minibatches, rewards and evaluations."""

    @property
    def figure(self) -> str:
        """What `Measure.figure` is: `accuracy`, or `nll` in nats a token."""
        ...

    @property
    def steps(self) -> int:
        """Minibatches in a pass over the training part."""
        ...

    def train_batch(self) -> Batch: ...
    def reward_batch(self) -> Batch: ...
    def measure(self, model: Model, batches: Iterable[Batch]) -> Measure: ...
    def split(self, name: str) -> Iterator[Batch]:
        """One pass over a part, in order and unvaried."""
        ...

    def state_dict(self) -> dict[str, Any]: ...
    def load_state_dict(self, state: Mapping[str, Any]) -> None: ...


class Images:
    """Image classification: the reward is the accuracy, from 0 to 1 (facts 1.6)."""

    figure = "accuracy"

    def __init__(self, data: ImageData, settings: Data, seed: int) -> None:
        self._data = data
        self._settings = settings
        augment = varied(data.augment, settings)
        self._train = data.stream(
            "train", settings.batch, generator(seed, "train"), augment=augment
        )
        size = min(settings.batch, len(data.valid.labels))
        self._rewards = data.stream("valid", size, generator(seed, "reward"))

    @property
    def steps(self) -> int:
        return self._train.per_epoch

    def train_batch(self) -> Batch:
        return Batch(*next(self._train))

    def reward_batch(self) -> Batch:
        return Batch(*next(self._rewards))

    def split(self, name: str) -> Iterator[Batch]:
        for images, labels in self._data.batches(name, self._settings.eval_batch):
            yield Batch(images, labels)

    @torch.no_grad()
    def measure(self, model: Model, batches: Iterable[Batch]) -> Measure:
        right = count = 0
        for batch in batches:
            logits, _ = model(batch.inputs, None)
            right += int((logits.argmax(-1) == batch.targets).sum())
            count += len(batch.targets)
        return Measure(right / count, right / count)

    def state_dict(self) -> dict[str, Any]:
        return {"train": self._train.state_dict(), "rewards": self._rewards.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self._train.load_state_dict(state["train"])
        self._rewards.load_state_dict(state["rewards"])


def varied(usual: Augment, settings: Data) -> Augment:
    """How training images are varied, where `usual` is what suits the data set."""
    augment = replace(usual, cutout=settings.cutout)
    return augment if settings.augment else replace(augment, pad=0, flip=False)


class Language:
    """Language modelling: the reward is c / perplexity (Pham et al. 2018, 2.2; facts 1.6)."""

    figure = "nll"

    def __init__(self, data: TextData, settings: Data, reward: Reward, seed: int) -> None:
        self._data = data
        self._settings = settings
        self._c = reward.c
        self._train = data.windows("train", settings.batch, settings.bptt)
        self._places = generator(seed, "reward")

    @property
    def steps(self) -> int:
        return len(self._train)

    def train_batch(self) -> Batch:
        fresh = self._train.position == 0
        window = next(self._train, None)
        if window is None:
            return self.train_batch()
        return Batch(*window, fresh=fresh)

    def reward_batch(self) -> Batch:
        settings = self._settings
        window = self._data.random_window("valid", settings.batch, settings.bptt, self._places)
        return Batch(*window)

    def split(self, name: str) -> Iterator[Batch]:
        fresh = True
        for window in self._data.windows(name, self._settings.eval_batch, self._settings.bptt):
            yield Batch(*window, fresh=fresh)
            fresh = False

    @torch.no_grad()
    def measure(self, model: Model, batches: Iterable[Batch]) -> Measure:
        states: States = None
        total, count = 0.0, 0
        for batch in batches:
            logits, states = model(batch.inputs, None if batch.fresh else states)
            total += float(loss_of(logits, batch.targets)) * batch.targets.numel()
            count += batch.targets.numel()
        nll = total / count
        return Measure(self._c * exp(-nll) if nll == nll else 0.0, nll)

    def state_dict(self) -> dict[str, Any]:
        return {"train": self._train.state_dict(), "places": self._places.get_state()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self._train.load_state_dict(state["train"])
        self._places.set_state(state["places"])


def pose(data: ImageData | TextData, settings: Data, reward: Reward, seed: int) -> Problem:
    """The problem that a data set is; raises SearchError where it is too small for the batches."""
    try:
        if isinstance(data, ImageData):
            return Images(data, settings, seed)
        problem = Language(data, settings, reward, seed)
        for part in ("valid", "test"):
            next(problem.split(part))
        problem.reward_batch()
    except DataError as error:
        raise SearchError(error.message, error.help) from error
    return Language(data, settings, reward, seed)


def shown(name: str, figure: float) -> tuple[str, float]:
    """A figure as results state it: `accuracy`, or the `perplexity` of an `nll`."""
    return ("perplexity", exp(min(figure, 700.0))) if name == "nll" else (name, figure)
