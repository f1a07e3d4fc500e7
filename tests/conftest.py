"""Settings of every test, and the option `--quick`."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from enasdsl.ir.budget import FRAMES

sys.setrecursionlimit(FRAMES)  # as compiling does, before Hypothesis looks at it
os.environ.setdefault("OMP_NUM_THREADS", "1")  # read when torch is first imported

settings.register_profile(
    "house",
    deadline=None,  # machines that run tests are busy
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("house")

_PARTS = r"(?:nn|search|data|export)\b"  # those that import torch
_TORCH = re.compile(
    rf"^(?:from|import) (?:torch\b|enasdsl\.{_PARTS})|^from enasdsl import {_PARTS}", re.MULTILINE
)
_SIBLING = re.compile(r"^(?:from|import) (\w+)", re.MULTILINE)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--quick", action="store_true", help="leave out what is slow or imports torch")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """With `--quick` a file that imports torch, itself or by another file of tests, is left out."""
    is_file = collection_path.suffix == ".py"
    return True if is_file and config.getoption("quick") and _torch(collection_path) else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("quick"):
        config.hook.pytest_deselected(items=[i for i in items if i.get_closest_marker("slow")])
        items[:] = [i for i in items if not i.get_closest_marker("slow")]


@cache
def _torch(path: Path) -> bool:
    text = path.read_text("utf-8")
    names = _SIBLING.findall(text)
    files = [path.with_name(f"{name}.py") for name in names]
    folders = [file for name in names for file in path.with_name(name).glob("*.py")]
    return bool(_TORCH.search(text)) or any(_torch(p) for p in (*files, *folders) if p.is_file())


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """For a file of many small networks: torch with one thread."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
