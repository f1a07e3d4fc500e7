"""The weights that places own and the parts of them that a network uses: sizes, no tensors."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import starmap
from math import prod

from enasdsl.ir.graph import Network, Scan, Step
from enasdsl.ir.space import PlaceSpec
from enasdsl.semantics.ops import OPS, Weight, axis_size
from enasdsl.semantics.symbols import Spans, width

Places = Mapping[str, PlaceSpec]


@dataclass(frozen=True, slots=True)
class Owned:
    """One tensor that a place owns; `shape` has the order of `weight.axes`."""

    place: str
    weight: Weight
    shape: tuple[int, ...]

    @property
    def key(self) -> tuple[str, str]:
        return self.place, self.weight.name


@dataclass(frozen=True, slots=True)
class Region:
    """The part of a tensor that a step uses: ascending ranges along each of its axes."""

    place: str
    weight: str
    shape: tuple[int, ...]  # of the whole tensor
    spans: tuple[Spans, ...]
    buffer: bool = False

    @property
    def key(self) -> tuple[str, str]:
        return self.place, self.weight

    @property
    def cuts(self) -> tuple[tuple[int, Spans], ...]:
        """The axes along which less than the whole is used, with what is used of them."""
        pairs = zip(self.shape, self.spans, strict=True)
        return tuple((a, s) for a, (size, s) in enumerate(pairs) if s != ((0, size),))


def by_name(places: Iterable[PlaceSpec]) -> Places:
    """The places by their names."""
    return {spec.place: spec for spec in places}


def owned(spec: PlaceSpec) -> tuple[Owned, ...]:
    """The tensors that stand at a place, a tied weight left out."""
    return tuple(w for w in _needed(spec) if spec.tied is None or w.weight.name != "weight")


def parameter_counts(places: Iterable[PlaceSpec]) -> dict[str, int]:
    """The trained numbers of each place; buffers are not counted."""
    return {
        spec.place: sum(prod(w.shape) for w in owned(spec) if not w.weight.buffer)
        for spec in places
    }


def parameter_count(places: Iterable[PlaceSpec]) -> int:
    """All trained numbers of the places together."""
    return sum(parameter_counts(places).values())


def active_parameter_count(network: Network, places: Sequence[PlaceSpec]) -> int:
    """The trained numbers that one architecture uses: those that its child owns."""
    return sum(
        prod(map(width, region.spans))
        for region in used(network, by_name(places)).values()
        if not region.buffer
    )


def steps(network: Network) -> Iterator[Step]:
    """The operations of a network, those of its recurrent cells included."""
    for step in network.steps:
        if isinstance(step, Scan):
            yield from steps(step.network)
        else:
            yield step


def regions(step: Step, places: Places) -> dict[str, Region]:
    """The parts of shared tensors that a step uses, by the names of its operation's weights.

    Raises ValueError where the step asks for more than its place holds.
    """
    if not OPS[step.op].weights:
        return {}
    spec = places[step.place]
    return {w.weight.name: _region(w, step, spec, places) for w in _needed(spec)}


def used(network: Network, places: Places) -> dict[tuple[str, str], Region]:
    """For each tensor, the smallest region that holds all that the network uses of it."""
    found: dict[tuple[str, str], Region] = {}
    for step in steps(network):
        for region in regions(step, places).values():
            known = found.setdefault(region.key, region)
            if known.spans != region.spans:
                joined = tuple(starmap(join, zip(known.spans, region.spans, strict=True)))
                found[region.key] = replace(region, spans=joined)
    return found


def pack(region: Region, outer: Region) -> Region:
    """`region` as a part of the tensor that remains when all but `outer` is cut away."""
    return replace(
        region,
        shape=tuple(map(width, outer.spans)),
        spans=tuple(starmap(within, zip(region.spans, outer.spans, strict=True))),
    )


def join(first: Spans, second: Spans) -> Spans:
    """The ranges that cover what either covers, overlapping and adjacent ones joined."""
    found: list[tuple[int, int]] = []
    for start, stop in sorted((*first, *second)):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(stop, found[-1][1]))
        else:
            found.append((start, stop))
    return tuple(found)


def within(inner: Spans, outer: Spans) -> Spans:
    """Where `inner` lies once the gaps between the ranges of `outer` are closed."""
    moved: Spans = ()
    offset = 0
    for low, high in outer:
        shift = offset - low
        inside = ((a + shift, b + shift) for a, b in inner if low <= a and b <= high)
        moved = join(moved, tuple(inside))
        offset += high - low
    return moved


@lru_cache(maxsize=4096)
def _needed(spec: PlaceSpec) -> tuple[Owned, ...]:
    args = dict(spec.args)
    channels = (spec.inputs[0] if spec.inputs else 0, spec.outputs)
    positions = prod(spec.space)
    return tuple(
        Owned(
            spec.place,
            weight,
            tuple(axis_size(a, args, channels, positions) for a in weight.axes),  # type: ignore[arg-type]
        )
        for weight in OPS[spec.op].weights
        if weight.when is None or args[weight.when]
    )


def _region(need: Owned, step: Step, spec: PlaceSpec, places: Places) -> Region:
    weight = need.weight
    pairs = zip(weight.axes, need.shape, strict=True)
    spans = tuple(_along(axis, size, step, spec) for axis, size in pairs)
    holder = spec
    if spec.tied is not None and weight.name == "weight":
        holder = places[spec.tied]
    shape = next(w.shape for w in _needed(holder) if w.weight.name == weight.name)
    for axis, size, found in zip(weight.axes, shape, spans, strict=True):
        if found[-1][1] > size:
            raise ValueError(
                f"{step.place}: {weight.name} holds {size} along {axis}, {found[-1][1]} are asked"
            )
    return Region(holder.place, weight.name, shape, spans, weight.buffer)


def _along(axis: str | int, size: int, step: Step, spec: PlaceSpec) -> Spans:
    """The ranges of one axis of a weight that a step uses."""
    whole: Spans = ((0, size),)
    reads = step.reads[0] if step.reads else None
    match axis:
        case int() | "positions":
            return whole
        case "in":
            return reads or whole
        case "out":
            return step.writes or whole
        case "in/groups":
            groups = int(dict(step.args)["groups"])
            if groups == 1:
                return reads or whole
            return ((0, (width(reads) if reads else spec.inputs[0]) // groups),)
        case _:
            return ((0, int(dict(step.args)[axis])),)
