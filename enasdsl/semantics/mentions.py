"""What a mention of a name means where it stands, and what is said of one that means nothing."""

from __future__ import annotations

from enasdsl.diagnostics import Label
from enasdsl.semantics.ops import OPS
from enasdsl.semantics.problems import Problems, suggest
from enasdsl.semantics.scopes import (
    AMBIENT,
    FUNCTIONS,
    SETS,
    SIZES,
    WORDS,
    Region,
    Scope,
    Table,
    valid_words,
)
from enasdsl.syntax import ast


class Mentions:
    """Looks names up in the scopes, the file, and the language."""

    def __init__(self, table: Table, problems: Problems) -> None:
        self.table = table
        self.problems = problems

    def check(self, mention: ast.Reference, scope: Scope) -> None:
        """Notes a name that means nothing here."""
        name = mention.name
        if scope.find(name) or name in self.table or name in valid_words(scope.region):
            return
        if name in WORDS:
            self._misplaced(mention)
        elif not scope.find_listed(name):
            self._unbound(mention, scope, operation=False)

    def check_operation(self, mention: ast.Reference, scope: Scope) -> None:
        """Notes a name that stands where an operation must, and is none."""
        name = mention.name
        if scope.find(name) or name in OPS:
            return
        if name in self.table.entries:
            declaration = self.table.entries[name].declaration
            if isinstance(declaration, ast.Param | ast.OpList):
                self._no_operation(mention, declaration)
        elif name in WORDS:
            self.refuse(mention, f"`{name}` is {_describe(name)}")
        elif not scope.find_listed(name):
            self._unbound(mention, scope, operation=True)

    def refuse(self, expr: ast.Expr, why: str, *, help: str | None = None) -> None:
        """Notes that an expression stands where an operation must, and is none."""
        self.problems.error("E0206", "an operation is needed here", expr.span, why, help=help)

    def bind(self, name: ast.Name, scope: Scope) -> None:
        """Binds `name` in `scope`; notes a name that already means something there."""
        first = scope.find(name.text)
        entry = self.table.entries.get(name.text)
        if first is not None:
            self.problems.error(
                "E0220",
                f"`{name.text}` is bound twice",
                name.span,
                "bound again here",
                others=(Label(first.span, "first bound here"),),
            )
        elif entry is not None:
            self.problems.error(
                "E0220",
                f"`{name.text}` already has a meaning in this file",
                name.span,
                "bound again here",
                others=(Label(entry.name.span, "declared here"),),
            )
        elif name.text in WORDS or name.text in OPS:
            self.problems.error(
                "E0227",
                f"`{name.text}` is a word of the language",
                name.span,
                "this name is taken",
                help="choose another name",
            )
        scope.bind(name)

    # --------------------------------------------------------------- wording

    def _misplaced(self, mention: ast.Reference) -> None:
        self.problems.error(
            "E0205",
            f"`{mention.name}` means nothing here",
            mention.span,
            "only a `choose` takes any number"
            if mention.name == "any"
            else "a word of cells, blocks and their nodes",
        )

    def _no_operation(self, mention: ast.Reference, declaration: ast.Param | ast.OpList) -> None:
        if isinstance(declaration, ast.OpList):
            self.refuse(
                mention,
                f"`{mention.name}` is a list of operations",
                help=f"`choose {mention.name}` takes one of them",
            )
        else:
            self.refuse(mention, f"`{mention.name}` is a param")

    def _unbound(self, mention: ast.Reference, scope: Scope, *, operation: bool) -> None:
        later = scope.find_later(mention.name)
        if later is not None:
            self.problems.error(
                "E0228",
                f"`{mention.name}` is used before it is bound",
                mention.span,
                "not known yet",
                others=(Label(later.span, "bound here, further down"),),
            )
        elif self.table.complete:
            self._unknown(mention, scope, operation=operation)

    def _unknown(self, mention: ast.Reference, scope: Scope, *, operation: bool) -> None:
        name = mention.name
        known = {*scope.visible(), *self.table.operations()}
        if operation:
            text, fix = suggest(name, mention.span, known)
            self.problems.error(
                "E0203",
                f"unknown operation `{name}`",
                mention.span,
                "no operation has this name",
                help=text,
                fix=fix,
            )
            return
        text, fix = suggest(
            name, mention.span, known | {*self.table.entries, *valid_words(scope.region)}
        )
        self.problems.error(
            "E0204",
            f"unknown name `{name}`",
            mention.span,
            _foreign(name, scope.region) or "nothing has this name",
            help=text,
            fix=fix,
        )


def _describe(word: str) -> str:
    if word in SETS:
        return "a set of values"
    if word in AMBIENT | SIZES:
        return "a number"
    return "a function" if word in FUNCTIONS else "a word of `choose`"


def _foreign(name: str, region: Region) -> str | None:
    """Why a name that people bring from elsewhere means nothing."""
    if name in ("x", "input", "image") and region in (Region.OP, Region.NETWORK):
        return "nothing has this name; what an operation reads is named by `on`"
    return None
