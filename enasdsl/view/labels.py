"""How choices are named in a picture: short, and different within one box."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import log

from enasdsl.ir.domain import size
from enasdsl.ir.space import Decision, Domain, Kind, Source, Space
from enasdsl.semantics.symbols import Reading
from enasdsl.view.beliefs import Beliefs
from enasdsl.view.numbers import percent
from enasdsl.view.picture import Choice


@dataclass(eq=False)
class Labels:
    """The choices of one picture; each is shown in one box, the first in which it stands."""

    space: Space
    reading: Reading | None = None
    beliefs: Beliefs | None = None
    _shown: set[int] = field(default_factory=set)

    def choices(self, decisions: Iterable[int]) -> tuple[Choice, ...]:
        """Rows for the decisions that no other box has shown, those with equal rows in one."""
        fresh = [d for d in dict.fromkeys(decisions) if d not in self._shown and self._live(d)]
        self._shown.update(fresh)
        return joined(self._choice(d, name) for d, name in self._names(fresh).items())

    def globals(self, apart: Collection[int] = ()) -> tuple[Choice, ...]:
        """Rows for what is bound at the top of the file, decisions with a box `apart` left out."""
        decisions = enumerate(self.space.decisions)
        return self.choices(n for n, d in decisions if not d.scope and n not in apart)

    def _live(self, index: int) -> bool:
        return self.reading is None or self.reading.picks[index] is not None

    def _names(self, indices: Sequence[int]) -> dict[int, str]:
        """The last part of each path, and more of it where two would have the same."""
        paths = {i: self.space.decisions[i].path.split(".") for i in indices}
        names = {}
        for index, path in paths.items():
            size = 1
            while size < len(path) and any(
                other[-size:] == path[-size:] for i, other in paths.items() if i != index
            ):
                size += 1
            names[index] = ".".join(path[-size:])
        return names

    def _choice(self, index: int, name: str) -> Choice:
        decision = self.space.decisions[index]
        shown = () if decision.source is Source.INPUT else decision.labels
        numbers = decision.source is Source.VALUE
        picked = None
        if self.reading is not None:
            picked = tuple(decision.labels[p] for p in self.reading.picks[index] or ())
        choice = Choice(name, quantity_of(decision), shown, picked, numbers)
        return choice if self.beliefs is None else _believed(choice, index, decision, self.beliefs)


def _believed(choice: Choice, index: int, decision: Decision, beliefs: Beliefs) -> Choice:
    """A row with the odds of its options, and how sure of them the strategy is."""
    taken, most = beliefs.taken(index), size(decision.domain)
    notes = [f"taken in {percent(taken)}"] if taken < 1 else []
    if most > 1 and (entropy := beliefs.entropy.get(decision.path)) is not None:
        notes.append(f"{entropy:.2f} of {log(most):.2f} nats")
    notes.append(beliefs.places[decision.path])
    odds = beliefs.odds(index, decision.domain.size)
    return replace(choice, odds=odds, note=", ".join(filter(None, notes)))


def joined(choices: Iterable[Choice]) -> tuple[Choice, ...]:
    """Choices that differ in their name alone as one row."""
    rows: dict[Choice, list[str]] = {}
    for choice in choices:
        rows.setdefault(replace(choice, name=""), []).append(choice.name)
    return tuple(
        replace(choice, name=_names(names) if choice.picked is None else ", ".join(names))
        for choice, names in rows.items()
    )


def _names(names: Sequence[str]) -> str:
    """Several names as one: all of them, or what many have in common."""
    last = {name.rpartition(".")[2] for name in names}
    if len(names) > 3 and len(last) == 1:
        return f"{last.pop()} ({len(names)} times)"
    return ", ".join(names) if len(names) < 7 else f"{names[0]} … {names[-1]}"


def quantity_of(decision: Decision) -> str:
    """How many of how many a decision picks: `1 of 4`, `any of 3`."""
    domain = decision.domain
    number = _number(domain)
    ordered = " in order" if domain.kind in (Kind.SEQUENCE, Kind.ARRANGEMENT) else ""
    repeats = " with repeats" if domain.kind in (Kind.SEQUENCE, Kind.MULTISET) else ""
    return f"{number} of {domain.size}{repeats}{ordered}"


def _number(domain: Domain) -> str:
    if domain.kind is Kind.SET and (domain.least, domain.most) == (0, domain.size):
        return "any"
    if domain.least == domain.most:
        return str(domain.least)
    return f"{domain.least} to {domain.most}"


def tints(space: Space) -> Mapping[str, tuple[str, int]]:
    """For each alternative, blanks left out: how it is written, and its position in its list."""
    found: dict[str, tuple[str, int]] = {}
    for decision in space.decisions:
        if decision.source is Source.OPERATION:
            for n, label in enumerate(decision.labels):
                found.setdefault(label.replace(" ", ""), (label, n))
    return found
