"""An extension for VS Code: the language, its colours, and a client of the language server."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from enasdsl.editor.highlight import textmate

NAME = "enas-language"

_CLIENT = """\
"use strict";

const { workspace } = require("vscode");
const { LanguageClient } = require("vscode-languageclient/node");

let client;

async function activate() {
  const [command, ...args] = workspace.getConfiguration("enas").get("command");
  client = new LanguageClient(
    "enas",
    "enas",
    { command, args },
    { documentSelector: [{ language: "enas" }] },
  );
  await client.start();
}

async function deactivate() {
  await client?.stop();
}

module.exports = { activate, deactivate };
"""

_README = """\
# enas for VS Code

Colours, mistakes as you type, sizes, completion, definitions, renaming and formatting of `.enas`
files. The language server is `enasdsl lsp`, which needs `pip install 'enasdsl[editor]'`.

Install it from this folder, once:

    npm install
    npx @vscode/vsce package --allow-missing-repository --skip-license
    code --install-extension enas-language-VERSION.vsix

To try it without installing: `npm install`, then `code --extensionDevelopmentPath="$PWD"`.

The server is started by the command in the setting `enas.command`, at first

    COMMAND
"""

_CONFIGURATION: dict[str, object] = {
    "comments": {"lineComment": "#"},
    "brackets": [["{", "}"], ["[", "]"], ["(", ")"]],
    "autoClosingPairs": [
        {"open": "{", "close": "}"},
        {"open": "[", "close": "]"},
        {"open": "(", "close": ")"},
        {"open": '"', "close": '"', "notIn": ["string", "comment"]},
    ],
    "surroundingPairs": [["{", "}"], ["[", "]"], ["(", ")"], ['"', '"']],
    "wordPattern": "[A-Za-z_][A-Za-z0-9_]*",
    "indentationRules": {
        "increaseIndentPattern": r"^[^#\"]*[{\[(]\s*(#.*)?$",
        "decreaseIndentPattern": r"^\s*[}\])]",
    },
    "folding": {"offSide": False},
}

_LANGUAGE: dict[str, object] = {
    "id": "enas",
    "aliases": ["enas"],
    "extensions": [".enas"],
    "configuration": "./language-configuration.json",
}
_GRAMMAR: dict[str, object] = {
    "language": "enas",
    "scopeName": "source.enas",
    "path": "./syntaxes/enas.tmLanguage.json",
}


def extension(command: Sequence[str]) -> dict[str, str]:
    """The files of the extension, by their paths in it; `command` starts the language server."""
    readme = _README.replace("COMMAND", json.dumps(list(command)))
    return {
        "package.json": _json(_package(command)),
        "client.js": _CLIENT,
        "language-configuration.json": _json(_CONFIGURATION),
        "syntaxes/enas.tmLanguage.json": _json(textmate()),
        "README.md": readme.replace("VERSION", version("enasdsl")),
    }


def write(folder: Path, files: dict[str, str]) -> None:
    """Writes the files below `folder`. Raises OSError."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")


def is_ours(folder: Path) -> bool:
    """Whether the extension may be written to `folder`: nothing is there, or an older one."""
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return True
    try:
        package = json.loads((folder / "package.json").read_text("utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(package, dict) and package.get("name") == NAME


def _json(value: object) -> str:
    return json.dumps(value, indent=2) + "\n"


def _package(command: Sequence[str]) -> dict[str, object]:
    return {
        "name": NAME,
        "displayName": "enas",
        "description": "Neural-architecture search spaces: the language of enasdsl",
        "version": version("enasdsl"),
        "publisher": "enasdsl",
        "license": "Apache-2.0",
        "engines": {"vscode": "^1.91.0"},
        "categories": ["Programming Languages"],
        "activationEvents": ["onLanguage:enas"],
        "main": "./client.js",
        "contributes": {
            "languages": [_LANGUAGE],
            "grammars": [_GRAMMAR],
            "configuration": {"title": "enas", "properties": {"enas.command": _setting(command)}},
        },
        "dependencies": {"vscode-languageclient": "^9.0.1"},
    }


def _setting(command: Sequence[str]) -> dict[str, object]:
    return {
        "type": "array",
        "items": {"type": "string"},
        "default": list(command),
        "description": "The command that starts the language server.",
    }
