"""Labelled images held in memory, and the batches that training reads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import torch
from torch import Generator, Tensor

from enasdsl.data.augment import Augment
from enasdsl.data.batches import Place, Shuffle, draw_seed, seeded
from enasdsl.data.errors import DataError
from enasdsl.semantics.symbols import Shape
from enasdsl.semantics.task import Task

Batch = tuple[Tensor, Tensor]
"""Normalised images, float32 [B, C, H, W], and labels, int64 [B]."""


class Examples(NamedTuple):
    """Images, uint8 [n, C, H, W], and their labels, int64 [n]."""

    images: Tensor
    labels: Tensor


@dataclass(frozen=True, slots=True)
class ImageData:
    """A classification data set with its three parts.

    `mean` and `std`, float32 [C], are those of the training part's pixels divided by 255
    (facts 8.1); `augment` is what `augment=True` means for these images.
    """

    name: str
    classes: tuple[str, ...]
    train: Examples
    valid: Examples
    test: Examples
    mean: Tensor
    std: Tensor
    augment: Augment

    @property
    def task(self) -> Task:
        _, channels, height, width = self.train.images.shape
        shape = Shape(channels, (height, width))
        return Task("image_classifier", shape, classes=len(self.classes))

    @property
    def device(self) -> torch.device:
        return self.train.images.device

    def split(self, name: str) -> Examples:
        """A part by name; `train+valid` is the whole training set of the final child."""
        match name:
            case "train":
                return self.train
            case "valid":
                return self.valid
            case "test":
                return self.test
            case "train+valid":
                return Examples(*map(torch.cat, zip(self.train, self.valid, strict=True)))
            case _:
                raise ValueError(f"no part is named {name!r}: train, valid, test, train+valid")

    def to(self, device: torch.device | str) -> ImageData:
        """The same data on `device`."""
        return replace(
            self,
            train=Examples(*(t.to(device) for t in self.train)),
            valid=Examples(*(t.to(device) for t in self.valid)),
            test=Examples(*(t.to(device) for t in self.test)),
            mean=self.mean.to(device),
            std=self.std.to(device),
        )

    def normalise(self, images: Tensor) -> Tensor:
        """uint8 [B, C, H, W] as float32 of mean 0 and deviation 1 over the training part."""
        scale = (1 / (255 * self.std))[:, None, None]
        shift = (self.mean / self.std)[:, None, None]
        return images.to(torch.float32).mul_(scale).sub_(shift)

    def batches(
        self,
        split: str,
        size: int,
        generator: Generator | None = None,
        *,
        augment: Augment | bool = False,
    ) -> Iterator[Batch]:
        """One pass over a part, in its order or, given a generator, shuffled; the last is smaller.

        Augmentation needs a generator.
        """
        if generator is None and augment:
            raise ValueError("augmented batches need a generator")
        part = self.split(split)
        count = len(part.labels)
        noise = seeded(draw_seed(generator) if generator is not None else 0)
        shuffled = generator is not None
        order = torch.randperm(count, generator=noise) if shuffled else torch.arange(count)
        for start in range(0, count, size):
            yield self.pick(part, order[start : start + size], augment, noise)

    def stream(
        self, split: str, size: int, generator: Generator, *, augment: Augment | bool = False
    ) -> Batches:
        """Shuffled batches of a part without end, resumable."""
        return Batches(self, split, size, generator, augment=augment)

    def pick(
        self, part: Examples, indices: Tensor, augment: Augment | bool, noise: Generator
    ) -> Batch:
        """The batch of `indices`, int64 [B], augmented with random numbers of `noise`."""
        indices = indices.to(self.device)
        images = self.normalise(part.images.index_select(0, indices))
        recipe = self.augment if augment is True else augment
        if recipe:
            images = recipe(images, noise)
        return images, part.labels[indices]


class Batches(Iterator[Batch]):
    """Shuffled batches without end, all of one size; see `Shuffle` for their order."""

    def __init__(
        self,
        data: ImageData,
        split: str,
        size: int,
        generator: Generator,
        *,
        augment: Augment | bool = False,
    ) -> None:
        self.data = data
        self.part = data.split(split)
        self.augment = augment
        self.order = Shuffle(len(self.part.labels), size, generator)

    @property
    def per_epoch(self) -> int:
        return self.order.per_epoch

    def __next__(self) -> Batch:
        indices = next(self.order)
        return self.data.pick(self.part, indices, self.augment, self.order.noise())

    def state_dict(self) -> Place:
        return self.order.state_dict()

    def load_state_dict(self, state: Place) -> None:
        self.order.load_state_dict(state)


def assemble(
    name: str,
    classes: tuple[str, ...],
    parts: tuple[Examples, Examples, Examples],
    *,
    augment: Augment,
) -> ImageData:
    """The data set of three checked parts (train, valid, test).

    Raises DataError where a part is empty, sizes differ, or there are fewer than two classes.
    """
    train, valid, test = parts
    if len(classes) < 2:
        raise DataError(f"{name}: only one class, {classes[0]!r}" if classes else f"{name}: empty")
    for part_name, part in zip(("train", "valid", "test"), parts, strict=True):
        if not len(part.labels):
            raise DataError(f"{name}: its {part_name} part has no image")
        if part.images.shape[1:] != train.images.shape[1:]:
            found, wanted = tuple(part.images.shape[1:]), tuple(train.images.shape[1:])
            raise DataError(f"{name}: {part_name} images are {found}, training images {wanted}")
    if train.labels.min() == train.labels.max():
        raise DataError(f"{name}: all of its training images are of one class")
    mean, std = _statistics(train.images)
    return ImageData(name, classes, train, valid, test, mean, std, augment)


def _statistics(images: Tensor) -> tuple[Tensor, Tensor]:
    # In float64 the sums of integers are exact, so that a constant channel has deviation 0.
    total = torch.zeros(images.shape[1], dtype=torch.float64)
    squares = total.clone()
    for start in range(0, len(images), 256):
        pixels = images[start : start + 256].double()
        total += pixels.sum((0, 2, 3))
        squares += pixels.square_().sum((0, 2, 3))
    count = images.numel() // images.shape[1]
    mean = total / count
    variance = (squares * count - total**2) / count**2
    deviation = torch.where(variance > 0, variance, 255.0**2).sqrt()
    return (mean / 255).float(), (deviation / 255).float()


def stratify(labels: Tensor, shares: tuple[float, ...], seed: int) -> tuple[Tensor, ...]:
    """Indices, ascending: first of the rest, then of parts that have `shares` of every class.

    A class of n examples gives a part round(share * n) of them, and at least one as long as one
    is left for the rest.
    """
    parts: list[list[Tensor]] = [[] for _ in range(len(shares) + 1)]
    for label in torch.bincount(labels).nonzero().flatten().tolist():
        members = (labels == label).nonzero().flatten()
        count = len(members)
        members = members[torch.randperm(count, generator=seeded(seed, label))]
        start = 0
        for part, share in zip(parts[1:], shares, strict=True):
            stop = min(start + max(1, round(share * count)), count - 1)
            part.append(members[start:stop])
            start = stop
        parts[0].append(members[start:])
    return tuple(torch.cat(part).sort().values for part in parts)
