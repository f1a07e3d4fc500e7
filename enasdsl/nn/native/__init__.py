"""Kernels in C++, for those who ask for them: built at install where a compiler is.

They are called with pointers to the numbers of tensors, hence need no torch to be built.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from enasdsl.nn.native.building import library_of

VARIABLE = "ENASDSL_NATIVE"
FOLDER = Path(__file__).parent
GRAIN = 2**15
"""Numbers that are worth a thread of their own."""

POINTER, NUMBER, REAL = ctypes.c_void_p, ctypes.c_int64, ctypes.c_double
Kernel = Callable[..., None]


def wanted() -> bool:
    """Whether the environment asks for native kernels."""
    return os.environ.get(VARIABLE, "") not in ("", "0")


def built() -> bool:
    """Whether this installation has them."""
    return _library() is not None


@cache
def _library() -> ctypes.CDLL | None:
    path = library_of(FOLDER)
    return ctypes.CDLL(str(path)) if path.exists() else None


@cache
def kernel(name: str, dtype: torch.dtype, types: Sequence[Any]) -> Kernel:
    """The kernel of that name for tensors of a type, which takes arguments of these C types.

    Raises RuntimeError where this installation has none.
    """
    library = _library()
    if library is None:
        raise RuntimeError("the native kernels are not built: install again where a compiler is")
    found: Any = library[f"{name}_{str(dtype).removeprefix('torch.')}"]
    found.argtypes, found.restype = types, None
    return found  # type: ignore[no-any-return]


def parts(x: Tensor) -> int:
    """Over how many threads the work on a tensor is dealt out."""
    return min(torch.get_num_threads(), 1 + x.numel() // GRAIN)


def address(x: Tensor | None) -> int | None:
    """Where the numbers of a tensor lie; None for none."""
    return None if x is None else x.data_ptr()
