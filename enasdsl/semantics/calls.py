"""What operations may be called with: the arguments that they take, and their values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from enasdsl.diagnostics import Fix, Label
from enasdsl.semantics.constants import Impossible, NotConstant, evaluate, is_number, spell
from enasdsl.semantics.ops import OPS, Default, OpParameter
from enasdsl.semantics.problems import Problems, suggest
from enasdsl.semantics.scopes import AMBIENT, Table
from enasdsl.source import Span
from enasdsl.syntax import ast

_AMBIENT = {name: OpParameter(name, int, least=1) for name in AMBIENT}


@dataclass(frozen=True, slots=True)
class Slot:
    """One parameter of an operation; `spec` is None where the file declares it."""

    name: str
    required: bool
    spec: OpParameter | None = None


@dataclass(frozen=True, slots=True)
class Signature:
    """What a named operation takes.

    `reads` is how many values it reads, where that is a fixed number.
    """

    name: str
    slots: tuple[Slot, ...] = ()
    reads: int | None = None
    declared: Span | None = None

    @property
    def shown(self) -> str:
        """The operation with the parameters that it needs, as a help line shows it."""
        return f"{self.name}({', '.join(slot.name for slot in self.slots if slot.required)})"


def signature(name: str, table: Table) -> Signature | None:
    """What the operation `name` takes, or None where it is no operation that can be called."""
    if name in table.entries:
        entry = table.entries[name]
        match entry.declaration:
            case ast.OpDecl(parameters=parameters, inputs=inputs):
                slots = tuple(Slot(p.name.text, p.default is None) for p in parameters)
                return Signature(name, slots, len(inputs) or None, entry.name.span)
            case ast.CellDecl() | ast.CellLike():
                return Signature(name, declared=entry.name.span)
        return None
    if name not in OPS:
        return None
    spec = OPS[name]
    slots = tuple(Slot(p.name, p.implicit == Default.REQUIRED, p) for p in spec.parameters)
    return Signature(name, slots, spec.arity or None)


class Arguments:
    """Checks the arguments of one call against a signature."""

    def __init__(self, known: Signature, table: Table, problems: Problems) -> None:
        self.known = known
        self.table = table
        self.problems = problems

    def check(
        self, arguments: tuple[ast.Argument, ...], place: Span, *, values: bool | None
    ) -> None:
        """Notes arguments that are unknown, missing, given twice, too many, or of a wrong value.

        `values` is whether the plain arguments are what the operation reads (`relu(x)`) and not
        its parameters (`conv(3)`), and None where the text does not say.
        """
        given: dict[str, ast.Argument] = {}
        if not values:
            plain = [argument for argument in arguments if argument.name is None]
            self._positional(plain, given, surely=values is False)
        for argument in arguments:
            if argument.name is not None:
                self._named(argument.name, argument, given)
        self._missing(given, place, read=values is True)

    def missing(self, place: Span) -> None:
        """Notes the parameters that a mention without arguments leaves out."""
        self._missing({}, place)

    def _positional(
        self, plain: list[ast.Argument], given: dict[str, ast.Argument], *, surely: bool
    ) -> None:
        slots = self.known.slots
        if len(plain) > len(slots) and surely:
            self._too_many(plain[len(slots)], len(slots))
        for slot, argument in zip(slots, plain, strict=False):
            given[slot.name] = argument
            self._value(slot.name, slot.spec, argument.value)

    def _named(
        self, name: ast.Name, argument: ast.Argument, given: dict[str, ast.Argument]
    ) -> None:
        if name.text in given:
            self.problems.error(
                "E0207",
                f"`{name.text}` is given twice",
                name.span,
                "given again here",
                others=(Label(given[name.text].span, "first given here"),),
            )
            return
        slot = next((s for s in self.known.slots if s.name == name.text), None)
        if slot is None and name.text not in AMBIENT:
            self._unknown(name)
            return
        given[name.text] = argument
        spec = slot.spec if slot is not None else _AMBIENT[name.text]
        self._value(name.text, spec, argument.value)

    # --------------------------------------------------------------- wording

    def _too_many(self, argument: ast.Argument, most: int) -> None:
        many = {0: "no arguments", 1: "one argument"}.get(most, f"{most} arguments")
        text = None
        if not self.known.slots and most == 0:
            text = f"what it reads stands before it: `x -> {self.known.name}`"
        self.problems.error(
            "E0207",
            f"`{self.known.name}` takes {many}",
            argument.span,
            "one too many",
            others=self._declared(),
            help=text,
        )

    def _unknown(self, name: ast.Name) -> None:
        known = [slot.name for slot in self.known.slots]
        text, fix = suggest(name.text, name.span, [*known, *AMBIENT])
        has = f"it has {', '.join(f'`{n}`' for n in known)}" if known else "it has none of its own"
        self.problems.error(
            "E0207",
            f"`{self.known.name}` has no parameter `{name.text}`",
            name.span,
            has,
            others=self._declared(),
            help=text,
            fix=fix,
        )

    def _missing(self, given: dict[str, ast.Argument], place: Span, *, read: bool = False) -> None:
        """Notes parameters without a value; `read`: the plain arguments are what flows in."""
        absent = [s.name for s in self.known.slots if s.required and s.name not in given]
        if absent:
            names = " and ".join(f"`{name}`" for name in absent)
            self.problems.error(
                "E0207",
                f"`{self.known.name}` needs {names}",
                place,
                f"{names} is not given",
                others=self._declared(),
                help=f"what is given is what it reads; write `{absent[0]}: ...` beside it"
                if read
                else f"write `{self.known.shown}`",
            )

    def _declared(self) -> tuple[Label, ...]:
        if self.known.declared is None or self.known.declared.source.name == "prelude.enas":
            return ()
        return (Label(self.known.declared, "declared here"),)

    # ---------------------------------------------------------------- values

    def _value(self, name: str, spec: OpParameter | None, expr: ast.Expr) -> None:
        if spec is None:
            return
        for alternative in alternatives(expr):
            try:
                value = evaluate(alternative, self.table.values)
            except Impossible as trouble:
                self.problems.error(
                    "E0208", "this constant has no value", trouble.span, trouble.reason
                )
            except NotConstant:
                continue
            else:
                self._constant(name, spec, value, alternative.span)

    def _constant(self, name: str, spec: OpParameter, value: object, span: Span) -> None:
        if not _has_kind(value, spec.kind):
            rounds = spec.kind is int and isinstance(value, float) and "/" in span.text
            text = "`//` divides and rounds down to a whole number" if rounds else None
            self.problems.error(
                "E0207",
                f"`{name}` of `{self.known.name}` is {_KINDS[spec.kind]}",
                span,
                f"this is {spell(value)}",
                help=text,
            )
        elif spec.least is not None and is_number(value) and value < spec.least:  # type: ignore[operator]
            self.problems.error(
                "E0211",
                f"`{name}` of `{self.known.name}` is at least {spec.least}",
                span,
                f"this is {spell(value)}",
            )
        elif spec.choices and value not in spec.choices:
            meant, fix = suggest(str(value), span, spec.choices)
            if fix is not None:
                fix = Fix(span, f'"{fix.replacement}"', fix.text)
            known = " or ".join(f'"{choice}"' for choice in spec.choices)
            self.problems.error(
                "E0207",
                f"`{name}` of `{self.known.name}` is {known}",
                span,
                f"this is {spell(value)}",
                help=meant,
                fix=fix,
            )


_KINDS = {int: "a whole number", float: "a number", bool: "true or false", str: "a text"}


def _has_kind(value: object, kind: type) -> bool:
    if kind is float:
        return is_number(value)
    return type(value) is kind


def alternatives(expr: ast.Expr) -> Iterator[ast.Expr]:
    """Each expression whose value `expr` may have: branches of a guard, members of a choice."""
    match expr:
        case ast.Guarded(body, _, otherwise):
            yield from alternatives(body)
            if otherwise is not None:
                yield from alternatives(otherwise)
        case ast.Choose(None, ast.ListLiteral(items)):
            for item in items:
                yield from alternatives(item)
        case ast.Maybe(body):
            yield from alternatives(body)
        case _:
            yield expr
