"""Choices among operations whose alternatives nothing can look into.

Such a choice is a site: whichever alternative it takes, it reads the same values, and two
architectures that differ there alone differ by a label. What a label is, the alternative's own
primitive operations say.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from enasdsl.ir.graph import Apply, Body, Call, Input, Node, Present, Select, Value
from enasdsl.ir.unique.modulo import Modulo
from enasdsl.semantics.symbols import Chosen, Computed, Counted

COMMUTATIVE = frozenset({"sum", "mean", "product", "min", "max", "concat", "add", "multiply"})


@dataclass(frozen=True, slots=True)
class Site:
    """A Select as a choice of labels over `ports`, which have no order where they are `alike`.

    A label is None where the alternative has to be followed instead.
    """

    decision: int
    ports: tuple[int, ...]
    alike: bool
    labels: tuple[str | None, ...]


def sources(value: Value) -> tuple[int, ...]:
    """Everything that a value may read."""
    match value:
        case Input():
            return ()
        case Apply(inputs=inputs) | Call(inputs=inputs):
            return inputs
        case Node(value=ref) | Present(value=ref):
            return (ref,)
        case Select(branches=branches):
            return tuple(b for b in branches if b is not None)


def readers(body: Body) -> Mapping[int, set[int]]:
    """By whom each value is read."""
    found: defaultdict[int, set[int]] = defaultdict(set)
    for ref, value in enumerate(body.values):
        for source in sources(value):
            found[source].add(ref)
    return found


def sites(body: Body, modulo: Modulo) -> Mapping[int, Site]:
    """The sites of a body by the Select that each one is."""
    read_by = readers(body)
    found = {}
    for ref, value in enumerate(body.values):
        if isinstance(value, Select) and not value.source:
            boxes = [
                None if b is None else _box(body, b, ref, read_by, modulo) for b in value.branches
            ]
            site = _site(value, boxes)
            if any(label is not None for label in site.labels):
                found[ref] = site
    return found


@dataclass(frozen=True, slots=True)
class _Box:
    label: str
    ports: tuple[int, ...]
    alike: bool


def _site(select: Select, boxes: Sequence[_Box | None]) -> Site:
    """The site of a Select, over the ports that most of its alternatives read."""
    groups: defaultdict[tuple[tuple[int, ...], bool], int] = defaultdict(int)
    for box in boxes:
        if box is not None:
            groups[box.ports, box.alike] += 1
    if not groups:
        return Site(select.decision, (), False, (None,) * len(boxes))
    ports, alike = max(groups, key=lambda key: groups[key])
    labels = tuple(
        b.label if b is not None and (b.ports, b.alike) == (ports, alike) else None for b in boxes
    )
    return Site(select.decision, ports, alike, labels)


def _box(
    body: Body, top: int, select: int, read_by: Mapping[int, set[int]], modulo: Modulo
) -> _Box | None:
    """An alternative as one operation, or None where it has to be followed."""
    inner = _inner(body, top, select, read_by)
    applied = [(ref, body.values[ref]) for ref in sorted(inner)]
    steps = [(ref, v) for ref, v in applied if isinstance(v, Apply)]
    if (
        not steps
        or any(_chosen(v) for _, v in steps)
        or _dissolves([v.op for _, v in steps], modulo)
    ):
        return None
    ports = tuple(dict.fromkeys(i for _, v in steps for i in v.inputs if i not in inner))
    if len(ports) < 2:
        return _Box(_spelled(steps, ports), ports, True)
    if not modulo.commute:
        return _Box(_spelled(steps, ports), ports, False)
    plain = _term(body, top, inner, {p: n for n, p in enumerate(ports)})
    same = [_swapped(body, top, inner, ports, a, b) == plain for a, b in combinations(ports, 2)]
    if any(same) != all(same):
        return None
    return _Box(repr(plain) if all(same) else _spelled(steps, ports), ports, all(same))


def _inner(body: Body, top: int, select: int, read_by: Mapping[int, set[int]]) -> set[int]:
    """The operations that only this alternative of the Select reads."""
    inner: set[int] = set()
    pending = {top} if read_by[top] == {select} else set[int]()
    while pending:
        ref = max(pending)
        pending.discard(ref)
        value = body.values[ref]
        if isinstance(value, Apply) and (ref == top or read_by[ref] <= inner):
            inner.add(ref)
            pending.update(value.inputs)
    return inner


def _chosen(value: Apply) -> bool:
    return any(isinstance(arg, Chosen | Computed | Counted) for _, arg in value.args)


def _dissolves(ops: Sequence[str], modulo: Modulo) -> bool:
    """Whether the rules see more in these operations than a label."""
    if (modulo.erase or modulo.prune) and "zero" in ops:
        return True
    return modulo.contract and all(op in ("identity", "sum", "add") for op in ops)


def _spelled(steps: Sequence[tuple[int, Apply]], ports: Sequence[int]) -> str:
    """The operations in their order, each with what it reads: a port or an earlier one."""
    name = {port: f"p{n}" for n, port in enumerate(ports)}
    name |= {ref: str(n) for n, (ref, _) in enumerate(steps)}
    return "; ".join(
        f"{labelled(v.op, v.args)} {' '.join(name[i] for i in v.inputs)}" for _, v in steps
    )


def labelled(op: str, args: Iterable[tuple[str, object]]) -> str:
    """An operation with its arguments, as text."""
    return f"{op}({', '.join(f'{name}: {arg}' for name, arg in args)})"


def _swapped(body: Body, top: int, inner: set[int], ports: Sequence[int], a: int, b: int) -> object:
    names = {p: n for n, p in enumerate(ports)}
    names[a], names[b] = names[b], names[a]
    return _term(body, top, inner, names)


def _term(body: Body, ref: int, inner: set[int], names: Mapping[int, int]) -> tuple[object, ...]:
    """What an alternative computes, with the inputs of merges in an order of their own."""
    value = body.values[ref]
    if ref not in inner:
        return ("port", names[ref])
    assert isinstance(value, Apply)
    terms = [_term(body, i, inner, names) for i in value.inputs]
    if value.op in COMMUTATIVE:
        terms.sort(key=repr)
    return (labelled(value.op, value.args), *terms)


# ------------------------------------------------------- labels that can be exchanged


@dataclass(frozen=True, slots=True)
class Choice:
    """Alternatives of one decision that nothing tells apart; `index` is one of them.

    `labels` has for each site of the decision the name under which all of them go there.
    """

    index: int
    labels: Mapping[int, str]  # by Select


def choices(decision: int, among: Mapping[int, Site], atoms: Mapping[str, str]) -> list[Choice]:
    """The alternatives of a decision, grouped by the atoms of their labels at its sites."""
    own = {ref: site for ref, site in among.items() if site.decision == decision}
    size = len(next(iter(own.values())).labels)
    groups: dict[tuple[object, ...], Choice] = {}
    for index in range(size):
        names = {r: atoms[label] for r, s in own.items() if (label := s.labels[index]) is not None}
        followed = index if len(names) < len(own) else -1
        groups.setdefault((*names.values(), followed), Choice(index, names))
    return list(groups.values())


def atoms(
    among: Mapping[int, Site], free: Iterable[int]
) -> tuple[Mapping[str, str], Mapping[str, int]]:
    """The coarsest division of labels into atoms that are met whole or not at all.

    Gives the atom of each label, and how many labels each atom has.
    """
    own = {ref: site for ref, site in among.items() if site.decision in set(free)}
    atom = {label: "" for site in own.values() for label in site.labels if label is not None}
    while True:
        met: defaultdict[str, set[tuple[int, tuple[object, ...]]]] = defaultdict(set)
        for decision in {site.decision for site in own.values()}:
            here = {ref: site for ref, site in own.items() if site.decision == decision}
            size = len(next(iter(here.values())).labels)
            for index in range(size):
                row = [site.labels[index] for site in here.values()]
                group = tuple(index if label is None else atom[label] for label in row)
                for ref, label in zip(here, row, strict=True):
                    if label is not None:
                        met[label].add((ref, group))
        names = {seen: str(n) for n, seen in enumerate(dict.fromkeys(map(frozenset, met.values())))}
        finer = {label: names[frozenset(seen)] for label, seen in met.items()}
        if len(set(finer.values())) == len(set(atom.values())):
            break
        atom = finer
    sizes: defaultdict[str, int] = defaultdict(int)
    for name in atom.values():
        sizes[name] += 1
    return atom, sizes
