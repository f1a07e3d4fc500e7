"""Diagnostics as an editor shows them, and their fixes as it offers them."""

from __future__ import annotations

from collections.abc import Iterator

from lsprotocol import types

from enasdsl.diagnostics import Diagnostic, Fix, Label, Severity
from enasdsl.editor.documents import Document, Documents
from enasdsl.source import Span

_SEVERITIES = {
    Severity.ERROR: types.DiagnosticSeverity.Error,
    Severity.WARNING: types.DiagnosticSeverity.Warning,
}


def marks(document: Document, documents: Documents) -> list[types.Diagnostic]:
    """What is wrong with the present text; a mistake in an imported file is shown at its import."""
    return [_mark(d, document, documents) for d in document.now.diagnostics]


def _mark(found: Diagnostic, document: Document, documents: Documents) -> types.Diagnostic:
    source = document.now.source
    span, others = found.label.span, list(found.others)
    message = f"{found.message}: {found.label.text}" if found.label.text else found.message
    if span.source.name != source.name:
        others.insert(0, Label(span, found.label.text or found.message))
        span = document.now.imports_of(span.source.name) or Span(source, 0, 0)
    if found.help:
        message += f"\nhelp: {found.help}"
    return types.Diagnostic(
        range=documents.positions(source).range(span),
        message=message,
        severity=_SEVERITIES[found.severity],
        code=found.code,
        source="enasdsl",
        related_information=[_related(label, documents) for label in others],
    )


def _related(label: Label, documents: Documents) -> types.DiagnosticRelatedInformation:
    return types.DiagnosticRelatedInformation(location(label.span, documents), label.text)


def location(span: Span, documents: Documents) -> types.Location:
    """A place in any file."""
    where = documents.positions(span.source).range(span)
    return types.Location(documents.uri(span.source.name), where)


def actions(
    document: Document, wanted: types.Range, documents: Documents
) -> Iterator[types.CodeAction]:
    """The fixes of the mistakes that touch a range."""
    at = documents.positions(document.now.source)
    start, stop = at.offset(wanted.start), at.offset(wanted.end)
    for found in document.now.diagnostics:
        fix, span = found.fix, found.label.span
        if fix is None or fix.span.source.name != document.now.source.name:
            continue
        touched = (span, fix.span) if span.source.name == fix.span.source.name else (fix.span,)
        if any(s.start <= stop and start <= s.stop for s in touched):
            yield _action(fix, _mark(found, document, documents), document, documents)


def _action(
    fix: Fix, mark: types.Diagnostic, document: Document, documents: Documents
) -> types.CodeAction:
    where = documents.positions(document.now.source).range(fix.span)
    edit = types.TextEdit(where, fix.replacement)
    return types.CodeAction(
        title=fix.text,
        kind=types.CodeActionKind.QuickFix,
        diagnostics=[mark],
        is_preferred=True,
        edit=types.WorkspaceEdit(changes={document.uri: [edit]}),
    )
