"""The schema of `recipe` blocks: what a search, and the training of its child, may be told."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, Literal, Self, get_args, get_origin

from pydantic import (
    Field,
    ModelWrapValidatorHandler,
    NonNegativeFloat,
    NonNegativeInt,
    PlainValidator,
    PositiveFloat,
    PositiveInt,
    SerializerFunctionWrapHandler,
    ValidationError,
    model_serializer,
    model_validator,
)
from pydantic_core import PydanticCustomError

from enasdsl.semantics.beside import ByChoice, found
from enasdsl.semantics.layers import overlay
from enasdsl.semantics.training import OR_NONE, ChildWeights, Data, Section, Share, Weights

Settings = Mapping[str, object]


def _scalar(value: object) -> object:
    if not isinstance(value, bool | int | float | str):
        raise PydanticCustomError("scalar", "a param is a number, a word, true or false")
    return _read(value) if isinstance(value, str) else value


def _read(word: str) -> bool | int | float | str:
    """What a word typed on the command line means."""
    if word in ("true", "false"):
        return word == "true"
    for read in (int, float):
        with suppress(ValueError):
            return read(word)
    return word


Scalar = Annotated[bool | int | float | str, PlainValidator(_scalar)]


class Controller(Section):
    """The LSTM that samples architectures, and how REINFORCE trains it."""

    hidden: PositiveInt = 100
    """Units of the LSTM (paper: 100)."""
    tanh: Annotated[PositiveFloat | None, OR_NONE] = 2.5
    """Logits are bounded to plus or minus this by a tanh, or none (paper: 2.5)."""
    temperature: PositiveFloat = 5.0
    """Logits are divided by this first (paper: 5.0)."""
    op_tanh_reduce: PositiveFloat = 1.0
    """The tanh bound of choices of an operation is divided by this (facts 5.3.3)."""
    init: PositiveFloat = 0.1
    """Fresh weights are uniform between plus and minus this (paper: 0.1)."""
    lr: PositiveFloat = 3.5e-4
    """Learning rate of Adam (paper: 3.5e-4)."""
    beta1: Share = 0.9
    """Adam's decay of the mean gradient (the authors' code: 0)."""
    beta2: Share = 0.999
    """Adam's decay of the mean squared gradient."""
    eps: PositiveFloat = 1e-8
    """Added to Adam's denominator (the authors' code: 1e-3)."""
    clip: Annotated[PositiveFloat | None, OR_NONE] = None
    """Greatest global norm of a gradient, or none."""
    steps: Annotated[NonNegativeInt | None, OR_NONE] = None
    """Updates after each epoch, or none for as many as the weights have steps (paper: 2000)."""
    children: PositiveInt = 1
    """Architectures sampled and averaged in an update (paper: 1)."""
    baseline: Share = 0.99
    """Share of the moving-average baseline that an update keeps (facts 6)."""
    unit: Literal["reward", "deviation"] = "reward"
    """Rewards are taken as they are, or in standard deviations from the mean of all so far."""
    baseline_from: Literal["first", "zero"] = "first"
    """Where the baseline begins: at the first reward, or at zero as in the authors' code."""
    entropy: NonNegativeFloat = 1e-4
    """Weight, in units of the reward, of the policy's entropy in nats (facts 5.5)."""
    entropy_of: Literal["policy", "reward", "sample"] = "policy"
    """`policy`: its gradient in full; `reward`: as a reward only, or of the `sample`'s picks."""
    skip_rate: Annotated[float, Field(gt=0, lt=1)] = 0.4
    """Prior probability of each optional skip connection (paper: 0.4)."""
    skip_weight: NonNegativeFloat = 0.0
    """Weight in the loss of the KL divergence from that prior (paper, macro: 0.8)."""
    skip_slope: PositiveFloat = 1.0
    """A skip is drawn at the logit times this, and its KL is at the logit (facts 5.2.4)."""
    distance: Annotated[PositiveFloat | None, OR_NONE] = None
    """The logit of an input is less by its squared distance over this, or none (facts 5.4.1)."""
    prefer: Mapping[str, tuple[float, ...]] = Field(default_factory=dict)
    """By path, as in `normal: [0.25, -0.25]`: numbers added to the logits of alternatives there."""
    bias: Mapping[str, tuple[float, ...]] = Field(default_factory=dict)
    """By path: where a learned bias of logits, before `tanh`, begins; equal choices share it."""


class Evolution(Section):
    """Regularised evolution: the oldest dies, a winner's child is born (Real et al. 2019)."""

    population: PositiveInt = 20
    """Architectures that are alive."""
    tournament: PositiveInt = 5
    """How many of them are drawn, with the best of which the next generation begins."""


class Relaxation(Section):
    """The weights of choices that `darts` and `gdas` follow gradients with."""

    lr: PositiveFloat = 3e-4
    """Learning rate of Adam (Liu et al. 2019 and Dong and Yang 2019: 3e-4)."""
    beta1: Share = 0.5
    """Adam's decay of the mean gradient (both: 0.5)."""
    beta2: Share = 0.999
    """Adam's decay of the mean squared gradient."""
    decay: NonNegativeFloat = 1e-3
    """Weight of half the squared norm of the logits (both: 1e-3)."""
    init: NonNegativeFloat = 1e-3
    """Standard deviation of fresh logits (their code: 1e-3)."""
    temperature: PositiveFloat = 10.0
    """`gdas` draws at this temperature first (Dong and Yang 2019: 10)."""
    coldest: PositiveFloat = 0.1
    """`gdas` draws at this temperature at the end, between them in a line (theirs: 0.1)."""


class Reward(Section):
    """What a sampled architecture earns on a validation minibatch."""

    dropout: bool = False
    """Whether dropout acts while rewards are measured, as in the authors' micro search."""
    c: PositiveFloat = 80.0
    """A language model earns c / perplexity (facts 1.6); an image classifier its accuracy."""
    of: Annotated[str | None, OR_NONE] = None
    """What is earned instead, such as "accuracy - 0.1 * log(params), params <= 4M"."""


class Derive(Section):
    """How final architectures are drawn from the trained strategy."""

    samples: PositiveInt = 100
    """Architectures sampled and scored on the whole validation set (facts 9.2)."""
    keep: PositiveInt = 10
    """How many of the best are written down."""


class Child(Section):
    """The training of a derived architecture; keys left out are as in the search.

    A setting that reads a choice has its first value, and stands in `chosen` with all of them.
    """

    params: Mapping[str, Scalar] = Field(default_factory=dict)
    """Values for the params of the space file; they may not change its decisions."""
    data: Data = Data()
    """How training examples are cut."""
    weights: ChildWeights = ChildWeights()
    """Its optimisation."""
    _chosen: tuple[ByChoice, ...] = ()

    @property
    def chosen(self) -> tuple[ByChoice, ...]:
        return self._chosen

    @model_validator(mode="wrap")
    @classmethod
    def _each(cls, value: object, handler: ModelWrapValidatorHandler[Self]) -> Self:
        """Validates the settings with every value of those that read a choice."""
        if not isinstance(value, Mapping):
            return handler(value)
        chosen = tuple(sorted(found(value), key=lambda one: one.key))
        plain = overlay(value, {one.key: one.values[0] for one in chosen})
        for one in chosen:
            for other in one.values[1:]:
                handler(overlay(plain, {one.key: other}))
        child = handler(plain)
        child._chosen = chosen
        return child

    @model_serializer(mode="wrap")
    def _written(self, handler: SerializerFunctionWrapHandler) -> dict[str, object]:
        return overlay(handler(self), {one.key: one.written() for one in self._chosen})


class Recipe(Section):
    """All settings of a search and of the child that comes out of it."""

    params: Mapping[str, Scalar] = Field(default_factory=dict)
    """Values for the params of the space file while the weights are shared."""
    data: Data = Data()
    """How training examples are cut."""
    weights: Weights = Weights()
    """The optimisation of the shared weights."""
    controller: Controller = Controller()
    """The controller and its optimisation."""
    evolution: Evolution = Evolution()
    """The population of the strategies that have one."""
    relaxation: Relaxation = Relaxation()
    """The weights of choices of the strategies that mix them."""
    reward: Reward = Reward()
    """What an architecture earns."""
    derive: Derive = Derive()
    """How final architectures are drawn."""
    child: Child = Child()
    """The training of the derived architecture."""


def _models(path: str, model: type[Section]) -> Iterator[tuple[str, type[Section]]]:
    """A section and those below it, each with its dotted path."""
    yield path, model
    for key, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, Section):
            yield from _models(f"{path}.{key}" if path else key, kind)


_MODELS: Mapping[str, type[Section]] = dict(_models("", Recipe))
SECTIONS: Mapping[str, tuple[str, ...]] = {
    path: tuple(model.model_fields) for path, model in _MODELS.items()
}
"""The keys of each section by its dotted path; the recipe itself is ``""``."""

_SOURCE = re.compile(r" \(facts [^)]*\)")


@dataclass(frozen=True, slots=True)
class Problem:
    """A setting that the schema refuses; `known` lists the right keys where the key is unknown."""

    path: tuple[str, ...]
    message: str
    known: tuple[str, ...] = ()


def describe_setting(path: str) -> str:
    """What a dotted key of a recipe means, and its default; nothing for an unknown key."""
    section, _, key = path.rpartition(".")
    model = _MODELS.get(section)
    if model is None or key not in model.model_fields:
        return ""
    field = model.model_fields[key]
    told = _SOURCE.sub("", field.description or "").rstrip(".")
    if path in _MODELS or field.is_required() or field.default_factory is not None:
        return told
    return f"{told}; {str(field.default).lower()} if left out"


def setting_choices(path: str) -> tuple[str, ...]:
    """The words that a dotted key of a recipe can have; none where it is a number."""
    section, _, key = path.rpartition(".")
    model = _MODELS.get(section)
    if model is None or key not in model.model_fields:
        return ()
    kind = model.model_fields[key].annotation
    if kind is bool:
        return ("true", "false")
    return tuple(map(str, get_args(kind))) if get_origin(kind) is Literal else ()


def validate(settings: Settings) -> Recipe:
    """The recipe that `settings` (nested or dotted keys) say.

    Raises pydantic.ValidationError; `problems` puts the same into words.
    """
    return Recipe.model_validate(_inherit(overlay({}, settings)))


def apply(settings: Settings, overrides: Settings) -> Recipe:
    """The recipe of `settings` with `overrides` (nested or dotted keys) put over them."""
    return validate(overlay(settings, overrides))


def settled(recipe: Recipe, pick: Callable[[str, int], int]) -> Recipe:
    """The recipe of one architecture, in which `pick` says what a choice among so many picks."""
    values = {
        f"child.{one.key}": one.values[pick(one.choice, len(one.values))]
        for one in recipe.child.chosen
    }
    return apply(recipe.model_dump(), values) if values else recipe


def problems(settings: Settings) -> tuple[Problem, ...]:
    """Everything that the schema refuses in `settings`, in its order."""
    nested = overlay({}, settings)
    try:
        validate(nested)
    except ValidationError as error:
        found = (_problem(entry["loc"], entry["type"], entry["msg"]) for entry in error.errors())
        return tuple(problem for problem in found if _is_written(problem.path, nested))
    return ()


def _inherit(settings: Mapping[str, object]) -> dict[str, object]:
    """Fills what the child leaves out of `data` and `weights` with the search's settings."""
    child = settings.get("child", {})
    if not isinstance(child, Mapping):
        return dict(settings)
    filled = dict(child)
    for section in ("data", "weights"):
        search = settings.get(section, {})
        own = child.get(section, {})
        if isinstance(search, Mapping) and isinstance(own, Mapping):
            known = SECTIONS[f"child.{section}"]
            filled[section] = overlay({k: v for k, v in search.items() if k in known}, own)
    return {**settings, "child": filled}


def _problem(place: Sequence[int | str], kind: str, message: str) -> Problem:
    path = tuple(str(part) for part in place)
    if kind == "extra_forbidden":
        known = SECTIONS.get(".".join(path[:-1]), ())
        return Problem(path, f"a recipe has no setting `{'.'.join(path)}`", known)
    text = message[:1].lower() + message[1:]
    return Problem(path, f"`{'.'.join(path)}`: {text}")


def _is_written(path: tuple[str, ...], settings: object) -> bool:
    """Whether the settings name `path` themselves, rather than inherit it."""
    for part in path:
        if not isinstance(settings, Mapping):
            return True
        if part not in settings:
            return False
        settings = settings[part]
    return True
