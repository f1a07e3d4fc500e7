"""The schema of training: data, gradient descent, and what keeps it from overfitting."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
)

Share = Annotated[float, Field(ge=0, lt=1)]
OR_NONE = BeforeValidator(lambda value: None if value == "none" else value)


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
    midway: bool = False
    """Whether the first step after a restart has the rate of mid-cycle, as in the authors' code."""
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


class Auxiliary(Section):
    """The heads that the space file puts at the side with `auxiliary`, if any."""

    weight: NonNegativeFloat = 0.4
    """Weight of their loss beside that of the network (the authors' code: 0.4)."""
    trained: bool = True
    """Whether their own weights are trained; the authors' stay as they began (facts D29)."""


class Penalty(Section):
    """What the outputs [B, T, C] of recurrent cells add to the loss (Merity et al. 2017)."""

    activation: NonNegativeFloat = 0.0
    """Weight of their mean square."""
    slowness: NonNegativeFloat = 0.0
    """Weight of the mean square of the difference between one position and the next."""


class Average(Section):
    """Averaged SGD: a child is judged by the mean of its weights over steps."""

    kind: Literal["none", "epoch", "stalled"] = "none"
    """`epoch`: over all steps from an epoch on; `stalled`: once validation no longer improves."""
    from_epoch: NonNegativeInt = 0
    """The first epoch of `epoch`."""
    patience: PositiveInt = 10
    """Epochs by which the best measure must be older than the newest for `stalled` to begin."""


class Training(Section):
    """Gradient descent on the weights of a network."""

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
    clip: Annotated[PositiveFloat | None, OR_NONE] = None
    """Greatest global norm of a gradient, or none."""
    schedule: Schedule = Schedule()
    """The learning rate by epoch."""
    init: Init = Init()
    """The distribution of fresh weights."""
    auxiliary: Auxiliary = Auxiliary()
    """The loss of heads at the side."""
    penalty: Penalty = Penalty()
    """What the outputs of recurrent cells add to the loss."""
    epochs: PositiveInt = 310
    """Passes over the training data."""
    steps: Annotated[PositiveInt | None, OR_NONE] = None
    """At most so many minibatches in an epoch, or none for all of them."""


class Weights(Training):
    """Gradient descent on the shared weights."""

    inactive: Literal["rest", "decay"] = "rest"
    """Shared weights that a step does not use `rest`, or `decay` and glide on (facts 7.4)."""
    children: PositiveInt = 1
    """Architectures whose gradients are averaged in a step, M (paper: 1)."""


class ChildWeights(Training):
    """Gradient descent on the weights of one architecture."""

    average: Average = Average()
    """Averaged SGD."""
