"""The controller under constraints: no pick is open from which nothing lawful follows."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from math import sqrt
from time import process_time

import pytest
import torch
from handmade import everything, seeded
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from strategies import COMPARISONS, spaces
from test_require import CASES, FRAME, compiled

from enasdsl.ir import completion
from enasdsl.ir.constraint import satisfied
from enasdsl.ir.record import check
from enasdsl.ir.space import Architecture, Constraint, Decision, Domain, Kind, Source, Space
from enasdsl.ir.variables import TooManyStates
from enasdsl.nn.controller import ConstraintError, Controller
from enasdsl.pipeline import Compilation
from enasdsl.semantics.symbols import Chosen, Computed, Counted, Num
from enasdsl.source import SourceFile, shipped

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
    """Asserts that the lawful architectures have all the probability, and are drawn with theirs."""
    kept, broken = lawful(space)
    if not kept:
        return
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


@settings(max_examples=150, deadline=None)
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


@settings(max_examples=100, deadline=None)
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


GROUPS = Space(
    "groups",
    "vector",
    (
        Decision("n.s", "n", Domain(Kind.SET, 4, 1, 3), tuple("abcd"), Source.VALUE),
        Decision("n.m", "n", Domain(Kind.MULTISET, 3, 2, 2), tuple("abc"), Source.VALUE),
        Decision("n.k", "n", Domain(Kind.SEQUENCE, 3, 2, 2), tuple("abc"), Source.VALUE),
    ),
    (
        Constraint(
            Computed(
                "<=",
                (
                    Computed(
                        "+",
                        (
                            Counted(0, frozenset({1, 3}), 3),
                            Counted(1, frozenset({0, 2}), 2),
                            Chosen(2, 0, (0, 1, 2)),
                            Chosen(2, 1, (2, 0, 1)),
                        ),
                    ),
                    3,
                ),
            ),
            (),
            "they are few",
        ),
    ),
)


def test_they_come_as_often_as_their_probability_says() -> None:
    kept, _ = lawful(GROUPS)
    controller = Controller(GROUPS, hidden=6, temperature=None, init=0.7, generator=seeded())
    n = 20_000
    with torch.no_grad():
        drawn = Counter(controller.sample(n, seeded(1)).architectures)
        expected = dict(zip(kept, (controller.log_prob(kept).exp() * n).tolist(), strict=True))
    assert set(drawn) <= set(expected)
    pairs = [(drawn[a], e) for a, e in expected.items() if e >= 5]
    pairs.append((n - sum(seen for seen, _ in pairs), n - sum(e for _, e in pairs)))
    assert len(pairs) > 40
    statistic = sum((seen - e) ** 2 / e for seen, e in pairs if e > 1)
    assert statistic < len(pairs) + 4 * sqrt(2 * len(pairs))


def test_what_is_remembered_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(completion, "REMEMBERED", 10)
    is_exact(GROUPS, 0)


def test_no_gradient_moves_probability_to_what_is_unlawful() -> None:
    kept, _ = lawful(GROUPS)
    controller = sharp(GROUPS, 0)
    total = controller.log_prob(kept).exp().sum()
    torch.autograd.backward(total)
    for parameter in controller.parameters():
        if parameter.grad is not None:
            assert parameter.grad.abs().max() < 1e-9


# ------------------------------------------------------------- what cannot be counted


@pytest.fixture
def uncounted(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(space: Space) -> None:
        raise TooManyStates(space.decisions, 1)

    monkeypatch.setattr("enasdsl.nn.controller.Completions", refused)


@pytest.mark.usefixtures("uncounted")
def test_draws_are_repeated_where_states_are_too_many() -> None:
    controller = sharp(GROUPS, 0)
    assert not controller.exact
    kept, _ = lawful(GROUPS)
    drawn = controller.sample(100, seeded())
    assert set(drawn.architectures) <= set(kept)
    torch.testing.assert_close(drawn.log_prob, controller.log_prob(drawn.architectures))


@pytest.mark.usefixtures("uncounted")
def test_draws_are_not_repeated_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("enasdsl.nn.controller.ATTEMPTS", 4)
    never = Constraint(Computed("<", (Chosen(2, 0, (0, 1, 2)), -1)), (), "nothing is below zero")
    controller = Controller(replace(GROUPS, constraints=(never,)), generator=seeded())
    with pytest.raises(
        ConstraintError, match=r"only 0 of 2 .* `groups` requires: nothing is below"
    ):
        controller.sample(2, seeded())


def test_nothing_is_drawn_where_nothing_is_lawful() -> None:
    never = Constraint(Computed("<", (Chosen(2, 0, (0, 1, 2)), -1)), (), "nothing is below zero")
    controller = Controller(replace(GROUPS, constraints=(never,)), generator=seeded())
    with pytest.raises(ConstraintError, match="no architecture of `groups` is lawful: nothing is"):
        controller.sample(2, seeded())


# --------------------------------------------------------------------------- time

WIDTHS = """w = choose 10 from 8..256 step 8 with repeats in order
require sorted(w) and sum(w) <= 1500"""
MANY = "s = choose 13 from 1..26\nrequire sum(s) <= 160"


@pytest.mark.parametrize("name", ["nasbench101", "widths", "many", "budget"])
def test_a_batch_takes_less_than_a_second(name: str) -> None:
    torch.set_num_threads(1)
    published = shipped("spaces")
    match name:
        case "widths" | "many":
            top = WIDTHS if name == "widths" else MANY
            text = FRAME.format(top=top, cell="  node 1 { older + newer }", last="sum(nodes)")
        case "budget":
            text = (published / "nasbench_macro.enas").read_text("utf-8")
            text += "\nrequire params <= 2e6\n"
        case _:
            text = (published / f"{name}.enas").read_text("utf-8")
    space = Compilation(SourceFile("s.enas", text)).outline
    assert space is not None
    controller = Controller(space, generator=seeded())
    before = process_time()
    drawn = controller.sample(64, seeded()).architectures
    assert process_time() - before < 1
    for architecture in drawn:
        check(space, architecture)
