"""The parser: lark's LALR tables, driven token by token so that it can go on after a mistake."""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cache
from operator import itemgetter
from pathlib import Path
from typing import Any, cast

import lark
from lark.exceptions import UnexpectedInput
from lark.parsers.lalr_analysis import Shift

from enasdsl.diagnostics import Diagnostic
from enasdsl.source import SourceFile, Span, cache_folder, shipped
from enasdsl.syntax.ast import Ast
from enasdsl.syntax.build import NESTING_LIMIT, build, too_deep
from enasdsl.syntax.lines import (
    CLOSERS,
    OPENERS,
    NewlineFilter,
    Resumption,
    begins_declaration,
    indentation,
    resumption,
)
from enasdsl.syntax.mistakes import Bracket, Failure, Seen, diagnose, lexeme, unclosed
from enasdsl.syntax.read import empty
from enasdsl.syntax.scanner import install

MISTAKE_LIMIT = 20

# The rules of which a list is made, and which the parser can therefore give up singly.
_LISTED = ("statement", "part_statement", "setting", "rule", "declaration")


def parse(source: SourceFile) -> tuple[Ast | None, tuple[Diagnostic, ...]]:
    """The Ast of `source`, or None and what is wrong with its syntax."""
    if diagnostic := empty(source):
        return None, (diagnostic,)
    tree, found = _Run(source).tree()
    if tree is not None:
        ast, more = build(source, tree)
        found = sorted([*found, *more], key=lambda diagnostic: diagnostic.label.span.start)
        if not found:
            return ast, ()
    return None, tuple(found)


def salvage(source: SourceFile) -> Ast | None:
    """The Ast of the statements that can be read, where others have mistakes of syntax."""
    if empty(source):
        return None
    tree, _ = _Run(source).tree()
    return None if tree is None else build(source, tree)[0]


def possible(source: SourceFile) -> tuple[frozenset[str], tuple[Bracket, ...]]:
    """The terminals that can follow the text, and the brackets that are open at its end."""
    run = _Run(source)
    with suppress(_TooDeep):
        run.tree()
    stack = run.fed if run.fed is not None else list(run.state.state_stack)
    return acceptable(run.states, stack), tuple(run.brackets)


def tokens(source: SourceFile) -> Iterator[tuple[str, Span]]:
    """The kinds and places of the tokens of a file that parses, `_END` between statements."""
    for token in parser().parse_interactive(source.text).iter_parse():
        yield token.type, Span(source, token.start_pos or 0, token.end_pos or 0)


# ------------------------------------------------------------------------------- the tables


@cache
def parser() -> lark.Lark:
    """The parser of `grammars/enas.lark`, from the user's cache folder where it is there."""
    grammar = (shipped("grammars") / "enas.lark").read_text(encoding="utf-8")
    path = _cache_file(grammar)
    try:
        with path.open("rb") as file:
            return _quickened(lark.Lark.load(file))
    except Exception:  # no cache, or one that another version or a crash left behind
        built = lark.Lark(
            grammar,
            parser="lalr",
            start="file",
            postlex=NewlineFilter(),
            propagate_positions=True,
            maybe_placeholders=True,
        )
        with suppress(OSError):
            _store(built, path)
        return _quickened(built)


def _quickened(built: lark.Lark) -> lark.Lark:
    """Passes the levels of precedence that only hand their one child on, most of the work.

    Tokens are found by expressions that are made once, not for each state.
    """
    callbacks = cast(Any, built)._callbacks
    for rule in built.rules:
        if rule.options.expand1 and rule.alias is None and len(rule.expansion) == 1:
            callbacks[rule] = itemgetter(0)
    install(built)
    return built


def _cache_file(grammar: str) -> Path:
    key = f"{grammar}\0{lark.__version__}\0{sys.version_info[:2]}".encode()
    return cache_folder() / f"{hashlib.sha256(key).hexdigest()[:32]}.lalr"


def _store(built: lark.Lark, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            built.save(file)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise


Table = Mapping[int, Mapping[str, tuple[Any, Any]]]


def table() -> Table:
    """The action of the parser in each state for each symbol."""
    return cast(Table, parser().parse_interactive("").parser_state.parse_conf.states)


def acceptable(states: Table, stack: Sequence[int]) -> frozenset[str]:
    """The terminals that the parser with this stack of states would take."""
    terminals = (symbol for symbol in states[stack[-1]] if symbol.isupper())
    return frozenset(terminal for terminal in terminals if _takes(states, stack, terminal))


def _takes(states: Table, stack: Sequence[int], terminal: str) -> bool:
    pending = list(stack)
    while entry := states[pending[-1]].get(terminal):
        action, argument = entry
        if action is Shift:
            return True
        if size := len(argument.expansion):
            del pending[-size:]
        if argument.origin.name not in states[pending[-1]]:
            return terminal == "$END"
        pending.append(states[pending[-1]][argument.origin.name][1])
    return False


# ----------------------------------------------------------------------------- the driving


class _TooDeep(Exception):
    """More brackets are open than the limit allows."""


class _Run:
    """One pass over a file: the parser's state, and what messages need to know of the past."""

    def __init__(self, source: SourceFile) -> None:
        self.source = source
        interactive = parser().parse_interactive(source.text)
        self.lexer = interactive.lexer_thread
        self.state = interactive.parser_state
        self.states = cast(Table, self.state.parse_conf.states)
        self.found: list[Diagnostic] = []
        self.fed: list[int] | None = None  # the stack before the token that is being fed
        self.previous: tuple[lark.Token, list[int]] | None = None
        self.brackets: list[Bracket] = []
        self.crooked: Bracket | None = None
        self.statement: str | None = None
        self.statement_start = 0
        self.fresh = True

    def tree(self) -> tuple[lark.Tree[lark.Token] | None, list[Diagnostic]]:
        """The tree of the file, without the statements in which mistakes were found."""
        while True:
            try:
                return self.to_end(), self.found
            except UnexpectedInput as error:
                failure = self.failure(error.pos_in_stream or 0)
            except _TooDeep:
                return None, [*self.found, too_deep(self.brackets[-1].span)]
            self.found.append(diagnose(failure))
            if len(self.found) == MISTAKE_LIMIT or not failure.text or not self.recover(failure):
                return None, self.found

    def to_end(self) -> lark.Tree[lark.Token]:
        tokens: Iterator[lark.Token] = cast(Any, self.lexer).lex(self.state)
        for token in tokens:
            before = self.fed = list(self.state.state_stack)
            self.state.feed_token(token)
            self.fed = None
            self.note(token, before)
        self.fed = list(self.state.state_stack)
        end = len(self.source.text)
        root = self.state.feed_token(lark.Token("$END", "", start_pos=end, end_pos=end), True)
        return cast("lark.Tree[lark.Token]", root)

    def span(self, token: lark.Token) -> Span:
        return Span(self.source, token.start_pos or 0, token.end_pos or 0)

    def note(self, token: lark.Token, before: list[int]) -> None:
        """Remembers a token that the parser has taken."""
        kind = token.type
        if self.fresh:
            self.fresh = False
            self.statement, self.statement_start = kind, token.start_pos or 0
        if kind == "_END":
            self.fresh, self.statement = True, None
        elif kind in OPENERS:
            self.brackets.append(Bracket(kind, self.span(token), self.statement))
            if kind == "_LBRACE":
                self.fresh, self.statement = True, None
            if len(self.brackets) > NESTING_LIMIT:
                raise _TooDeep
        elif kind in CLOSERS:
            self.close(self.brackets.pop(), token)
        self.previous = token, before

    def close(self, bracket: Bracket, token: lark.Token) -> None:
        text = self.source.text
        start, stop = bracket.span.start, token.start_pos or 0
        if bracket.kind == "_LBRACE":
            self.statement = bracket.statement
            own_line = text.rfind("\n", 0, stop) + 1 + indentation(text, stop) == stop
            if own_line and indentation(text, start) != indentation(text, stop):
                self.crooked = self.crooked or bracket
        if not self.brackets:
            self.crooked = None

    def failure(self, start: int) -> Failure:
        """What there is to say of the parser's standstill at the offset `start`."""
        stack = self.fed if self.fed is not None else list(self.state.state_stack)
        found = lexeme(Span(self.source, start, start))
        previous = None
        if self.previous:
            token, before = self.previous
            whole = lexeme(self.span(token))
            if whole.start < start < whole.stop:
                found, stack = whole, before
            else:
                previous = Seen(token.type, self.span(token), acceptable(self.states, before))
        return Failure(
            found=found,
            acceptable=acceptable(self.states, stack),
            previous=previous,
            brackets=tuple(self.brackets),
            crooked=self.crooked,
            statement=self.statement,
        )

    # ------------------------------------------------------------------ after a mistake

    def recover(self, failure: Failure) -> bool:
        """Goes on at the next statement, declaration or `}`; False where there is none."""
        braces = [i for i, bracket in enumerate(self.brackets) if bracket.kind == "_LBRACE"]
        within = braces[-1] + 1 if braces else 0
        parentheses = len(self.brackets) - within
        start = failure.found.start
        if unclosed(failure):
            start = self.previous_stop(failure)
            parentheses = 0
        indent = indentation(self.source.text, self.statement_start)
        place = resumption(self.source.text, start, parentheses=parentheses, indent=indent)
        while place and place.at == "close" and not braces:
            place = resumption(self.source.text, place.offset + 1, parentheses=0, indent=indent)
        if place is None:
            return False
        del self.brackets[0 if place.at == "declaration" else within :]
        self.resume(place, outermost=place.at == "declaration" and bool(braces))
        return True

    def previous_stop(self, failure: Failure) -> int:
        """Where the text before the failure ends, or before the declaration around it."""
        before = failure.previous.span if failure.previous else failure.found
        for span in (failure.found, before):
            if span.start and begins_declaration(self.source.text, span.start):
                return span.start - 1
        return before.stop if failure.previous else before.start

    def resume(self, place: Resumption, *, outermost: bool) -> None:
        """Lets the parser believe that a whole statement ends at `place`, and goes on there."""
        ending = "_RBRACE" if place.at == "close" else "_END"
        self.fed, self.previous, self.fresh, self.statement = None, None, True, None
        if outermost or ending not in acceptable(self.states, self.state.state_stack):
            self.give_up(*(("declaration",) if outermost else _LISTED))
        if ending == "_END":
            self.state.feed_token(
                lark.Token("_END", "", start_pos=place.offset, end_pos=place.offset)
            )
        cast(Any, self.lexer.state).line_ctr.char_pos = place.offset

    def give_up(self, *rules: str) -> None:
        """Replaces the newest unfinished member of a list by an error.

        What stands in braces that are closed again, but not reduced yet, is no list to go on with.
        """
        stack = self.state.state_stack
        closed = 0
        while closed or not any(rule in self.states[stack[-1]] for rule in rules):
            stack.pop()
            kind = getattr(self.state.value_stack.pop(), "type", "")
            closed = max(0, closed + (kind == "_RBRACE") - (kind == "_LBRACE"))
        rule = next(rule for rule in rules if rule in self.states[stack[-1]])
        stack.append(self.states[stack[-1]][rule][1])
        self.state.value_stack.append(lark.Tree("error", []))
