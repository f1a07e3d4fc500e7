"""Coloured directed graphs up to renaming: a canonical form, and in how many ways one is labelled.

Both fold over one division. Colours are refined until vertices of one colour read, and are read
by, the same colours. A vertex that is alone in its colour stays where it is under every symmetry;
without such vertices the graph falls into parts that no edge joins, and equal parts may be
exchanged. Only a part without any such vertex needs a search.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import comb, prod

Form = tuple[object, ...]
Edge = tuple[int, int]
Colors = Mapping[int, int]
Signature = tuple[int, tuple[int, ...], tuple[int, ...]]
_PORTS = 1 << 20  # more than there are ports

SYMMETRIES = 50_000
"""The most symmetries of one part that are listed."""


class TooSymmetric(Exception):
    """A part of a graph has more than SYMMETRIES symmetries."""


@dataclass(frozen=True, slots=True)
class Graph:
    """Vertices 0..n-1: the `label` of each, which vertices it reads, and its number of `ways`.

    An edge is a port and the vertex read there; what one port reads has no order.
    """

    labels: tuple[str, ...]
    reads: tuple[tuple[Edge, ...], ...]
    ways: tuple[int, ...]


def canonical(graph: Graph) -> Form:
    """A value that two graphs share exactly where renaming makes one the other."""
    kinds, start = _start(graph)
    return (tuple(kinds), _Work(graph).form(start))


def labelings(graph: Graph) -> int:
    """In how many ways the vertices can be labelled, each in its `ways`, up to renaming.

    Vertices with one label must have one number of ways; raises TooSymmetric.
    """
    return _Work(graph).labelings(_start(graph)[1])


def _start(graph: Graph) -> tuple[list[tuple[str, int]], Colors]:
    """The first colours: labels and how far behind a vertex the graph reaches; and what each is."""
    heights: dict[int, int] = {}
    for vertex in range(len(graph.labels)):
        pending = [vertex]
        while pending:
            top = pending[-1]
            missing = [u for _, u in graph.reads[top] if u not in heights]
            if missing:
                pending.extend(missing)
            else:
                heights[pending.pop()] = 1 + max(
                    (heights[u] for _, u in graph.reads[top]), default=0
                )
    kinds = [(label, heights[v]) for v, label in enumerate(graph.labels)]
    distinct = sorted(set(kinds))
    rank = {kind: n for n, kind in enumerate(distinct)}
    return distinct, {v: rank[kind] for v, kind in enumerate(kinds)}


class _Work:
    """The edges of a graph in both directions, and the folds over its division."""

    def __init__(self, graph: Graph) -> None:
        self.ways = graph.ways
        self.reads = graph.reads
        self.readers: list[list[Edge]] = [[] for _ in graph.reads]
        for vertex, edges in enumerate(graph.reads):
            for port, source in edges:
                self.readers[source].append((port, vertex))

    def form(self, colors: Colors) -> Form:
        """The canonical form of the vertices that `colors` has."""
        colors, table = self._refined(colors)
        parts = self._parts(colors)
        if len(parts) == 1 and len(parts[0]) == len(colors):
            marked = ({**colors, v: -1} for v in _cell(colors))
            return (table, min(map(self.form, marked)))
        return (table, *sorted(map(self.form, parts)))

    def labelings(self, colors: Colors) -> int:
        """The number of labelings of the vertices that `colors` has."""
        if all(self.ways[v] == 1 for v in colors):
            return 1
        colors, _ = self._refined(colors)
        parts = self._parts(colors)
        if len(parts) == 1 and len(parts[0]) == len(colors):
            return self._orbits(colors)
        moved = {v for part in parts for v in part}
        total = prod(self.ways[v] for v in colors if v not in moved)
        alike = sorted(((self.form(part), n) for n, part in enumerate(parts)))
        for _, group in groupby(alike, key=lambda pair: pair[0]):
            same = list(group)
            each = self.labelings(parts[same[0][1]])
            total *= comb(each + len(same) - 1, len(same))
        return total

    def _refined(self, colors: Colors) -> tuple[Colors, Form]:
        """The coarsest stable colours, numbered, and of each what it was and what it reads."""
        first = colors
        count = len(set(colors.values()))
        while True:
            seen = {v: self._signature(v, colors) for v in colors}
            table = sorted(set(seen.values()))
            number = {signature: n for n, signature in enumerate(table)}
            colors = {v: number[signature] for v, signature in seen.items()}
            if len(table) == count:
                was = {colors[v]: first[v] for v in colors}
                return colors, tuple((was[n], *row) for n, row in enumerate(table))
            count = len(table)

    def _signature(self, vertex: int, colors: Colors) -> Signature:
        reads = [colors[u] * _PORTS + port for port, u in self.reads[vertex] if u in colors]
        readers = [colors[u] * _PORTS + port for port, u in self.readers[vertex] if u in colors]
        reads.sort()
        readers.sort()
        return colors[vertex], tuple(reads), tuple(readers)

    def _parts(self, colors: Colors) -> list[Colors]:
        """The vertices that share their colour, divided where no edge joins them."""
        sizes = Counter(colors.values())
        left = {v for v, color in colors.items() if sizes[color] > 1}
        parts: list[Colors] = []
        while left:
            pending = [left.pop()]
            part: dict[int, int] = {}
            while pending:
                vertex = pending.pop()
                part[vertex] = colors[vertex]
                near = {u for _, u in (*self.reads[vertex], *self.readers[vertex])} & left
                left -= near
                pending.extend(near)
            parts.append(part)
        return parts

    def _orbits(self, colors: Colors) -> int:
        """The labelings up to symmetry by the lemma that is not Burnside's."""
        total = symmetries = 0
        for symmetry in self._symmetries(colors):
            symmetries += 1
            if symmetries > SYMMETRIES:
                raise TooSymmetric
            total += prod(self.ways[v] for v in _cycle_heads(symmetry))
        return total // symmetries

    def _symmetries(self, colors: Colors) -> Iterator[dict[int, int]]:
        order = self._walk(colors)
        cells = defaultdict(list)
        for vertex, color in colors.items():
            cells[color].append(vertex)
        edges = {v: Counter((p, u) for p, u in self.reads[v] if u in colors) for v in colors}

        def extend(place: int, image: dict[int, int], used: set[int]) -> Iterator[dict[int, int]]:
            if place == len(order):
                yield dict(image)
                return
            vertex = order[place]
            for target in cells[colors[vertex]]:
                if target in used:
                    continue
                image[vertex] = target
                if _agree(vertex, image, edges):
                    yield from extend(place + 1, image, used | {target})
                del image[vertex]

        yield from extend(0, {}, set())

    def _walk(self, colors: Colors) -> Sequence[int]:
        """The vertices, each but the first next to one before it where it can be."""
        order: dict[int, None] = {}
        for start in colors:
            pending = [start]
            while pending:
                vertex = pending.pop()
                if vertex in colors and vertex not in order:
                    order[vertex] = None
                    pending.extend(u for _, u in (*self.reads[vertex], *self.readers[vertex]))
        return tuple(order)


def _cell(colors: Colors) -> list[int]:
    """The vertices of the smallest colour, the first of them where several are as small."""
    sizes = Counter(colors.values())
    chosen = min(sizes, key=lambda color: (sizes[color], color))
    return [v for v, color in colors.items() if color == chosen]


def _agree(vertex: int, image: Mapping[int, int], edges: Mapping[int, Counter[Edge]]) -> bool:
    """Whether the edges between `vertex` and the vertices mapped before it are kept."""
    target = image[vertex]
    for other, mapped in image.items():
        for port in {p for p, _ in edges[vertex] | edges[other] | edges[target] | edges[mapped]}:
            if edges[vertex][port, other] != edges[target][port, mapped]:
                return False
            if edges[other][port, vertex] != edges[mapped][port, target]:
                return False
    return True


def _cycle_heads(symmetry: Mapping[int, int]) -> Iterator[int]:
    left = set(symmetry)
    while left:
        head = left.pop()
        yield head
        vertex = symmetry[head]
        while vertex != head:
            left.discard(vertex)
            vertex = symmetry[vertex]
