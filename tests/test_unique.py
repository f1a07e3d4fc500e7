"""Classes of architectures: the fast count against every record, and graphs against networkx."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import permutations, product
from random import Random

import networkx as nx
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from programs import Program, programs

from enasdsl.ir.count import count
from enasdsl.ir.parameters import active_parameter_count
from enasdsl.ir.sample import enumerate_space, sample
from enasdsl.ir.space import Space
from enasdsl.ir.specialize import specialize
from enasdsl.ir.unique import RULES, Canon, classes, different
from enasdsl.ir.unique.isomorphism import Graph, canonical, labelings
from enasdsl.pipeline import Compilation
from enasdsl.source import SourceFile

ENUMERABLE = 150


def space(text: str, **params: object) -> Space:
    """The space of a text, or of a shipped file by its name."""
    if text.isidentifier():
        found = Compilation.open(text, overrides=params).space
    else:
        found = Compilation(SourceFile("test.enas", text), params).space
    assert found is not None
    return found


def listed(found: Space, rules: Sequence[str]) -> int:
    """The classes as the number of different forms of all records."""
    canon = Canon(found, rules)
    return len({canon.form(architecture) for architecture in enumerate_space(found)})


# --------------------------------------------------------------------- graphs


@st.composite
def graphs(draw: st.DrawFn, most: int = 6) -> Graph:
    """Small graphs without cycles, of few labels."""
    size = draw(st.integers(1, most))
    labels = tuple(draw(st.sampled_from("ab")) for _ in range(size))
    reads = tuple(
        tuple(
            (draw(st.integers(0, 1)), u)
            for u in draw(st.lists(st.integers(0, v - 1), max_size=2) if v else st.just([]))
        )
        for v in range(size)
    )
    ways = {"a": draw(st.integers(1, 2)), "b": draw(st.integers(1, 3))}
    return Graph(labels, reads, tuple(ways[label] for label in labels))


def renamed(graph: Graph, order: Sequence[int]) -> Graph:
    """The graph whose vertex n is vertex order[n] of `graph`."""
    place = {v: n for n, v in enumerate(order)}
    reads = tuple(tuple(sorted((p, place[u]) for p, u in graph.reads[v])) for v in order)
    return Graph(tuple(graph.labels[v] for v in order), reads, tuple(graph.ways[v] for v in order))


def drawn(graph: Graph) -> nx.MultiDiGraph:
    found = nx.MultiDiGraph()
    for v, label in enumerate(graph.labels):
        found.add_node(v, label=label)
    found.add_edges_from((u, v, {"port": p}) for v, es in enumerate(graph.reads) for p, u in es)
    return found


@given(graphs(), st.randoms(use_true_random=False))
def test_renaming_leaves_the_form(graph: Graph, rng: Random) -> None:
    order = list(range(len(graph.labels)))
    rng.shuffle(order)
    assert canonical(renamed(graph, order)) == canonical(graph)


@given(graphs(5), graphs(5))
def test_equal_forms_are_isomorphic_graphs(first: Graph, second: Graph) -> None:
    same = nx.is_isomorphic(
        drawn(first),
        drawn(second),
        node_match=lambda a, b: a["label"] == b["label"],
        edge_match=lambda a, b: (
            sorted(e["port"] for e in a.values()) == sorted(e["port"] for e in b.values())
        ),
    )
    assert (canonical(first) == canonical(second)) == same


@given(graphs(5))
def test_labelings_are_the_orbits_of_all_labels(graph: Graph) -> None:
    plain = renamed(graph, range(len(graph.labels)))
    found = set()
    symmetries = [o for o in permutations(range(len(graph.labels))) if renamed(graph, o) == plain]
    for labels in product(*map(range, graph.ways)):
        found.add(min(tuple(labels[v] for v in order) for order in symmetries))
    assert labelings(graph) == len(found)


def test_many_equal_parts_are_counted_without_their_symmetries() -> None:
    """Forty leaves of one root have 40! symmetries; of 3 labels each, multisets of 40."""
    graph = Graph(("root", *["leaf"] * 40), ((), *[((0, 0),)] * 40), (1, *[3] * 40))
    assert labelings(graph) == 42 * 41 // 2


# -------------------------------------------------------------- generated spaces


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(programs(), st.sets(st.sampled_from(RULES), min_size=1))
def test_the_count_is_the_number_of_forms(program: Program, rules: set[str]) -> None:
    compilation = Compilation(SourceFile("generated.enas", program.text), task=program.task)
    found = compilation.space
    assert found is not None
    assume(0 < count(found) <= ENUMERABLE)
    assert classes(found, tuple(rules)).count == listed(found, tuple(rules))


def nodes(n: int, body: str, tail: str = "sum(loose)") -> str:
    return f"""
    space nodes
    cell c(x, y) {{
      node i in 1..{n} {{ {body} }}
      {tail}
    }}
    """


EDGES = "sum(j -> choose [zero, identity, relu, tanh] for j in earlier)"
PAIRS = """
    a, b = choose 2 from earlier with repeats
    f, g = choose 2 from [relu, tanh] with repeats
    (a -> f) + (b -> g)
"""
SETS = "s = choose 1..2 from earlier\n sum(s) -> choose [relu, tanh, sigmoid]"
SUBSETS = "s = choose any from earlier\n sum(x -> zero, s) -> choose [relu, tanh]"
LATER = "s = choose 1 from earlier\n s -> choose [relu, tanh when i > 1, sigmoid when i == 2]"
MERGES = """
    a, b = choose 2 from earlier with repeats
    a, b -> choose [sum, product, subtract]
"""
LINKED = """
    space linked
    cell c(x) {
      node i in 1..3 { s = choose any from earlier; sum(x -> zero, s) -> relu }
      ends = choose any from earlier
      require edges + count(ends) <= 5
      require reachable(x, ends)
      sum(x -> zero, ends)
    }
"""
SMALL = {
    "edges": nodes(2, EDGES, "previous"),
    "pairs": nodes(2, PAIRS),
    "sets": nodes(2, SETS),
    "subsets": nodes(2, SUBSETS, "sum(y -> zero, loose)"),
    "later": nodes(2, LATER),
    "merges": nodes(2, MERGES),
    "concat": nodes(2, PAIRS, "concat(loose with inputs)"),
    "linked": LINKED,
    "required": nodes(3, "s = choose 1..2 from earlier\n require count(s) >= 2 or i < 3\n sum(s)"),
}
CHOSEN = [
    (),
    ("commute",),
    ("rename",),
    ("contract identity", "commute"),
    ("erase zero", "commute"),
    ("prune dead", "rename"),
    RULES,
]


@pytest.mark.slow
@pytest.mark.parametrize("rules", CHOSEN, ids="; ".join)
@pytest.mark.parametrize("name", SMALL)
def test_cells_are_counted_as_their_records_are(name: str, rules: tuple[str, ...]) -> None:
    found = space(SMALL[name])
    assert classes(found, rules).count == listed(found, rules)


def test_without_a_rule_every_architecture_is_one_of_its_own() -> None:
    found = space(SMALL["pairs"])
    assert classes(found, ()).count == count(found)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["nb1shot1_s1", "nasbench_macro"])
def test_architectures_of_one_class_have_as_many_weights(name: str) -> None:
    found = space(name)
    canon = Canon(found)
    known: dict[str, int] = {}
    for architecture in sample(found, 300, Random(0)):
        weights = active_parameter_count(specialize(found, architecture), found.places)
        assert known.setdefault(canon.key(architecture), weights) == weights
    assert len(known) < 300


def test_the_two_halves_of_a_node_may_be_exchanged() -> None:
    found = space("micro", N=1)
    canon = Canon(found)
    for architecture in sample(found, 10, Random(0)):
        a, b, f, g, *rest = architecture.picks
        other = replace(architecture, picks=(b, a, g, f, *rest))
        assert (canon.key(architecture) == canon.key(other)) is True
        wrong = replace(architecture, picks=(b, a, f, g, *rest))
        assert (canon.key(architecture) == canon.key(wrong)) == (a == b or f == g)


def test_the_key_of_a_class_is_the_same_in_every_process() -> None:
    found = space("nasbench201")
    (architecture,) = sample(found, 1, Random(0))
    assert Canon(found).key(architecture) == "4cabc0e59b7fed82"


@pytest.mark.slow
def test_different_ones_are_drawn_until_none_is_left() -> None:
    found = space(SMALL["edges"])
    canon = Canon(found, RULES)
    endless = iter(sample(found, 20_000, Random(0)))
    drawn: list[str] = []
    with pytest.raises(ValueError, match="only"):
        drawn.extend(map(canon.key, different(canon, endless)))
    assert len(set(drawn)) == len(drawn) == listed(found, RULES)


@pytest.mark.slow
def test_what_cannot_be_listed_is_estimated_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("enasdsl.ir.unique.canon.SAMPLES", 200)
    found = space("darts", N=1)
    exact, estimated = classes(found), classes(found, limit=10)
    assert exact.count == 382128166**2
    assert estimated.count is None
    assert 0 < estimated.least < exact.count


# ------------------------------------------------------------- published numbers

QUICK = {
    "nasbench201": {"c": 5425},
    "nasbench_macro": {"network": 3969},
    "nb1shot1_s1": {"module": 2685},
    "nb1shot1_s2": {"module": 7773},
    "nb1shot1_s3": {"module": 55854},
    "darts": {"normal": 382128166, "reduction": 382128166},
}


@pytest.mark.parametrize("name", QUICK)
def test_published_spaces_have_the_known_number_of_classes(name: str) -> None:
    """Those that take longer are in the table of the zoo (`tests/test_zoo.py`)."""
    assert {part.name: part.count for part in classes(space(name)).parts} == QUICK[name]


@pytest.mark.parametrize(
    ("rules", "known"),
    [
        (("contract identity", "commute"), 11870),
        (("erase zero", "prune dead", "rename"), 8765),
        (("erase zero", "prune dead", "commute"), 9445),
    ],
)
def test_other_rules_of_nasbench201(rules: tuple[str, ...], known: int) -> None:
    """Honest graph rules; 9,445 is printed for labelled nodes, 6,466 needs a rule over strings."""
    assert classes(space("nasbench201"), rules).count == known
