"""Valid files of 300 lines, of several kinds: what a front end must be quick with."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import islice

LINES = 300
HEAD = ("space long", "param filters = 8")
TAIL = (
    *("network image_classifier {", "  stem conv(3)", "  stack {stages}"),
    *("  head global_avg_pool -> linear(classes)", "}"),
)


def _file(body: Iterator[str], stages: str) -> str:
    tail = [line.replace("{stages}", stages) for line in TAIL]
    lines = [*HEAD, *islice(body, LINES - len(HEAD) - len(tail)), *tail]
    return "\n".join([*lines, ""])


def cells() -> str:
    """Cells of six lines, each of them in the network."""

    def body() -> Iterator[str]:
        for k in range(LINES):
            yield f"cell c{k}(x) {{"
            yield "  node i in 1..3 {"
            yield "    choose earlier -> choose [conv(1), sep_conv(3), max_pool(3)]"
            yield "  }"
            yield "  sum(loose)"
            yield "}"

    whole = (LINES - len(HEAD) - len(TAIL)) // 6
    text = _file(islice(body(), 6 * whole), ", ".join(f"c{k}" for k in range(whole)))
    return text + "# the end\n" * (LINES - text.count("\n"))


def ops() -> str:
    """Operations that use those before them, twenty deep."""
    lines = (
        f"op o{k}(n) {{ {'conv(n)' if k % 20 == 0 else f'relu -> o{k - 1}(n)'} }}"
        for k in range(LINES)
    )
    count = LINES - len(HEAD) - len(TAIL)
    stages = ", ".join(f"choose [o{k}(1), o{k}(3)]" for k in range(0, count, 3))
    return _file(lines, stages)


def stages() -> str:
    """A network of 286 stages, one on a line."""
    inner = ",\n        ".join(
        f"choose [conv({2 * (k % 3) + 1}), sep_conv(3)]" for k in range(LINES - 10)
    )
    text = _file(iter(["nonlinear = choose [relu, tanh]"]), inner)
    return text + "# the end\n" * (LINES - text.count("\n"))


def params() -> str:
    """Params, each from the one before it."""
    lines = (f"param p{k} = {f'p{k - 1} % 7 + 1' if k else 1} in 1..9" for k in range(LINES))
    last = LINES - len(HEAD) - len(TAIL) - 1
    return _file(lines, f"conv(2 * p{last} - 1), relu")


FILES: Mapping[str, Callable[[], str]] = {f.__name__: f for f in (cells, ops, stages, params)}
