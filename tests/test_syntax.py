"""The front end: every construct, precedence, line ends, spans, and going on after mistakes."""

from __future__ import annotations

import os
import random
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enasdsl.source import SourceFile, shipped
from enasdsl.syntax import ast, expect
from enasdsl.syntax.build import NESTING_LIMIT
from enasdsl.syntax.parse import MISTAKE_LIMIT, _cache_file, parse, parser, table
from enasdsl.syntax.read import decode, read

SHIPPED = [*sorted(shipped("spaces").glob("*.enas")), shipped("grammars") / "prelude.enas"]
TEXTS = [path.read_text("utf-8") for path in SHIPPED]


def tree(text: str) -> ast.Ast:
    found, diagnostics = parse(SourceFile("test.enas", text))
    assert found is not None, [each.message for each in diagnostics]
    assert not diagnostics
    return found


def codes(text: str) -> list[str]:
    found, diagnostics = parse(SourceFile("test.enas", text))
    assert found is None
    return [each.code for each in diagnostics]


def value(text: str) -> ast.Expr:
    """The expression `text`, read as the value of a name."""
    declaration = tree(f"y = {text}").declarations[0]
    assert isinstance(declaration, ast.Let)
    return declaration.value


def shape(item: object) -> str:
    """An expression with all its parentheses, to compare precedence with."""
    match item:
        case ast.Binary(operator, left, right):
            return f"({shape(left)} {operator} {shape(right)})"
        case ast.Unary(operator, operand):
            return f"({operator} {shape(operand)})"
        case ast.Flow(stages):
            return "(" + " -> ".join(map(shape, stages)) + ")"
        case ast.Tuple(items):
            return "<" + ", ".join(map(shape, items)) + ">"
        case ast.Range(low, high, step):
            return f"({shape(low)}..{shape(high)}" + (f" step {shape(step)})" if step else ")")
        case ast.Guarded(body, condition, otherwise):
            return f"[{shape(body)} if {shape(condition)} else {shape(otherwise)}]"
        case ast.Choose(quantity, domain, repeats, ordered):
            return f"choose({shape(quantity)}, {shape(domain)}, {repeats:d}{ordered:d})"
    return atom(item)


def atom(item: object) -> str:
    match item:
        case ast.Maybe(body):
            return f"maybe({shape(body)})"
        case ast.Call(function, arguments):
            return f"{shape(function)}(" + ", ".join(shape(a.value) for a in arguments) + ")"
        case ast.Reference(name):
            return name
        case ast.Number(number):
            return str(number)
        case _:
            return "-"


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_files_parse(path: Path) -> None:
    assert tree(path.read_text("utf-8")).declarations


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a + b * c ^ d ^ e", "(a + (b * (c ^ (d ^ e))))"),
        ("- a ^ 2 - b", "((- (a ^ 2)) - b)"),
        ("not a == b and c or d", "(((not (a == b)) and c) or d)"),
        ("a // b % c / d", "(((a // b) % c) / d)"),
        ("1..n + 1 step 2", "(1..(n + 1) step 2)"),
        ("a except b == c", "((a except b) == c)"),
        ("loose with inputs except x", "((loose with inputs) except x)"),
        ("a, b -> f -> g when c else d -> h", "[(<a, b> -> f -> g) if c else (d -> h)]"),
        ("a when b else c when d else e", "[a if b else [c if d else e]]"),
        ("(a -> f) + (b -> g)", "((a -> f) + (b -> g))"),
        ("gate * choose c + 1", "((gate * choose(-, c, 00)) + 1)"),
        ("choose 2 from c with repeats in order", "choose(2, c, 11)"),
        ("choose 1..2 from c in order", "choose((1..2), c, 01)"),
        ("choose any from a except b", "choose(any, (a except b), 00)"),
        ("choose 8..64 step 8", "choose(-, (8..64 step 8), 00)"),
        ("x -> maybe f(3) -> g", "(x -> maybe(f(3)) -> g)"),
        ("1_000 + 2.5e-3", "(1000 + 0.0025)"),
    ],
)
def test_precedence(text: str, expected: str) -> None:
    assert shape(value(text)) == expected


def test_declarations() -> None:
    text = """
    space s
    import "a.enas"; import darts
    param B = 7 in 3..32
    param k = 3 in [3, 5]
    ops candidate = [zero, identity, conv(1) when k == 3, relu,]
    op f(a, b = 2) on x, y depth 3 { x -> conv(a) }
    op g { relu }
    cell motif[6](x, y) state h, c align conv(1) -> relu { x }
    block b(x) { x }
    cell d like motif with stride (1 when k == 3 else 2), filters * 2
    network image_classifier { stem a; stack motif * 2, b when k == 3; head c }
    require B > 3 "small"
    modulo { prune dead; commute }
    published 4^B "section 2" why "none"
    recipe quick like paper { search.lr: 1e-3; child { params { filters: 36 }; fast: true } }
    width = choose 8..64
    """
    kinds = [type(each).__name__ for each in tree(text).declarations]
    assert " ".join(kinds) == (
        "SpaceName Import Import Param Param OpList OpDecl OpDecl CellDecl CellDecl CellLike "
        "Network Require Modulo Published RecipeDecl Let"
    )
    like, network, modulo, recipe = (tree(text).declarations[i] for i in (10, 11, 13, 15))
    assert isinstance(like, ast.CellLike)
    assert [change.operator for change in like.changes] == [None, "*"]
    assert isinstance(network, ast.Network)
    assert [part.role for part in network.body.statements if isinstance(part, ast.Part)] == [
        "stem",
        "stack",
        "head",
    ]
    assert isinstance(modulo, ast.Modulo)
    assert [[name.text for name in rule] for rule in modulo.rules] == [
        ["prune", "dead"],
        ["commute"],
    ]
    assert isinstance(recipe, ast.RecipeDecl)
    assert [setting.key.text for setting in recipe.settings] == ["search.lr", "child"]


def test_statements() -> None:
    text = """cell c(x) {
      node 1 { x }
      node i in 2..N { sum(j -> choose candidate for j in earlier when i > 2) }
      a, b = choose 2 from earlier with repeats
      each earlier -> relu when a == 1
      require a < b
      y = x -> repeat 3 as i { share conv(3) across node, stamp }
      concat(x, y)[0]
    }"""
    cell = tree(text).declarations[0]
    assert isinstance(cell, ast.CellDecl)
    kinds = [type(each).__name__ for each in cell.body.statements]
    assert kinds == ["Node", "Node", "Let", "Each", "Require", "Let", "Result"]


@pytest.mark.parametrize("name", ["head", "cell", "node", "depth", "state", "step", "on", "param"])
def test_words_that_are_not_reserved_can_be_names(name: str) -> None:
    tree(f"{name} = 3\nparam {name} = choose {name}\ncell c({name}) {{ {name} -> {name}(1) }}")


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("a = 1\nb = 2; c = 3;\n\n;# end\nd = 4 # no line break after it", 4),
        ("a = x ->\n  f\nb = x\n  # between\n  -> f\n  + 1", 2),
        ("a = f(\n  1,\n  2\n)\nb = [\n  1,\n]", 2),
        ("a =\n  1\n  when b\n  else c", 1),
        ("a = 1\n-b, c = 2", None),
        ("a = (repeat 3 {\n  x = 1\n  y\n})", 1),
        ("op f\n{\n\n relu\n\n}", 1),
        ("a = 1\r\nb = 2\r\n", 2),
    ],
)
def test_where_statements_end(text: str, count: int | None) -> None:
    if count is None:
        assert codes(text) == ["E0109"]
    else:
        assert len(tree(text).declarations) == count


def test_spans_cover_the_text() -> None:
    text = "cell c(x) {\n  y = (a + b) * f(k: 3) # comment\n  y -> g\n}\n"
    cell = tree(text).declarations[0]
    assert isinstance(cell, ast.CellDecl)
    let, result = cell.body.statements
    assert isinstance(let, ast.Let)
    assert cell.span.text == text.strip()
    assert cell.body.span.text == text[text.index("{") : text.index("}") + 1]
    assert let.span.text == "y = (a + b) * f(k: 3)"
    assert let.value.span.text == "(a + b) * f(k: 3)"
    assert isinstance(let.value, ast.Binary)
    assert let.value.left.span.text == "a + b"
    assert isinstance(let.value.right, ast.Call)
    assert let.value.right.arguments[0].span.text == "k: 3"
    assert result.span.text == "y -> g"


# ---------------------------------------------------------------------------------- mistakes


def test_every_state_of_the_parser_has_its_message() -> None:
    for state, actions in table().items():
        terminals = {symbol for symbol in actions if symbol.isupper()}
        if terminals:
            phrase = expect.expected(terminals)
            assert phrase, state
            outside_quotes = re.sub(r"`[^`]*`", "", phrase)
            assert not re.search(r"[A-Z_$]", outside_quotes), (state, phrase)


def test_every_terminal_has_words_of_its_own() -> None:
    lexed = {terminal.name for terminal in parser().terminals}
    silent = {"NEWLINE", "SEMICOLON", "JOIN", "BLANK", "COMMENT"}
    assert lexed - silent <= set(expect.WORDS) | set(expect.KEYWORDS.values())


def test_reserved_words_are_those_that_the_grammar_excludes_from_names() -> None:
    name = next(each for each in parser().terminals if each.name == "NAME")
    excluded = re.search(r"\(\?:([a-z|]+)\)", name.pattern.value)
    assert excluded is not None
    assert set(expect.RESERVED) == set(excluded[1].split("|"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("param x 1\nparam b = ]\nops c = [x]\n", ["E0101", "E0103"]),
        ("cell c(x) {\n a = chose 2 from x\n node 1 { = }\n y = f(x => g)\n x\n}\nz z\n", None),
        ("cell c(x {\n x\n}\nparam b 3\n", ["E0101", "E0101"]),
        ("cell c(x) {\n x\ncell d(x) { x }\nparam p == 3\n", ["E0102", "E0108"]),
        ("recipe r { a: ; b 3; c: 1 }\n", ["E0101", "E0101"]),
        ("network n { stem 1 2; hed x }\n", ["E0101", "E0106"]),
    ],
)
def test_independent_mistakes_are_all_reported(text: str, expected: list[str] | None) -> None:
    assert codes(text) == (expected or ["E0106", "E0101", "E0107", "E0101"])


def test_fixes_mend_the_file() -> None:
    text = "space s\ny = chose c => relu\nz = f(k = 3 ** 2)\nparam p == 3\nw = [1, 2\n"
    for _ in range(10):
        found, diagnostics = parse(SourceFile("test.enas", text))
        if found:
            break
        fix = diagnostics[-1].fix
        assert fix is not None
        text = text[: fix.span.start] + fix.replacement + text[fix.span.stop :]
    assert text == "space s\ny = choose c -> relu\nz = f(k : 3 ^ 2)\nparam p = 3\nw = [1, 2]\n"


def test_the_number_of_mistakes_is_limited() -> None:
    assert len(codes("param x 3\n" * 100)) == MISTAKE_LIMIT


@pytest.mark.parametrize(
    "text",
    [
        "x = " + "(" * 5000,
        "x = " + "-" * 5000 + "1",
        "x = " + "a + " * 5000 + "1",
        "x = " + "f(" * (NESTING_LIMIT + 1) + "1" + ")" * (NESTING_LIMIT + 1),
        "x = " + "a when b else " * 5000 + "c",
    ],
)
def test_deep_nesting_is_a_diagnostic(text: str) -> None:
    assert codes(text) == ["E0110"]


def test_nesting_below_the_limit_is_fine() -> None:
    depth = NESTING_LIMIT - 2
    tree("x = " + "f(" * depth + "1" + ")" * depth)


# ------------------------------------------------------------------------------------- files


def test_line_breaks_and_byte_order_mark_do_not_matter(tmp_path: Path) -> None:
    path = tmp_path / "a.enas"
    path.write_bytes(b"\xef\xbb\xbfspace a\r\nparam b = 3\r\n")
    source, found = read(path)
    assert source is not None
    assert not found
    assert source.text == "space a\nparam b = 3\n"


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    source, found = decode("test.enas", data)
    assert (source is None) == bool(found)
    if source:
        parse(source)


# --------------------------------------------------------------------------------- any input

PIECES = st.sampled_from(
    [*expect.KEYWORDS, *expect.SYMBOLS, "\n", "\n  ", "x", "3", '"', '"t"', "#c\n", "@", "→", ";"]
)


def total(text: str) -> None:
    """Parsing ends in time and says something exactly where there is no tree."""
    start = time.process_time()
    found, diagnostics = parse(SourceFile("test.enas", text))
    assert time.process_time() - start < 1
    assert (found is None) == bool(diagnostics)
    for each in diagnostics:
        assert 0 <= each.label.span.start <= each.label.span.stop <= len(text)


@given(st.lists(PIECES, max_size=60).map(" ".join))
def test_any_sequence_of_tokens_is_answered(text: str) -> None:
    total(text)


@settings(max_examples=60)
@given(st.sampled_from(TEXTS), st.integers(0, 2**32), st.integers(1, 6))
def test_any_mutation_of_a_shipped_file_is_answered(text: str, seed: int, count: int) -> None:
    rng = random.Random(seed)
    for _ in range(count):
        at, width = rng.randrange(len(text)), rng.randrange(4)
        text = text[:at] + rng.choice(["", "{", "}", "(", ")", "\n", '"', "="]) + text[at + width :]
    total(text)


# -------------------------------------------------------------------------------- the tables


def _answer(folder: Path, home: str) -> str:
    code = "from enasdsl.syntax.parse import parser; print(len(parser().rules))"
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "XDG_CACHE_HOME": home},
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    ).stdout


@pytest.mark.slow
def test_the_cache_of_tables_is_only_a_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    file = _cache_file((shipped("grammars") / "enas.lark").read_text("utf-8"))
    root = Path(__file__).parent.parent
    fresh = _answer(root, str(tmp_path))
    assert file.is_file()
    assert [path.name for path in file.parent.iterdir()] == [file.name]
    file.write_bytes(file.read_bytes()[:1000])
    assert _answer(root, str(tmp_path)) == fresh
    assert _answer(root, str(tmp_path)) == fresh
    assert _answer(root, "/dev/null") == fresh
