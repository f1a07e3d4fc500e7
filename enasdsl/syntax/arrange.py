"""From tokens to statements and blocks, with the blanks that stand between tokens on one line."""

from __future__ import annotations

from dataclasses import dataclass, field

from enasdsl.syntax.lines import OPENERS
from enasdsl.syntax.scan import Gap, Token

ROLES = frozenset({"STEM", "STACK", "HEAD"})
ROLE_WIDTH = len("stack ")

_ENDS_VALUE = frozenset(
    {"NAME", "INT", "FLOAT", "STRING", "TRUE", "FALSE", "_RPAR", "_RSQB", "_RBRACE"}
)
_TIGHT = frozenset({"_DOTS", "_DOT", "CARET"})
_TIGHT_BEFORE = frozenset({"_RPAR", "_RSQB", "_COMMA", "_COLON"})
_TIGHT_AFTER = frozenset({"_LPAR", "_LSQB"})


@dataclass(frozen=True, slots=True)
class Piece:
    """A token, or a whole block in braces, in a statement.

    `space` stands before it on a line, `depth` counts the brackets around it, `mate` is the index
    of the closing bracket of an opening one, `commas` says that this encloses members that may
    end with a comma.
    """

    token: Token
    kind: str
    space: str
    depth: int
    block: Block | None = None
    mate: int = 0
    commas: bool = False

    @property
    def gap(self) -> Gap:
        return self.token.gap

    @property
    def flat(self) -> str | None:
        """Its text on one line, None where it cannot be on one."""
        return self.token.text if self.block is None else self.block.flat

    @property
    def last_kind(self) -> str:
        return self.kind if self.block is None else "_RBRACE"


@dataclass(frozen=True, slots=True)
class Statement:
    pieces: tuple[Piece, ...]
    flat: str | None = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "flat", _flat(self.pieces))

    @property
    def gap(self) -> Gap:
        return self.pieces[0].gap

    @property
    def role(self) -> bool:
        return self.pieces[0].kind in ROLES


@dataclass(frozen=True, slots=True)
class Block:
    """The statements of a file or between braces, and what stands before its end."""

    statements: tuple[Statement, ...]
    ending: Gap
    spread: bool  # its author began it on a line of its own
    flat: str | None = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "flat", _flat_block(self))


def exploded_by_hand(pieces: tuple[Piece, ...], index: int) -> bool:
    """Whether the bracket at `index` ends its line in the author's text, and does so for good."""
    after = pieces[index + 1].gap
    return bool(after.comments) or (after.newline and pieces[index].commas)


def _flat(pieces: tuple[Piece, ...]) -> str | None:
    parts: list[str] = []
    for index, piece in enumerate(pieces):
        text = piece.flat
        if text is None or (index and piece.gap.comments):
            return None
        if piece.mate and exploded_by_hand(pieces, index):
            return None
        parts += [piece.space, text] if index else [text]
    return "".join(parts)


def _flat_block(block: Block) -> str | None:
    gaps = [statement.gap for statement in block.statements]
    apart = any(gap.newline or gap.comments for gap in gaps)
    if apart or block.spread or block.ending.comments:
        return None
    texts = [statement.flat for statement in block.statements]
    whole = [text for text in texts if text is not None]
    if len(whole) < len(texts):
        return None
    return f"{{ {'; '.join(whole)} }}" if whole else "{}"


# --------------------------------------------------------------------------- from the tokens


def arrange(tokens: list[Token]) -> Block:
    """The file as a block, from its tokens with `$END` as the last."""
    return _Arranger(tokens).block(spread=True)


class _Arranger:
    def __init__(self, tokens: list[Token]) -> None:
        self.tokens = tokens
        self.place = 0

    def block(self, *, spread: bool) -> Block:
        statements: list[Statement] = []
        while self.tokens[self.place].kind not in ("_RBRACE", "$END"):
            statements.append(self.statement())
        ending = self.tokens[self.place].gap
        self.place += 1
        return Block(tuple(statements), ending, spread)

    def statement(self) -> Statement:
        pieces: list[Piece] = []
        open_at: list[tuple[int, bool]] = []
        while not pieces or not self.over():
            token = self.tokens[self.place]
            self.place += 1
            if token.kind in ("_RPAR", "_RSQB"):
                opening, postfix = open_at.pop()
                pieces[opening] = _closed(pieces, opening, postfix=postfix)
            space, depth, block = _space(pieces, token.kind), len(open_at), None
            if token.kind == "_LBRACE":
                block = self.block(spread=self.tokens[self.place].gap.newline)
            elif token.kind in OPENERS:
                open_at.append((len(pieces), _postfix(pieces)))
            pieces.append(Piece(token, token.kind, space, depth, block))
        return Statement(tuple(pieces))

    def over(self) -> bool:
        """Whether a statement ends before the next token."""
        token = self.tokens[self.place]
        return token.gap.ended or token.kind in ("_RBRACE", "$END")


def _closed(pieces: list[Piece], opening: int, *, postfix: bool) -> Piece:
    """The opening bracket, now that all before the closing one is there."""
    first = pieces[opening]
    inner = [p.kind for p in pieces[opening + 1 :] if p.depth == first.depth + 1]
    members = postfix == (first.kind == "_LPAR")  # a list written out, or what is between ( )
    alone = "_FOR" in inner and "_COMMA" not in inner
    commas = members and bool(inner) and not alone and not _names_inputs(pieces, opening)
    return Piece(first.token, first.kind, first.space, first.depth, mate=len(pieces), commas=commas)


def _names_inputs(pieces: list[Piece], opening: int) -> bool:
    """Whether the inputs of a cell are named in the bracket at `opening`."""
    if pieces[0].kind not in ("CELL", "BLOCK"):
        return False
    return all(piece.kind != "_LPAR" or piece.depth for piece in pieces[:opening])


def _postfix(before: list[Piece]) -> bool:
    """Whether a bracket behind these pieces belongs to the last of them."""
    return bool(before) and before[-1].last_kind in _ENDS_VALUE and not _changed(before)


def _changed(before: list[Piece]) -> bool:
    """Whether the last piece is what a `like ... with` changes, and the new value follows."""
    like = len(before) > 4 and before[0].kind in ("CELL", "BLOCK") and before[2].kind == "_LIKE"
    return like and before[-1].depth == 0 and before[-2].kind in ("_WITH", "_COMMA")


def _space(before: list[Piece], kind: str) -> str:
    """What stands between the last piece and a token of this kind on one line."""
    if not before:
        return ""
    last = before[-1]
    tight = last.kind in _TIGHT | _TIGHT_AFTER or kind in _TIGHT | _TIGHT_BEFORE
    bracket = kind in ("_LPAR", "_LSQB") and _postfix(before)
    return "" if tight or bracket or _sign(before) else " "


def _sign(before: list[Piece]) -> bool:
    """Whether the last piece is a `-` that subtracts from nothing."""
    if before[-1].kind != "MINUS":
        return False
    return len(before) < 2 or before[-2].last_kind not in _ENDS_VALUE | {"REPEATS", "ORDER"}
