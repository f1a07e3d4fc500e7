"""The rules of the house: who imports whom, which library stands where, how long a piece may be."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "enasdsl"

LAYERS = (
    {"source"},
    {"diagnostics"},
    {"syntax"},
    {"semantics"},
    {"ir"},
    {"nn", "data"},
    {"pipeline", "view", "search", "export", "report"},
    {"cli", "editor", "__main__", "__init__"},
)
"""A part may import its own layer and those before it."""

CONFINED = {
    "torch": {"nn", "search", "data", "export"},
    "lark": {"syntax", "editor"},
    "rich": {"cli", "report", "view", "search", "data"},  # in data: progress of downloads
    "cyclopts": {"cli"},
}
"""The parts in which a library may be imported."""

VAGUE = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "base", "core", "lib"}
LONGEST_FILE = 400
LONGEST_FUNCTION = 40

SOURCES = sorted(PACKAGE.rglob("*.py"))
EVERYTHING = [*SOURCES, *sorted((ROOT / "tests").rglob("*.py"))]


def _label(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _module(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _part(module: str) -> str:
    """The first name below the package: `syntax` of `enasdsl.syntax.ast`."""
    return [*module.split("."), "__init__"][1]


def _rank(part: str) -> int:
    return next(rank for rank, parts in enumerate(LAYERS) if part in parts)


@cache
def _nodes(path: Path, *kinds: type[ast.AST]) -> tuple[ast.AST, ...]:
    """What stands anywhere in a file, of these kinds."""
    return tuple(n for n in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(n, kinds))


@cache
def _imports(path: Path) -> tuple[str, ...]:
    """Every module that a file imports, wherever in it, by full name."""
    return tuple(_imported(path))


def _imported(path: Path) -> Iterator[str]:
    for node in _nodes(path, ast.Import, ast.ImportFrom):
        match node:
            case ast.Import(names=names):
                yield from (name.name for name in names)
            case ast.ImportFrom(module=module, names=names, level=0) if module:
                yield from _members(module, [name.name for name in names])
            case ast.ImportFrom(lineno=line):
                pytest.fail(f"{_label(path)}:{line} has a relative import")


def _members(module: str, names: list[str]) -> list[str]:
    """`from a import b` imports `a.b` where that is a module, and `a` where it is not."""
    folder = ROOT / module.replace(".", "/")
    submodules = [n for n in names if (folder / n).is_dir() or (folder / f"{n}.py").is_file()]
    return [f"{module}.{n}" for n in submodules] + [module] * (len(submodules) < len(names))


def _functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in _nodes(path, ast.FunctionDef, ast.AsyncFunctionDef):
        assert isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        yield node


@pytest.mark.parametrize("path", SOURCES, ids=_label)
def test_a_part_imports_only_its_own_layer_and_those_below(path: Path) -> None:
    own = _rank(_part(_module(path)))
    upward = [
        module
        for module in _imports(path)
        if module.split(".")[0] == "enasdsl" and _rank(_part(module)) > own
    ]
    assert upward == []


def test_no_module_imports_itself_by_a_detour() -> None:
    modules = {_module(path) for path in SOURCES}
    graph = {_module(path): {m for m in _imports(path) if m in modules} for path in SOURCES}
    assert len(tuple(TopologicalSorter(graph).static_order())) >= len(modules)


@pytest.mark.parametrize("library", CONFINED)
def test_a_library_is_imported_only_in_its_parts(library: str) -> None:
    strays = [
        _label(path)
        for path in SOURCES
        if _part(_module(path)) not in CONFINED[library]
        and any(module.split(".")[0] == library for module in _imports(path))
    ]
    assert strays == []


def test_files_are_short() -> None:
    lengths = {_label(path): len(path.read_text("utf-8").splitlines()) for path in EVERYTHING}
    assert {name: n for name, n in lengths.items() if n > LONGEST_FILE} == {}


def test_functions_are_short() -> None:
    lengths = {
        f"{_label(path)}:{function.name}": (function.end_lineno or 0) - function.lineno + 1
        for path in EVERYTHING
        for function in _functions(path)
    }
    assert {name: n for name, n in lengths.items() if n > LONGEST_FUNCTION} == {}


def test_no_file_has_a_vague_name() -> None:
    assert [_label(path) for path in SOURCES if VAGUE & set(path.stem.split("_"))] == []


def test_no_parameter_is_a_positional_truth() -> None:
    found = [
        f"{_label(path)}:{function.name}({argument.arg})"
        for path in SOURCES
        for function in _functions(path)
        for argument in function.args.posonlyargs + function.args.args
        if isinstance(argument.annotation, ast.Name) and argument.annotation.id == "bool"
    ]
    assert found == []
