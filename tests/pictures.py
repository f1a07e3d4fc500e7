"""The shipped spaces and some of their architectures, drawn once for all tests."""

from __future__ import annotations

from functools import cache
from random import Random

import pytest

from enasdsl.ir.sample import sample
from enasdsl.ir.space import Space
from enasdsl.pipeline import Compilation
from enasdsl.source import shipped
from enasdsl.view.found_picture import picture_of_architecture
from enasdsl.view.picture import Picture
from enasdsl.view.space_picture import picture_of_space

SPACES = sorted(path.stem for path in shipped("spaces").glob("*.enas"))
BEYOND = (("macro", "L", 24), ("rnn", "N", 24), ("micro", "B", 9))
"""Larger members of the paper's families, at which a drawing must still be readable."""


@cache
def opened(name: str, param: str = "", value: int = 0) -> Space:
    space = Compilation.open(name, overrides={param: value} if param else {}).space
    assert space is not None
    return space


@cache
def drawn(name: str, param: str = "", value: int = 0) -> tuple[Picture, ...]:
    """The picture of a space, and those of two of its architectures."""
    space = opened(name, param, value)
    found = (picture_of_architecture(space, a) for a in sample(space, 2, Random(1)))
    return picture_of_space(space), *found


EVERY = pytest.mark.parametrize("which", [*((s,) for s in SPACES), *BEYOND], ids=str)
