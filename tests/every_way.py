"""Counts a small file by running it in every way: a third road, which knows of no decisions.

The interpreter runs the file; at each choice that it meets first, the run goes on with the next
pick that was not tried yet. The number of runs is the number of different records.
"""

from __future__ import annotations

from itertools import (
    combinations,
    combinations_with_replacement,
    permutations,
    product,
)
from typing import Any

from interpret import Interpreter
from interpreted import Env, Key, plain, where

from enasdsl.pipeline import Compilation
from enasdsl.semantics.task import Task
from enasdsl.semantics.traverse import walk
from enasdsl.source import Span
from enasdsl.syntax import ast

Picks = tuple[int, ...]


class Refused(Exception):
    """A requirement does not hold in this run."""


class Runner(Interpreter):
    """One run, which follows `path` and then takes the first pick of every choice."""

    def __init__(self, compilation: Compilation, task: Task, path: list[int]) -> None:
        assert compilation.checked is not None
        super().__init__(compilation.checked, task, {})
        self.path = path
        self.taken: list[tuple[int, int]] = []  # which of how many picks
        roots = [*self.checked.names.values(), self.checked.network]
        self.choices = {
            where(node.span): node
            for root in roots
            for node in walk(root)
            if isinstance(node, ast.Choose)
        }

    def decide(self, span: Span, env: Env, size: int, key: str = "") -> Picks:
        site: Key = (env.cell, env.site, where(span), key)
        if site not in self.decided:
            options = self.picks(self.choices.get(where(span)), size, env, bool(key))
            at = len(self.taken)
            place = self.path[at] if at < len(self.path) else 0
            self.taken.append((place, len(options)))
            if not options:
                raise Refused
            self.decided[site] = options[place]
        return self.decided[site]

    def require(self, s: ast.Require, env: Env) -> None:
        if not plain(self.evaluate(s.condition, env)):
            raise Refused

    def picks(self, e: ast.Choose | None, size: int, env: Env, single: bool) -> list[Picks]:
        if e is None or e.quantity is None or single:
            return [(n,) for n in range(size)]
        least, most = self.bounds(e.quantity, env) or (0, size)
        ways: Any = combinations
        if e.repeats:
            ways = combinations_with_replacement
        if e.ordered or self.unpacked(e):
            ways = (lambda s, k: product(s, repeat=k)) if e.repeats else permutations
        return [tuple(p) for k in range(least, most + 1) for p in ways(range(size), k)]

    def unpacked(self, e: ast.Choose) -> bool:
        roots = [*self.checked.names.values(), self.checked.network]
        lets = (n for root in roots for n in walk(root) if isinstance(n, ast.Let))
        return any(let.value is e and len(let.targets) > 1 for let in lets)


def runs(compilation: Compilation, task: Task, *, most: int = 5_000) -> int:
    """In how many ways the file can run."""
    found = 0
    path: list[int] | None = []
    while path is not None:
        runner = Runner(compilation, task, path)
        try:
            runner.network()
            found += 1
        except Refused:
            pass
        assert found <= most
        path = following(runner.taken)
    return found


def following(taken: list[tuple[int, int]]) -> list[int] | None:
    """The run after this one: the last choice that has another pick takes it."""
    while taken:
        place, size = taken.pop()
        if place + 1 < size:
            return [*(p for p, _ in taken), place + 1]
    return None
