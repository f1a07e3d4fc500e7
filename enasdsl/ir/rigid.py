"""Why the choices of a space do not mix: which of them, at which line, and what would."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from enasdsl.ir.constraint import reads
from enasdsl.ir.domain import size
from enasdsl.ir.graph import Apply, Body, Call, Input, Node, Present, Select, Value
from enasdsl.ir.relaxing import BLENDED, always, by_decision, everything, reached
from enasdsl.ir.space import Decision, Space
from enasdsl.semantics.symbols import Chosen, Computed, Condition, Either, Num, Unread

MOST = 4096
"""The most picks of one decision, each of which has a weight."""

Reasons = Iterator[tuple[int, str, str]]
"""Decisions, why they do not mix, and what to do instead."""


@dataclass(frozen=True, slots=True)
class Obstacle:
    """A decision that does not mix, why, and what to do instead."""

    decision: Decision
    why: str
    instead: str

    @property
    def place(self) -> str:
        """`micro.enas:22: choose 2 from earlier`, or the path where no line is known."""
        span = self.decision.span
        if span is None:
            return self.decision.path
        return f"{Path(span.source.name).name}:{span.position[0]}: {' '.join(span.text.split())}"


def obstacles(space: Space, *, soft: bool) -> tuple[Obstacle, ...]:
    """What stands in the way of weighing every decision, one for each, in their order.

    With `soft` all alternatives run and must mix; without, one of them runs at a time, and it is
    enough that each decision weighs some value.
    """
    found = dict(_first(_large(space)))
    if not found:
        weighed: set[int] = set()
        for body, value in reached(space, everything(space)):
            weighed.update(_weighed(space, body, value))
            if soft:
                found = {**dict(_first(_partial(space, body, value))), **found}
            found = {**dict(_first(_numbers(value))), **found}
        if not soft:
            found = {d: why for d, why in found.items() if d not in weighed}
        found = {**dict(_first(_mute(space, weighed))), **found}
    return tuple(Obstacle(space.decisions[d], *found[d]) for d in sorted(found))


def _first(reasons: Reasons) -> Iterator[tuple[int, tuple[str, str]]]:
    return ((decision, (why, instead)) for decision, why, instead in reasons)


def _large(space: Space) -> Reasons:
    for index, decision in enumerate(space.decisions):
        if (picks := size(decision.domain)) > MOST:
            yield (
                index,
                f"has {picks:,} picks, and only up to {MOST:,} can have a weight each",
                "choose from fewer, or a fixed number of them",
            )


def _mute(space: Space, weighed: set[int]) -> Reasons:
    for index, decision in enumerate(space.decisions):
        if index not in weighed and size(decision.domain) > 1:
            yield index, "picks no value of the network that could be weighed", "make it a param"


def _weighed(space: Space, body: Body, value: Value) -> Iterator[int]:
    """The decisions that weigh a value, or the inputs of one."""
    match value:
        case Select(decision=decision):
            yield decision
        case Apply(inputs=inputs):
            for condition in _conditions(body, inputs):
                yield from _tested(space, condition)
        case _:
            pass


def _tested(space: Space, condition: Condition) -> Iterator[int]:
    """The decisions that settle a condition, in part at least."""
    for decision, tests in by_decision(condition).items():
        if not always(space.decisions[decision].domain, tests):
            yield decision


def _conditions(body: Body, inputs: tuple[int, ...]) -> Iterator[Condition]:
    values = (body.values[i] for i in inputs)
    return (value.condition for value in values if isinstance(value, Present))


# ----------------------------------------------------------------- what cannot mix


def _numbers(value: Value) -> Reasons:
    """Chosen numbers: the arguments of an operation, and how wide a value is."""
    if isinstance(value, Apply):
        for name, number in value.args:
            for decision in _read(number):
                yield (
                    decision,
                    f"settles `{name}` of `{value.op}`, and weights of one operation do not mix",
                    "choose among operations instead, as in `choose [conv(3), conv(5)]`",
                )
    channels = value.shape.channels
    if isinstance(channels, Chosen | Computed):
        for decision in _read(channels):
            yield decision, "settles how wide a value is", "give the alternatives equal shapes"


def _read(number: Num) -> set[int]:
    return {leaf.decision for leaf in reads(number)}


def _partial(space: Space, body: Body, value: Value) -> Reasons:
    """Inputs that are there or not, of what cannot take them in part."""
    if not isinstance(value, Apply | Call):
        return
    for condition in _conditions(body, value.inputs):
        if any(isinstance(test, Unread) for test in condition):
            why = f"settles what is loose in `{body.name}`, and that is joined whole or not at all"
            yield from (
                (d, why, "join `nodes` instead of `loose`") for d in _loosening(space, body)
            )
        for test in condition:
            if isinstance(test, Either):
                why = "settles with others together whether a value is there"
                yield test.options[0][0].decision, why, "let one choice settle it"
        if not isinstance(value, Apply) or value.op not in BLENDED:
            name = value.op if isinstance(value, Apply) else "a cell"
            why = f"settles what `{name}` joins, and only `sum` and `mean` join in part"
            instead = "join what is chosen by `sum` or `mean`"
            yield from ((decision, why, instead) for decision in _tested(space, condition))


def _loosening(space: Space, body: Body) -> Iterator[int]:
    """The decisions on which it depends what the nodes of a body read."""
    ends: list[frozenset[int]] = []
    for index, value in enumerate(body.values):
        read = [ends[i] for i in _sources(value)]
        ends.append(frozenset({index}) if isinstance(value, Node) else frozenset().union(*read))
        if isinstance(value, Select) and len(set(read)) > 1:
            yield value.decision
        elif isinstance(value, Present):
            yield from _tested(space, value.condition)


def _sources(value: Value) -> tuple[int, ...]:
    match value:
        case Input():
            return ()
        case Node(value=inner) | Present(value=inner):
            return (inner,)
        case Select(branches=branches):
            return tuple(branch for branch in branches if branch is not None)
        case Apply(inputs=inputs) | Call(inputs=inputs):
            return inputs
