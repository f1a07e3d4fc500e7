"""From a syntax tree to a file whose every name is known to mean something."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from enasdsl.diagnostics import Diagnostic
from enasdsl.semantics.checked import Checked
from enasdsl.semantics.declarations import Declarations
from enasdsl.semantics.imports import Importer, Load, Unit, join
from enasdsl.semantics.params import Params
from enasdsl.semantics.problems import Problems
from enasdsl.semantics.recursion import early, unbounded
from enasdsl.semantics.scopes import Entry, Table
from enasdsl.semantics.settings import Recipes
from enasdsl.syntax import ast


def resolve(
    tree: ast.Ast, *, overrides: Mapping[str, str], load: Load
) -> tuple[Checked | None, tuple[Diagnostic, ...]]:
    """Joins a file with its imports and the prelude, and checks all that it says.

    `overrides` are the texts of `--set` for params; `load` reads and parses an imported file, and
    gives None where there is none. The result is None where any diagnostic is an error.
    """
    problems = Problems()
    unit = Importer(load, problems).unit(tree, Path(tree.source.name).resolve())
    entries = join(unit, problems)
    params = Params(entries, overrides, problems)
    params.evaluate()
    for below in unit.files():
        seen = entries if below is unit else join(below, Problems())
        table = Table(seen, params.values, below.complete)
        Declarations(table, problems).check(below.tree)
    unbounded(entries, problems)
    early(entries, problems)
    recipes = Recipes(tree, params, problems).resolve()
    if problems:
        return None, problems.all
    return _checked(unit, entries, params, recipes), ()


def _checked(
    unit: Unit,
    entries: Mapping[str, Entry],
    params: Params,
    recipes: Mapping[str, Mapping[str, object]],
) -> Checked:
    own = unit.tree.declarations
    spaces = [d.name.text for d in own if isinstance(d, ast.SpaceName)]
    rules = [rule for d in own if isinstance(d, ast.Modulo) for rule in d.rules]
    named = (ast.OpDecl, ast.OpList, ast.CellDecl, ast.CellLike, ast.Let)
    declared = {name: entry.declaration for name, entry in entries.items()}
    return Checked(
        name=spaces[0] if spaces else Path(unit.tree.source.name).stem,
        params=params.values,
        names={name: d for name, d in declared.items() if isinstance(d, named)},
        cells=tuple(d for d in own if isinstance(d, ast.CellDecl | ast.CellLike)),
        network=next((d for d in own if isinstance(d, ast.Network)), None),
        requires=tuple(
            d
            for below in unit.files()
            for d in below.tree.declarations
            if isinstance(d, ast.Require)
        ),
        published=tuple(d for d in own if isinstance(d, ast.Published)),
        modulo=tuple(" ".join(name.text for name in rule) for rule in rules),
        recipes=recipes,
        tree=unit.tree,
    )
