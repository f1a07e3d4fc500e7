"""The commands for editors: `lsp` and `editor`."""

from __future__ import annotations

from enasdsl.cli.ending import UsageError


def lsp() -> int:
    """Serve an editor: mistakes, hover, completion and the rest, by the Language Server Protocol.

    The editor starts this command itself and speaks with it over the standard input and output;
    `enasdsl editor` writes a plugin that does. It needs `pip install 'enasdsl[editor]'`.
    """
    try:
        from enasdsl.editor.server import serve
    except ModuleNotFoundError as error:
        if error.name not in ("pygls", "lsprotocol"):
            raise
        raise UsageError("`lsp` needs more: pip install 'enasdsl[editor]'") from None
    serve()
    return 0
