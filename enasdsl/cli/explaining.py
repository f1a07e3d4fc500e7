"""The commands that look things up: `explain` and `ops`."""

from __future__ import annotations

import json
from textwrap import fill, indent
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from enasdsl.cli.ending import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from enasdsl.diagnostics import Entry

WIDTH = 88


def explain(
    code: Annotated[str, Parameter(help="A code such as E0203; all of them where left out.")] = "",
    /,
    *,
    output: Literal["text", "json"] = "text",
) -> int:
    """Explain an error code: what it means, and a file before and after it was mended."""
    from enasdsl.diagnostics import CATALOGUE

    wanted = code.upper()
    if wanted and wanted not in CATALOGUE:
        near = _nearest(wanted, CATALOGUE, command="explain")
        raise UsageError(f"there is no code `{code}`{near}")
    if output == "json":
        chosen = [wanted] if wanted else list(CATALOGUE)
        facts = [_facts(c, CATALOGUE[c]) for c in chosen]
        print(json.dumps(facts[0] if wanted else facts, indent=2, ensure_ascii=False))
    elif wanted:
        print(_explained(wanted, CATALOGUE[wanted]))
    else:
        for known, entry in CATALOGUE.items():
            print(f"{known}  {entry.title}")
    return 0


def _facts(code: str, entry: Entry) -> dict[str, str]:
    return {
        "code": code,
        "title": entry.title,
        "explanation": entry.explanation,
        "bad": entry.bad,
        "good": entry.good,
    }


def _explained(code: str, entry: Entry) -> str:
    parts = [f"{code}: {entry.title}", fill(entry.explanation, WIDTH)]
    if entry.bad:
        parts += ["This is refused:", indent(entry.bad, "    ")]
    if entry.good:
        parts += ["This is not:", indent(entry.good, "    ")]
    return "\n\n".join(parts)


def ops(
    name: Annotated[str, Parameter(help="An operation; all of them where left out.")] = "",
    /,
    *,
    output: Literal["text", "json"] = "text",
) -> int:
    """Show an operation: its parameters and weights, the shape it gives, and what it costs.

    Without a name all built-in operations, and those of the prelude, a line for each.
    """
    from enasdsl.semantics.ops import OPS
    from enasdsl.view.reference import (
        composites,
        operation_facts,
        operation_text,
        overview_text,
    )

    known = [*OPS, *composites()]
    if name and name not in known:
        near = _nearest(name, known, command="ops")
        raise UsageError(f"there is no operation `{name}`{near}")
    if output == "json":
        facts = [operation_facts(n) for n in ([name] if name else known)]
        print(json.dumps(facts[0] if name else facts, indent=2))
    else:
        print(operation_text(name) if name else overview_text())
    return 0


def _nearest(word: str, words: Iterable[str], *, command: str) -> str:
    from difflib import get_close_matches

    close = get_close_matches(word, list(words), n=3, cutoff=0.6)
    if not close:
        return f"; `enasdsl {command}` lists what there is"
    return f"; did you mean {' or '.join(f'`{c}`' for c in close)}?"
