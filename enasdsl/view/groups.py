"""The parts of a network: which of its values are drawn as one box."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from enasdsl.ir.graph import Apply, Body, Call, Select, Value
from enasdsl.view.walking import decided, primitive, uses

Path = tuple[str, ...]


@dataclass(slots=True, eq=False)
class _Tree:
    """The operations and stamps within one use, and the uses within it, in their order."""

    own: list[int] = field(default_factory=list)
    parts: dict[str, _Tree] = field(default_factory=dict)

    def all(self) -> list[int]:
        return sorted([*self.own, *(r for part in self.parts.values() for r in part.all())])


def groups(body: Body) -> list[tuple[Path, tuple[int, ...]]]:
    """The values of a network body by the use that they are drawn as, in order of their first.

    A use in which several parts choose on their own, one after another, is drawn as its parts.
    """
    root = _Tree()
    for ref, value in enumerate(body.values):
        if isinstance(value, Apply) or (isinstance(value, Call) and uses(value.within)):
            here = root
            for name in uses(value.within):
                here = here.parts.setdefault(name, _Tree())
            here.own.append(ref)
    found: list[tuple[Path, tuple[int, ...]]] = [((_text(body, r),), (r,)) for r in root.own]
    for name, part in root.parts.items():
        _divide((name,), part, body, found)
    found = _with_selects(found, body)
    return sorted(found, key=lambda group: group[1][0])


def _text(body: Body, ref: int) -> str:
    value = body.values[ref]
    return primitive(value) if isinstance(value, Apply) else ""


def _divide(path: Path, tree: _Tree, body: Body, found: list[tuple[Path, tuple[int, ...]]]) -> None:
    if not _is_chain(tree, body):
        found.append((path, tuple(tree.all())))
        return
    if tree.own:
        found.append((path, tuple(tree.own)))
    for name, part in tree.parts.items():
        _divide((*path, name), part, body, found)


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


def _with_selects(
    found: list[tuple[Path, tuple[int, ...]]], body: Body
) -> list[tuple[Path, tuple[int, ...]]]:
    """The groups with the choices between results that lie in one group, nested ones too."""
    owner = {r: n for n, (_, refs) in enumerate(found) for r in refs}
    members = [list(refs) for _, refs in found]
    for ref, value in enumerate(body.values):
        if isinstance(value, Select):
            homes = {owner.get(b, -1) for b in _branches(value, body)}
            if len(homes) == 1 and (home := homes.pop()) >= 0:
                owner[ref] = home
                members[home].append(ref)
    return [(path, tuple(sorted(m))) for (path, _), m in zip(found, members, strict=True)]
