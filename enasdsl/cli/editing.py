"""The commands for editors: `lsp` and `editor`."""

from __future__ import annotations

from typing import Annotated, Literal

from cyclopts import Parameter

from enasdsl.cli.ending import CommandError


def lsp() -> int:
    """Serve an editor: mistakes, hover, completion and the rest, by the Language Server Protocol.

    The editor starts this command itself and speaks with it over the standard input and output.
    It needs `pip install 'enasdsl[editor]'`.
    """
    try:
        from enasdsl.editor.server import serve
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("pygls", "lsprotocol"):
            raise
        raise CommandError("the language server needs `pip install 'enasdsl[editor]'`") from error
    serve()
    return 0


def editor(
    kind: Annotated[Literal["vscode"], Parameter(help="Which editor.")],
    folder: Annotated[str, Parameter(help="Where to write; an older extension is replaced.")],
    /,
) -> int:
    """Write an extension for an editor: colours, brackets, and a client of `enasdsl lsp`.

    Its README says how to install it. It starts the language server with the Python that
    wrote it, unless the setting `enas.command` names another command.
    """
    import sys
    from pathlib import Path

    from enasdsl.editor import vscode

    target = Path(folder)
    if not vscode.is_ours(target):
        raise CommandError(f"`{folder}` holds something else, and is left as it was")
    try:
        vscode.write(target, vscode.extension([sys.executable, "-m", "enasdsl", "lsp"]))
    except OSError as error:
        raise CommandError(f"`{folder}` cannot be written: {error.strerror}") from error
    print(f"written to {folder}; go on with")
    print(f"  cd {folder} && npm install")
    print('  code --extensionDevelopmentPath="$PWD"')
    return 0
