"""The shared weights of a space: every place that owns some, at its largest."""

from __future__ import annotations

from collections.abc import Sequence

from enasdsl.ir.graph import Apply, Body, Call
from enasdsl.ir.space import PlaceSpec
from enasdsl.semantics.ops import OPS
from enasdsl.semantics.symbols import extremes, limit


def place_specs(bodies: Sequence[Body]) -> tuple[PlaceSpec, ...]:
    """The places of the network and of all stamps in it, in the order of the graph."""
    local = [_local(body, bodies) for body in bodies]
    found: dict[str, PlaceSpec] = {}
    _expand(0, "", bodies, local, found)
    table = next((s.place for s in found.values() if s.op == "embedding"), None)
    return tuple(_tied(spec, table) for spec in found.values())


def join(prefix: str, place: str) -> str:
    """The full name of a body's place in a stamp; one at `//` belongs to all stamps."""
    if place.startswith("//"):
        return place[2:]
    return f"{prefix}/{place}" if prefix else place


def _local(body: Body, bodies: Sequence[Body]) -> list[PlaceSpec]:
    return [
        _spec(value, body)
        for value in body.values
        if isinstance(value, Apply) and OPS[value.op].weights
    ]


_END = {"groups": 0}  # fewer groups make larger weights


def _spec(value: Apply, body: Body) -> PlaceSpec:
    inputs = [body.values[i].shape for i in value.inputs]
    return PlaceSpec(
        value.place,
        value.op,
        tuple((name, extremes(arg)[_END.get(name, 1)]) for name, arg in value.args),
        tuple(limit(s.channels) for s in inputs),
        limit(value.shape.channels),
        inputs[0].space,
    )


def _expand(
    index: int,
    prefix: str,
    bodies: Sequence[Body],
    local: list[list[PlaceSpec]],
    found: dict[str, PlaceSpec],
) -> None:
    for spec in local[index]:
        place = join(prefix, spec.place)
        found[place] = PlaceSpec(place, spec.op, spec.args, spec.inputs, spec.outputs, spec.space)
    stamped = set()
    for value in bodies[index].values:
        if isinstance(value, Call) and value.place not in stamped:
            stamped.add(value.place)
            _expand(value.body, join(prefix, value.place), bodies, local, found)


def _tied(spec: PlaceSpec, table: str | None) -> PlaceSpec:
    if not dict(spec.args).get("tied"):
        return spec
    return PlaceSpec(
        spec.place, spec.op, spec.args, spec.inputs, spec.outputs, spec.space, tied=table
    )
