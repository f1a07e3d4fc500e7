"""Choices that cannot be made: too many from too few, backwards bounds, nothing to choose from."""

from __future__ import annotations

from collections.abc import Hashable

from enasdsl.diagnostics import Fix, Label
from enasdsl.semantics.constants import (
    Impossible,
    Interval,
    NotConstant,
    Value,
    evaluate,
    spell,
)
from enasdsl.semantics.problems import Problems
from enasdsl.semantics.scopes import Table
from enasdsl.semantics.traverse import likeness
from enasdsl.source import Span
from enasdsl.syntax import ast


class Choices:
    """Checks each `choose` as far as its numbers are known before the search."""

    def __init__(self, table: Table, problems: Problems) -> None:
        self.table = table
        self.problems = problems

    def check(self, choice: ast.Choose) -> None:
        """Notes a quantity that makes no sense, and a domain that is too small for it."""
        bounds = self.quantity(choice)
        size = self._size(choice.domain)
        if size == 0:
            self.problems.error(
                "E0402",
                "nothing to choose from",
                choice.domain.span,
                "this is empty",
                others=self._origin(choice.domain),
            )
        elif bounds is not None and size is not None:
            self._enough(choice, bounds[1], size)

    def quantity(self, choice: ast.Choose) -> tuple[int, int] | None:
        """The least and the most members that are chosen, where they are known and make sense."""
        match choice.quantity:
            case None:
                return 1, 1
            case ast.Range(low, high):
                least, most = self._count(low), self._count(high)
            case ast.Reference("any"):
                return None
            case expr:
                least = most = self._count(expr)
        if least is None or most is None:
            return None
        if least > most:
            self.problems.error(
                "E0401",
                "the bounds of this choice are backwards",
                choice.quantity.span,
                f"{least} is more than {most}",
                help=f"write `{most}..{least}`",
            )
            return None
        return least, most

    def unpack(self, let: ast.Let) -> None:
        """Notes a `let` whose names are not as many as the members that it takes apart."""
        names = len(let.targets)
        match let.value:
            case ast.Choose() as choice if names > 1:
                self._unpack_choice(choice, let, names)
            case ast.Tuple(items) if names != len(items) and names > 1:
                self._unmatched(let, len(items), let.value.span)

    def duplicates(self, items: ast.ListLiteral) -> None:
        """Notes alternatives that are written twice."""
        seen: dict[Hashable, ast.Expr] = {}
        for item in items.items:
            first = seen.setdefault(self._key(item), item)
            if first is not item:
                self.problems.error(
                    "E0230",
                    f"the alternative `{item.span.text}` is written twice",
                    item.span,
                    "the same again",
                    others=(Label(first.span, "first written here"),),
                    help="alternatives are a set; leave one of them out",
                )

    def count(self, expr: ast.Expr, *, least: int = 0, what: str) -> int | None:
        """The whole number that `expr` must be; notes why it is none."""
        try:
            value = evaluate(expr, self.table.values)
        except Impossible as trouble:
            self.problems.error("E0208", "this constant has no value", trouble.span, trouble.reason)
            return None
        except NotConstant as trouble:
            self.problems.error(
                "E0221", f"{what} must be known before the search", trouble.span, trouble.reason
            )
            return None
        if isinstance(value, int) and not isinstance(value, bool) and value >= least:
            return value
        self.problems.error(
            "E0211",
            f"{what} is a whole number of at least {least}",
            expr.span,
            f"this is {spell(value)}",
        )
        return None

    # ---------------------------------------------------------------- numbers

    def known(self, expr: ast.Expr) -> Value | None:
        """The value of `expr` where it is constant."""
        try:
            return evaluate(expr, self.table.values)
        except NotConstant:
            return None

    def _count(self, expr: ast.Expr) -> int | None:
        value = self.known(expr)
        if value is None:
            return None
        if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            return value
        self.problems.error(
            "E0401",
            "a choice takes a whole number of members",
            expr.span,
            f"this is {spell(value)}",
        )
        return None

    def _size(self, domain: ast.Expr) -> int | None:
        match domain:
            case ast.ListLiteral(items):
                return None if any(self._is_open(item) for item in items) else len(items)
            case ast.Range():
                value = self.known(domain)
                return value.size if isinstance(value, Interval) else None
            case ast.Reference(name) if name in self.table.entries:
                listed = self.table.entries[name].declaration
                return self._size(listed.items) if isinstance(listed, ast.OpList) else None
        return None

    def _is_open(self, item: ast.Expr) -> bool:
        """Whether a list item may stand for no member or for many."""
        return isinstance(item, ast.Comprehension) or self.is_list(item)

    def is_list(self, item: ast.Expr) -> bool:
        """Whether a list item is a named list, and so stands for the members of that list."""
        entry = self.table.entries.get(item.name) if isinstance(item, ast.Reference) else None
        match entry and entry.declaration:
            case ast.OpList():
                return True
            case ast.CellDecl(count=count):
                return count is not None
        return False

    def _origin(self, domain: ast.Expr) -> tuple[Label, ...]:
        if isinstance(domain, ast.Reference) and domain.name in self.table.entries:
            return (Label(self.table.entries[domain.name].name.span, "declared here"),)
        return ()

    def _enough(self, choice: ast.Choose, most: int, size: int) -> None:
        if most <= size or choice.repeats:
            return
        help_, fix = None, None
        if not choice.ordered:
            stop = Span(choice.span.source, choice.span.stop, choice.span.stop)
            fix = Fix(stop, " with repeats", "let a member come again")
            help_ = "`with repeats` lets a member come again"
        self.problems.error(
            "E0401",
            f"cannot choose {most} from {size}",
            choice.span,
            f"there {'is' if size == 1 else 'are'} only {size} to choose from",
            others=self._origin(choice.domain),
            help=help_,
            fix=fix,
        )

    def _unpack_choice(self, choice: ast.Choose, let: ast.Let, names: int) -> None:
        if isinstance(choice.quantity, ast.Reference) and choice.quantity.name == "any":
            self.problems.error(
                "E0404",
                "a set of unknown size cannot be taken apart",
                choice.span,
                "`any` may choose any number of members",
                others=(Label(_joined(let), f"{names} names"),),
                help=f"`choose {names} from` fills {names} names",
            )
            return
        bounds = self.quantity(choice)
        if bounds is None:
            return
        if bounds[0] != bounds[1]:
            self.problems.error(
                "E0404",
                "a set of unknown size cannot be taken apart",
                choice.span,
                f"this chooses from {bounds[0]} to {bounds[1]} members",
                others=(Label(_joined(let), f"{names} names"),),
            )
        elif bounds[0] != names:
            self._unmatched(let, bounds[0], choice.span)

    def _unmatched(self, let: ast.Let, members: int, span: Span) -> None:
        what = "one value" if members == 1 else f"{members} values"
        self.problems.error(
            "E0404",
            f"{len(let.targets)} names for {what}",
            span,
            f"this gives {what}",
            others=(Label(_joined(let), f"{len(let.targets)} names"),),
        )

    def _key(self, item: ast.Expr) -> Hashable:
        value = self.known(item)
        return likeness(item) if value is None else (isinstance(value, bool), value)


def _joined(let: ast.Let) -> Span:
    return let.targets[0].span.to(let.targets[-1].span)
