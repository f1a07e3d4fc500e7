"""Settings of a child that read a choice of the file: one value for each of its alternatives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from enasdsl.semantics.constants import NotConstant, members, scalar
from enasdsl.semantics.symbols import Scalar
from enasdsl.semantics.traverse import references
from enasdsl.source import Span
from enasdsl.syntax import ast

Path = tuple[str, ...]
Lets = Mapping[str, ast.Let]
SECTIONS = ("data", "weights")
"""The parts of `child` whose settings may read a choice."""


@dataclass(frozen=True, slots=True)
class ByChoice:
    """A setting, by its path below `child`, that is `values[n]` where `choice` picks n."""

    path: Path
    choice: str
    values: tuple[object, ...]

    @property
    def key(self) -> str:
        """Its path in one word."""
        return ".".join(self.path)

    def written(self) -> dict[str, object]:
        """As it stands among plain settings."""
        return {"choice": self.choice, "values": list(self.values)}


def found(child: Mapping[str, object]) -> Iterator[ByChoice]:
    """The settings that read a choice, in the plain settings of a child."""
    for section in SECTIONS:
        yield from _below((section,), child.get(section))


def _below(path: Path, value: object) -> Iterator[ByChoice]:
    match value:
        case {"choice": str(choice), "values": [*values], **more} if values and not more:
            yield ByChoice(path, choice, tuple(values))
        case Mapping():
            for key, below in value.items():
                yield from _below((*path, *str(key).split(".")), below)


class Unreadable(Exception):
    """A choice that a setting cannot read: what is wrong, of which part, and why."""

    def __init__(self, message: str, span: Span, why: str, help: str) -> None:
        super().__init__(message)
        self.message = message
        self.span = span
        self.why = why
        self.help = help


def read(path: Path, expr: ast.Expr, names: Mapping[str, Scalar], lets: Lets) -> ByChoice | None:
    """The values of a setting by the choice that it reads; None where it reads none.

    Raises Unreadable, and NotConstant where the setting is no constant for some alternative.
    """
    mentioned = {n.name: n for n in references(expr) if n.name in lets}
    if not mentioned:
        return None
    (name, mention), *others = mentioned.items()
    _check_place(path, name, mention.span)
    if others:
        raise Unreadable(
            "a setting reads one choice",
            expr.span,
            f"it reads two, `{name}` and `{others[0][0]}`",
            "choose the value itself at the top of the file",
        )
    values = _alternatives(mention, names, lets)
    return ByChoice(path[1:], name, tuple(scalar(expr, {**names, name: v}) for v in values))


def _check_place(path: Path, name: str, span: Span) -> None:
    if path[0] == "child" and path[1:2] == ("params",):
        raise Unreadable(
            "a param reads no choice",
            span,
            f"`{name}` is chosen, and params are settled before",
            f"read `{name}` in the network itself",
        )
    if path[0] != "child" or path[1] not in SECTIONS:
        raise Unreadable(
            "only a child's settings can read a choice",
            span,
            f"`{name}` differs between architectures, and they are searched with shared weights",
            f"write a constant here, and read `{name}` in `child {{ ... }}`",
        )


def _alternatives(mention: ast.Reference, names: Mapping[str, Scalar], lets: Lets) -> list[Scalar]:
    let = lets[mention.name]
    help = f"such as `{mention.name} = choose [0.01, 0.1]`"
    choice = let.value
    if not isinstance(choice, ast.Choose) or choice.quantity is not None or len(let.targets) > 1:
        raise Unreadable(
            "a setting reads a choice of one of a list",
            mention.span,
            f"`{mention.name}` is something else",
            help,
        )
    try:
        listed = list(members(_written(choice.domain, lets), names))
    except NotConstant:
        listed = []
    if not listed or not all(isinstance(member, Scalar) for member in listed):
        raise Unreadable(
            "a setting reads a choice among constants",
            mention.span,
            f"`{mention.name}` has other alternatives",
            help,
        )
    return listed  # type: ignore[return-value]


def _written(domain: ast.Expr, lets: Lets) -> ast.Expr:
    """The list for which the name of one stands."""
    if isinstance(domain, ast.Reference) and domain.name in lets:
        return lets[domain.name].value
    return domain
