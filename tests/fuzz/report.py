"""What a run of the fuzzer found, and the smallest file that shows a failure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

TRIES = 2_000


def report(verdicts: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Prints the sums of a run; gives the number of the first file of each kind of failure."""
    totals = sorted(sum(v["seconds"].values()) for v in verdicts)
    print(f"{len(verdicts):,} files, {sum(totals):.0f} s of CPU, the slowest {totals[-1]:.2f} s")
    for outcome, number in Counter(v["outcome"] or "failed" for v in verdicts).most_common():
        print(f"  {number:8,} {outcome}")
    codes = Counter(code for v in verdicts for code in v["codes"])
    print(f"  {len(codes)} codes: {', '.join(sorted(codes))}")
    failed = [v for v in verdicts if v["failure"]]
    first: dict[str, int] = {}
    for verdict in failed:
        first.setdefault(verdict["failure"], verdict["number"])
    print(f"{len(failed):,} failures of {len(first)} kinds")
    for failure, number in Counter(v["failure"] for v in failed).most_common():
        print(f"  {number:8,} {failure}, first in file {first[failure]}")
    return first


def minimise(text: str, fails: Callable[[str], bool]) -> str:
    """A part of `text` that still fails: lines, then stretches of characters, are left out."""
    budget = iter(range(TRIES))
    for cut in (lambda t: t.splitlines(keepends=True), list):
        text = "".join(_smaller(cut(text), lambda parts: fails("".join(parts)), budget))
    return text


def _smaller(
    parts: Sequence[str], fails: Callable[[Sequence[str]], bool], budget: Iterator[int]
) -> Sequence[str]:
    size = max(1, len(parts) // 2)
    while size:
        start = 0
        while start < len(parts) and next(budget, None) is not None:
            fewer = [*parts[:start], *parts[start + size :]]
            if fewer and fails(fewer):
                parts = fewer
            else:
                start += size
        size //= 2
    return parts
