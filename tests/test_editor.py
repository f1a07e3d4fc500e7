"""The language server, driven end to end by a client of the protocol, as an editor drives it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from time import perf_counter

import pytest
from editors import Editor, offset, position
from lsprotocol import types
from pygls.exceptions import JsonRpcException

from enasdsl.ir.count import count
from enasdsl.pipeline import Compilation
from enasdsl.source import SourceFile, shipped

MICRO = (shipped("spaces") / "micro.enas").read_text("utf-8")
SMALL = """\
space small                    # a space for the tests

param N = 3 in 2..9            # nodes of the cell
param filters = 8
ops candidate = [conv(3), conv(5), unit(3)]

# One convolution with its norm.
op unit(k) on x { x -> conv(k) -> batch_norm }

cell c(x, y) {
  node i in 1..N {
    source = choose earlier
    source -> choose candidate
  }
  sum(loose)
}

network image_classifier {
  stem  conv(3)
  stack c * 2
  head  global_avg_pool -> linear(classes)
}

recipe quick {
  weights { epochs: 2 }
  params { N: 4 }
}
"""


@pytest.fixture(scope="module")
def editor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Editor]:
    found = Editor(tmp_path_factory.mktemp("files"))
    yield found
    assert found.close() == 0
    assert found.client.messages == []


@pytest.fixture
def small(editor: Editor) -> Editor:
    """An editor in which SMALL is open as `small.enas`, as it was at first."""
    assert editor.open("small.enas", SMALL) == []
    return editor


# ----------------------------------------------------------------- diagnostics


def test_micro_is_checked_at_once_and_is_fine(editor: Editor) -> None:
    editor.open("warm.enas", SMALL)
    start = perf_counter()
    assert editor.open("micro.enas", MICRO) == []
    assert perf_counter() - start < 1.5  # 0.25 s on an idle core


def test_a_mistake_has_its_range_code_reason_and_help(small: Editor) -> None:
    (found,) = small.retype("small.enas", "unit(3)]", "unti(3)]")
    assert (found.code, found.source) == ("E0203", "enasdsl")
    assert found.severity is types.DiagnosticSeverity.Error
    assert found.message.splitlines() == [
        "unknown operation `unti`: no operation has this name",
        "help: did you mean `unit`?",
    ]
    text = small.texts["small.enas"]
    where = found.range
    assert text[offset(text, where.start) : offset(text, where.end)] == "unti"
    assert small.retype("small.enas", "unti", "unit") == []


def test_the_other_places_of_a_mistake_are_told(small: Editor) -> None:
    (found,) = small.retype("small.enas", "ops candidate", "param N = 4\nops candidate")
    (other,) = found.related_information or ()
    assert "first declared here" in other.message
    assert other.location.uri == small.uri("small.enas")
    assert other.location.range.start == small.place("small.enas", "param ")


def test_positions_count_in_utf16(editor: Editor) -> None:
    text = 'space s\nrequire 1 < 2 "𝛼𝛽"; require nine < 3\ncell c(x) { x }\n'
    (found,) = editor.open("wide.enas", text)
    assert found.range.start == position(text, text.index("nine")) == types.Position(1, 30)
    assert editor.retype("wide.enas", "nine", "2") == []


def test_windows_line_breaks(editor: Editor) -> None:
    assert editor.open("windows.enas", SMALL.replace("\n", "\r\n")) == []
    (found,) = editor.retype("windows.enas", "conv(5)", "cov(5)")
    assert found.code == "E0203"
    assert editor.hover("windows.enas", "cell ", "c").startswith("```enas\ncell c(x, y)")


def test_closing_a_file_takes_its_marks_away(editor: Editor) -> None:
    assert editor.open("closed.enas", "cell c(x) { y }") != []
    assert editor.shut("closed.enas") == []
    params = types.HoverParams(editor.document("closed.enas"), types.Position(0, 1))
    assert editor.wait(editor.client.text_document_hover_async(params)) is None


def test_imports_are_read_from_the_screen(editor: Editor) -> None:
    part = "op unit(k) { conv(k) }\n"
    editor.open("part.enas", part)
    whole = 'import "part.enas"\ncell c(x) { x -> choose [unit(3), unit(5)] }\n'
    assert editor.open("whole.enas", whole) == []
    seen = len(editor.client.published[editor.uri("whole.enas")])
    editor.retype("part.enas", "conv(k)", "conv(k")
    found, *_ = editor.diagnostics("whole.enas", after=seen)
    assert found.range.start == editor.place("whole.enas", "import ")
    other, *_ = found.related_information or ()
    assert other.location.uri == editor.uri("part.enas")


# ---------------------------------------------------------------------- hover


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("space ", "small", "a space for the tests"),
        ("in 1..", "N", "nodes of the cell"),
        ("in 1..", "N", "value: 3"),
        ("unit", "(3)", "One convolution with its norm."),
        ("choose ", "candidate", "3 members"),
        ("", "conv(3), ", "k x k convolution"),
        ("choose ", "earlier", "the inputs and nodes of the cell so far"),
        ("", "choose earlier", "2 to 4 alternatives, 1 decision, in each of 3 places"),
        ("", "node i", "6 to 12 alternatives, 2 decisions, in each of 3 nodes"),
        ("cell ", "c", "648 alternatives, 6 decisions"),
        ("", "source ->", "shape: `8 x 32 x 32`"),
        ("cell c(", "x", "input of the cell `c`"),
        ("cell c(", "x", "shape: `8 x 32 x 32`"),
        ("x -> conv(k) -> ", "batch_norm", "shape: `8 x 32 x 32`"),
        ("stack ", "c * 2", "shape: `8 x 32 x 32`"),
        ("", "stem", "shape: `8 x 32 x 32`"),
        ("weights { ", "epochs", "Passes over the training data"),
        ("", "recipe", "a recipe is written"),
        ("{ x -> conv(", "k", "parameter"),
    ],
)
def test_hover(small: Editor, before: str, after: str, told: str) -> None:
    assert told in small.hover("small.enas", before, after)


def test_the_size_of_the_space_is_the_exact_count(small: Editor) -> None:
    space = Compilation.open("micro").outline
    assert space is not None
    small.open("micro.enas", MICRO)
    assert f"{count(space):,} architectures" in small.hover("micro.enas", "space ")
    assert "in each of 10 places" in small.hover("micro.enas", "a, b = ")


def test_nothing_is_told_of_remarks_and_blanks(small: Editor) -> None:
    assert small.hover("small.enas", "# a ", "space") == ""
    assert small.hover("small.enas", "space small     ") == ""


# ----------------------------------------------------------------- completion


@pytest.mark.parametrize(
    ("old", "new", "wanted", "unwanted"),
    [
        ("\n\nrecipe", "\n\n\nrecipe", "cell network param", "node stem with"),
        ("source -> choose candidate", "source -> ", "conv unit choose relu", "node stem"),
        ("source -> choose candidate", "choose ", "candidate source x y i N earlier", "stem k"),
        ("source -> choose candidate", "so", "source sorted node", "k network"),
        ("choose earlier", "choose 1 ", "from", "cell conv"),
        ("conv(3), ", "conv(", "kernel: filters: groups: N", "cell"),
        ("unit(3)]", "unit(3, ", "k:", "kernel:"),
        ("epochs: 2", "", "epochs lr optimizer schedule", "conv entropy"),
        ("epochs: 2", "optimizer: ", "sgd adam N", "conv epochs"),
        ("epochs: 2", "nesterov: ", "true false", "conv"),
        ("a space", 'x\nrequire 1 < 2 "a space', "", "conv space"),
        ("params { N", "params { ", "N filters", "conv epochs"),
        ("weights { epochs", "weights.schedule.", "kind gamma", "epochs"),
        ("image_classifier", "", "image_classifier language_model", "conv"),
        ("ops candidate", "import \nops candidate", "micro darts", "conv cell"),
        ("\n\nrecipe", "\n\ncell d like \nrecipe", "c", "unit N"),
        ("\n\nrecipe", "\n\nmodulo { \nrecipe", "commute", "conv"),
        ("a space", "a ", "", "conv space"),
    ],
)
def test_completion(small: Editor, old: str, new: str, wanted: str, unwanted: str) -> None:
    small.replace("small.enas", old, new)
    text = small.texts["small.enas"]
    at = text.index(new, SMALL.index(old)) if new else SMALL.index(old)
    gone = new.rfind("\nrecipe") if "\nrecipe" in new else new.rfind("\nops")
    stop = at + (gone if gone > 0 else len(new))
    found = small.complete("small.enas", text[:stop])
    assert [word for word in wanted.split() if word not in found] == []
    assert [word for word in unwanted.split() if word in found] == []
    assert len(found) == len(set(found))


def test_a_proposal_replaces_the_word_that_was_begun(small: Editor) -> None:
    small.replace("small.enas", "choose candidate", "choose cand")
    at = small.place("small.enas", "choose cand")
    params = types.CompletionParams(small.document("small.enas"), at)
    found = small.wait(small.client.text_document_completion_async(params))
    assert isinstance(found, types.CompletionList)
    (item,) = (item for item in found.items if item.label == "candidate")
    assert small.edited("small.enas", [item.text_edit]) == SMALL


# ------------------------------------------------- definitions and references


@pytest.mark.parametrize(
    ("use", "after", "declaration"),
    [
        ("source -> choose ", "candidate", "ops "),
        ("conv(5), ", "unit", "op "),
        ("    ", "source ->", "    "),
        ("stack ", "c * 2", "cell "),
        ("x -> conv(", "k", "op unit("),
        ("params { ", "N", "param "),
        ("in 1..", "N", "param "),
    ],
)
def test_definition(small: Editor, use: str, after: str, declaration: str) -> None:
    name = re.match(r"\w+", after)
    assert name is not None
    found = small.define("small.enas", use, after)
    assert found is not None
    assert found.uri == small.uri("small.enas")
    assert found.range.start == small.place("small.enas", declaration, name[0])


def test_the_definition_of_a_shipped_operation_is_in_the_prelude(editor: Editor) -> None:
    editor.open("sep.enas", "cell c(x) { x -> sep_conv(3) }")
    found = editor.define("sep.enas", "-> sep")
    assert found is not None
    assert found.uri.endswith("grammars/prelude.enas")
    text = (shipped("grammars") / "prelude.enas").read_text("utf-8")
    assert text[offset(text, found.range.start) :].startswith("sep_conv(")


def test_references(small: Editor) -> None:
    found = small.references("small.enas", "param ", "N")
    text = small.texts["small.enas"]
    assert [offset(text, f.range.start) for f in found] == [
        match.start() for match in re.finditer(r"\bN\b", SMALL)
    ]
    assert len(small.references("small.enas", "param ", "N", declaration=False)) == len(found) - 1


def test_references_in_files_that_import(editor: Editor) -> None:
    editor.open("lib.enas", "ops parts = [relu, tanh]\n")
    (editor.folder / "below").mkdir(exist_ok=True)
    (editor.folder / "user.enas").write_text('import "lib.enas"\ncell c(x) { x -> choose parts }')
    editor.open("user2.enas", 'import "lib.enas"\ncell d(x) { x -> choose parts }')
    found = editor.references("lib.enas", "ops ", "parts")
    assert {f.uri for f in found} == {editor.uri(f"{n}.enas") for n in ("lib", "user", "user2")}


# --------------------------------------------------------------------- rename


@pytest.mark.parametrize(
    ("before", "old"),
    [
        ("param ", "N"),
        ("ops ", "candidate"),
        ("op ", "unit"),
        ("cell ", "c"),
        ("{\n    ", "source"),
        ("op unit(", "k"),
        ("node ", "i"),
        ("recipe ", "quick"),
    ],
)
def test_rename_changes_the_name_everywhere_and_nothing_else(
    small: Editor, before: str, old: str
) -> None:
    edit = small.rename("small.enas", before, "another")
    assert edit is not None
    (edits,) = (edit.changes or {}).values()
    after = small.edited("small.enas", edits)
    assert after == re.sub(rf"\b{old}\b(?! space|onv)", "another", SMALL)
    spaces = [Compilation(SourceFile("small.enas", text)).outline for text in (SMALL, after)]
    assert len({count(space) for space in spaces if space}) == 1
    assert None not in spaces


@pytest.mark.parametrize(
    ("before", "new", "why"),
    [
        ("param ", "choose", "is a keyword"),
        ("param ", "node", "is a keyword"),
        ("param ", "2x", "is no name"),
        ("param ", "conv", "a word of the language"),
        ("param ", "c", "already means something: cell (small.enas, line 10)"),
        ("param ", "source", "already means something"),
        ("{\n    ", "candidate", "already means something: list of operations"),
        ("choose earlier\n    source -> ", "other", "no name stands here"),
        ("param N = 3 in 2..9            # nodes of the cell\nparam ", "width", "of its own"),
        ("[", "other", "belongs to the language"),
    ],
)
def test_rename_refuses(small: Editor, before: str, new: str, why: str) -> None:
    with pytest.raises(JsonRpcException, match=re.escape(why)):
        small.rename("small.enas", before, new)


def test_rename_across_files(editor: Editor) -> None:
    editor.open("words.enas", "op twice { relu -> relu }\n")
    editor.open("uses.enas", 'import "words.enas"\ncell c(x) { x -> twice }\n')
    edit = editor.rename("uses.enas", "x -> ", "again")
    assert edit is not None
    changes = edit.changes or {}
    changed = {n: editor.edited(n, changes[editor.uri(n)]) for n in ("words.enas", "uses.enas")}
    assert "op again {" in changed["words.enas"]
    assert "x -> again }" in changed["uses.enas"]
    editor.open("shipped.enas", "cell c(x) { x -> sep_conv(3) }")
    with pytest.raises(JsonRpcException, match="in a file of the package"):
        editor.rename("shipped.enas", "-> ", "other")
