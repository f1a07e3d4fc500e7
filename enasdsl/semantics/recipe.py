"""The schema of `recipe` blocks: what a search, and the training of its child, may be told."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, Literal, get_args, get_origin

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PlainValidator,
    PositiveFloat,
    PositiveInt,
    ValidationError,
)
from pydantic_core import PydanticCustomError

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
Share = Annotated[float, Field(ge=0, lt=1)]
_OR_NONE = BeforeValidator(lambda value: None if value == "none" else value)


class Section(BaseModel):
    """A block of settings: unknown keys are errors, values do not change."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, allow_inf_nan=False, use_attribute_docstrings=True
    )


class Data(Section):
    """How training examples are cut out of a data set."""

    batch: PositiveInt = 128
    """Examples, or parallel streams of tokens, in a training or reward minibatch (facts 7)."""
    eval_batch: PositiveInt = 100
    """Examples, or parallel streams, in a minibatch of an evaluation (facts 8.4)."""
    bptt: PositiveInt = 35
    """Tokens through which a gradient flows back (facts 7)."""
    augment: bool = True
    """Whether training images are padded by 4, cropped and flipped at random (facts 8.2)."""
    cutout: NonNegativeInt = 0
    """Side, in pixels, of the square blanked in each training image; 0 blanks none (facts 8.3)."""


class Schedule(Section):
    """The learning rate as a function of the epoch, counted from 0."""

    kind: Literal["constant", "cosine", "step"] = "constant"
    """`cosine` falls from lr to min and restarts; `step` multiplies by gamma (facts 7.1)."""
    min: NonNegativeFloat = 0.0
    """The least learning rate of `cosine` and `step`."""
    period: PositiveInt = 10
    """Epochs of the first cosine cycle (paper: 10)."""
    multiply: PositiveInt = 2
    """How many times longer each cosine cycle is than the one before (paper: 2)."""
    gamma: Annotated[float, Field(gt=0, le=1)] = 0.96
    """Factor of each epoch of `step` (paper: 0.96)."""
    from_epoch: NonNegativeInt = 15
    """First epoch to which `step` applies its factor (paper: 15)."""


class Init(Section):
    """The distribution of fresh weights."""

    kind: Literal["he", "uniform"] = "he"
    """`he`: normal with variance 2 / fan-in; `uniform`: between -bound and bound."""
    bound: PositiveFloat = 0.1
    """Half the width of `uniform` (facts 2.2.7)."""


class Weights(Section):
    """Gradient descent on the weights of the network."""

    optimizer: Literal["sgd", "adam"] = "sgd"
    """`sgd`, as in the paper, or `adam` with its usual betas, for short runs."""
    lr: PositiveFloat = 0.05
    """Learning rate at first."""
    momentum: Share = 0.9
    """Share of the last step that `sgd` keeps; 0 for none."""
    nesterov: bool = True
    """Whether the gradient is taken ahead of the momentum; without momentum it says nothing."""
    decay: NonNegativeFloat = 1e-4
    """Weight decay: its product with a weight joins the weight's gradient."""
    inactive: Literal["rest", "decay"] = "rest"
    """Shared weights that a step does not use `rest`, or `decay` and glide on (facts 7.4)."""
    clip: Annotated[PositiveFloat | None, _OR_NONE] = None
    """Greatest global norm of a gradient, or none."""
    schedule: Schedule = Schedule()
    """The learning rate by epoch."""
    init: Init = Init()
    """The distribution of fresh weights."""
    children: PositiveInt = 1
    """Architectures whose gradients are averaged in a step, M (paper: 1)."""
    epochs: PositiveInt = 310
    """Passes over the training data."""
    steps: Annotated[PositiveInt | None, _OR_NONE] = None
    """At most so many minibatches in an epoch, or none for all of them."""


class Controller(Section):
    """The LSTM that samples architectures, and how REINFORCE trains it."""

    hidden: PositiveInt = 100
    """Units of the LSTM (paper: 100)."""
    tanh: Annotated[PositiveFloat | None, _OR_NONE] = 2.5
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
    clip: Annotated[PositiveFloat | None, _OR_NONE] = None
    """Greatest global norm of a gradient, or none."""
    steps: NonNegativeInt = 2000
    """Updates after each epoch (paper: 2000)."""
    children: PositiveInt = 1
    """Architectures sampled and averaged in an update (paper: 1)."""
    baseline: Share = 0.99
    """Share of the moving-average baseline that an update keeps (facts 6)."""
    entropy: NonNegativeFloat = 1e-4
    """Weight, in units of the reward, of the policy's entropy in nats (facts 5.5)."""
    skip_rate: Annotated[float, Field(gt=0, lt=1)] = 0.4
    """Prior probability of each optional skip connection (paper: 0.4)."""
    skip_weight: NonNegativeFloat = 0.0
    """Weight in the loss of the KL divergence from that prior (paper, macro: 0.8)."""


class Evolution(Section):
    """Regularised evolution: the oldest dies, a winner's child is born (Real et al. 2019)."""

    population: PositiveInt = 50
    """Architectures that are alive."""
    tournament: PositiveInt = 10
    """How many of them are drawn, with the best of which the next generation begins."""


class Reward(Section):
    """What a sampled architecture earns on a validation minibatch."""

    c: PositiveFloat = 80.0
    """A language model earns c / perplexity (facts 1.6); an image classifier its accuracy."""
    of: Annotated[str | None, _OR_NONE] = None
    """What is earned instead, such as "accuracy - 0.1 * log(params), params <= 4M"."""


class Derive(Section):
    """How final architectures are drawn from the trained strategy."""

    samples: PositiveInt = 100
    """Architectures sampled and scored on the whole validation set (facts 9.2)."""
    keep: PositiveInt = 10
    """How many of the best are written down."""


class Child(Section):
    """The training of a derived architecture; keys left out are as in the search."""

    params: Mapping[str, Scalar] = Field(default_factory=dict)
    """Values for the params of the space file; they may not change its decisions."""
    data: Data = Data()
    """How training examples are cut."""
    weights: Weights = Weights()
    """Its optimisation; `inactive` and `children` mean nothing here."""


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
    reward: Reward = Reward()
    """What an architecture earns."""
    derive: Derive = Derive()
    """How final architectures are drawn."""
    child: Child = Child()
    """The training of the derived architecture."""


_MODELS: Mapping[str, type[Section]] = {
    "": Recipe,
    "data": Data,
    "weights": Weights,
    "weights.schedule": Schedule,
    "weights.init": Init,
    "controller": Controller,
    "evolution": Evolution,
    "reward": Reward,
    "derive": Derive,
    "child": Child,
    "child.data": Data,
    "child.weights": Weights,
    "child.weights.schedule": Schedule,
    "child.weights.init": Init,
}
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


def problems(settings: Settings) -> tuple[Problem, ...]:
    """Everything that the schema refuses in `settings`, in its order."""
    nested = overlay({}, settings)
    try:
        validate(nested)
    except ValidationError as error:
        found = (_problem(entry["loc"], entry["type"], entry["msg"]) for entry in error.errors())
        return tuple(problem for problem in found if _is_written(problem.path, nested))
    return ()


def overlay(settings: Settings, overrides: Settings) -> dict[str, object]:
    """`settings` with `overrides` put over them section by section, dotted keys unfolded."""
    merged: dict[str, object] = {}
    for key, value in [*settings.items(), *overrides.items()]:
        head, _, rest = key.partition(".")
        if rest:
            value = {rest: value}
        if isinstance(value, Mapping):
            below = merged.get(head)
            value = overlay(below if isinstance(below, Mapping) else {}, value)
        merged[head] = value
    return merged


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
            filled[section] = overlay(search, own)
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
