"""Hypothesis strategies that other tests share: whole small spaces, without a network."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

from enasdsl.ir.space import Constraint, Decision, Domain, Kind, Source, Space
from enasdsl.semantics.symbols import Chosen, Computed, Condition, Counted, Num, Test

COMPARISONS = ["==", "!=", "<", "<=", ">", ">="]
LEAVES = ["constant", "value", "value", "count"]
ARITHMETIC = ["+", "+", "-", "*", "neg", "abs", "min", "max", "when"]
OPERATIONS = st.sampled_from([*LEAVES, *ARITHMETIC, "and", "or", "not", *COMPARISONS])
CONSTANTS = st.integers(-3, 3)
VALUES = st.sampled_from([0, 1, 2, 3, -1, -2, 0.5, 1.5])


@st.composite
def domains(draw: st.DrawFn) -> Domain:
    """Domains of every kind with at most a few dozen picks, empty ones among them."""
    kind = draw(st.sampled_from(Kind))
    match kind:
        case Kind.ONE:
            return Domain(kind, draw(st.integers(1, 4)))
        case Kind.SEQUENCE | Kind.ARRANGEMENT:
            size = draw(st.integers(1, 3))
            length = draw(st.integers(1, size))
            return Domain(kind, size, length, length)
        case _:
            size = draw(st.integers(0, 4))
            least = draw(st.integers(0, min(size, 2)))
            return Domain(kind, size, least, draw(st.integers(least, min(size, least + 2))))


@st.composite
def conditions(draw: st.DrawFn, domains: Sequence[Domain], *, most: int = 2) -> Condition:
    """Conjunctions of tests on decisions with these domains."""
    tests = []
    for _ in range(draw(st.integers(0, most)) if domains else 0):
        decision = draw(st.integers(0, len(domains) - 1))
        members = st.integers(0, max(domains[decision].size - 1, 0))
        tests.append(Test(decision, draw(st.frozensets(members, max_size=3))))
    return tuple(tests)


def _chosen(draw: st.DrawFn, domains: Sequence[Domain]) -> Num:
    """A number that one of the decisions settles, or a constant where none can."""
    picking = [i for i, domain in enumerate(domains) if domain.most > 0 and domain.size > 0]
    if not picking:
        return draw(CONSTANTS)
    decision = draw(st.sampled_from(picking))
    slot = draw(st.integers(0, domains[decision].most - 1))
    values = tuple(draw(VALUES) for _ in range(domains[decision].size))
    return Chosen(decision, slot, values, draw(st.sampled_from([None, None, 0, 2])))


def _counted(draw: st.DrawFn, domains: Sequence[Domain]) -> Num:
    """How many of some members one of the decisions picks, or a constant where there is none."""
    if not domains:
        return draw(CONSTANTS)
    decision = draw(st.integers(0, len(domains) - 1))
    members = st.integers(0, max(domains[decision].size - 1, 0))
    allowed = draw(st.frozensets(members, max_size=3))
    return Counted(decision, allowed, max(domains[decision].most, len(allowed)))


def _number(draw: st.DrawFn, domains: Sequence[Domain], depth: int) -> Num:
    """Arithmetic and truths over the decisions, up to `depth` operations deep."""
    operator = draw(OPERATIONS) if depth else "value"
    match operator:
        case "constant":
            return draw(CONSTANTS)
        case "value":
            return _chosen(draw, domains)
        case "count":
            return _counted(draw, domains)
        case "not" | "neg" | "abs":
            arity = 1
        case "when":
            arity = 3
        case "+" | "and" | "or" | "min" | "max":
            arity = draw(st.integers(2, 3))
        case _:
            arity = 2
    return Computed(operator, tuple(_number(draw, domains, depth - 1) for _ in range(arity)))


@st.composite
def constraints(draw: st.DrawFn, domains: Sequence[Domain]) -> Constraint:
    """A comparison, or any other number taken for its truth, sometimes guarded."""
    value = _number(draw, domains, 2)
    if draw(st.booleans()):
        value = Computed(draw(st.sampled_from(COMPARISONS)), (value, _number(draw, domains, 2)))
    return Constraint(value, draw(conditions(domains, most=1)), "they must fit")


@st.composite
def spaces(draw: st.DrawFn, *, most: int = 5, constrained: bool = True) -> Space:
    """Spaces of up to `most` decisions, guarded by earlier ones, with up to two constraints.

    A space may be empty where it is `constrained`; otherwise it has an architecture.
    """
    found: list[Domain] = []
    decisions = []
    for index in range(draw(st.integers(0, most))):
        guard = draw(conditions(found))
        domain = draw(domains())
        labels = tuple(f"option{i}" for i in range(domain.size))
        scope = draw(st.sampled_from(["", "cell", "cell.node1", "cell.node2", "other"]))
        path = f"{scope}.d{index}" if scope else f"d{index}"
        source = draw(st.sampled_from([Source.OPERATION, Source.VALUE]))
        decisions.append(Decision(path, scope, domain, labels, source, guard))
        found.append(domain)
    limit = 2 if constrained else 0
    demands = [draw(constraints(found)) for _ in range(draw(st.integers(0, limit)))]
    return Space("drawn", "image_classifier", tuple(decisions), tuple(demands))
