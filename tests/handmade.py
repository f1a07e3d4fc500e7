"""Spaces built by hand, the paper's among them, and all the runs of a small one."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, combinations_with_replacement, permutations, product

import torch

from enasdsl.ir.space import Architecture, Decision, Domain, Kind, Source, Space
from enasdsl.semantics.symbols import Picks, Reading
from enasdsl.semantics.symbols import Test as Guard

ACTIVATIONS = ("tanh", "relu", "identity", "sigmoid")
LAYERS = tuple(f"layer{i}" for i in range(6))
CANDIDATES = ("sep_conv(3)", "sep_conv(5)", "avg_pool(3)", "max_pool(3)", "skip")


def one(path: str, labels: tuple[str, ...], *, guard: tuple[Guard, ...] = ()) -> Decision:
    scope = path.rpartition(".")[0]
    return Decision(path, scope, Domain(Kind.ONE, len(labels)), labels, Source.OPERATION, guard)


def read(path: str, members: tuple[str, ...], domain: Domain | None = None) -> Decision:
    return Decision(
        path,
        path.rpartition(".")[0],
        domain or Domain(Kind.ONE, len(members)),
        members,
        Source.INPUT,
        members=members,
    )


def rnn(n: int = 12) -> Space:
    decisions = [one("recurrent.node1.act", ACTIVATIONS)]
    for i in range(2, n + 1):
        nodes = tuple(f"recurrent.node{j}" for j in range(1, i))
        decisions.append(read(f"recurrent.node{i}.source", nodes))
        decisions.append(one(f"recurrent.node{i}.act", ACTIVATIONS))
    return Space("rnn", "language_model", tuple(decisions))


def macro(layers: int = 12) -> Space:
    decisions = [one("layers.node1.op", LAYERS)]
    for k in range(2, layers + 1):
        earlier = ("layers.image", *(f"layers.node{j}" for j in range(1, k - 1)))
        decisions.append(one(f"layers.node{k}.y", LAYERS))
        skips = Domain(Kind.SET, k - 1, 0, k - 1)
        decisions.append(read(f"layers.node{k}.skips", earlier, skips))
    return Space("macro", "image_classifier", tuple(decisions))


def micro(b: int = 7) -> Space:
    decisions: list[Decision] = []
    for cell in ("normal", "reduction"):
        for i in range(3, b + 1):
            earlier = (
                f"{cell}.prev_prev",
                f"{cell}.prev",
                *(f"{cell}.node{j}" for j in range(3, i)),
            )
            decisions += [read(f"{cell}.node{i}.{name}", earlier) for name in "ab"]
            decisions += [one(f"{cell}.node{i}.{name}", CANDIDATES) for name in "fg"]
    return Space("micro", "image_classifier", tuple(decisions))


TINY = Space(
    "tiny",
    "vector",
    (
        one("c.node1.depth", ("1", "2", "3")),
        one("c.node1.op", ("a", "b")),
        read("c.node2.set", ("c.x", "c.node1", "c.y"), Domain(Kind.SET, 3, 0, 2)),
        one("c.node3.op", ("a", "b"), guard=(Guard(0, frozenset({1, 2})),)),
        read("c.node3.in", ("c.node2", "c.node1")),
        one(
            "c.node4.op", ("a", "b"), guard=(Guard(3, frozenset({1})), Guard(2, frozenset({1, 2})))
        ),
    ),
)


def options(domain: Domain) -> Iterator[tuple[int, ...]]:
    indices = range(domain.size)
    for k in range(domain.least, domain.most + 1):
        match domain.kind:
            case Kind.ONE | Kind.SEQUENCE:
                yield from product(indices, repeat=k)
            case Kind.ARRANGEMENT:
                yield from permutations(indices, k)
            case Kind.SET:
                yield from combinations(indices, k)
            case Kind.MULTISET:
                yield from combinations_with_replacement(indices, k)


def runs(space: Space, before: tuple[Picks, ...] = ()) -> Iterator[tuple[Picks, ...]]:
    """Every run of a space, by the meaning of its decisions alone."""
    if len(before) == len(space.decisions):
        yield before
        return
    decision = space.decisions[len(before)]
    live = Reading(before).holds(decision.guard)
    for picks in options(decision.domain) if live else (None,):
        yield from runs(space, (*before, picks))


def everything(space: Space) -> list[Architecture]:
    return [Architecture(space.name, space.hash, picks) for picks in runs(space)]


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)
