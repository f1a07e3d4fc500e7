"""Random crops, flips and cutout of a whole batch at once."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Generator, Tensor


@dataclass(frozen=True, slots=True)
class Augment:
    """How training images are varied: zero-padding and a random crop, a mirror image, cutout.

    `pad` and `cutout` are pixels, 0 for none; `cutout` is the side of a square whose centre is
    uniform over the image and whose overhang is cut off (DeVries & Taylor 2017; facts of the
    paper's training: pad 4 after normalisation, flip, no cutout).
    """

    pad: int = 4
    flip: bool = True
    cutout: int = 0

    def __call__(self, images: Tensor, generator: Generator) -> Tensor:
        """Varied copies of normalised `images`, float [B, C, H, W]; `generator` is on the CPU."""
        if self.pad or self.flip:
            images = _crop(images, self.pad, generator, flip=self.flip)
        if self.cutout:
            images = _cut(images, self.cutout, generator)
        return images


def _draw(below: int, images: Tensor, generator: Generator) -> Tensor:
    # Drawn on the CPU, so that the numbers are the same on every device.
    return torch.randint(below, (len(images),), generator=generator).to(images.device)


def _crop(images: Tensor, pad: int, generator: Generator, *, flip: bool) -> Tensor:
    """One gather over the padded images, whose columns are counted backwards to mirror one."""
    channels, height, width = images.shape[1:]
    top = _draw(2 * pad + 1, images, generator)[:, None]
    left = _draw(2 * pad + 1, images, generator)[:, None]
    mirrored = _draw(2, images, generator)[:, None].bool() & flip
    across = torch.arange(width, device=images.device)
    columns = left + torch.where(mirrored, across.flip(0), across)  # [B, W]
    rows = top + torch.arange(height, device=images.device)  # [B, H]
    places = rows[:, :, None] * (width + 2 * pad) + columns[:, None, :]
    index = places.flatten(1)[:, None, :].expand(-1, channels, -1)  # [B, C, H * W]
    return F.pad(images, (pad,) * 4).flatten(2).gather(2, index).view_as(images)


def _cut(images: Tensor, side: int, generator: Generator) -> Tensor:
    height, width = images.shape[2:]
    rows = _covered(height, side, _draw(height, images, generator))  # [B, H]
    columns = _covered(width, side, _draw(width, images, generator))  # [B, W]
    hole = rows[:, None, :, None] & columns[:, None, None, :]
    return images * ~hole


def _covered(length: int, side: int, centre: Tensor) -> Tensor:
    offset = torch.arange(length, device=centre.device) - centre[:, None] + side // 2
    return (offset >= 0) & (offset < side)
