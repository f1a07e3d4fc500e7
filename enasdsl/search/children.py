"""The children of a verdict: which, how well shared weights do with them, and their training."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from math import inf
from pathlib import Path
from shutil import rmtree
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError
from rich.console import Console

from enasdsl.ir.record import to_token
from enasdsl.ir.space import Architecture
from enasdsl.search import checkpoint
from enasdsl.search.alternation import Alternation
from enasdsl.search.assembly import Assembly
from enasdsl.search.chance import Uniform
from enasdsl.search.clock import Clock, interruptible
from enasdsl.search.comparison import Trained
from enasdsl.search.compiling import SpaceFile, over_child, read_recipe
from enasdsl.search.deriving import derived_tokens, score
from enasdsl.search.drive import Ending
from enasdsl.search.errors import SearchError
from enasdsl.search.idle import TRAINING, refuse_idle
from enasdsl.search.offspring import child_params, read_architecture
from enasdsl.search.problem import shown
from enasdsl.search.run import Run, write_json
from enasdsl.search.seeds import seed_of
from enasdsl.search.training import TrainResult, train
from enasdsl.search.valuation import Within
from enasdsl.semantics.recipe import Recipe

FOUND = "found"


class Child(BaseModel):
    """A child to train; `shared` is its figure with shared weights on the validation part."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    token: str
    shared: float


class Plan(BaseModel):
    """`verdict/plan.json`: the children, the found one first, and how they are trained.

    `weights` is the step of the search whose shared weights scored them; `seconds` went into it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    figure: str
    weights: int
    settings: dict[str, Any]
    seconds: float
    children: tuple[Child, ...]


@dataclass(frozen=True)
class Nursery:
    """The folder below a run in which the children are trained, each in one of its own."""

    run: Run

    @property
    def folder(self) -> Path:
        return self.run.folder / "verdict"

    @property
    def file(self) -> Path:
        return self.folder / "plan.json"

    def place(self, child: Child, turn: int) -> Path:
        """Where a child is trained with its seed number `turn`, counted from 0."""
        return self.folder / (f"{child.name}-{turn + 1}" if turn else child.name)

    def seed(self, child: Child, turn: int) -> int:
        return seed_of(self.run.info.seed, "verdict", child.name, turn)

    def known(self) -> Plan | None:
        """The plan that was made before; raises SearchError where it cannot be read."""
        if not self.file.is_file():
            return None
        try:
            return Plan.model_validate_json(self.file.read_text("utf-8"))
        except (OSError, ValidationError) as error:
            raise SearchError(f"{self.file} cannot be read: {error}", self.anew) from error

    @property
    def anew(self) -> str:
        return f"to begin anew remove {self.folder}"


def planned(
    nursery: Nursery,
    assembly: Assembly,
    job: Alternation,
    clock: Clock,
    *,
    children: int,
    settings: Mapping[str, object],
) -> Plan:
    """The plan of a verdict with so many random children, written down.

    One that exists is kept, and made longer where it is too short; what is asked for may not
    differ from it. Where the search went on since, all are scored again. Raises SearchError.
    """
    known = nursery.known()
    best = next(iter(derived_tokens(nursery.run)))
    if known is None:
        _try(assembly, best, settings)
    else:
        _agree(nursery, known, best, settings)
    [newest, *_] = checkpoint.saved(nursery.run.folder / "checkpoints")
    step = checkpoint.number(newest)
    old = known.children if known is not None and known.weights == step else ()
    chosen = [read_architecture(assembly.space, best), *_by_chance(assembly, job, children)]
    names = [FOUND, *(f"random{n + 1}" for n in range(children))]
    fresh = [
        _scored(assembly, job, name, architecture)
        for name, architecture in list(zip(names, chosen, strict=True))[len(old) :]
    ]
    seconds = clock.elapsed + (known.seconds if known is not None else 0.0)
    plan = Plan(
        figure=shown(assembly.problem.figure, 0.0)[0], weights=step, children=(*old, *fresh),
        settings=dict(settings) if known is None else known.settings, seconds=seconds,
    )  # fmt: skip
    write_json(nursery.file, plan.model_dump())
    return plan.model_copy(update={"children": plan.children[: children + 1]})


def recipe_of(run: Run, settings: Mapping[str, object]) -> Recipe:
    """The recipe of a run with settings over it; raises SearchError."""
    return read_recipe(run.recipe.model_dump(), over_child(settings))


def _try(assembly: Assembly, token: str, settings: Mapping[str, object]) -> None:
    """Raises SearchError where settings make no children of these architectures."""
    recipe = recipe_of(assembly.run, settings)
    params = child_params(recipe, shared=False)
    space = SpaceFile.open(assembly.run.space_file).space(params, assembly.data.task)
    refuse_idle(settings, recipe, space, TRAINING)
    read_architecture(space, token)


def _agree(nursery: Nursery, known: Plan, best: str, settings: Mapping[str, object]) -> None:
    if settings and dict(settings) != known.settings:
        raise SearchError(
            "a verdict trains all children alike, and --set would change how", nursery.anew
        )
    if known.children[0].token != best:
        raise SearchError(
            f"{nursery.folder} is about another architecture than {nursery.run.derived} has first",
            nursery.anew,
        )


def _by_chance(assembly: Assembly, job: Alternation, n: int) -> tuple[Architecture, ...]:
    """Uniform draws within the limits of the search; more of them begin with the same."""
    seed = seed_of(assembly.run.info.seed, "verdict")
    draws = Uniform(assembly.space, assembly.run.recipe, seed)
    return Within(draws, job.valuation.allows, "kept the limits of the search").ask(n)


def _scored(assembly: Assembly, job: Alternation, name: str, architecture: Architecture) -> Child:
    figure, value = shown(assembly.problem.figure, score(assembly, job, architecture).figure)
    return Child(name=name, token=to_token(architecture), shared=_number(figure, value))


def _number(figure: str, value: float) -> float:
    """A figure, the worst one where training led to none."""
    return value if value == value else shown("nll", inf)[1] if figure == "perplexity" else 0.0


@dataclass(frozen=True, slots=True)
class Means:
    """What every training of a verdict is given."""

    device: str
    data_root: str | Path | None
    console: Console | None
    say: Callable[[str], None]


def brought_up(nursery: Nursery, plan: Plan, clock: Clock, means: Means, *, seeds: int) -> Ending:
    """Trains every child to its end, the found one first, with one seed and then the next.

    What was trained before is kept, and what was begun is gone on with, bit for bit.
    """
    clock.before = _spent(nursery, plan) - clock.elapsed
    with interruptible() as interruption:
        for number, (child, turn) in enumerate(_turns(plan, seeds), 1):
            place = nursery.place(child, turn)
            if finished(place):
                continue
            if interruption or clock.left <= 0:
                return Ending.INTERRUPTED if interruption else Ending.BUDGET
            means.say(f"{place.name}, {number} of {seeds * len(plan.children)}")
            result = _trained(nursery, plan, child, turn, clock, means)
            if result.ending is not Ending.FINISHED:
                return result.ending
    return Ending.FINISHED


def _turns(plan: Plan, seeds: int) -> Iterator[tuple[Child, int]]:
    for turn in range(seeds):
        for child in plan.children:
            yield child, turn


def _trained(
    nursery: Nursery, plan: Plan, child: Child, turn: int, clock: Clock, means: Means
) -> TrainResult:
    place = nursery.place(child, turn)
    begun = (place / "run.json").is_file() and bool(checkpoint.saved(place / "checkpoints"))
    if not begun:
        rmtree(place, ignore_errors=True)  # killed before its first checkpoint
    budget = None if clock.budget is None and not begun else _seconds(place) + clock.left
    return train(
        nursery.run.folder,
        arch=child.token,
        settings=plan.settings,
        budget=budget,
        seed=nursery.seed(child, turn),
        out=place,
        resume=begun,
        device=means.device,
        data_root=means.data_root,
        console=means.console,
    )


def _spent(nursery: Nursery, plan: Plan) -> float:
    """Seconds that went into the plan and into what was trained so far, of every child."""
    folders = (path.parent for path in nursery.folder.glob("*/run.json"))
    return plan.seconds + sum(map(_seconds, folders))


def _seconds(folder: Path) -> float:
    """Seconds that went into a child so far."""
    if finished(folder):
        return float(_result(folder)["seconds"])
    if not checkpoint.saved(folder / "checkpoints"):
        return 0.0
    return float(checkpoint.newest(folder / "checkpoints")["seconds"])


def _result(folder: Path) -> dict[str, Any]:
    path = folder / "result.json"
    if not path.is_file():
        return {}
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return found


def finished(folder: Path) -> bool:
    """Whether a child was trained to its end."""
    return _result(folder).get("ending") == Ending.FINISHED.value


def outcome(nursery: Nursery, plan: Plan, child: Child, *, seeds: int) -> Trained | None:
    """What a child has come to; None where a seed of it is missing."""
    places = [nursery.place(child, turn) for turn in range(seeds)]
    if not all(map(finished, places)):
        return None
    results = [_result(place) for place in places]

    def figures(part: str) -> tuple[float, ...]:
        return tuple(_number(plan.figure, r[f"{part}_{plan.figure}"]) for r in results)

    return Trained(
        child.name, child.token, child.shared, figures("valid"), figures("test"),
        results[0]["parameters"], sum(result["seconds"] for result in results),
    )  # fmt: skip
