"""What keeps a pass of the controller within the lawful architectures of a space."""

from __future__ import annotations

import torch
from torch import Tensor

from enasdsl.ir.completion import Completions, Part


class Guide:
    """The completions of n architectures that are decided side by side.

    An architecture that takes an unlawful digit is lost: from there on everything is open to it.
    """

    def __init__(self, completions: Completions, n: int, device: torch.device) -> None:
        self._completions, self._device = completions, device
        self._frontiers: list[list[int] | None] = [completions.begin() for _ in range(n)]
        self._parts: list[Part | None] = [None] * n

    def asks(self, decision: int) -> bool:
        """Whether a decision is to be masked."""
        return self._completions.asks(decision)

    def enter(self, decision: int) -> None:
        """Begins a decision."""
        enter = self._completions.enter
        self._parts = [None if f is None else enter(decision, f) for f in self._frontiers]

    def leave(self) -> None:
        """Ends it."""
        for part, frontier in zip(self._parts, self._frontiers, strict=True):
            if part is not None and frontier is not None:
                self._completions.leave(part, frontier)

    def mask(self, size: int) -> Tensor:
        """Which of `size` digits may come next, [n, size]; all where none is missing."""
        everything, mask = b"\1" * size, self._completions.mask
        found = ((part is not None and mask(part)) or everything for part in self._parts)
        return self._tensor(b"".join(m.ljust(size, b"\0") for m in found), size)

    def take(self, digits: Tensor) -> None:
        """Takes a digit [n] wherever one is missing."""
        for row, (part, digit) in enumerate(zip(self._parts, digits.tolist(), strict=True)):
            if part is not None and self._completions.mask(part):
                self._step(row, part, digit)

    def bits(self, wanted: Tensor, *, given: bool) -> tuple[Tensor, Tensor, Tensor]:
        """Takes the digits of a set: its bits, which of them were free, and which are unlawful.

        All [n, size]. What is wanted and may not be is changed, unless it is `given`.
        """
        found = [
            self._bit(row, wish=wish, given=given)
            for row, wishes in enumerate(wanted.tolist())
            for wish in wishes
        ]
        bits, free, unlawful = zip(*found, strict=True) if found else ((), (), ())
        size = wanted.shape[1]
        return (
            self._tensor(bytes(bits), size),
            self._tensor(bytes(free), size),
            self._tensor(bytes(unlawful), size),
        )

    def _bit(self, row: int, *, wish: bool, given: bool) -> tuple[bool, bool, bool]:
        part = self._parts[row]
        mask = b"" if part is None else self._completions.mask(part)
        if part is None or not mask:
            return wish, True, False
        lawful = wish < len(mask) and bool(mask[wish])
        if given and not lawful:
            self._step(row, part, wish)
            return wish, True, True
        bit = wish if lawful else not wish
        self._step(row, part, bit)
        return bit, mask == b"\1\1", False

    def _step(self, row: int, part: Part, digit: int) -> None:
        self._parts[row] = self._completions.follow(part, digit)
        if self._parts[row] is None:
            self._frontiers[row] = None

    def _tensor(self, found: bytes, size: int) -> Tensor:
        table = torch.frombuffer(bytearray(found), dtype=torch.bool) if found else torch.empty(0)
        return table.to(self._device, torch.bool).reshape(len(self._parts), size)
