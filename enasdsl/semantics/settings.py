"""Recipes: from blocks of settings to plain values that the schema accepts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from enasdsl.diagnostics import Fix, Label
from enasdsl.semantics import beside
from enasdsl.semantics.accepted import accept, is_accepted
from enasdsl.semantics.constants import NotConstant, evaluate
from enasdsl.semantics.layers import overlay
from enasdsl.semantics.params import Params
from enasdsl.semantics.problems import Problems, suggest
from enasdsl.source import Span
from enasdsl.syntax import ast

Path = tuple[str, ...]
Nested = dict[str, object]
_PARAMS: tuple[Path, ...] = (("params",), ("child", "params"))
"""The sections whose keys are params of the file."""
_KIND = re.compile(r"input should be a valid (\w+).*")
_KINDS = {
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "string": "a word or a text",
    "dictionary": "a block, `{ ... }`",
}


class Recipes:
    """Resolves the recipes of one file; each is checked with what it takes over from its base."""

    def __init__(self, tree: ast.Ast, params: Params, problems: Problems) -> None:
        self.params = params
        self.problems = problems
        declared = {name: entry.declaration for name, entry in params.entries.items()}
        self.lets = {name: d for name, d in declared.items() if isinstance(d, ast.Let)}
        self.written: dict[str, ast.RecipeDecl] = {}
        for declaration in tree.declarations:
            if isinstance(declaration, ast.RecipeDecl):
                self._add(declaration)

    def resolve(self) -> Mapping[str, Nested]:
        """The settings of every recipe by name, nested, with those of its base below its own."""
        own = {name: self._own(recipe) for name, recipe in self.written.items()}
        merged: dict[str, Nested] = {}
        for name in self.written:
            chain = self._chain(name)
            settings: Nested = {}
            for ancestor in reversed(chain):
                settings = overlay(settings, own[ancestor])
            merged[name] = settings
        return merged

    def _add(self, recipe: ast.RecipeDecl) -> None:
        first = self.written.setdefault(recipe.name.text, recipe)
        if first is not recipe:
            self.problems.error(
                "E0201",
                f"the recipe `{recipe.name.text}` is declared twice",
                recipe.name.span,
                "the second declaration",
                others=(Label(first.name.span, "first declared here"),),
            )

    def _chain(self, name: str) -> list[str]:
        """The recipe and those that it is like, nearest first; notes bases that lead nowhere."""
        chain = [name]
        base = self.written[name].base
        while base is not None:
            if base.text not in self.written:
                text, fix = suggest(base.text, base.span, self.written)
                self.problems.error(
                    "E0614",
                    f"no recipe `{base.text}`",
                    base.span,
                    "no recipe of this file has this name",
                    help=text,
                    fix=fix,
                )
                return chain
            if base.text in chain:
                self._circle(chain, base)
                return chain
            chain.append(base.text)
            base = self.written[base.text].base
        return chain

    def _circle(self, chain: list[str], base: ast.Name) -> None:
        if chain[0] != base.text or base.text != min(chain, key=list(self.written).index):
            return  # another recipe of the circle says it
        self.problems.error(
            "E0614",
            "recipes are like each other in a circle",
            base.span,
            " is like ".join(f"`{name}`" for name in [*chain, base.text]),
        )

    def _own(self, recipe: ast.RecipeDecl) -> Nested:
        """What a recipe itself says; notes keys and values that the schema refuses."""
        places: dict[Path, ast.Setting] = {}
        settings: Nested = {}
        for path, setting in _leaves(recipe.settings, ()):
            self._place(path, setting, places)
            if isinstance(setting.value, tuple):
                _put(settings, path, {})
                continue
            value = self._setting(path, setting.value)
            if value is not None and self._is_param_fine(path, value, setting):
                _put(settings, path, value)
        self._validate(settings, {**dict(_blocks(recipe.settings, ())), **places})
        return settings

    def _place(self, path: Path, setting: ast.Setting, places: dict[Path, ast.Setting]) -> None:
        first = places.setdefault(path, setting)
        if first is not setting:
            self.problems.error(
                "E0613",
                f"`{'.'.join(path)}` is set twice",
                setting.key.span,
                "set again here",
                others=(Label(first.key.span, "first set here"),),
            )

    def _setting(self, path: Path, expr: ast.Expr) -> object:
        """A constant, or one for each alternative of a choice that a child may read."""
        try:
            chosen = beside.read(path, expr, self.params.values, self.lets)
        except beside.Unreadable as trouble:
            self.problems.error(
                "E0616", trouble.message, trouble.span, trouble.why, help=trouble.help
            )
            return None
        except NotConstant as trouble:
            self._no_constant(trouble)
            return None
        return self._value(expr) if chosen is None else chosen.written()

    def _value(self, expr: ast.Expr) -> object:
        match expr:
            case ast.Reference(name) if name not in self.params.values:
                return name
            case ast.ListLiteral(items):
                return [self._value(item) for item in items]
        try:
            value = evaluate(expr, self.params.values)
        except NotConstant as trouble:
            self._no_constant(trouble)
            return None
        return list(value) if isinstance(value, tuple) else value

    def _no_constant(self, trouble: NotConstant) -> None:
        self.problems.error(
            "E0616",
            "a setting is a constant",
            trouble.span,
            trouble.reason,
            help="a number, a word, a text, true, false, or a list of these",
        )

    def _is_param_fine(self, path: Path, value: object, setting: ast.Setting) -> bool:
        """Checks a setting of a param, at the key if it is unknown and else at the value."""
        if path[:-1] not in _PARAMS or isinstance(setting.value, tuple):
            return True
        name = path[-1]
        known = name in self.params.entries
        return self.params.check(name, value, setting.value.span if known else setting.key.span)

    def _validate(self, settings: Nested, places: dict[Path, ast.Setting]) -> None:
        if is_accepted(settings):
            return
        from enasdsl.semantics.recipe import problems  # pydantic is slow to start

        found = problems(settings)
        if not found:
            accept(settings)
        for problem in found:
            setting = _nearest(problem.path, places)
            if setting is None:
                continue
            if problem.known:
                self._unknown(problem.path, problem.message, problem.known, setting)
            else:
                self._wrong(problem.message, setting)

    def _wrong(self, message: str, setting: ast.Setting) -> None:
        value = setting.value
        span = setting.key.span if isinstance(value, tuple) else value.span
        if kind := _KIND.search(message):
            wanted = _KINDS.get(kind[1], f"a {kind[1]}")
            message, code = f"{message[: kind.start()].rstrip(': ')} must be {wanted}", "E0611"
        else:
            message, code = message.replace(": input should be", " must be"), "E0612"
        self.problems.error(code, message, span, f"this is {_shown(value)}")

    def _unknown(
        self, path: Path, message: str, known: tuple[str, ...], setting: ast.Setting
    ) -> None:
        span = _key_span(path, setting)
        text, fix = suggest(path[-1], span, known)
        if fix is not None:
            fix = Fix(span, fix.replacement, fix.text)
        self.problems.error(
            "E0610",
            f"unknown setting `{'.'.join(path)}`",
            span,
            message,
            help=text or f"there are {', '.join(f'`{name}`' for name in known)}",
            fix=fix,
        )


def _leaves(settings: tuple[ast.Setting, ...], above: Path) -> Iterator[tuple[Path, ast.Setting]]:
    """Each setting that holds a value, or an empty block, with its path; dots are steps."""
    for setting in settings:
        path = (*above, *setting.key.text.split("."))
        if isinstance(setting.value, tuple) and setting.value:
            yield from _leaves(setting.value, path)
        else:
            yield path, setting


def _blocks(settings: tuple[ast.Setting, ...], above: Path) -> Iterator[tuple[Path, ast.Setting]]:
    """Each setting that holds a block, with its path."""
    for setting in settings:
        if isinstance(setting.value, tuple):
            path = (*above, *setting.key.text.split("."))
            yield path, setting
            yield from _blocks(setting.value, path)


def _shown(value: ast.Expr | tuple[ast.Setting, ...]) -> str:
    return "a block" if isinstance(value, tuple) else f"`{value.span.text}`"


def _put(settings: Nested, path: Path, value: object) -> None:
    for step in path[:-1]:
        below = settings.setdefault(step, {})
        if not isinstance(below, dict):
            return
        settings = below
    settings[path[-1]] = value


def _nearest(path: Path, places: Mapping[Path, ast.Setting]) -> ast.Setting | None:
    """The setting at `path`, or else the first one below it, or the one that holds it."""
    fits: tuple[Callable[[Path], bool], ...] = (
        lambda place: place == path,
        lambda place: place[: len(path)] == path,
        lambda place: place == path[: len(place)],
    )
    found = (s for fit in fits for place, s in places.items() if fit(place))
    return next(found, None)


def _key_span(path: Path, setting: ast.Setting) -> Span:
    """The step of a dotted key at which `path` ends; the whole key where it is not in it."""
    steps = setting.key.text.split(".")
    key = setting.key.span
    if path[-1] not in steps or "." not in setting.key.text:
        return key
    before = steps[: steps.index(path[-1])]
    start = key.start + sum(len(step) + 1 for step in before)
    return Span(key.source, start, start + len(path[-1]))
