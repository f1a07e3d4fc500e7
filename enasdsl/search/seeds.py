"""Random numbers of a run: each purpose has its own stream, made of the run's one seed."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from random import Random
from typing import Any

import torch


def seed_of(seed: int, *purpose: str | int) -> int:
    """A 63-bit seed for a purpose, the same in every process and release."""
    text = ":".join(map(str, (seed, *purpose)))
    return int.from_bytes(sha256(text.encode()).digest()[:8], "big") >> 1


def generator(seed: int, *purpose: str | int) -> torch.Generator:
    """A fresh generator for a purpose, on the CPU, so that its numbers are the same everywhere."""
    return device_generator("cpu", seed, *purpose)


def device_generator(device: torch.device | str, seed: int, *purpose: str | int) -> torch.Generator:
    """A fresh generator for a purpose on a device."""
    return torch.Generator(device).manual_seed(seed_of(seed, *purpose))


def restore(draws: Random, state: Sequence[Any]) -> None:
    """Puts a generator back to a state that was written down, where tuples may be lists."""
    version, words, spare = state
    draws.setstate((version, tuple(words), spare))
