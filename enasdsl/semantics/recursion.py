"""Rules that call each other: every circle needs a bound (language, rule 9)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter

from enasdsl.diagnostics import Label
from enasdsl.semantics.problems import Problems
from enasdsl.semantics.scopes import Entry
from enasdsl.semantics.traverse import parts
from enasdsl.syntax import ast

Calls = Mapping[str, Mapping[str, ast.Reference]]


def unbounded(entries: Mapping[str, Entry], problems: Problems) -> None:
    """Notes every circle of declarations in which nothing ends the calls."""
    calls = {name: _calls(entry.declaration, entries) for name, entry in entries.items()}
    while (circle := _circle(calls)) is not None:
        _note(circle, calls, entries, problems)
        calls = {name: below for name, below in calls.items() if name not in circle}


def _circle(calls: Calls) -> list[str] | None:
    """Names that call each other, each calling the one after it and the last the first."""
    graph = {name: [n for n in below if n in calls] for name, below in calls.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        circle: list[str] = error.args[1]
        return circle[:0:-1]
    return None


def _calls(declaration: ast.Declaration, entries: Mapping[str, Entry]) -> dict[str, ast.Reference]:
    """The global names that a declaration uses without a bound of its own."""
    if isinstance(declaration, ast.OpDecl) and declaration.depth is not None:
        return {}
    found: dict[str, ast.Reference] = {}
    if isinstance(declaration, ast.CellLike):
        found[declaration.base.text] = ast.Reference(declaration.base.text, declaration.base.span)
    for mention in _unguarded(declaration):
        if mention.name in entries and not isinstance(entries[mention.name].declaration, ast.Param):
            found.setdefault(mention.name, mention)
    return found


def _unguarded(node: object) -> Iterator[ast.Reference]:
    """The names that `node` mentions, except calls with arguments below a `when`."""
    match node:
        case ast.Reference():
            yield node
        case ast.Guarded(body, condition, otherwise):
            yield from _unguarded(condition)
            for branch in (body, otherwise):
                yield from _bare(branch)
        case _:
            for below in parts(node):
                yield from _unguarded(below)


def _bare(node: object) -> Iterator[ast.Reference]:
    """The names in a guarded branch that are not called with an argument."""
    match node:
        case ast.Call(ast.Reference(), arguments) if arguments:
            for argument in arguments:
                yield from _bare(argument.value)
        case ast.Reference():
            yield node
        case _:
            for below in parts(node):
                yield from _bare(below)


def _note(
    circle: list[str], calls: Calls, entries: Mapping[str, Entry], problems: Problems
) -> None:
    start = min(range(len(circle)), key=lambda at: entries[circle[at]].name.span.start)
    circle = circle[start:] + circle[:start]
    labels = [
        Label(calls[name][following].span, f"`{name}` uses `{following}`")
        for name, following in zip(circle, [*circle[1:], circle[0]], strict=True)
        if following in calls[name]
    ]
    first = entries[circle[0]]
    words = " uses ".join(f"`{name}`" for name in [*circle, circle[0]])
    op = isinstance(first.declaration, ast.OpDecl)
    problems.error(
        "E0236",
        f"`{circle[0]}` uses itself without end",
        first.name.span,
        words,
        others=tuple(labels),
        help=f"bound it: `op {circle[0]} depth 2 {{ ... }}`" if op else None,
    )


def early(entries: Mapping[str, Entry], problems: Problems) -> None:
    """Notes a choice of the file that, through whatever it uses, reads one bound further down."""
    calls = {name: _calls(entry.declaration, entries) for name, entry in entries.items()}
    lets = [entry for entry in entries.values() if isinstance(entry.declaration, ast.Let)]
    for at, entry in enumerate(lets):
        below = {later.name.text: later for later in lets[at:]}
        for name in _reached(entry.name.text, calls):
            later = below.get(name)
            if later is not None and later.declaration is not entry.declaration:
                problems.error(
                    "E0228",
                    f"`{entry.name.text}` uses `{name}` before it is bound",
                    entry.name.span,
                    "choices of a file are made from top to bottom",
                    others=(Label(later.name.span, "bound here, further down"),),
                )


def _reached(start: str, calls: Calls) -> list[str]:
    """Every name that `start` uses, itself or through others."""
    found: dict[str, None] = {}
    waiting = [start]
    while waiting:
        for name in calls.get(waiting.pop(), {}):
            if name not in found:
                found[name] = None
                waiting.append(name)
    return list(found)
