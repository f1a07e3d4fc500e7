"""Settings that are named and say nothing: to who reads them, for this space, beside others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from rich.console import Console

from enasdsl.ir.graph import Apply, Call
from enasdsl.ir.space import Source, Space
from enasdsl.ir.spelling import bitwise
from enasdsl.search.errors import SearchError
from enasdsl.search.leaning import biases, leanings
from enasdsl.search.strategy import STRATEGIES
from enasdsl.semantics.recipe import SECTIONS, Recipe
from enasdsl.semantics.training import ChildWeights, Section, Training

Reason = str | None
_DROPS = {"dropout", "sequence_dropout", "drop_path"}


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads settings: a search by a strategy, perhaps with a table; without one a training."""

    strategy: str | None = None
    table: bool = False

    def passes(self, key: str) -> Reason:
        """Why a setting is not looked at; nothing for a strategy that a package brings."""
        if self.strategy is None:
            return _unread_by_training(key)
        readers = _nearest(key, _BY_TABLE if self.table else _BY_STRATEGY)
        if readers == ():
            return "rewards stand in a table, and nothing is trained"
        if readers is None or self.strategy in readers or self.strategy not in STRATEGIES:
            return None
        return f"`{self.strategy}` does not read it, as --strategy {_either(readers)} would"


TRAINING = Reader()


def refuse_idle(asked: Mapping[str, object], recipe: Recipe, space: Space, reader: Reader) -> None:
    """Raises SearchError for a setting given by hand that has no effect on who reads it.

    So it does for a preference of the controller, whoever gives it, that names nothing.
    """
    leanings(space, "prefer", recipe.controller.prefer)
    biases(space, recipe.controller.bias)
    keys = sorted(leaves("", asked))
    why = {**dict(idle(keys, recipe, space)), **{k: r for k in keys if (r := reader.passes(k))}}
    if why:
        found = (f"`{key}` has no effect: {why[key]}" for key in keys if key in why)
        raise SearchError("; ".join(found), "leave it out of --set")


def say_idle(recipe: Recipe, space: Space, console: Console | None) -> None:
    """Prints a line for each setting of a recipe that cannot have an effect on this space.

    What other settings of the recipe idle is not said: a recipe that is like another takes over
    the momentum of its optimizer with its own.
    """
    keys = [key for key in named("", recipe) if key in _BY_SPACE]
    for key, why in idle(keys, recipe, space):
        _note(f"`{key}` has no effect: {why}", console)


def say_own(asked: Mapping[str, object], recipe: Recipe, console: Console | None) -> None:
    """Prints a line for each param given by hand of which the recipe's child has a value too."""
    search, child = recipe.params, recipe.child.params
    given = {key.removeprefix("params.") for key in leaves("", asked)}
    for name in sorted(given & search.keys() & child.keys()):
        if search[name] != child[name] and f"child.params.{name}" not in given:
            _note(
                f"the child has `{name}` {child[name]} of its own; "
                f"--set child.params.{name}={search[name]} changes it",
                console,
            )


def _note(text: str, console: Console | None) -> None:
    console = console or Console(stderr=True)
    console.print(f"note: {text}", markup=False, highlight=False, soft_wrap=True)


def leaves(path: str, settings: Mapping[str, object]) -> Iterator[str]:
    """The dotted keys of nested or dotted settings."""
    for key, value in settings.items():
        below = f"{path}.{key}" if path else key
        if isinstance(value, Mapping):
            yield from leaves(below, value)
        else:
            yield below


def named(path: str, section: Section) -> Iterator[str]:
    """The dotted keys that a recipe gives itself."""
    for key in section.model_fields_set:
        value = getattr(section, key)
        below = f"{path}.{key}" if path else key
        if isinstance(value, Section):
            yield from named(below, value)
        else:
            yield below


def idle(keys: Iterable[str], recipe: Recipe, space: Space) -> Iterator[tuple[str, str]]:
    """Those of the keys that have no effect on a search, or its child, and why."""
    parts = features(space)
    for key in sorted(keys):
        weights = recipe.child.weights if key.startswith("child.") else recipe.weights
        why = _BY_SPACE.get(key, _nothing)(parts)
        why = why or _BY_SETTING.get(key.removeprefix("child."), _plain)(weights)
        if why is not None:
            yield key, why


def features(space: Space) -> frozenset[str]:
    """What a space has that a setting may need: its task, kinds of operation, skips, states."""
    values = [value for body in space.bodies for value in body.values]
    found = {space.task, *(v.op for v in values if isinstance(v, Apply))}
    if any(isinstance(v, Call) and v.states for v in values):
        found.add("states")
    if found & _DROPS or any(_drops_words(v) for v in values if isinstance(v, Apply)):
        found.add("drops")
    if any(d.source is Source.INPUT and bitwise(d.domain) for d in space.decisions):
        found.add("skips")
    return frozenset(found)


def _unread_by_training(key: str) -> Reason:
    section, _, name = key.rpartition(".")
    top = key.partition(".")[0]
    if top not in SECTIONS[""] or top in ("child", "params"):
        return None
    if name in SECTIONS.get(f"child.{section}", ()):
        return f"a training has its own, `child.{key}`"
    return "a search alone reads it"


def _nearest(key: str, table: Mapping[str, tuple[str, ...]]) -> tuple[str, ...] | None:
    """What a table says of a key, or of the nearest section around it."""
    around = accumulate(key.split("."), "{}.{}".format)
    return next((table[k] for k in reversed(list(around)) if k in table), None)


def _either(names: Sequence[str]) -> str:
    """Names as alternatives: `a, b or c`."""
    *others, last = names
    return f"{', '.join(others)} or {last}" if others else last


def _drops_words(value: Apply) -> bool:
    return value.op == "embedding" and dict(value.args)["word_dropout"] != 0


def _needs(part: str, why: str) -> Callable[[frozenset[str]], Reason]:
    return lambda found: None if part in found else why


def _when(holds: Callable[[Training], bool], why: str) -> Callable[[Training], Reason]:
    return lambda weights: None if holds(weights) else why


def _averages(weights: Training, kind: str) -> bool:
    return isinstance(weights, ChildWeights) and weights.average.kind == kind


def _nothing(found: frozenset[str]) -> Reason:
    return None


def _plain(weights: Training) -> Reason:
    return None


_IMAGES = _needs("image_classifier", "a language model reads no images")
_WORDS = _needs("language_model", "an image classifier reads no words")
_STATES = _needs("states", "the network has no recurrent cell")
_SIDE = _needs("auxiliary", "the network has no head at the side")
_SKIPS = _needs("skips", "no decision takes any number of inputs")

_BY_SPACE: Mapping[str, Callable[[frozenset[str]], Reason]] = {
    "data.augment": _IMAGES,
    "data.cutout": _IMAGES,
    "child.data.augment": _IMAGES,
    "child.data.cutout": _IMAGES,
    "data.bptt": _WORDS,
    "child.data.bptt": _WORDS,
    "reward.c": _WORDS,
    "reward.dropout": _needs("drops", "the network drops nothing"),
    "weights.penalty.activation": _STATES,
    "weights.penalty.slowness": _STATES,
    "child.weights.penalty.activation": _STATES,
    "child.weights.penalty.slowness": _STATES,
    "weights.auxiliary.weight": _SIDE,
    "weights.auxiliary.trained": _SIDE,
    "controller.skip_rate": _SKIPS,
    "controller.skip_weight": _SKIPS,
    "controller.skip_slope": _SKIPS,
}
"""What each setting needs of a space; the heads of a child are those of its own params."""

_LEARNING = ("enas", "evolution")
_MIXING = ("darts", "gdas")
_BY_STRATEGY: Mapping[str, tuple[str, ...]] = {
    "controller": ("enas",),
    "controller.steps": _LEARNING,
    "controller.children": _LEARNING,
    "evolution": ("evolution", "spos"),
    "relaxation": _MIXING,
    "relaxation.temperature": ("gdas",),
    "relaxation.coldest": ("gdas",),
    "weights.children": tuple(name for name in STRATEGIES if name != "darts"),
}
"""The strategies that read a setting, or all below it, where not each does."""
_TRAINED = (
    "data", "weights", "relaxation", "controller.steps", "reward.c", "reward.dropout",
    "derive.samples",
)  # fmt: skip
_BY_TABLE: Mapping[str, tuple[str, ...]] = {
    **{key: readers for key, readers in _BY_STRATEGY.items() if key.startswith("controller")},
    "controller.children": tuple(STRATEGIES),
    "evolution": ("evolution",),
    **dict.fromkeys(_TRAINED, ()),
}
"""The same where rewards stand in a table: none reads what is for shared weights."""

_SGD = _when(lambda w: w.optimizer == "sgd", "`adam` has its own")
_AVERAGED = "the kind of average is another"
_COSINE = _when(lambda w: w.schedule.kind == "cosine", "the schedule is no `cosine`")
_STEP = _when(lambda w: w.schedule.kind == "step", "the schedule is no `step`")

_BY_SETTING: Mapping[str, Callable[[Training], Reason]] = {
    "weights.momentum": _SGD,
    "weights.nesterov": _SGD,
    "weights.schedule.min": _when(
        lambda w: w.schedule.kind != "constant", "the schedule is `constant`"
    ),
    "weights.schedule.period": _COSINE,
    "weights.schedule.multiply": _COSINE,
    "weights.schedule.midway": _COSINE,
    "weights.schedule.gamma": _STEP,
    "weights.schedule.from_epoch": _STEP,
    "weights.average.from_epoch": _when(lambda w: _averages(w, "epoch"), _AVERAGED),
    "weights.average.patience": _when(lambda w: _averages(w, "stalled"), _AVERAGED),
    "weights.init.bound": _when(lambda w: w.init.kind == "uniform", "`he` has no bound"),
}
"""What each setting needs of others."""
