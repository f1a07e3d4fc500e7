"""Long lines of Python, folded at their brackets."""

from __future__ import annotations

WIDEST = 100


def folded(line: str) -> list[str]:
    """A line, or several where it is wider than 100 characters.

    A remark at its end goes above it; what stands in its outermost brackets goes below, first in
    one line, else each part in its own.
    """
    if len(line) <= WIDEST:
        return [line]
    indent = line[: len(line) - len(line.lstrip())]
    code, mark, remark = line.partition("  # ")
    if mark:
        return (
            [*folded(code), f"{indent}# {remark}"]
            if len(code) > WIDEST
            else [f"{indent}# {remark}", code]
        )
    head, sign, value = _value(code)
    terms = _parts(value, " + ")
    if len(terms) > 1:
        whole = f"{indent}    {value}"
        if len(whole) <= WIDEST:
            return [f"{head}{sign}(", whole, f"{indent})"]
        rows = [f"{indent}    {terms[0]}", *(f"{indent}    + {term}" for term in terms[1:])]
        return [f"{head}{sign}(", *rows, f"{indent})"]
    span = _outermost(code)
    return [code] if span is None else _opened(code, indent, *span)


def _opened(code: str, indent: str, start: int, stop: int) -> list[str]:
    """What stands in a pair of brackets, by itself."""
    inner = f"{indent}    "
    head, tail = code[: start + 1], f"{indent}{code[stop:]}"
    whole = f"{inner}{code[start + 1 : stop]}"
    if len(whole) <= WIDEST:
        return [head, whole, tail]
    parts = _parts(code[start + 1 : stop], ",")
    if len(parts) > 1:
        rows = [f"{inner}{part}," for part in parts]
    else:  # a comma would make a pair of brackets a tuple
        first, *others = _parts(code[start + 1 : stop], " + ")
        rows = [f"{inner}{first}", *(f"{inner}+ {term}" for term in others)]
    return [head, *(line for row in rows for line in folded(row)), tail]


def _value(code: str) -> tuple[str, str, str]:
    """The expression that a line assigns or returns, and what stands before it."""
    for sign in (" = ", "return "):
        head, found, value = code.partition(sign)
        if found and "(" not in head:
            return head, sign, value
    return "", "", ""


def _outermost(code: str) -> tuple[int, int] | None:
    """The widest pair of brackets that nothing encloses."""
    pairs: list[tuple[int, int]] = []
    opened: list[int] = []
    for at, sign in enumerate(code):
        if sign in "([{":
            opened.append(at)
        elif sign in ")]}":
            start = opened.pop()
            if not opened:
                pairs.append((start, at))
    return max(pairs, key=lambda pair: pair[1] - pair[0], default=None)


def _parts(code: str, sign: str) -> list[str]:
    """What a sign parts, where it stands within no brackets."""
    found, depth, start = [], 0, 0
    for at, letter in enumerate(code):
        depth += (letter in "([{") - (letter in ")]}")
        if depth == 0 and code.startswith(sign, at):
            found.append(code[start:at].strip())
            start = at + len(sign)
    return [part for part in (*found, code[start:].strip()) if part]
