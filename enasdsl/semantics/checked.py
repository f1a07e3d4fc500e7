"""A file whose names are known to mean something: what the lowering may take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from enasdsl.semantics.symbols import Scalar
from enasdsl.syntax import ast


@dataclass(frozen=True, slots=True)
class Checked:
    """A file with its imports and the prelude joined in.

    `params` holds the value of every param, `--set` applied; `names` every other global name
    (operations, lists, cells, blocks, lets), its own file's before an imported one's; `primitives`
    are not in it. `cell a like b` stays a CellLike, whose base is in `names`.
    """

    name: str
    params: Mapping[str, Scalar]
    names: Mapping[str, ast.OpDecl | ast.OpList | ast.CellDecl | ast.CellLike | ast.Let]
    cells: tuple[ast.CellDecl | ast.CellLike, ...]  # of the file itself, in its order
    network: ast.Network | None
    requires: tuple[ast.Require, ...]  # of imported files, then of the file itself
    published: tuple[ast.Published, ...]
    modulo: tuple[str, ...]  # each rule's words joined by a space
    recipes: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    tree: ast.Ast | None = None
