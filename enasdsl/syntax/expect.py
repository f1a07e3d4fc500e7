"""What the parser can take next, in plain words: one phrase for each kind of token or group."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType

from enasdsl.syntax.lines import listed

Terminals = frozenset[str]


def _terminals(names: str) -> Terminals:
    return frozenset(listed(names))


OPERAND = _terminals("NAME INT FLOAT STRING TRUE FALSE _LPAR _LSQB _REPEAT")
PREFIXED = OPERAND | _terminals("MINUS _CHOOSE _MAYBE _SHARE")
EXPRESSION = PREFIXED | {"NOT"}
DECLARATION = _terminals(
    "_SPACE _IMPORT _PARAM _OPS _OP CELL BLOCK _NETWORK _MODULO _PUBLISHED _RECIPE _REQUIRE"
)
STATEMENT = _terminals("_NODE _EACH _REQUIRE")
PART = _terminals("STEM STACK HEAD _REQUIRE")
ARITHMETIC = _terminals("PLUS MINUS STAR SLASH FLOOR PERCENT")
COMPARISON = _terminals("EQUAL UNEQUAL LESS ATMOST MORE ATLEAST")
CHANGE = _terminals("PLUS MINUS STAR SLASH")

# The first entry whose terminals are all acceptable speaks for them; then come the rest.
GROUPS: tuple[tuple[Terminals, str], ...] = (
    (DECLARATION, "a declaration such as `space`, `param`, `ops`, `op`, `cell` or `network`"),
    (STATEMENT, "a statement such as `node`, `each`, `require` or `name = value`"),
    (PART, "`stem`, `stack`, `head`, `require` or `name = value`"),
    (EXPRESSION, "a value or an operation"),
    (PREFIXED, "a value or an operation"),
    (OPERAND, "a name, a number, a list or something in parentheses"),
)
OPERATORS: tuple[tuple[Terminals, str], ...] = (
    (COMPARISON | ARITHMETIC | {"CARET", "_ARROW"}, "an operator"),
    (COMPARISON | ARITHMETIC, "an operator"),
    (ARITHMETIC, "an operator"),
    (CHANGE, "`+`, `-`, `*` or `/`"),
)
# Rarer ways to go on, named only where nothing else could be.
CONTINUATIONS = (
    _terminals("AND OR _DOTS _STEP EXCEPT _WITH _WHEN _ELSE _FOR CARET _LPAR _LSQB _ARROW _IN")
    | COMPARISON
)

WORDS: Mapping[str, str] = MappingProxyType(
    {
        "NAME": "a name",
        "INT": "a number",
        "FLOAT": "a number",
        "STRING": "a text in double quotes",
        "_END": "the end of the line",
        "$END": "the end of the file",
        "_ARROW": "`->`",
        "_EQUALS": "`=`",
        "EQUAL": "`==`",
        "UNEQUAL": "`!=`",
        "LESS": "`<`",
        "ATMOST": "`<=`",
        "MORE": "`>`",
        "ATLEAST": "`>=`",
        "PLUS": "`+`",
        "MINUS": "`-`",
        "STAR": "`*`",
        "SLASH": "`/`",
        "FLOOR": "`//`",
        "PERCENT": "`%`",
        "CARET": "`^`",
        "_DOTS": "`..`",
        "_DOT": "`.`",
        "_COMMA": "`,`",
        "_COLON": "`:`",
        "_LPAR": "`(`",
        "_RPAR": "`)`",
        "_LSQB": "`[`",
        "_RSQB": "`]`",
        "_LBRACE": "`{`",
        "_RBRACE": "`}`",
    }
)
SYMBOLS: Mapping[str, str] = MappingProxyType(
    {words.strip("`"): name for name, words in WORDS.items() if words.startswith("`")}
)
KEYWORDS: Mapping[str, str] = MappingProxyType(
    {
        name.lstrip("_").lower(): name
        for name in listed(
            "_CHOOSE _FROM _WITH _IN _WHEN _ELSE _FOR NOT AND OR TRUE FALSE _REPEAT _MAYBE _SHARE "
            "_SPACE _IMPORT _PARAM _OPS _OP CELL BLOCK _NETWORK _MODULO _RECIPE _PUBLISHED "
            "_REQUIRE _NODE _EACH STEM STACK HEAD _ON _DEPTH _STATE _ALIGN _LIKE _AS _ACROSS "
            "_STEP _WHY EXCEPT REPEATS ORDER"
        )
    }
)
RESERVED = tuple(KEYWORDS)[:15]

# How each construct is written, by the token that begins it.
SHAPES: Mapping[str, str] = MappingProxyType(
    {
        "_SPACE": "the name of a space is written `space my_space`",
        "_IMPORT": 'an import is written `import "blocks.enas"` or `import darts`',
        "_PARAM": "a param is written `param B = 7 in 3..32`",
        "_OPS": "a list of operations is written `ops candidate = [identity, conv(3)]`",
        "_OP": "an operation is written `op name(k) { relu -> conv(k) }`",
        "CELL": "a cell is written `cell name(x) { ... }` or `cell name like other with stride 2`",
        "BLOCK": "a block is written `block name(x) { ... }`",
        "_NETWORK": "a network is written `network image_classifier { ... }`",
        "_MODULO": "it is written `modulo { prune dead; commute }`",
        "_PUBLISHED": 'a published size is written `published 4^N "section 2.1" why "reason"`',
        "_RECIPE": "a recipe is written `recipe quick like paper { key: value }`",
        "_REQUIRE": 'a constraint is written `require a < b "message"`',
        "_NODE": "a node is written `node 1 { ... }` or `node i in 2..N { ... }`",
        "_EACH": "it is written `each earlier -> operation when condition`",
        "STEM": "it is written `stem conv(3) -> batch_norm`",
        "STACK": "it is written `stack normal * 5, reduction, normal * 5`",
        "HEAD": "it is written `head global_avg_pool -> linear(classes)`",
    }
)


def words(terminal: str) -> str:
    """How `terminal` is called in a message."""
    return WORDS.get(terminal) or f"`{terminal.lstrip('_').lower()}`"


def phrases(acceptable: Collection[str]) -> tuple[str, ...]:
    """The phrases that together name every acceptable terminal, the telling ones first."""
    rest = set(acceptable) - {"NEWLINE", "SEMICOLON"}
    found: list[str] = []
    for group, phrase in GROUPS:
        if group <= rest:
            found.append(phrase)
            rest -= EXPRESSION | group
    last: list[str] = []
    for group, phrase in OPERATORS:
        if group <= rest:
            last.append(phrase)
            rest -= group
    if len(rest - CONTINUATIONS) + len(found) + len(last) > 0:
        rest -= CONTINUATIONS
    named = sorted({words(terminal) for terminal in rest}, key=lambda text: (len(text) > 3, text))
    return (*found, *named, *last)


def expected(acceptable: Collection[str]) -> str:
    """The phrase after `expected`, naming what may stand here."""
    *start, end = phrases(acceptable)
    return f"{', '.join(start)} or {end}" if start else end
