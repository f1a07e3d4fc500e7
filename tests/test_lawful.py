"""The controller under constraints: no pick is open from which nothing lawful follows."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from handmade import everything, seeded
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from strategies import COMPARISONS, spaces
from test_require import CASES, FRAME, compiled

from enasdsl.ir.completion import Completions
from enasdsl.ir.constraint import satisfied
from enasdsl.ir.space import Architecture, Constraint, Decision, Domain, Kind, Source, Space
from enasdsl.nn.controller import Controller
from enasdsl.semantics.symbols import Computed, Counted, Num

NOTHING = -1e8
"""A log-probability below this is that of a pick which is closed."""


def lawful(space: Space) -> tuple[list[Architecture], list[Architecture]]:
    """The architectures that meet all constraints, and those that break one."""
    kept: list[Architecture] = []
    broken: list[Architecture] = []
    for free in everything(replace(space, constraints=())):
        architecture = Architecture(space.name, space.hash, free.picks)
        meets = all(satisfied(c, free.picks) for c in space.constraints)
        (kept if meets else broken).append(architecture)
    return kept, broken


def sharp(space: Space, seed: int) -> Controller:
    """A controller that is far from uniform, in float64."""
    made = Controller(space, hidden=6, temperature=None, init=1.5, generator=seeded(seed))
    return made.double()


def is_exact(space: Space, seed: int) -> None:
    """Whether the lawful architectures have all the probability, and are drawn with theirs."""
    kept, broken = lawful(space)
    assume(kept)
    controller = sharp(space, seed)
    assert controller.exact
    found = controller.evaluate(kept)
    assert found.log_prob.exp().sum().item() == pytest.approx(1, abs=1e-9)
    assert (found.log_prob > NOTHING).all()
    assert (controller.log_prob(broken) < NOTHING).all()
    chance = found.log_prob.exp()
    exact = -(chance * found.log_prob).sum().item()
    assert (chance * found.entropy).sum().item() == pytest.approx(exact, abs=1e-9)
    drawn = controller.sample(20, seeded(seed))
    assert set(drawn.architectures) <= set(kept)
    again = controller.evaluate(drawn.architectures)
    for name in ("log_prob", "entropy", "skip_penalty", "rates"):
        torch.testing.assert_close(getattr(again, name), getattr(drawn, name))


@settings(max_examples=300, deadline=None)
@given(spaces(most=3), st.integers(0, 99))
def test_the_lawful_have_all_the_probability(space: Space, seed: int) -> None:
    is_exact(space, seed)


@st.composite
def crowded(draw: st.DrawFn) -> Space:
    """One or two sets of up to six alternatives, of which groups are counted."""
    decisions: list[Decision] = []
    terms: list[Num] = []
    for index in range(draw(st.integers(1, 2))):
        kind = draw(st.sampled_from([Kind.SET, Kind.SET, Kind.MULTISET]))
        size = draw(st.integers(3, 6 if kind is Kind.SET else 4))
        least = draw(st.integers(0, 3))
        domain = Domain(kind, size, least, draw(st.integers(least, min(size, least + 2))))
        labels = tuple("abcdef"[:size])
        source = draw(st.sampled_from([Source.INPUT, Source.VALUE]))
        paths = labels if source is Source.INPUT else ()
        decisions.append(Decision(f"n{index}.d", f"n{index}", domain, labels, source, (), paths))
        for _ in range(draw(st.integers(1, 2))):
            group = draw(st.frozensets(st.integers(0, size - 1), min_size=1, max_size=4))
            terms.append(Counted(index, group, domain.most))
            terms.append(draw(st.integers(-1, 1)))
    total = Computed("+", tuple(terms))
    wanted = Computed(draw(st.sampled_from(COMPARISONS)), (total, draw(st.integers(0, 4))))
    return Space("crowded", "vector", tuple(decisions), (Constraint(wanted, (), "they fit"),))


@settings(max_examples=150, deadline=None)
@given(crowded(), st.integers(0, 99))
def test_members_of_groups_are_closed_one_by_one(space: Space, seed: int) -> None:
    is_exact(space, seed)


@pytest.mark.parametrize("case", CASES)
def test_what_files_require_is_met(case: str) -> None:
    top, cell, last, requirement = CASES[case]

    @settings(max_examples=15, deadline=None)
    @given(requirement, st.integers(0, 99))
    def check(required: str, seed: int) -> None:
        text = FRAME.format(top=top, cell=f"{cell}\n  require {required}", last=last)
        space = compiled(text).outline
        assume(space is not None)
        assert space is not None
        is_exact(space, seed)

    check()
