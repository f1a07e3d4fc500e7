"""Where the decisions of cells exist: where one of their stamps is reached, whichever it is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from heapq import heapify, heappop, heappush

from enasdsl.ir.build import Ledger
from enasdsl.ir.space import Constraint, Decision
from enasdsl.semantics.symbols import Condition, Either, Test


@dataclass(slots=True)
class Presence:
    """Completes the guards of what stands in cells, which are relative to their cell at first."""

    ledger: Ledger

    def decisions(self) -> tuple[Decision, ...]:
        """The decisions in order, each live where its cell is stamped and its own guard holds."""
        return tuple(
            replace(decision, guard=self._joined(home, decision.guard))
            for decision, home in zip(self.ledger.decisions, self.ledger.homes, strict=True)
        )

    def constraints(self) -> tuple[Constraint, ...]:
        """The requirements, each asked where its cell is stamped."""
        return tuple(
            replace(constraint, guard=self._joined(home, constraint.guard))
            for constraint, home in self.ledger.constraints.items()
        )

    def _joined(self, home: str, guard: Condition) -> Condition:
        return tuple(dict.fromkeys((*self._present(home), *guard)))

    def _present(self, home: str) -> Condition:
        """Where a cell is stamped; one of an array is a member of a library, and always there."""
        stamps = self.ledger.stamps.get(home)
        if stamps is None:
            return ()
        return self.ledger.union(self._joined(*stamp) for stamp in stamps)


def reordered(decisions: Sequence[Decision]) -> list[int] | None:
    """An order in which guards read only what comes before; None where it is the given one."""
    readers: dict[int, list[int]] = {}
    waiting = []
    for index, decision in enumerate(decisions):
        read = set(_read(decision.guard))
        waiting.append(len(read))
        for other in read:
            readers.setdefault(other, []).append(index)
    if all(other < index for other, found in readers.items() for index in found):
        return None
    ready = [index for index, count in enumerate(waiting) if count == 0]
    heapify(ready)
    order = []
    while ready:
        index = heappop(ready)
        order.append(index)
        for reader in readers.get(index, ()):
            waiting[reader] -= 1
            if waiting[reader] == 0:
                heappush(ready, reader)
    assert len(order) == len(decisions)
    return order


def _read(condition: Condition) -> Iterable[int]:
    for test in condition:
        match test:
            case Test(decision):
                yield decision
            case Either(options):
                yield from (d for option in options for d in _read(option))
