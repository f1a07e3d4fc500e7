"""The language server on texts as they are typed: fixes, looks, outlines, sizes, half a file."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from editors import Editor
from lsprotocol import types
from test_editor import MICRO, SMALL

from enasdsl.cli import main
from enasdsl.editor import telling
from enasdsl.editor.server import FEATURES, Server, steady
from enasdsl.semantics import scopes
from enasdsl.source import SourceFile
from enasdsl.syntax import format as formatter
from enasdsl.syntax.format import format_source

EVERYTHING = types.Range(types.Position(0, 0), types.Position(10_000, 0))


@pytest.fixture(scope="module")
def editor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Editor]:
    found = Editor(tmp_path_factory.mktemp("files"))
    yield found
    assert found.close() == 0
    assert found.client.messages == []


def _actions(editor: Editor, name: str, where: types.Range) -> list[types.CodeAction]:
    params = types.CodeActionParams(editor.document(name), where, types.CodeActionContext([]))
    found = editor.wait(editor.client.text_document_code_action_async(params))
    return [action for action in found or () if isinstance(action, types.CodeAction)]


def _hints(editor: Editor, name: str) -> dict[int, str]:
    params = types.InlayHintParams(editor.document(name), EVERYTHING)
    found = editor.wait(editor.client.text_document_inlay_hint_async(params))
    return {hint.position.line + 1: str(hint.label) for hint in found or ()}


def test_a_fix_is_offered_where_its_mistake_is_and_mends_it(editor: Editor) -> None:
    (found,) = editor.open("fix.enas", SMALL.replace("batch_norm", "batchnorm"))
    (action,) = _actions(editor, "fix.enas", found.range)
    assert action.kind == types.CodeActionKind.QuickFix
    assert action.edit is not None
    (edits,) = (action.edit.changes or {}).values()
    assert editor.edited("fix.enas", edits) == SMALL
    start = types.Position(0, 0)
    assert _actions(editor, "fix.enas", types.Range(start, start)) == []


def test_what_the_formatter_cannot_prove_is_told_and_nothing_is_changed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: list[types.ShowMessageParams] = []
    server = Server()
    monkeypatch.setattr(server, "window_show_message", told.append)
    monkeypatch.setattr(formatter, "lay_out", lambda _: "param k = 4\n")
    server.documents.put("file:///k.enas", "param  k = 3\n")
    options = types.FormattingOptions(tab_size=2, insert_spaces=True)
    where = types.TextDocumentIdentifier("file:///k.enas")
    format_file, _ = FEATURES[types.TEXT_DOCUMENT_FORMATTING]
    asked = types.DocumentFormattingParams(where, options)
    assert steady(format_file)(server, asked) == []
    (message,) = told
    assert message.type is types.MessageType.Error
    assert "would mean something else" in message.message


def test_formatting_gives_what_the_formatter_gives(editor: Editor) -> None:
    crooked = SMALL.replace("  node i in", "      node  i   in").replace("conv(3), ", "conv( 3 ),")
    editor.open("crooked.enas", crooked)
    options = types.FormattingOptions(tab_size=2, insert_spaces=True)
    params = types.DocumentFormattingParams(editor.document("crooked.enas"), options)
    edits = editor.wait(editor.client.text_document_formatting_async(params))
    wanted, _ = format_source(SourceFile("crooked.enas", crooked))
    assert editor.edited("crooked.enas", edits or []) == wanted
    editor.retype("crooked.enas", "cell c(", "cell c((")
    assert not editor.wait(editor.client.text_document_formatting_async(params))


def test_the_outline_has_every_declaration(editor: Editor) -> None:
    editor.open("outline.enas", SMALL)
    params = types.DocumentSymbolParams(editor.document("outline.enas"))
    found = editor.wait(editor.client.text_document_document_symbol_async(params)) or ()
    symbols = [symbol for symbol in found if isinstance(symbol, types.DocumentSymbol)]
    names = [symbol.name for symbol in symbols]
    assert names == ["small", "N", "filters", "candidate", "unit", "c", "image_classifier", "quick"]
    below = {s.name: [b.name for b in s.children or ()] for s in symbols if s.children}
    assert below == {"c": ["node 1..N"], "image_classifier": ["stem", "stack", "head"]}


def test_sizes_stand_behind_the_lines(editor: Editor) -> None:
    editor.open("sizes.enas", SMALL)
    hints = _hints(editor, "sizes.enas")
    assert hints == {
        1: " = 648",
        10: " = 648",
        11: " = 6..12 each",
        12: " = 2..4 each",
        13: " = 3 each",
    }
    editor.open("micro.enas", MICRO)
    assert _hints(editor, "micro.enas")[1] == " = 2.56e25"


def test_sizes_of_cells_with_names_alike_are_told_apart(editor: Editor) -> None:
    cells = "cell c(x) { x -> choose [relu, tanh] }\ncell c2 like c\n"
    arrays = "cell d[3](x) { x -> choose [relu, tanh, identity] }\n"
    use = "network image_classifier {\n  stem conv(3)\n  stack c, c2, d[1], b, b\n"
    block = "block b(x) { x -> choose [relu, tanh] }\n"
    head = "  head global_avg_pool -> linear(classes)\n}\n"
    assert editor.open("alike.enas", cells + arrays + block + use + head) == []
    hints = _hints(editor, "alike.enas")
    assert [hints[line] for line in (1, 2, 4)] == [" = 2, 2 each", " = 2", " = 2 each, 2 each"]
    assert "2 alternatives, 1 decision, in each of 2 uses" in editor.hover("alike.enas", "block ")


def test_the_same_name_is_highlighted(editor: Editor) -> None:
    editor.open("light.enas", SMALL)
    at = editor.place("light.enas", "ops ")
    params = types.DocumentHighlightParams(editor.document("light.enas"), at)
    found = editor.wait(editor.client.text_document_document_highlight_async(params)) or ()
    assert len(found) == len(re.findall(r"\bcandidate\b", SMALL))


# ---------------------------------------------------------------- half a file


@pytest.mark.parametrize(
    "broken", ["    source -> (choose candidate", "    source -> ) candidate", "    x = = 3"]
)
def test_a_text_that_does_not_parse_keeps_what_was_known(editor: Editor, broken: str) -> None:
    editor.open("half.enas", SMALL)
    sizes = _hints(editor, "half.enas")
    found = editor.retype("half.enas", "    source -> choose candidate", broken)
    assert found
    assert all(str(d.code).startswith("E01") for d in found)
    assert "value: 3" in editor.hover("half.enas", "in 1..", "N")
    place = editor.define("half.enas", "in 1..", "N")
    assert place is not None
    assert place.range.start == editor.place("half.enas", "param ", "N")
    after = editor.define("half.enas", "stack ", "c")
    assert after is not None
    assert after.range.start == editor.place("half.enas", "cell ", "c")
    kept = _hints(editor, "half.enas")
    assert kept.items() <= sizes.items()
    assert {1, 10, 11, 12} <= kept.keys()


def test_a_text_that_never_parsed_is_read_as_far_as_it_goes(editor: Editor) -> None:
    editor.open("new.enas", "param N = 3\nops mine = [relu]\ncell c(first) {\n  y = first -> mi")
    found = editor.complete("new.enas", "-> mi")
    assert {"mine", "first", "N"} <= set(found)
    place = editor.define("new.enas", "(fir")
    assert place is not None


def test_nothing_that_an_editor_sends_ends_the_server(editor: Editor) -> None:
    for text in ["", "\0", "}}}}", "((((" * 200, "space", '"', "cell c(x) {" * 150, "é𝛼\r"]:
        editor.open("odd.enas", text)
        document, far = editor.document("odd.enas"), types.Position(99, 99)
        client = editor.client
        editor.wait(client.text_document_hover_async(types.HoverParams(document, far)))
        editor.wait(client.text_document_completion_async(types.CompletionParams(document, far)))
        editor.wait(client.text_document_definition_async(types.DefinitionParams(document, far)))
        assert _hints(editor, "odd.enas") == {}
    assert editor.open("odd.enas", SMALL) == []


def test_a_mistake_in_a_handler_is_logged_and_answered_with_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken(server: Server, params: object) -> int:
        raise ZeroDivisionError

    assert steady(broken)(Server(), None) is None
    assert "broken failed" in caplog.text
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.slow
def test_a_client_may_count_in_utf8(tmp_path: Path) -> None:
    other = Editor(tmp_path, encoding="utf-8")
    (found,) = other.open("wide.enas", 'require 1 < 2 "𝛼"; require nine < 3\ncell c(x) { x }\n')
    assert found.range.start == types.Position(0, len('require 1 < 2 "𝛼"; require '.encode()))
    assert other.close() == 0


def test_every_word_of_the_language_is_told() -> None:
    assert telling.WORDS.keys() == scopes.WORDS


@pytest.mark.slow
def test_the_server_loads_no_torch() -> None:
    program = (
        "import sys, enasdsl.editor.server; print({'torch', 'numpy', 'rich'} & {*sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stdout.strip() == b"set()"


@pytest.mark.slow
def test_without_its_library_the_server_says_what_to_install() -> None:
    program = (
        "import sys; sys.modules['pygls'] = None; import enasdsl.cli as c; exit(c.main(['lsp']))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert done.returncode == 1
    assert b"pip install 'enasdsl[editor]'" in done.stderr


# ------------------------------------------------------------------ extension


@pytest.mark.slow
def test_the_extension_is_whole(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "extension"
    assert main(["editor", "vscode", str(folder)]) == 0
    assert main(["editor", "vscode", str(folder)]) == 0  # over the older one
    package = json.loads((folder / "package.json").read_text("utf-8"))
    (language,) = package["contributes"]["languages"]
    (grammar,) = package["contributes"]["grammars"]
    for path in (package["main"], language["configuration"], grammar["path"], "README.md"):
        assert (folder / path).is_file()
    assert json.loads((folder / grammar["path"]).read_text("utf-8"))["patterns"]
    command = package["contributes"]["configuration"]["properties"]["enas.command"]["default"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (0, b"")
    if node := shutil.which("node"):
        subprocess.run([node, "--check", str(folder / "client.js")], check=True)
    capsys.readouterr()


@pytest.mark.slow
def test_a_folder_with_something_else_is_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "package.json").write_text('{"name": "mine"}')
    assert main(["editor", "vscode", str(tmp_path)]) == 1
    assert "holds something else" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["package.json"]
