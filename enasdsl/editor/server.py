"""The language server: it keeps the open files, says what is wrong with them, and answers."""

from __future__ import annotations

import asyncio
import functools
import logging
import os
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

from lsprotocol import types
from pygls.exceptions import JsonRpcException, JsonRpcInvalidParams
from pygls.lsp.server import LanguageServer

from enasdsl.editor.answers import Answers
from enasdsl.editor.documents import Document, Documents, file_of
from enasdsl.editor.marks import actions, marks
from enasdsl.editor.renaming import Refused
from enasdsl.pipeline import Compilation
from enasdsl.source import SourceFile
from enasdsl.syntax.format import Unproven

LOG = logging.getLogger(__name__)
PAUSE = 0.1
"""Seconds without typing after which the text is checked."""
_SMALLEST = "cell c(x) { x }"

Handler = TypeVar("Handler", bound=Callable[..., Any])


class Server(LanguageServer):
    """A language server for `.enas` files."""

    def __init__(self) -> None:
        super().__init__("enasdsl", version("enasdsl"), max_workers=2)
        self.documents = Documents()
        self.tasks: set[asyncio.Task[object]] = set()  # asyncio forgets those that nobody holds

    def answers(self, params: Any) -> Answers | None:
        """What can be answered about the file that a request names; None where it is not open."""
        document = self.documents.get(params.text_document.uri)
        return None if document is None else Answers(document, self.documents)

    async def measured(self, params: Any) -> Answers | None:
        """The same once the sizes of the file are known; other requests go on meanwhile."""
        document = self.documents.get(params.text_document.uri)
        if document is not None:
            await asyncio.to_thread(lambda: document.good.sizes)
        return self.answers(params)

    def warm_up(self) -> None:
        """Loads the parser while the editor still shows its first file."""
        self._start(asyncio.to_thread(lambda: Compilation(SourceFile("", _SMALLEST)).outline))

    def _start(self, work: Coroutine[Any, Any, object]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def check(self, document: Document, *, pause: float = 0.0) -> None:
        """Checks a file, and those that import it, once nothing was typed for `pause` seconds."""
        self._start(self._check(document, pause))

    async def _check(self, document: Document, pause: float) -> None:
        analysis = document.now
        await asyncio.sleep(pause)
        if document.now is not analysis:
            return
        await self._publish(document)
        for other in self.documents.importing(document):
            await self._publish(other)
        capabilities = self.client_capabilities.workspace
        if capabilities and capabilities.inlay_hint and capabilities.inlay_hint.refresh_support:
            self.workspace_inlay_hint_refresh(None)

    async def _publish(self, document: Document) -> None:
        analysis = document.now
        try:
            await asyncio.to_thread(lambda: analysis.diagnostics)
            if document.now is analysis:
                self.publish(document.uri, marks(document, self.documents))
        except Exception:
            LOG.exception("the check of %s failed", document.uri)

    def publish(self, uri: str, found: list[types.Diagnostic]) -> None:
        self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, found))


@contextmanager
def _logged(name: str) -> Iterator[None]:
    """Refusals reach the editor; mistakes of the server's own reach the log alone."""
    try:
        yield
    except Refused as refusal:
        raise JsonRpcInvalidParams(str(refusal)) from None
    except JsonRpcException:
        raise
    except Exception:
        LOG.exception("%s failed", name)


def steady(handler: Handler) -> Handler:
    """The handler, whose mistakes are logged: the server goes on, and answers nothing."""

    @functools.wraps(handler)
    def steadied(server: Server, params: Any) -> Any:
        with _logged(handler.__name__):
            return handler(server, params)

    @functools.wraps(handler)
    async def steadied_later(server: Server, params: Any) -> Any:
        with _logged(handler.__name__):
            return await handler(server, params)

    found = steadied_later if asyncio.iscoroutinefunction(handler) else steadied
    return found  # type: ignore[return-value]


def make_server() -> Server:
    """A server that waits for its client."""
    server = Server()
    for feature, (handler, options) in FEATURES.items():
        server.feature(feature, options)(steady(handler))
    return server


# ----------------------------------------------------------------------- files


def _initialized(server: Server, _: types.InitializedParams) -> None:
    documents = server.documents
    documents.codec = server.workspace.position_codec
    folders = server.workspace.folders.values()
    documents.roots = [Path(file_of(folder.uri)) for folder in folders]
    server.warm_up()


def _opened(server: Server, params: types.DidOpenTextDocumentParams) -> None:
    item = params.text_document
    server.check(server.documents.put(item.uri, item.text))


def _changed(server: Server, params: types.DidChangeTextDocumentParams) -> None:
    document = server.documents.edit(params.text_document.uri, params.content_changes)
    if document is not None:
        server.check(document, pause=PAUSE)


def _saved(server: Server, params: types.DidSaveTextDocumentParams) -> None:
    document = server.documents.get(params.text_document.uri)
    if document is not None:
        server.check(document)


def _closed(server: Server, params: types.DidCloseTextDocumentParams) -> None:
    server.documents.close(params.text_document.uri)
    server.publish(params.text_document.uri, [])


# -------------------------------------------------------------------- questions


async def _hover(server: Server, params: types.HoverParams) -> types.Hover | None:
    answers = await server.measured(params)
    return answers.hover(params.position) if answers else None


def _completion(server: Server, params: types.CompletionParams) -> types.CompletionList | None:
    answers = server.answers(params)
    return answers.completion(params.position) if answers else None


def _definition(server: Server, params: types.DefinitionParams) -> types.Location | None:
    answers = server.answers(params)
    return answers.definition(params.position) if answers else None


def _references(server: Server, params: types.ReferenceParams) -> list[types.Location]:
    answers = server.answers(params)
    declaration = params.context.include_declaration
    return answers.references(params.position, declaration=declaration) if answers else []


def _highlights(
    server: Server, params: types.DocumentHighlightParams
) -> list[types.DocumentHighlight]:
    answers = server.answers(params)
    return answers.highlights(params.position) if answers else []


def _prepare_rename(server: Server, params: types.PrepareRenameParams) -> types.Range | None:
    answers = server.answers(params)
    return answers.rename_range(params.position) if answers else None


def _rename(server: Server, params: types.RenameParams) -> types.WorkspaceEdit | None:
    answers = server.answers(params)
    return answers.rename(params.position, params.new_name) if answers else None


def _formatting(server: Server, params: types.DocumentFormattingParams) -> list[types.TextEdit]:
    """The edits; where they are not proven to keep the meaning, none, and the editor says so."""
    answers = server.answers(params)
    try:
        return answers.formatting() if answers else []
    except Unproven as error:
        told = f"enasdsl left the file as it is: {error}. This is a mistake in enasdsl."
        server.window_show_message(types.ShowMessageParams(types.MessageType.Error, told))
        return []


def _symbols(server: Server, params: types.DocumentSymbolParams) -> list[types.DocumentSymbol]:
    answers = server.answers(params)
    return answers.symbols() if answers else []


async def _hints(server: Server, params: types.InlayHintParams) -> list[types.InlayHint]:
    answers = await server.measured(params)
    return answers.hints(params.range) if answers else []


def _actions(server: Server, params: types.CodeActionParams) -> list[types.CodeAction]:
    document = server.documents.get(params.text_document.uri)
    return list(actions(document, params.range, server.documents)) if document else []


FEATURES: dict[str, tuple[Callable[..., Any], Any]] = {
    types.INITIALIZED: (_initialized, None),
    types.TEXT_DOCUMENT_DID_OPEN: (_opened, None),
    types.TEXT_DOCUMENT_DID_CHANGE: (_changed, None),
    types.TEXT_DOCUMENT_DID_SAVE: (_saved, None),
    types.TEXT_DOCUMENT_DID_CLOSE: (_closed, None),
    types.TEXT_DOCUMENT_HOVER: (_hover, None),
    types.TEXT_DOCUMENT_COMPLETION: (
        _completion,
        types.CompletionOptions(trigger_characters=[" ", "(", ">", "."]),
    ),
    types.TEXT_DOCUMENT_DEFINITION: (_definition, None),
    types.TEXT_DOCUMENT_REFERENCES: (_references, None),
    types.TEXT_DOCUMENT_DOCUMENT_HIGHLIGHT: (_highlights, None),
    types.TEXT_DOCUMENT_PREPARE_RENAME: (_prepare_rename, None),
    types.TEXT_DOCUMENT_RENAME: (_rename, types.RenameOptions(prepare_provider=True)),
    types.TEXT_DOCUMENT_FORMATTING: (_formatting, None),
    types.TEXT_DOCUMENT_DOCUMENT_SYMBOL: (_symbols, None),
    types.TEXT_DOCUMENT_INLAY_HINT: (_hints, None),
    types.TEXT_DOCUMENT_CODE_ACTION: (
        _actions,
        types.CodeActionOptions(code_action_kinds=[types.CodeActionKind.QuickFix]),
    ),
}


def serve() -> None:
    """Serves the client on the standard input and output until it says that it is done.

    Whatever else would be printed goes to the standard error: the output speaks the protocol.
    """
    logging.basicConfig(level=logging.WARNING)
    output = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    make_server().start_io(stdout=output)
