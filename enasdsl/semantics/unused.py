"""What a file declares or binds, and nothing in it reads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from enasdsl.diagnostics import Diagnostic, Fix, Label, Severity
from enasdsl.semantics.imports import Unit
from enasdsl.semantics.scopes import AMBIENT, declared
from enasdsl.semantics.traverse import walk
from enasdsl.source import Span
from enasdsl.syntax import ast

_ALL_INPUTS = frozenset({"inputs", "earlier", "previous"})
_ALL_NODES = frozenset({"nodes", "earlier", "previous", "loose"})


def warning(
    code: str,
    message: str,
    span: Span,
    why: str,
    *,
    help: str | None = None,
    fix: Fix | None = None,
) -> Diagnostic:
    """A finding: `message` is its headline, `why` stands below `span`."""
    return Diagnostic(code, message, Label(span, why), (), help, fix, Severity.WARNING)


def unused(unit: Unit) -> Iterator[Diagnostic]:
    """What is said of declarations that nothing reads, and of names within them."""
    tree = unit.tree
    own = [_mentioned(declaration) for declaration in tree.declarations]
    times = Counter(name for names in own for name in names)
    for declaration, names in zip(tree.declarations, own, strict=True):
        unread = [n for n in declared(declaration) if times[n.text] <= (n.text in names)]
        yield from _unmentioned(tree, declaration, unread)
        yield from _within(declaration)
    yield from _imports(unit, set(times))


def _mentions(node: object) -> Counter[str]:
    """How often `node` mentions each name."""
    found: Counter[str] = Counter()
    for part in walk(node):
        match part:
            case ast.Reference(name):
                found[name] += 1
            case ast.CellLike():
                found[part.base.text] += 1
    return found


def _mentioned(node: object) -> set[str]:
    return set(_mentions(node))


# -------------------------------------------------------------------------- declarations


def _unmentioned(
    tree: ast.Ast, declaration: ast.Declaration, unread: list[ast.Name]
) -> Iterator[Diagnostic]:
    for name in unread:
        if name.text in AMBIENT or name.text.startswith("_"):
            continue
        if _stands_alone(tree, declaration):
            continue
        if isinstance(declaration, ast.Param):
            yield warning(
                "W0701",
                f"the param `{name.text}` is never read",
                name.span,
                "setting it changes nothing",
                help="read it where it matters, or take it away",
            )
        else:
            yield warning(
                "W0702",
                f"`{name.text}` is never used",
                name.span,
                "nothing in this file mentions it",
                help="use it, or take it away",
            )


def _stands_alone(tree: ast.Ast, declaration: ast.Declaration) -> bool:
    """Whether a declaration is there for files that import this one, or is tried by itself."""
    kinds = {type(d) for d in tree.declarations}
    if ast.Network in kinds:
        return False
    cells = kinds & {ast.CellDecl, ast.CellLike}
    of_a_space = ast.SpaceName in kinds and cells
    return not of_a_space or isinstance(declaration, ast.CellDecl | ast.CellLike)


def _imports(unit: Unit, mentioned: set[str]) -> Iterator[Diagnostic]:
    statements = [d for d in unit.tree.declarations if isinstance(d, ast.Import)]
    if len(statements) != len(unit.imports):
        return
    for statement, below in zip(statements, unit.imports, strict=True):
        declarations = [d for each in below.files() for d in each.tree.declarations]
        names = {name.text for d in declarations for name in declared(d)}
        demands = any(isinstance(d, ast.Require) for d in declarations)
        if demands or names & (mentioned | AMBIENT):
            continue
        yield warning(
            "W0703",
            "nothing of this import is used",
            statement.span,
            "this file mentions none of its names",
            help="take it away",
            fix=Fix(_line(statement.span), "", "take the import away"),
        )


def _line(span: Span) -> Span:
    """The span with the line break behind it, if nothing else is between."""
    rest = span.source.text[span.stop :]
    blank = len(rest) - len(rest.lstrip(" \t"))
    whole = span.position[1] == 1 and rest[blank : blank + 1] == "\n"
    return Span(span.source, span.start, span.stop + blank + 1) if whole else span


# ------------------------------------------------------------------------- within bodies


def _within(declaration: ast.Declaration) -> Iterator[Diagnostic]:
    if isinstance(declaration, ast.OpDecl | ast.CellDecl | ast.Network):
        yield from _names(declaration)
    match declaration:
        case ast.CellDecl():
            yield from _inputs(declaration, (*declaration.inputs, *declaration.states))
            yield from _nodes(declaration)
        case ast.OpDecl():
            yield from _inputs(declaration, declaration.inputs)
            yield from _parameters(declaration)


def _names(declaration: ast.OpDecl | ast.CellDecl | ast.Network) -> Iterator[Diagnostic]:
    """Names that only their own value mentions."""
    times = _mentions(declaration)
    for let in (part for part in walk(declaration.body) if isinstance(part, ast.Let)):
        own = _mentions(let.value)
        chooses = any(isinstance(part, ast.Choose) for part in walk(let.value))
        for name in let.targets:
            if times[name.text] > own[name.text] or name.text.startswith("_"):
                continue
            yield warning(
                "W0704",
                f"`{name.text}` is bound and never read",
                name.span,
                "nothing reads it",
                help="what it chooses is decided all the same, and changes nothing"
                if chooses
                else "read it, or take it away",
            )


def _inputs(
    declaration: ast.OpDecl | ast.CellDecl, inputs: tuple[ast.Name, ...]
) -> Iterator[Diagnostic]:
    mentioned = _mentioned(declaration.body)
    states = declaration.states if isinstance(declaration, ast.CellDecl) else ()
    for name in inputs:
        by_set = name not in states and mentioned & _ALL_INPUTS
        if name.text in mentioned or by_set or name.text.startswith("_"):
            continue
        kind = "state" if name in states else "input"
        yield warning(
            "W0705",
            f"the {kind} `{name.text}` is never read",
            name.span,
            f"`{declaration.name.text}` does not depend on it",
            help=f"read it, or call it `_{name.text}` if that is meant",
        )


def _parameters(declaration: ast.OpDecl) -> Iterator[Diagnostic]:
    defaults = [parameter.default for parameter in declaration.parameters]
    mentioned = _mentioned(declaration.body).union(*map(_mentioned, [*defaults, declaration.depth]))
    for parameter in declaration.parameters:
        name = parameter.name
        if name.text not in mentioned and not name.text.startswith("_"):
            yield warning(
                "W0705",
                f"the parameter `{name.text}` is never read",
                name.span,
                f"`{declaration.name.text}` does not depend on it",
                help=f"read it, or call it `_{name.text}` if that is meant",
            )


def _nodes(cell: ast.CellDecl) -> Iterator[Diagnostic]:
    """Nodes that nothing after them can read, where they are not the value of the cell."""
    after: set[str] = set()
    ends = True
    for statement in reversed(cell.body.statements):
        mentioned = _mentioned(statement)
        ends = ends and isinstance(statement, ast.Node)
        if isinstance(statement, ast.Node) and not ends:
            bound = {name.text for part in walk(statement) for name in getattr(part, "targets", ())}
            if not ((mentioned | after) & _ALL_NODES or bound & after):
                yield _unreadable(statement)
        after |= mentioned


def _unreadable(node: ast.Node) -> Diagnostic:
    return warning(
        "W0710",
        "nothing can read this node",
        Span(node.span.source, node.span.start, node.domain.span.stop),
        "from here on the cell mentions no nodes",
        help="end the cell with `sum(loose)`, or take the node away",
    )
