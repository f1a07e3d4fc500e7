"""The parts of a run put together: data, space, shared weights, strategy."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch

from enasdsl.data.errors import DataError
from enasdsl.data.images import ImageData
from enasdsl.data.load import load
from enasdsl.data.text import TextData
from enasdsl.ir.space import Architecture, Space
from enasdsl.nn.native import VARIABLE, built
from enasdsl.nn.supernet import Supernet
from enasdsl.nn.weights import Init
from enasdsl.search.alternation import Alternation, shared_model
from enasdsl.search.bilevel import Bilevel
from enasdsl.search.compiling import SpaceFile
from enasdsl.search.errors import SearchError
from enasdsl.search.objective import Objective
from enasdsl.search.problem import Problem, pose
from enasdsl.search.relaxed import Relaxed
from enasdsl.search.run import Run
from enasdsl.search.seeds import generator
from enasdsl.search.strategy import strategy_of
from enasdsl.search.valuation import Valuation, Within, bare, timed
from enasdsl.semantics.training import Init as InitSettings

Dataset = ImageData | TextData


def device_of(name: str) -> torch.device:
    """The device of that name; `auto` is a GPU where there is one. Raises SearchError."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise SearchError(f"no device `{name}`: {reason}", "try --device cpu") from error
    return device


def native_kernels(*, asked: bool) -> None:
    """Raises SearchError where kernels in C++ are asked for and there are none."""
    if asked and not built():
        raise SearchError(
            "native kernels are asked for, and this installation has none",
            f"install again where a C++ compiler is, or start without {VARIABLE}",
        )


def dataset(name: str, root: str | Path | None, device: torch.device) -> Dataset:
    """The data set of that name on a device; raises SearchError."""
    try:
        return load(name, root=None if root is None else Path(root)).to(device)
    except DataError as error:
        raise SearchError(error.message, error.help) from error


def initial(settings: InitSettings) -> Init:
    """A recipe's distribution of fresh weights, as the networks take it."""
    return Init(settings.kind, settings.bound)


@dataclass(frozen=True)
class Assembly:
    """What the folder of a search describes, ready to go."""

    run: Run
    data: Dataset
    device: torch.device

    @classmethod
    def of(cls, run: Run, *, device: str = "auto", data_root: str | Path | None = None) -> Assembly:
        """Loads the run's data; raises SearchError."""
        if run.info.table is not None:
            raise SearchError(
                f"{run.folder} was a search by table, without any weights",
                f"its best are in {run.derived}; train one by --arch TOKEN and --data",
            )
        where = device_of(device)
        return cls(run, dataset(run.info.data, data_root or run.info.data_root, where), where)

    @cached_property
    def space(self) -> Space:
        return SpaceFile.open(self.run.space_file).space(self.run.recipe.params, self.data.task)

    @cached_property
    def problem(self) -> Problem:
        recipe = self.run.recipe
        return pose(self.data, recipe.data, recipe.reward, self.run.info.seed)

    def alternation(self) -> Alternation:
        """The search at its start, with fresh weights."""
        info, recipe = self.run.info, self.run.recipe
        supernet = Supernet(
            self.space,
            init=initial(recipe.weights.init),
            generator=generator(info.seed, "weights"),
            native=info.native and built(),
        )
        supernet.to(self.device)
        text = recipe.reward.of
        objective = None if text is None else Objective.parse(text)
        valuation = Valuation(
            objective, self.space, self.problem.figure, lambda a: self._latency(supernet, a)
        )
        strategy = strategy_of(info.strategy, self.space, recipe, info.seed)
        if objective is not None and objective.limits:
            strategy = Within(strategy, valuation.allows, f"kept the limits of `{text}`")
        job = Bilevel if isinstance(bare(strategy), Relaxed) else Alternation
        return job(supernet, strategy, self.problem, valuation, recipe, info.seed)

    def _latency(self, supernet: Supernet, architecture: Architecture) -> float:
        """Milliseconds that an architecture takes for one evaluation minibatch."""
        inputs = next(self.problem.split("valid")).inputs
        model = shared_model(supernet, architecture)
        wait = torch.cuda.synchronize if self.device.type == "cuda" else lambda: None
        with torch.no_grad():
            return timed(lambda: model(inputs, None), wait)
