"""What files are made of: the words of the grammar, the names of the language, odd characters."""

from __future__ import annotations

import re
from collections.abc import Mapping

from enasdsl.semantics.ops import OPS
from enasdsl.semantics.scopes import WORDS as DERIVED
from enasdsl.syntax.parse import parser

NUMBERS = (
    *("1", "2", "3", "5", "7", "0", "-1", "0.5", "16", "1e300", "1.5e-9", "64", "100", "997"),
    *("10000", "99999", "1000000000", "9" * 40, "9" * 1001, "1_000", "9^9^9", "2^64", "1..10^9"),
)
SIGNS = ("->", "..", "==", "!=", "<=", "//", *"=<>+-*/%^.,:()[]{};\n#\"\\'`$@!?&|~")
ODD = (
    *("é", "变量", "\u200b", "\ufeff", "\u202e", "\t", "\r", "\x0b", "\x00", "😀", "\u2028", "ﬀ"),
    "٣",
)
TEXTS = ('"a"', '""', '"b.enas"', '"\\n"', '"kernels are\\todd"', '"/etc/passwd"', '"é"')


def _texts() -> Mapping[str, str]:
    """The text of every terminal that has only one."""
    texts: dict[str, str] = {}
    for terminal in parser().terminals:
        pattern = terminal.pattern.value
        word = re.match(r"([a-z]+)\\b|\(\?:([a-z]+)", pattern)
        if type(terminal.pattern).__name__ == "PatternStr":
            texts[terminal.name] = pattern
        elif word:
            texts[terminal.name] = word.group(1) or word.group(2)
    return texts


TERMINALS: Mapping[str, str] = _texts()
KEYWORDS: tuple[str, ...] = tuple(sorted(word for word in TERMINALS.values() if word.isalpha()))
NAMES: tuple[str, ...] = (
    *"abcxyfghk",
    "motif",
    "normal",
    "candidate",
    "unit",
    *sorted({*OPS, *DERIVED}),
)
WORDS = (*KEYWORDS, *NAMES)
