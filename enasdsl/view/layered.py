"""Boxes in layers, each below all that it reads (Sugiyama, Tagawa and Toda 1981).

Layers by longest paths; a bend for each layer that an arrow crosses, arrows of one tail sharing
theirs; an order with few crossings by barycentres; then the positions that are nearest to those of
the neighbours, by least squares under the distances within a layer.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from enasdsl.view.placement import Pair, Path, Placement, Size
from enasdsl.view.scene import Point

SWEEPS = 16
ROUNDS = 100
BESIDE, BELOW = 20.0, 34.0
"""The least distances between boxes of a layer, and between layers."""


@dataclass(slots=True, eq=False)
class _Spot:
    """A box, or a bend of arrows where `key` is empty."""

    key: str
    layer: int
    width: float
    height: float
    above: list[int] = field(default_factory=list)
    below: list[int] = field(default_factory=list)
    x: float = 0.0


@dataclass(slots=True, eq=False)
class _Graph:
    spots: list[_Spot]
    layers: list[list[int]]
    chains: dict[Pair, list[int]]
    rods: list[list[int]]  # the bends of each tail, downwards


def layered(
    sizes: Mapping[str, Size], arrows: Sequence[Pair], late: frozenset[str] = frozenset()
) -> Placement:
    """Places boxes in layers; those in `late` stand right above what reads them.

    The arrows must have no circle.
    """
    graph = _build(sizes, arrows, _ranks(list(sizes), arrows, late))
    _order(graph)
    _position(graph)
    return _placed(graph, sizes)


# ---------------------------------------------------------------------- layers


def _ranks(keys: list[str], arrows: Sequence[Pair], late: frozenset[str]) -> dict[str, int]:
    """The layer of each box."""
    order = topological(keys, arrows)
    tails: defaultdict[str, list[str]] = defaultdict(list)
    heads: defaultdict[str, list[str]] = defaultdict(list)
    for tail, head in arrows:
        tails[head].append(tail)
        heads[tail].append(head)
    rank: dict[str, int] = {}
    for key in order:
        rank[key] = max((rank[t] + 1 for t in tails[key]), default=0)
    for key in reversed(order):
        if key in late and heads[key]:
            rank[key] = min(rank[h] for h in heads[key]) - 1
    used = {r: n for n, r in enumerate(sorted(set(rank.values())))}
    return {key: used[r] for key, r in rank.items()}


def topological(keys: Sequence[str], arrows: Sequence[Pair]) -> list[str]:
    """The keys with every tail before its heads, else in their order."""
    waiting = dict.fromkeys(keys, 0)
    heads: defaultdict[str, list[str]] = defaultdict(list)
    for tail, head in arrows:
        waiting[head] += 1
        heads[tail].append(head)
    place = {key: n for n, key in enumerate(keys)}
    ready = [key for key in keys if not waiting[key]]
    order: list[str] = []
    while ready:
        ready.sort(key=place.__getitem__)
        key = ready.pop(0)
        order.append(key)
        for head in heads[key]:
            waiting[head] -= 1
            if not waiting[head]:
                ready.append(head)
    return order


def _build(sizes: Mapping[str, Size], arrows: Sequence[Pair], rank: Mapping[str, int]) -> _Graph:
    spots = [_Spot(key, rank[key], *sizes[key]) for key in sizes]
    number = {spot.key: n for n, spot in enumerate(spots)}
    bends: dict[tuple[str, int], int] = {}
    chains: dict[Pair, list[int]] = {}
    for tail, head in arrows:
        chain = [number[tail]]
        for layer in range(rank[tail] + 1, rank[head]):
            if (tail, layer) not in bends:
                bends[tail, layer] = len(spots)
                spots.append(_Spot("", layer, 0, 0))
            chain.append(bends[tail, layer])
        chain.append(number[head])
        chains[tail, head] = chain
        for upper, lower in pairwise(chain):
            if lower not in spots[upper].below:
                spots[upper].below.append(lower)
                spots[lower].above.append(upper)
    layers: list[list[int]] = [[] for _ in range(max(rank.values()) + 1)]
    for n in _discovered(spots):
        layers[spots[n].layer].append(n)
    rods: defaultdict[str, list[int]] = defaultdict(list)
    for (tail, _), n in sorted(bends.items(), key=lambda bend: bend[0][1]):
        rods[tail].append(n)
    return _Graph(spots, layers, chains, list(rods.values()))


def _discovered(spots: Sequence[_Spot]) -> list[int]:
    """All spots depth first from the upper ones: neighbours come near each other."""
    found: dict[int, None] = {}
    pending = [n for n, spot in reversed(list(enumerate(spots))) if not spot.above]
    while pending:
        n = pending.pop()
        if n not in found:
            found[n] = None
            pending.extend(reversed(spots[n].below))
    return list(found)


# ----------------------------------------------------------------------- order


def _order(graph: _Graph) -> None:
    """Reorders each layer for few crossings; the best order that was met is kept."""
    best, fewest = [list(layer) for layer in graph.layers], _crossings(graph)
    for sweep in range(SWEEPS):
        downward = sweep % 2 == 0
        _sweep(graph, downward=downward)
        _swap(graph)
        found = _crossings(graph)
        if found < fewest:
            best, fewest = [list(layer) for layer in graph.layers], found
    graph.layers = best


def _sweep(graph: _Graph, *, downward: bool) -> None:
    layers = graph.layers if downward else graph.layers[::-1]
    for fixed, layer in pairwise(layers):
        place = {n: k for k, n in enumerate(fixed)}
        now = {n: k for k, n in enumerate(layer)}

        def centre(n: int, place: dict[int, int] = place, now: dict[int, int] = now) -> float:
            spot = graph.spots[n]
            near = [place[m] for m in (spot.above if downward else spot.below) if m in place]
            return sum(near) / len(near) if near else float(now[n])

        layer.sort(key=centre)


def _swap(graph: _Graph) -> None:
    """Exchanges neighbours in a layer as long as that saves crossings."""
    for layer in graph.layers:
        places = _places(graph)
        better = True
        while better:
            better = False
            for k in range(len(layer) - 1):
                u, v = layer[k], layer[k + 1]
                if _between(graph, v, u, places) < _between(graph, u, v, places):
                    layer[k], layer[k + 1] = v, u
                    better = True


def _places(graph: _Graph) -> dict[int, int]:
    return {n: k for layer in graph.layers for k, n in enumerate(layer)}


def _between(graph: _Graph, left: int, right: int, places: Mapping[int, int]) -> int:
    """The crossings of the lines of two neighbours."""
    first, second = graph.spots[left], graph.spots[right]
    return sum(
        places[a] > places[b]
        for mine, others in ((first.above, second.above), (first.below, second.below))
        for a in mine
        for b in others
    )


def _crossings(graph: _Graph) -> int:
    places = _places(graph)
    total = 0
    for layer in graph.layers[:-1]:
        ends = [(k, places[m]) for k, n in enumerate(layer) for m in graph.spots[n].below]
        total += sum(
            (a < c and b > d) or (a > c and b < d)
            for i, (a, b) in enumerate(ends)
            for c, d in ends[:i]
        )
    return total


# ------------------------------------------------------------------- positions


def _position(graph: _Graph) -> None:
    """Moves every spot towards its neighbours, layer by layer, downwards and upwards."""
    for layer in graph.layers:
        x = 0.0
        for left, right in pairwise([None, *layer]):
            x += _distance(graph, left, right) if left is not None and right is not None else 0
            graph.spots[right].x = x  # type: ignore[index]
    for round_ in range(ROUNDS):
        layers = graph.layers if round_ % 2 == 0 else graph.layers[::-1]
        for layer in layers:
            wished = [_wished(graph, n) for n in layer]
            for n, x in zip(layer, _spread(graph, layer, wished), strict=True):
                graph.spots[n].x = x
    _straighten(graph)
    _straighten(graph)


def _straighten(graph: _Graph) -> None:
    """Brings the bends of a tail to one line, where its neighbours in all layers leave room."""
    row = {n: (layer, k) for layer in graph.layers for k, n in enumerate(layer)}
    for rod in graph.rods:
        least, most = float("-inf"), float("inf")
        for n in rod:
            layer, k = row[n]
            if k:
                left = layer[k - 1]
                least = max(least, graph.spots[left].x + _distance(graph, left, n))
            if k + 1 < len(layer):
                right = layer[k + 1]
                most = min(most, graph.spots[right].x - _distance(graph, n, right))
        if least <= most:
            mean = sum(graph.spots[n].x for n in rod) / len(rod)
            for n in rod:
                graph.spots[n].x = min(max(mean, least), most)


def _distance(graph: _Graph, left: int, right: int) -> float:
    a, b = graph.spots[left], graph.spots[right]
    beside = BESIDE if a.key and b.key else BESIDE * 0.7
    return (a.width + b.width) / 2 + beside


def _wished(graph: _Graph, n: int) -> tuple[float, float]:
    """Where a spot would stand by its neighbours, and how strongly."""
    spot = graph.spots[n]
    total = weight = 0.0
    for m in (*spot.above, *spot.below):
        other = graph.spots[m]
        pull = 24.0 if not (spot.key or other.key) else 3.0 if not (spot.key and other.key) else 1.0
        total += pull * other.x
        weight += pull
    return (total / weight, weight) if weight else (spot.x, 0.1)


def _spread(
    graph: _Graph, layer: Sequence[int], wished: Sequence[tuple[float, float]]
) -> list[float]:
    """The positions nearest to the wished ones that keep the distances (pooled neighbours)."""
    offsets = [0.0]
    for left, right in pairwise(layer):
        offsets.append(offsets[-1] + _distance(graph, left, right))
    pools: list[tuple[float, float, int]] = []  # mean, weight, members
    for (x, weight), offset in zip(wished, offsets, strict=True):
        mean, size = x - offset, 1
        while pools and pools[-1][0] > mean:
            other, heavy, members = pools.pop()
            mean = (mean * weight + other * heavy) / (weight + heavy)
            weight, size = weight + heavy, size + members
        pools.append((mean, weight, size))
    means = [mean for mean, _, size in pools for _ in range(size)]
    return [mean + offset for mean, offset in zip(means, offsets, strict=True)]


# ----------------------------------------------------------------------- paths


def _placed(graph: _Graph, sizes: Mapping[str, Size]) -> Placement:
    left = min(s.x - s.width / 2 for s in graph.spots)
    right = max(s.x + s.width / 2 for s in graph.spots)
    tops: list[float] = []
    heights = [max((graph.spots[n].height for n in layer), default=0) for layer in graph.layers]
    y = 0.0
    for height in heights:
        tops.append(y)
        y += height + BELOW
    for spot in graph.spots:
        spot.x -= left
    corners = {
        s.key: (s.x - s.width / 2, tops[s.layer] + (heights[s.layer] - s.height) / 2)
        for s in graph.spots
        if s.key
    }
    paths = {
        pair: _path(graph, chain, tops, heights, corners) for pair, chain in graph.chains.items()
    }
    return Placement(corners, paths, right - left, y - BELOW)


def _path(
    graph: _Graph,
    chain: Sequence[int],
    tops: Sequence[float],
    heights: Sequence[float],
    corners: Mapping[str, Point],
) -> Path:
    """From the lower side of the tail, upright through the layers between, to the head."""
    tail, head = graph.spots[chain[0]], graph.spots[chain[-1]]
    x = _port(graph, chain[0], chain[1], downward=True)
    start = x, corners[tail.key][1] + tail.height
    y = tops[tail.layer] + heights[tail.layer]
    pieces: list[tuple[Point, ...]] = [((x, y),)] if y > start[1] else []
    for n, m in pairwise(chain):
        spot = graph.spots[m]
        top = tops[spot.layer]
        to = _port(graph, m, n, downward=False) if spot.key else spot.x
        middle = (y + top) / 2
        pieces.append(((x, middle), (to, middle), (to, top)))
        x, y = to, top + heights[spot.layer]
        if not spot.key and heights[spot.layer]:
            pieces.append(((x, y),))
    end = corners[head.key][1]
    if end > tops[head.layer]:
        pieces.append(((x, end),))
    return start, tuple(pieces)


def _port(graph: _Graph, n: int, other: int, *, downward: bool) -> float:
    """Where on the side of a box the line to a neighbour ends."""
    spot = graph.spots[n]
    near = sorted(spot.below if downward else spot.above, key=lambda m: graph.spots[m].x)
    step = min(12.0, (spot.width - 20) / max(len(near), 1))
    return spot.x + (near.index(other) - (len(near) - 1) / 2) * step
