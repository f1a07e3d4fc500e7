"""Settings that are named and say nothing, for this space or beside other settings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from rich.console import Console

from enasdsl.ir.graph import Apply, Call
from enasdsl.ir.space import Source, Space
from enasdsl.ir.spelling import bitwise
from enasdsl.search.errors import SearchError
from enasdsl.search.leaning import biases, leanings
from enasdsl.semantics.recipe import Recipe
from enasdsl.semantics.training import ChildWeights, Section, Training

Reason = str | None
_DROPS = {"dropout", "sequence_dropout", "drop_path"}


def refuse_idle(asked: Mapping[str, object], recipe: Recipe, space: Space) -> None:
    """Raises SearchError for a setting given by hand that has no effect on a search of a space.

    So it does for a preference of the controller, whoever gives it, that names nothing.
    """
    leanings(space, "prefer", recipe.controller.prefer)
    biases(space, recipe.controller.bias)
    found = [f"`{key}` has no effect: {why}" for key, why in idle(leaves("", asked), recipe, space)]
    if found:
        raise SearchError("; ".join(found), "leave it out of --set")


def say_idle(recipe: Recipe, space: Space, console: Console | None) -> None:
    """Prints a line for each setting of a recipe that cannot have an effect on this space.

    What other settings of the recipe idle is not said: a recipe that is like another takes over
    the momentum of its optimizer with its own.
    """
    keys = [key for key in named("", recipe) if key in _BY_SPACE]
    for key, why in idle(keys, recipe, space):
        (console or Console(stderr=True)).print(f"note: `{key}` has no effect: {why}")


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
