"""The codes for limits: E05xx."""

from __future__ import annotations

from enasdsl.diagnostics.entry import Entry

ENTRIES: dict[str, Entry] = {
    "E0501": Entry(
        "the file expands beyond a limit",
        (
            "Nodes, repeats and stacks are written out when a file is compiled. The limits "
            "keep a slip of the pen, such as a `param` with three zeros too many, from "
            "filling the memory."
        ),
        bad=(
            "param N = 1000000000\n"
            "cell c(x) {\n"
            "  node i in 1..N { previous -> relu }\n"
            "  sum(loose)\n"
            "}"
        ),
        good=("param N = 10\ncell c(x) {\n  node i in 1..N { previous -> relu }\n  sum(loose)\n}"),
    ),
    "E0502": Entry(
        "a number too large to write out",
        ("Counts are exact whole numbers; a power whose digits would fill the memory is refused."),
        bad=("param N = 9\nrequire 9^N^N^N > 1"),
        good=("param N = 9\nrequire 9^N > 1"),
    ),
    "E0503": Entry(
        "calls without end",
        (
            "An operation that uses itself must end: by a condition on an argument that gets "
            "smaller, or by a declared `depth`."
        ),
        bad=(
            "op deep(n) { relu -> (deep(n) when n > 0 else relu) }\ncell c(x) {\n  x -> deep(1)\n}"
        ),
        good=(
            "op deep(n) { relu -> (deep(n - 1) when n > 0 else relu) }\n"
            "cell c(x) {\n"
            "  x -> deep(3)\n"
            "}"
        ),
    ),
}
