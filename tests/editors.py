"""An editor for tests: a real client of the language server, which runs as a process of its own."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Coroutine, Sequence
from pathlib import Path
from time import monotonic
from typing import Any, TypeVar

from lsprotocol import types
from pygls.lsp.client import LanguageClient

T = TypeVar("T")
PATIENCE = 30.0


class Client(LanguageClient):
    """Keeps what the server says of its own accord."""

    def __init__(self) -> None:
        super().__init__("tests", "1")
        self.published: dict[str, list[types.PublishDiagnosticsParams]] = {}
        self.refreshed = 0
        self.messages: list[str] = []

        def diagnosed(params: types.PublishDiagnosticsParams) -> None:
            self.published.setdefault(params.uri, []).append(params)

        def refresh(_: None) -> None:
            self.refreshed += 1

        def told(params: types.ShowMessageParams) -> None:
            self.messages.append(params.message)

        self.feature(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)(diagnosed)
        self.feature(types.WORKSPACE_INLAY_HINT_REFRESH)(refresh)
        self.feature(types.WINDOW_SHOW_MESSAGE)(told)


class Editor:
    """A client with a loop of its own; every method waits for its answer."""

    def __init__(self, folder: Path, *, encoding: str = "utf-16") -> None:
        self.folder = folder
        self.client = Client()
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.texts: dict[str, str] = {}
        self.wait(self.client.start_io(sys.executable, "-m", "enasdsl", "lsp"))
        self.wait(self.client.initialize_async(self._greeting(encoding)))
        self.client.initialized(types.InitializedParams())

    def _greeting(self, encoding: str) -> types.InitializeParams:
        general = types.GeneralClientCapabilities(
            position_encodings=[types.PositionEncodingKind(encoding)]
        )
        workspace = types.WorkspaceClientCapabilities(
            inlay_hint=types.InlayHintWorkspaceClientCapabilities(refresh_support=True)
        )
        return types.InitializeParams(
            capabilities=types.ClientCapabilities(general=general, workspace=workspace),
            workspace_folders=[types.WorkspaceFolder(self.folder.as_uri(), "tests")],
        )

    def wait(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(PATIENCE)

    def close(self) -> int:
        """Says goodbye and gives the exit code of the server."""
        server = self.client._server
        assert server is not None
        self.wait(self.client.shutdown_async(None))
        self.loop.call_soon_threadsafe(self.client.exit, None)
        code = self.wait(server.wait())
        self.wait(self.client.stop())  # type: ignore[no-untyped-call]
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(PATIENCE)
        self.loop.close()
        return code

    # ------------------------------------------------------------------ files

    def uri(self, name: str) -> str:
        return (self.folder / name).as_uri()

    def open(self, name: str, text: str) -> list[types.Diagnostic]:
        """Opens a file with a text that need not be on the disk; gives what is wrong with it."""
        seen = self._seen(name)
        self.texts[name] = text
        item = types.TextDocumentItem(self.uri(name), "enas", 1, text)
        self._notify("text_document_did_open", types.DidOpenTextDocumentParams(item))
        return self.diagnostics(name, after=seen)

    def replace(self, name: str, old: str, new: str) -> None:
        """Types `new` over the first `old`, as one incremental change, and does not wait."""
        text = self.texts[name]
        start = text.index(old)
        where = types.Range(position(text, start), position(text, start + len(old)))
        change = types.TextDocumentContentChangePartial(where, new)
        self.texts[name] = text[:start] + new + text[start + len(old) :]
        version = types.VersionedTextDocumentIdentifier(2, self.uri(name))
        params = types.DidChangeTextDocumentParams(version, [change])
        self._notify("text_document_did_change", params)

    def retype(self, name: str, old: str, new: str) -> list[types.Diagnostic]:
        """The same; gives what is then wrong with the file."""
        seen = self._seen(name)
        self.replace(name, old, new)
        return self.diagnostics(name, after=seen)

    def shut(self, name: str) -> list[types.Diagnostic]:
        seen = self._seen(name)
        closed = types.DidCloseTextDocumentParams(self.document(name))
        self._notify("text_document_did_close", closed)
        return self.diagnostics(name, after=seen)

    def _seen(self, name: str) -> int:
        return len(self.client.published.get(self.uri(name), []))

    def diagnostics(self, name: str, *, after: int) -> list[types.Diagnostic]:
        """What the server publishes once it has published `after` times."""
        end = monotonic() + PATIENCE
        while self._seen(name) <= after:
            assert monotonic() < end, "nothing was published"
            threading.Event().wait(0.005)
        return list(self.client.published[self.uri(name)][after].diagnostics)

    def _notify(self, method: str, params: object) -> None:
        self.loop.call_soon_threadsafe(getattr(self.client, method), params)

    # -------------------------------------------------------------- questions

    def document(self, name: str) -> types.TextDocumentIdentifier:
        return types.TextDocumentIdentifier(self.uri(name))

    def place(self, name: str, before: str, after: str = "") -> types.Position:
        """The position between `before` and `after`, where they first stand together."""
        return position(self.texts[name], self.texts[name].index(before + after) + len(before))

    def hover(self, name: str, before: str, after: str = "") -> str:
        at = self.place(name, before, after)
        params = types.HoverParams(self.document(name), at)
        found = self.wait(self.client.text_document_hover_async(params))
        if found is None:
            return ""
        assert isinstance(found.contents, types.MarkupContent)
        return found.contents.value

    def complete(self, name: str, before: str, after: str = "") -> list[str]:
        at = self.place(name, before, after)
        params = types.CompletionParams(self.document(name), at)
        found = self.wait(self.client.text_document_completion_async(params))
        assert isinstance(found, types.CompletionList)
        return [item.label for item in found.items]

    def define(self, name: str, before: str, after: str = "") -> types.Location | None:
        params = types.DefinitionParams(self.document(name), self.place(name, before, after))
        found = self.wait(self.client.text_document_definition_async(params))
        assert found is None or isinstance(found, types.Location)
        return found

    def references(
        self, name: str, before: str, after: str = "", *, declaration: bool = True
    ) -> list[types.Location]:
        at = self.place(name, before, after)
        context = types.ReferenceContext(declaration)
        params = types.ReferenceParams(context, self.document(name), at)
        found = self.wait(self.client.text_document_references_async(params))
        return list(found or ())

    def rename(self, name: str, before: str, new: str) -> types.WorkspaceEdit | None:
        params = types.RenameParams(self.document(name), self.place(name, before), new)
        return self.wait(self.client.text_document_rename_async(params))

    def edited(self, name: str, edits: Sequence[Any]) -> str:
        """The text of a file after some edits of it."""
        text = self.texts[name]
        for edit in sorted(edits, key=lambda e: offset(text, e.range.start), reverse=True):
            start, stop = offset(text, edit.range.start), offset(text, edit.range.end)
            text = text[:start] + edit.new_text + text[stop:]
        return text


def position(text: str, at: int) -> types.Position:
    """The position of an offset, in the units of UTF-16."""
    line = text.count("\n", 0, at)
    start = text.rfind("\n", 0, at) + 1
    return types.Position(line, len(text[start:at].encode("utf-16-le")) // 2)


def offset(text: str, at: types.Position) -> int:
    """The offset of a position, in the units of UTF-16."""
    start = 0
    for _ in range(at.line):
        start = text.index("\n", start) + 1
    units = text[start:].encode("utf-16-le")[: 2 * at.character]
    return start + len(units.decode("utf-16-le"))
