"""A space for optimisers of others: Optuna by running it, ConfigSpace by listing it.

`pip install 'enasdsl[optuna]'` or `'enasdsl[configspace]'` brings them; nothing here needs torch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from enasdsl.ir.domain import size, unrank
from enasdsl.ir.record import RecordError, check
from enasdsl.ir.space import Architecture, Decision, Domain, Kind, Space
from enasdsl.semantics.symbols import Picks, Reading, Test

if TYPE_CHECKING:
    from ConfigSpace import ConfigurationSpace
    from optuna import Trial

Pick = tuple[int, ...]
LISTED = 64
"""The most picks of one decision that are offered by name; of more their number is asked."""


def suggest(trial: Trial, space: Space) -> Architecture:
    """The architecture that an Optuna trial suggests, decision by decision, only those reached.

    Prunes a trial whose architecture breaks a requirement.
    """
    from optuna import TrialPruned

    def pick(decision: Decision) -> Pick:
        if _listed(decision.domain):
            names = _names(decision)
            return names[str(trial.suggest_categorical(decision.path, list(names)))]
        last = size(decision.domain) - 1
        return unrank(decision.domain, trial.suggest_int(decision.path, 0, last))

    try:
        return decided(space, pick)
    except RecordError as error:
        raise TrialPruned(str(error)) from error


def configuration_space(space: Space, *, seed: int | None = None) -> ConfigurationSpace:
    """The decisions of a space as hyperparameters of ConfigSpace.

    A decision that others leave unreached is inactive where their tests are on single picks, and
    ignored by `configured` in any case. Requirements are not told: `configured` refuses.
    """
    from ConfigSpace import (
        AndConjunction,
        CategoricalHyperparameter,
        ConfigurationSpace,
        InCondition,
        UniformIntegerHyperparameter,
    )

    found = ConfigurationSpace(name=space.name, seed=seed)
    known: list[Any] = []
    for decision in space.decisions:
        if _listed(decision.domain):
            parameter: Any = CategoricalHyperparameter(decision.path, list(_names(decision)))
        else:
            last = size(decision.domain) - 1
            parameter = UniformIntegerHyperparameter(decision.path, 0, last)
        found.add(parameter)
        known.append(parameter)
        conditions = [
            InCondition(parameter, known[decision_], values)
            for decision_, values in _conditions(space, decision)
        ]
        if conditions:
            found.add(conditions[0] if len(conditions) == 1 else AndConjunction(*conditions))
    return found


def configured(space: Space, configuration: Mapping[str, Any]) -> Architecture:
    """The architecture that a configuration means; raises RecordError where it breaks a rule."""

    def pick(decision: Decision) -> Pick:
        value = configuration[decision.path]
        if _listed(decision.domain):
            return _names(decision)[str(value)]
        return unrank(decision.domain, int(value))

    return decided(space, pick)


def decided(space: Space, pick: Callable[[Decision], Pick]) -> Architecture:
    """The run of a space in which `pick` decides whatever is reached; raises RecordError."""
    picks: list[Picks] = [None] * len(space.decisions)
    for index, decision in enumerate(space.decisions):
        if Reading(tuple(picks)).holds(decision.guard):
            picks[index] = pick(decision)
    architecture = Architecture(space.name, space.hash, tuple(picks))
    check(space, architecture)
    return architecture


def _listed(domain: Domain) -> bool:
    return size(domain) <= LISTED


def _names(decision: Decision) -> dict[str, Pick]:
    """Every pick of a decision by what it is called."""
    domain = decision.domain
    picks = (unrank(domain, index) for index in range(size(domain)))
    return {", ".join(decision.labels[p] for p in pick) or "none": pick for pick in picks}


def _conditions(space: Space, decision: Decision) -> list[tuple[int, list[str]]]:
    """The decisions that a guard tests, where each picks one, and the labels that it allows."""
    found: list[tuple[int, list[str]]] = []
    for test in decision.guard:
        if not isinstance(test, Test):
            continue
        tested = space.decisions[test.decision]
        if tested.domain.kind is Kind.ONE and _listed(tested.domain):
            allowed = [tested.labels[p] for p in sorted(test.allowed) if p < tested.domain.size]
            found.append((test.decision, allowed))
    return found
