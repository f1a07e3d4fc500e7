"""How many alternatives a place of a file has: a choice, a node, a cell, the whole space."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from math import prod

from enasdsl.diagnostics.wording import several
from enasdsl.editor.sight import Sight, place
from enasdsl.ir.count import Breakdown, TooManyStates, breakdown
from enasdsl.ir.domain import size
from enasdsl.ir.space import Decision, Space
from enasdsl.source import Span
from enasdsl.syntax import ast
from enasdsl.view.numbers import power_of_ten


@dataclass(frozen=True, slots=True)
class Ways:
    """In how many ways one scope can be decided, by the decisions in it."""

    count: int
    decisions: int


class Sizes:
    """The exact numbers of one space, by the places of its file."""

    def __init__(self, space: Space, sight: Sight) -> None:
        self.space = space
        self.sight = sight
        try:
            self.factors: Breakdown | None = breakdown(space)
        except TooManyStates:
            self.factors = None

    @property
    def total(self) -> int | None:
        return None if self.factors is None else self.factors.count

    def decisions(self, span: Span) -> tuple[Decision, ...]:
        """The decisions that one `choose` or `maybe` takes."""
        wanted = place(span)
        return tuple(d for d in self.space.decisions if d.span and place(d.span) == wanted)

    def choice(self, span: Span) -> tuple[Ways, ...]:
        """One `choose` in each of the scopes in which it is evaluated."""
        groups: defaultdict[str, list[Decision]] = defaultdict(list)
        for decision in self.decisions(span):
            groups[decision.scope].append(decision)
        return tuple(Ways(prod(size(d.domain) for d in g), len(g)) for g in groups.values())

    def cell(self, name: str, body: ast.Body, others: Collection[str]) -> tuple[Ways, ...]:
        """A cell at each of its designs, or a block at each of its uses.

        `body` is what it evaluates, perhaps that of the cell that it is like; `others` are the
        names of the other cells.
        """
        own = re.compile(rf"{name}_?\d*")
        paths = ((p, p.rpartition(".")[2]) for p in self.sight.paths_within(body.span))
        return self._each(p for p, last in paths if own.fullmatch(last) and last not in others)

    def node(self, node: ast.Node) -> tuple[Ways, ...]:
        """Each of the nodes that a statement makes."""
        return self._each(self.sight.paths_within(node.body.span))

    def _each(self, paths: Iterable[str]) -> tuple[Ways, ...]:
        found = [None if self.factors is None else _ways(self.factors, path) for path in paths]
        known = tuple(ways for ways in found if ways is not None)
        return known if len(known) == len(found) else ()


def _ways(factor: Breakdown, path: str, parent: tuple[str, ...] = ()) -> Ways | None:
    """The part of `factor` in the scope `path`; None where it is tied to decisions elsewhere."""
    inside = [scope == path or scope.startswith(f"{path}.") for scope in factor.scopes]
    if all(inside):
        return Ways(factor.count, factor.decisions)
    if not factor.parts:
        around = (path.startswith(f"{s}.") or not s for s in factor.scopes)
        apart = factor.scopes == parent or not any(around)
        return Ways(1, 0) if apart and not any(inside) else None
    found = [_ways(part, path, factor.scopes) for part in factor.parts]
    known = [ways for ways in found if ways is not None]
    if len(known) < len(found):
        return None
    return Ways(prod(w.count for w in known), sum(w.decisions for w in known))


def short(ways: tuple[Ways, ...]) -> str:
    """The size of a place in a few characters: `6`, `4..36 each`, `2.56e25`; empty for none."""
    decided = [w.count for w in ways if w.decisions]
    if not decided:
        return ""
    least, most = (power_of_ten(n) for n in (min(decided), max(decided)))
    text = least if least == most else f"{least}..{most}"
    return text if len(decided) == 1 else f"{text} each"


def exact(ways: tuple[Ways, ...], *, each: str) -> str:
    """The size of a place as a sentence; `each` is what several are called, as in `uses`."""
    decided = [w for w in ways if w.decisions]
    if not decided:
        return ""
    counts, numbers = ({w.count for w in decided}, {w.decisions for w in decided})
    text = f"{_span(counts, 'alternative')}, {_span(numbers, 'decision')}"
    return text if len(decided) == 1 else f"{text}, in each of {len(decided)} {each}"


def _span(numbers: set[int], noun: str) -> str:
    least, most = min(numbers), max(numbers)
    return several(most, noun) if least == most else f"{least:,} to {several(most, noun)}"
