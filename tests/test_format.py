"""The formatter: one look whatever the spacing, the same meaning, every comment at its place."""

from __future__ import annotations

import re
from itertools import cycle
from pathlib import Path
from random import Random
from textwrap import dedent

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from programs import Program, programs

from enasdsl.source import SourceFile, shipped
from enasdsl.syntax import format as formatter
from enasdsl.syntax.arrange import Block, arrange
from enasdsl.syntax.format import Unproven, format_source, skeleton
from enasdsl.syntax.lines import CLOSERS, OPENERS, UNFINISHED
from enasdsl.syntax.parse import parse
from enasdsl.syntax.scan import scan

SHIPPED = [*sorted(shipped("spaces").glob("*.enas")), shipped("grammars") / "prelude.enas"]
REFERENCE = (shipped("grammars") / "README.md").read_text("utf-8")
EXAMPLES = re.findall(r"^```enas\n(.*?)^```$", REFERENCE, re.MULTILINE | re.DOTALL)
WIDTH = 100


def formatted(text: str) -> str:
    result, diagnostics = format_source(SourceFile("file.enas", text))
    assert result is not None, (text, diagnostics)
    return result


def meaning(text: str) -> object:
    tree, _ = parse(SourceFile("file.enas", text))
    return tree and skeleton(tree.declarations)


# ------------------------------------------------------------------ what is there already


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_file_is_formatted(path: Path) -> None:
    text = path.read_text("utf-8")
    assert formatted(text) == text


@pytest.mark.parametrize("text", EXAMPLES, ids=lambda text: text.split("\n")[0])
def test_an_example_of_the_reference_keeps_its_meaning(text: str) -> None:
    result = formatted(text)
    assert meaning(result) == meaning(text)
    assert formatted(result) == result


@given(programs())
@settings(max_examples=20)
def test_a_generated_file_keeps_its_meaning(program: Program) -> None:
    result = formatted(program.text)
    assert meaning(result) == meaning(program.text)
    assert formatted(result) == result
    assert max(map(len, result.splitlines())) <= WIDTH


# ----------------------------------------------------------------------- spacing is free


def respaced(text: str, rng: Random) -> str:
    """A formatted text with other blanks between its tokens, and breaks in statements of one line.

    Where a bracket's members, or statements, begin a line, they do so afterwards as well.
    """
    parts: list[str] = []
    tokens = scan(SourceFile("file.enas", text))
    short = one_line(arrange(tokens))
    brackets: list[str] = []
    for index, token in enumerate(tokens):
        before = tokens[index - 1].kind if index else "_LBRACE"
        gap = text[tokens[index - 1].span.stop if index else 0 : token.span.start]
        inside = bool(brackets) and brackets[-1] != "_LBRACE"
        parts.append(gap)
        if "\n" in gap or ";" in gap or before in ("_LBRACE", "_LSQB", "_LPAR"):
            parts.append(" " * rng.randrange(4))
        elif token.span.start in short and (inside or before in UNFINISHED):
            parts.append(rng.choice(["", "  ", "\n", "\n   "]))
        elif token.text not in ("=", "{", "(", "["):  # by chance they could be aligned
            parts.append(" " * rng.randrange(3))
        parts.append(token.text)
        if token.kind in OPENERS:
            brackets.append(token.kind)
        elif token.kind in CLOSERS:
            brackets.pop()
    return "".join(parts)


def one_line(block: Block) -> set[int]:
    """The places within statements of one line, their first tokens left out."""
    found: set[int] = set()
    for statement in block.statements:
        pieces = statement.pieces
        found.update(one_line(pieces[-1].block) if pieces[-1].block else ())
        first, last = pieces[0].token.span, pieces[-1].token.span
        if pieces[-1].block is None and "\n" not in first.to(last).text:
            found.update(range(first.start + 1, last.stop))
    return found


@pytest.mark.slow
@given(programs(), st.randoms(use_true_random=False))
@settings(max_examples=20)
def test_the_look_does_not_depend_on_the_spacing(program: Program, rng: Random) -> None:
    canonical = formatted(program.text)
    assert formatted(respaced(canonical, rng)) == canonical


ROUGH = """

        space   rough
        param  k=3   in 1 .. 9;param wide =true
        op unit( k , ) {relu->conv( k )->  batch_norm}
        ops candidate=[ unit( 1 ),unit(k)  ,
            identity when   wide,]   # three
        cell c( x ){


           y = - x*2^k - (1+1)   #   a comment
           a,b=choose 2 from earlier with   repeats
           # before the value
           (a->choose candidate)+(b -> unit(k:5)) when not wide
            else y


        }
        cell d like c with stride ( 1 when wide else 2 ),filters*2
        network image_classifier {
          stem conv(3,filters:16)
          stack c*2 , d
          head global_avg_pool->linear( classes )
        }
        published  18 "here"   why"so"
        modulo{prune dead;erase zero}"""

NEAT = """\
        space rough
        param k = 3 in 1..9
        param wide = true
        op unit(k) { relu -> conv(k) -> batch_norm }
        ops candidate = [unit(1), unit(k), identity when wide]  # three
        cell c(x) {
          y = -x * 2^k - (1 + 1)  #   a comment
          a, b = choose 2 from earlier with repeats
          # before the value
          (a -> choose candidate) + (b -> unit(k: 5)) when not wide else y
        }
        cell d like c with stride (1 when wide else 2), filters * 2
        network image_classifier {
          stem  conv(3, filters: 16)
          stack c * 2, d
          head  global_avg_pool -> linear(classes)
        }
        published 18 "here" why "so"
        modulo { prune dead; erase zero }
        """


def test_what_the_look_is() -> None:
    assert formatted(dedent(ROUGH)) == dedent(NEAT)


# -------------------------------------------------------------------------- line breaks


def test_a_long_list_is_broken_and_its_rows_are_the_authors() -> None:
    members = [f"sep_conv({k})" for k in range(1, 19, 2)]
    filled = formatted(f"ops candidate = [{', '.join(members)}]\n")
    assert filled == (
        "ops candidate = [\n"
        "  sep_conv(1), sep_conv(3), sep_conv(5), sep_conv(7), sep_conv(9), sep_conv(11), "
        "sep_conv(13),\n"
        "  sep_conv(15), sep_conv(17),\n"
        "]\n"
    )
    rows = "ops candidate = [\n  relu, tanh,\n\n  # wide\n  conv(3), conv(5),\n]\n"
    assert formatted(rows) == rows
    assert formatted("ops a = [relu,\n  tanh]\n") == "ops a = [relu, tanh]\n"


def test_a_long_flow_keeps_the_breaks_of_its_author_and_a_short_one_does_not() -> None:
    flow = " -> ".join(["depthwise_conv(3)"] * 3)
    long = f"cell c(x) {{\n  y = x -> {flow} ->\n      {flow}\n  y\n}}\n"
    assert formatted(long) == long
    assert formatted("cell c(x) {\n  y = x ->\n    relu ->\n      tanh\n  y\n}\n") == (
        "cell c(x) {\n  y = x -> relu -> tanh\n  y\n}\n"
    )


def test_a_body_too_long_for_its_line_is_opened() -> None:
    flow = " -> ".join(["depthwise_conv(3)"] * 4)
    assert formatted(f"op longer {{ a = {flow}; a }}\n") == f"op longer {{\n  a = {flow}\n  a\n}}\n"


def test_what_was_aligned_stays_aligned_and_nothing_else_is() -> None:
    aligned = (
        "space a                 # one\n"
        "param filters = 3       # two\n"
        "\n"
        "op short      { relu }\n"
        "op longer(x)  { x }\n"
        "cell c(x) {\n"
        "  deep  = x -> relu\n"
        "  short = x -> tanh     # three\n"
        "  deep + short\n"
        "}\n"
    )
    assert formatted(aligned) == aligned.replace("(x)  {", "(x) {").replace("t      {", "t     {")
    assert formatted("a   = 1 # x\nbcd = 2\ncd    = 3\n") == "a   = 1  # x\nbcd = 2\ncd = 3\n"


# ------------------------------------------------------------------------------ comments

COMMENTED = """\
space commented
import darts
param B = 7 in 3..32 step 2
ops candidate = [relu, conv(3, filters: 8) when B > 3]
op unit(k, act = relu) on x, y depth 3 { x -> conv(k) -> act }
cell c[2](x) state h align relu {
  node i in 2..B { each earlier -> relu when B == 3; a, b = choose 2 from earlier with repeats }
  node 1 { choose any from nodes except nodes[1] }
  z = x -> repeat 2 as i { conv(i); relu } -> share (tanh) across nodes, inputs
  require sum(count(s) for s in z when not true) <= 9 and B > 1 "few"
  concat(loose with inputs) -> maybe relu
}
cell d like c with stride (1 when B > 3 else 2), filters * 2
network image_classifier { stem relu; stack c * 2, d; head linear(classes) }
published (5 * B)^4 "here" why "so"
modulo { prune dead; commute }
recipe quick like paper { data { batch: 32; augment: true }; weights.lr: 1e-3 }
"""


DECLARATIONS = re.findall(r"^\w.*\n(?:[ }].*\n)*", COMMENTED, re.MULTILINE)


@pytest.mark.parametrize("comment", [" # mark\n", "\n\n  # mark\n\n"], ids=["behind", "own"])
@pytest.mark.parametrize("text", DECLARATIONS, ids=lambda text: text.split()[0])
def test_a_comment_survives_at_every_gap(text: str, comment: str) -> None:
    tokens = scan(SourceFile("file.enas", text))
    whole = meaning(text)
    survived = 0
    for token in tokens:
        marked = text[: token.span.start] + comment + text[token.span.start :]
        if meaning(marked) == whole:  # else a line cannot end here
            assert formatted(marked).count("# mark") == 1
            survived += 1
    assert survived > len(tokens) // 3


@pytest.mark.slow
def test_comments_at_all_gaps_at_once_stay_in_order() -> None:
    parts: list[str] = []
    whole, done = meaning(COMMENTED), 0
    for number, token in enumerate(scan(SourceFile("file.enas", COMMENTED))):
        piece = COMMENTED[done : token.span.start]
        marked = f"{piece} # {number}\n"
        rest = COMMENTED[token.span.start :]
        parts.append(marked if meaning("".join([*parts, marked, rest])) == whole else piece)
        done = token.span.start
    result = formatted("".join(parts))
    numbers = [int(n) for n in re.findall(r"# (\d+)", result)]
    assert numbers == sorted(numbers)
    assert len(numbers) > 100


def test_comments_keep_their_column_where_the_code_leaves_it() -> None:
    text = "a = 1           # far\nlonger = 2      # far\nb = [1, 2, 3, 4]  # near\n"
    assert formatted(text) == text
    assert formatted("a  =  1 # x\n") == "a = 1  # x\n"


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_comments_and_breaks_put_in_at_random_survive(path: Path) -> None:
    text, rng = path.read_text("utf-8"), Random(path.stem)
    tokens = scan(SourceFile("file.enas", text))
    for number in range(2):
        marked = text
        for token in sorted(rng.sample(tokens, 3), key=lambda token: -token.span.start):
            piece = rng.choice(["\n", f" # mark {number}\n", "\n\n  # mark\n"])
            marked = marked[: token.span.start] + piece + marked[token.span.start :]
        if meaning(marked) is not None:  # else a statement was cut in two
            result = formatted(marked)
            assert meaning(result) == meaning(marked)
            assert result.count("# mark") == marked.count("# mark")


# --------------------------------------------------------------------------------- proof


@pytest.mark.parametrize(
    "texts",
    [["param k = 4  # three\n"], ["param k = 3\n"], ["param k = "], ["param k = 3  # three\n", ""]],
    ids=["meaning", "comment", "syntax", "twice"],
)
def test_a_formatter_that_changes_more_than_the_look_is_found_out(
    texts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    source = SourceFile("file.enas", "param  k = 3 # three\n")
    answers = cycle(texts)
    monkeypatch.setattr(formatter, "lay_out", lambda _: next(answers))
    with pytest.raises(Unproven):
        format_source(source)


def test_a_file_that_does_not_parse_is_not_formatted() -> None:
    text, diagnostics = format_source(SourceFile("file.enas", "cell c(x) { x -> -> relu }\n"))
    assert text is None
    assert [each.code for each in diagnostics] == ["E0101"]
