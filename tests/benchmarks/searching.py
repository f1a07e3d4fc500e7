"""A search beside its steps: start-up, data, records and progress, and the scores of children.

Shares are accounted for inside the process, by processor time, on one thread; data sets are made
up, in the sizes of Penn Treebank and CIFAR-10, as neither is in a checkout.
"""

from __future__ import annotations

import io
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console

from benchmarks.frame import Benchmark, alternated
from benchmarks.front_end import process
from benchmarks.supernets import one_thread
from enasdsl.data.augment import Augment
from enasdsl.data.images import Examples, ImageData, assemble
from enasdsl.data.text import TextData, encode
from enasdsl.search.assembly import Assembly
from enasdsl.search.clock import Clock, interruptible
from enasdsl.search.compiling import SpaceFile
from enasdsl.search.deriving import score
from enasdsl.search.drive import Driver
from enasdsl.search.metrics import Metrics
from enasdsl.search.problem import loss_of
from enasdsl.search.progress import reporting
from enasdsl.search.run import Info, Run

FIRST_STEP = (
    "search", "rnn", "--data", "pydocs", "--out", "run", "--set", "weights.epochs=1",
    "--set", "weights.steps=1", "--set", "controller.steps=1",
)  # fmt: skip


@dataclass(slots=True)
class Account:
    """Processor seconds that are spent inside what is entered on it."""

    seconds: float = 0.0

    def of(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*arguments: Any, **options: Any) -> Any:
            began = time.process_time()
            try:
                return call(*arguments, **options)
            finally:
                self.seconds += time.process_time() - began

        return counted


def _words() -> TextData:
    """Twenty thousand tokens of 10,000 words, whose frequencies fall as in a language."""
    draws = np.random.default_rng(0).zipf(1.2, 30_000) % 10_000
    text = [f"w{token}" for token in (*range(10_000), *draws)]
    return encode("words", {"train": text, "valid": text[-3_000:], "test": text[-1_000:]})


def _images() -> ImageData:
    """Colour images of 32 x 32 in ten classes."""
    draws = torch.Generator().manual_seed(0)
    parts = []
    for n in (2_000, 640, 64):
        pixels = torch.randint(256, (n, 3, 32, 32), generator=draws, dtype=torch.uint8)
        parts.append(Examples(pixels, torch.randint(10, (n,), generator=draws)))
    names = tuple(map(str, range(10)))
    varied = Augment(pad=4, flip=True)
    return assemble("images", names, (parts[0], parts[1], parts[2]), augment=varied)


@contextmanager
def _search(space: str, data: TextData | ImageData, steps: int) -> Iterator[Assembly]:
    """An epoch of a shipped space by its recipe `small`, in a folder that does not stay."""
    file = SpaceFile.open(space)
    wanted = {"weights.epochs": 1, "weights.steps": steps, "controller.steps": max(2, steps // 8)}
    _, recipe = file.recipe("small", wanted, data.task)
    found = file.space(recipe.params, data.task)
    with tempfile.TemporaryDirectory() as folder:
        info = Info(
            kind="search", file=space, main=file.path.name, space=found.name, hash=found.hash,
            data=data.name,
        )  # fmt: skip
        run = Run(Path(folder), info, recipe)
        for name, text in file.texts().items():
            path = run.folder / "space" / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, "utf-8")
        yield Assembly(run, data, torch.device("cpu"))


def _driven(assembly: Assembly) -> tuple[float, float, float]:
    """Processor seconds of a whole search, of its data, and of what stands around its steps."""
    job, data, work, saves = assembly.alternation(), Account(), Account(), Account()
    problem: Any = assembly.problem
    problem.train_batch = data.of(problem.train_batch)
    problem.reward_batch = data.of(problem.reward_batch)
    running: Any = job
    running.step = work.of(job.step)
    metrics = Metrics(assembly.run.folder, curves=False)
    live = Console(file=io.StringIO(), force_terminal=True)
    with interruptible() as interruption, reporting(live) as report:
        driver: Any = Driver(job, assembly.run.folder, Clock(None), metrics, report, interruption)
        began = time.process_time()
        with _accounted(driver, saves):
            driver.run()
        whole = time.process_time() - began
    metrics.close()
    return whole, data.seconds, whole - work.seconds - saves.seconds


@contextmanager
def _accounted(driver: Driver, saves: Account) -> Iterator[None]:
    """Checkpoints have a share of their own, which the driver itself keeps to 2 %."""
    usual = Driver.save
    Driver.save = saves.of(usual)  # type: ignore[method-assign]
    try:
        yield
    finally:
        Driver.save = usual  # type: ignore[method-assign]


def _share(space: str, part: int, most: float, quick: bool) -> list[float]:
    """What `part` of `_driven` is of the whole, over the most that it may be."""
    data = _words() if space == "rnn" else _images()
    ratios = []
    for _ in range(1 if quick else 5):
        with _search(space, data, 4 if quick else 24) as assembly, one_thread():
            spent = _driven(assembly)
        ratios.append(spent[part] / spent[0] / most)
    return ratios


def _scores(space: str, quick: bool) -> list[float]:
    """Children scored as `derive` does, over bare passes and losses on minibatches at hand."""
    data = _words() if space == "rnn" else _images()
    with _search(space, data, 1) as assembly, one_thread():
        job = assembly.alternation()
        children = job.strategy.ask(2 if quick else 20)
        batches = list(assembly.problem.split("valid"))

        def bare() -> None:
            for child in children:
                states = None
                for batch in batches:
                    logits, states = job.supernet(batch.inputs, child, states)
                    loss_of(logits, batch.targets)

        def scored() -> None:
            for child in children:
                score(assembly, job, child)

        with torch.no_grad():
            return alternated(scored, bare, runs=1 if quick else 5)


BENCHMARKS = (
    Benchmark("startup", "6 s, `search` to its first step", 1.0, partial(process, 6.0, FIRST_STEP)),
    Benchmark("data_words", "2 % of a search", 1.0, partial(_share, "rnn", 1, 0.02)),
    Benchmark("data_images", "2 % of a search", 1.0, partial(_share, "macro", 1, 0.02)),
    Benchmark("records", "1 % of a search: figures and bar", 1.0, partial(_share, "rnn", 2, 0.01)),
    Benchmark("scores_words", "bare passes of the children", 1.05, partial(_scores, "rnn")),
    Benchmark("scores_images", "bare passes of the children", 1.05, partial(_scores, "macro")),
)
