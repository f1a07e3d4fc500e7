"""The values of params: defaults, `--set`, and the ranges in which both must lie."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from enasdsl.diagnostics import Label
from enasdsl.semantics.constants import (
    Impossible,
    Interval,
    NotConstant,
    Value,
    evaluate,
    is_number,
    scalar,
    spell,
)
from enasdsl.semantics.ops import OPS
from enasdsl.semantics.problems import Problems, suggest
from enasdsl.semantics.scopes import FUNCTIONS, WORDS, Entry
from enasdsl.semantics.symbols import Scalar
from enasdsl.semantics.traverse import references
from enasdsl.source import SourceFile, Span
from enasdsl.syntax import ast

_WHOLE = re.compile(r"[+-]?\d[\d_]{0,4000}")
_REAL = re.compile(r"[+-]?(\d[\d_]*(\.\d*)?|\.\d+)([eE][+-]?\d+)?")


class Params:
    """Evaluates params in the order of the file; one that fails is left out of `values`."""

    def __init__(
        self, entries: Mapping[str, Entry], overrides: Mapping[str, str], problems: Problems
    ) -> None:
        self.entries = entries
        self.overrides = overrides
        self.problems = problems
        self.values: dict[str, Scalar] = {}
        self._domains: dict[str, Value] = {}
        self._kinds: dict[str, Scalar] = {}

    def evaluate(self) -> None:
        """Gives every param its value, and refuses overrides of names that are none."""
        for name, entry in self.entries.items():
            if isinstance(entry.declaration, ast.Param):
                self._evaluate(name, entry.declaration)
        for name in self.overrides:
            if not self._is_param(name):
                self._unknown_override(name)

    def check(self, name: str, value: object, span: Span) -> bool:
        """Whether a recipe may give the param `name` the value at `span`; notes why not."""
        if not self._is_param(name):
            params = [n for n in self.entries if self._is_param(n)]
            text, fix = suggest(name, span, params)
            self.problems.error(
                "E0225",
                f"unknown param `{name}`",
                span,
                "no param has this name",
                help=text,
                fix=fix,
            )
            return False
        if name not in self._kinds:
            return True
        return self._fits(name, value, span) and self._in_range(name, value, span)

    def _is_param(self, name: str) -> bool:
        return name in self.entries and isinstance(self.entries[name].declaration, ast.Param)

    def _evaluate(self, name: str, param: ast.Param) -> None:
        if not (self._constant(param, param.default) and self._constant(param, param.domain)):
            return
        try:
            default = scalar(param.default, self.values)
            if param.domain is not None:
                self._domains[name] = self._domain(param.domain)
        except NotConstant as trouble:
            self._not_constant(trouble)
            return
        self._kinds[name] = self._example(name, default)
        if not self._in_range(name, default, param.default.span):
            return
        value = self._override(name) if name in self.overrides else None
        self.values[name] = default if value is None else value

    def _domain(self, expr: ast.Expr) -> Value:
        domain = evaluate(expr, self.values)
        if not isinstance(domain, Interval | tuple):
            raise Impossible(expr.span, "a range `a..b` or a list is needed here")
        if (domain.size if isinstance(domain, Interval) else len(domain)) == 0:
            raise Impossible(expr.span, "there is no value in this range")
        return domain

    def _example(self, name: str, default: Scalar) -> Scalar:
        """A value of the kind that the param has: a real number where its range has real ones."""
        domain = self._domains.get(name, ())
        ends = (domain.low, domain.step) if isinstance(domain, Interval) else domain
        real = isinstance(domain, Interval) and domain.step is None
        if isinstance(ends, tuple) and (real or any(isinstance(end, float) for end in ends)):
            return float(default) if is_number(default) else default
        return default

    # ------------------------------------------------------------ constancy

    def _constant(self, param: ast.Param, expr: ast.Expr | None) -> bool:
        """Whether every name in `expr` is a param with a value; notes the others."""
        good = True
        for mention in references(expr):
            if mention.name in self.values or mention.name in FUNCTIONS:
                continue
            good = False
            self._refuse(param, mention)
        return good

    def _refuse(self, param: ast.Param, mention: ast.Reference) -> None:
        entry = self.entries.get(mention.name)
        if entry is None and (mention.name in OPS or mention.name in WORDS):
            self._not_constant(NotConstant(mention.span, f"`{mention.name}` is no param"))
        elif entry is None:
            text, fix = suggest(mention.name, mention.span, self.values)
            self.problems.error(
                "E0204",
                f"unknown name `{mention.name}`",
                mention.span,
                "no param above has this name",
                help=text,
                fix=fix,
            )
        elif not isinstance(entry.declaration, ast.Param):
            self._not_constant(NotConstant(mention.span, f"`{mention.name}` is no param"))
        elif self._comes_later(param, entry.declaration):
            self.problems.error(
                "E0224",
                f"`{param.name.text}` reads the later param `{mention.name}`",
                mention.span,
                "a param reads only params above it",
                others=(Label(entry.name.span, "declared here"),),
                help=f"move `param {mention.name}` above `param {param.name.text}`",
            )

    def _comes_later(self, param: ast.Param, other: ast.Param) -> bool:
        same = param.span.source.name == other.span.source.name
        return same and other.span.start >= param.span.start

    def _not_constant(self, trouble: NotConstant) -> None:
        if isinstance(trouble, Impossible):
            headline, code = "this constant has no value", "E0208"
        else:
            headline, code = "a param's value must be known before the search", "E0221"
        self.problems.error(code, headline, trouble.span, trouble.reason)

    # --------------------------------------------------------------- ranges

    def _in_range(self, name: str, value: object, span: Span) -> bool:
        domain = self._domains.get(name)
        if domain is None:
            return self._not_negative(name, value, span)
        if isinstance(domain, Interval | tuple) and value in domain:
            return True
        declaration = self.entries[name].declaration
        assert isinstance(declaration, ast.Param)
        assert declaration.domain is not None
        self.problems.error(
            "E0222",
            f"`{name}` cannot be {spell(value)}",
            span,
            f"outside {spell(domain)}",
            others=(Label(declaration.domain.span, "the values that it may have"),),
        )
        return False

    def _not_negative(self, name: str, value: object, span: Span) -> bool:
        if not isinstance(value, int) or value >= 0:
            return True
        self.problems.error(
            "E0223",
            f"`{name}` is negative",
            span,
            "a whole number is a size here, and no size is negative",
            help=f"where a negative number makes sense, say so: `in {spell(value)}..0`",
        )
        return False

    def _fits(self, name: str, value: object, span: Span) -> bool:
        default = self._kinds[name]
        whole = isinstance(default, float) and is_number(value)
        if whole or type(value) is type(default):
            return True
        self.problems.error(
            "E0226",
            f"`{name}` is {_KINDS[type(default)]}",
            span,
            f"this is {_kind(value)}",
            others=(Label(self.entries[name].name.span, f"its default is {spell(default)}"),),
        )
        return False

    # ------------------------------------------------------------ overrides

    def _override(self, name: str) -> Scalar | None:
        text = self.overrides[name]
        span = override_span(name, text)
        value = read(text)
        if value is None:
            value = text
        good = self._fits(name, value, span) and self._in_range(name, value, span)
        return value if good else None

    def _unknown_override(self, name: str) -> None:
        params = [n for n in self.entries if self._is_param(n)]
        place = Span(_override_source(name, self.overrides[name]), 0, len(name))
        known = f"the params are {', '.join(params)}" if params else "the file has no params"
        text, _ = suggest(name, place, params)
        self.problems.error(
            "E0225",
            f"unknown param `{name}`",
            place,
            "no param has this name",
            help=text or known,
        )


_KINDS: Mapping[type, str] = {
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    str: "a text",
}


def _kind(value: object) -> str:
    kind = _KINDS.get(type(value), "a list")
    return f"the text {spell(value)}" if isinstance(value, str) else kind


def override_span(name: str, text: str) -> Span:
    """The place of the value in a `--set`, for diagnostics."""
    source = _override_source(name, text)
    return Span(source, len(name) + 1, len(source.text))


def _override_source(name: str, text: str) -> SourceFile:
    return SourceFile(f"--set {name}={text}", f"{name}={text}")


def read(text: str) -> Scalar | None:
    """The constant that a `--set` spells: a number, `true`, `false`, or a text in quotes."""
    text = text.strip()
    if text in ("true", "false"):
        return text == "true"
    if len(text) > 1 and text[0] == text[-1] == '"':
        return text[1:-1]
    if _WHOLE.fullmatch(text):
        return int(text)
    if _REAL.fullmatch(text) and math.isfinite(number := float(text)):
        return number
    return None
