"""The parts of a network: which of its values are drawn as one box."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter

from enasdsl.ir.graph import Apply, Body, Call, Select, Value
from enasdsl.view.walking import Walk, decided, primitive, uses

Path = tuple[str, ...]


@dataclass(slots=True, eq=False)
class _Tree:
    """The operations and stamps within one use, and the uses within it, in their order."""

    own: list[int] = field(default_factory=list)
    parts: dict[str, _Tree] = field(default_factory=dict)

    def all(self) -> list[int]:
        return sorted([*self.own, *(r for part in self.parts.values() for r in part.all())])


@dataclass(frozen=True, slots=True)
class Part:
    """Values of a network that are drawn as one box, and the use that it is named for."""

    path: Path
    refs: tuple[int, ...]


def groups(body: Body) -> list[Part]:
    """The parts of a network body in order of their first value.

    A use in which several parts choose on their own, one after another, is drawn as its parts.
    Data never flows out of a part and back into it.
    """
    root = _Tree()
    for ref, value in enumerate(body.values):
        if isinstance(value, Apply) or (isinstance(value, Call) and uses(value.within)):
            here = root
            for name in uses(value.within):
                here = here.parts.setdefault(name, _Tree())
            here.own.append(ref)
    found = [Part((_text(body, r),), (r,)) for r in root.own]
    for name, part in root.parts.items():
        found += _divided((name,), part, body)
    found = _without_circles(_with_selects(found, body), body)
    return sorted(found, key=lambda part: part.refs[0])


def _text(body: Body, ref: int) -> str:
    value = body.values[ref]
    return primitive(value) if isinstance(value, Apply) else ""


def _divided(path: Path, tree: _Tree, body: Body) -> list[Part]:
    if not _is_chain(tree, body):
        return [Part(path, tuple(tree.all()))]
    found = [Part(path, tuple(tree.own))] if tree.own else []
    for name, part in tree.parts.items():
        found += _divided((*path, name), part, body)
    return found


def _is_chain(tree: _Tree, body: Body) -> bool:
    """Whether at least two parts have choices that no other part has, and nothing joins parts."""
    own = (body.values[r] for r in tree.own)
    joins = any(isinstance(v, Apply) and len(v.inputs) > 1 for v in own)
    chosen = [_decisions(part.all(), body) for part in tree.parts.values()]
    alone = [
        part
        for n, part in enumerate(chosen)
        if part - {d for m, other in enumerate(chosen) if m != n for d in other}
    ]
    return len(alone) > 1 and not joins


def _decisions(refs: Iterable[int], body: Body) -> set[int]:
    """What is decided in some operations: numbers in them, and choices between their results."""
    inside = set(refs)
    found = {d for r in inside for d in decided(body.values[r])}
    for value in body.values:
        if isinstance(value, Select) and _branches(value, body) <= inside:
            found.add(value.decision)
    return found


def _branches(value: Select, body: Body) -> set[int]:
    return {_origin(b, body) for b in value.branches if b is not None}


def _origin(ref: int, body: Body) -> int:
    """The operation or stamp of which a value is the result, as far as no choice is passed."""
    value: Value = body.values[ref]
    while not isinstance(value, Apply | Call | Select) and hasattr(value, "value"):
        ref = value.value
        value = body.values[ref]
    return ref


def _with_selects(found: list[Part], body: Body) -> list[Part]:
    """The parts with the choices between results that lie in one part, nested ones too."""
    owner = {r: n for n, part in enumerate(found) for r in part.refs}
    members = [list(part.refs) for part in found]
    for ref, value in enumerate(body.values):
        if isinstance(value, Select):
            homes = {owner.get(b, -1) for b in _branches(value, body)}
            if len(homes) == 1 and (home := homes.pop()) >= 0:
                owner[ref] = home
                members[home].append(ref)
    return [Part(p.path, tuple(sorted(m))) for p, m in zip(found, members, strict=True)]


def _without_circles(found: list[Part], body: Body) -> list[Part]:
    """The parts, those between which data flows to and fro made one."""
    walk = Walk(body, frozenset())
    while True:
        owner = {r: n for n, part in enumerate(found) for r in part.refs}
        reads: dict[int, set[int]] = {}  # a part, or a value in none as -1 - ref
        for ref in range(len(body.values)):
            tails = {owner.get(i, -1 - i) for i in walk.inputs(ref)}
            reads.setdefault(owner.get(ref, -1 - ref), set()).update(tails)
        try:
            TopologicalSorter({k: v - {k} for k, v in reads.items()}).prepare()
        except CycleError as error:
            found = _joined(found, set(error.args[1]))
        else:
            return found


def _joined(found: list[Part], circle: set[int]) -> list[Part]:
    """The parts, those of a circle as one, with the values that lie in it."""
    inside = [part for n, part in enumerate(found) if n in circle]
    refs = {r for part in inside for r in part.refs} | {-1 - n for n in circle if n < 0}
    path = min((part.path for part in inside), key=len)
    rest = [part for n, part in enumerate(found) if n not in circle]
    return [*rest, Part(path, tuple(sorted(refs)))]
