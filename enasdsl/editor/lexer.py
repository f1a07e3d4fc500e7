"""The lexer for Pygments, by which `pygmentize -l enas` and documentation colour `.enas` files."""

from __future__ import annotations

import re
from typing import Any

from pygments.lexer import RegexLexer, bygroups
from pygments.token import Whitespace, string_to_tokentype

from enasdsl.editor.highlight import Rule, rules


def _entry(rule: Rule) -> tuple[str, Any]:
    kinds = [string_to_tokentype(kind) if kind else Whitespace for kind in rule.kinds]
    return rule.pattern, kinds[0] if len(kinds) == 1 else bygroups(*kinds)  # type: ignore[no-untyped-call]


class EnasLexer(RegexLexer):
    """The pieces of an `.enas` file."""

    name = "enas"
    url = "https://arxiv.org/abs/1802.03268"
    aliases = ("enas",)
    filenames = ("*.enas",)
    flags = re.MULTILINE
    tokens = {"root": [*map(_entry, rules()), (r"[ \t\r\n]+?", Whitespace)]}  # noqa: RUF012
