"""`require` over params and macs: exact counts, uniform samples, and what it says otherwise."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from random import Random

import pytest
import torch
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from programs import Program, programs
from test_costs import built, compiled, example, torch_macs, torch_params

from enasdsl.ir.costs import cost
from enasdsl.ir.count import count
from enasdsl.ir.extent import extents
from enasdsl.ir.pricing import unbounded
from enasdsl.ir.record import RecordError, check
from enasdsl.ir.sample import enumerate_space, rank, sample, unrank
from enasdsl.ir.space import Space
from enasdsl.pipeline import Compilation
from enasdsl.semantics.task import Task
from enasdsl.source import SourceFile, shipped


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    torch.set_num_threads(1)
    with torch.no_grad():
        yield


def limited(text: str, requirement: str, task: Task | None = None) -> Space | None:
    """The space of a file with one more requirement; None where nothing is left of it."""
    compilation = Compilation(SourceFile("t.enas", f"{text}\nrequire {requirement}\n"), task=task)
    if compilation.space is None:
        assert [d.code for d in compilation.diagnostics] == ["E0408"]
    return compilation.space


WIDTHS = """
space widths
a, b, c = choose 3 from [4, 8, 12] with repeats
network image_classifier {
  stem  conv(3, filters: a) -> batch_norm
  stack conv(3, filters: b, stride: 2) -> relu, conv(3, filters: c) -> relu
  head  global_avg_pool -> linear(classes)
}
"""

DEPTHS = """
space depths
param filters = 6
op layer { conv(choose [1, 3, 5], filters: 6 * choose [1, 2]) -> relu -> conv(1) }
op stage { layer * choose 1..2 }
network image_classifier {
  stem  conv(3)
  stack stage, stage -> max_pool(2, stride: 2)
  head  global_avg_pool -> linear(classes)
}
"""

CELL = """
space cells
param filters = 4
cell c(p, x) {
  node i in 1..2 { choose earlier -> choose [conv(1), conv(3), identity] }
  concat(loose) -> conv(1)
}
network image_classifier {
  stem  conv(3)
  stack c * 2
  head  global_avg_pool -> linear(classes)
}
"""

PUBLISHED = (shipped("spaces") / "nasbench_macro.enas").read_text("utf-8")


@pytest.mark.parametrize("text", [WIDTHS, DEPTHS, CELL])
@pytest.mark.parametrize("word", ["params", "macs"])
def test_the_count_is_the_number_of_children_within_the_budget(text: str, word: str) -> None:
    free = compiled(text)
    costs = Counter(getattr(cost(free, a), word) for a in enumerate_space(free))
    ranked = sorted(costs)
    for budget in (ranked[0], ranked[len(ranked) // 3], ranked[-2], ranked[-1] + 1):
        space = limited(text, f"{word} <= {budget}")
        assert space is not None
        assert count(space) == sum(n for c, n in costs.items() if c <= budget)
        above = limited(text, f"{word} > {budget}")
        assert (count(above) if above else 0) == sum(n for c, n in costs.items() if c > budget)


def test_the_budget_is_kept_by_what_torch_builds() -> None:
    space = limited(DEPTHS, "params <= 2000 and macs <= 1.2e6")
    free = compiled(DEPTHS)
    assert space is not None
    kept = 0
    for architecture in sample(free, 60, Random(0)):
        child = built(free, architecture)
        within = torch_params(child) <= 2000 and torch_macs(child, example(free)) <= 1_200_000
        kept += within
        if within:
            check(space, architecture)
        else:
            with pytest.raises(RecordError, match="requirement"):
                check(space, architecture)
    assert 0 < kept < 60


def test_nasbench_macro_under_a_budget() -> None:
    free = compiled(PUBLISHED)
    space = limited(PUBLISHED, "params <= 1.5e6")
    assert space is not None
    within = sum(cost(free, a).params <= 1_500_000 for a in sample(free, 400, Random(1)))
    assert count(space) / count(free) == pytest.approx(within / 400, abs=0.08)
    for architecture in sample(space, 50, Random(2)):
        assert cost(space, architecture).params <= 1_500_000


def test_samples_under_a_budget_are_numbered_without_gaps() -> None:
    space = limited(CELL, "macs <= 500e3")
    assert space is not None
    every = [unrank(space, index) for index in range(count(space))]
    assert len(set(every)) == len(every) > 10
    assert [rank(space, architecture) for architecture in every] == list(range(len(every)))
    assert all(cost(space, architecture).macs <= 500_000 for architecture in every)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(programs(), st.sampled_from(["params", "macs"]), st.integers(0, 100))
def test_a_budget_on_a_generated_file(program: Program, word: str, share: int) -> None:
    free = compiled(program.text, program.task)
    assume(count(free) <= 300)
    costs = [getattr(cost(free, a), word) for a in enumerate_space(free)]
    budget = sorted(costs)[(len(costs) - 1) * share // 100]
    space = limited(program.text, f"{word} <= {budget}", program.task)
    assert space is not None
    assert count(space) == sum(c <= budget for c in costs)
    assert getattr(extents(space), word).most <= budget


def test_a_cost_may_be_compared_with_what_is_chosen() -> None:
    text = WIDTHS.replace("network", "require params <= 100 * a + 40 * b\nnetwork", 1)
    free, space = compiled(WIDTHS), compiled(text)
    widths = (4, 8, 12)
    expected = 0
    for architecture in enumerate_space(free):
        a, b = (widths[picks[0]] for picks in architecture.picks[:2] if picks)
        expected += cost(free, architecture).params <= 100 * a + 40 * b
    assert 0 < expected < count(free)
    assert count(space) == expected


def test_the_hash_does_not_depend_on_a_budget() -> None:
    space = limited(DEPTHS, "params <= 800")
    assert space is not None
    assert space.hash == compiled(DEPTHS).hash


def test_a_child_of_other_sizes_need_not_keep_the_budget() -> None:
    text = f"{DEPTHS}\nrequire params <= 2000\n"
    space, wide = compiled(text), compiled(text.replace("filters = 6", "filters = 8"))
    beyond = [a for a in sample(space, 30, Random(0)) if cost(wide, a).params > 2000]
    assert beyond
    for architecture in beyond:
        with pytest.raises(RecordError, match="requirement: params <= 2000"):
            check(wide, architecture)
        check(unbounded(wide), architecture)


def test_a_file_without_a_network_has_no_costs() -> None:
    text = "space s\ncell c(x) { x -> conv(3) }\nrequire params <= 3\n"
    compilation = Compilation(SourceFile("t.enas", text))
    assert compilation.outline is None
    (found,) = compilation.diagnostics
    assert found.code == "E0208"
    assert "network" in found.message


def test_costs_are_words_of_requirements_alone() -> None:
    text = "space s\ncell c(x) { x -> conv(3, filters: params) }\n"
    compilation = Compilation(SourceFile("t.enas", text))
    assert compilation.outline is None
    assert {d.code for d in compilation.diagnostics} <= {"E0204", "E0205"}
