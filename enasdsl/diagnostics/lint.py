"""The codes for what is legal and likely wrong: W07xx."""

from __future__ import annotations

from enasdsl.diagnostics.entry import Entry

ENTRIES: dict[str, Entry] = {
    "W0701": Entry(
        "a param that nothing reads",
        (
            "Setting it would change nothing. Params called `filters` and `hidden` are the "
            "widths in force and need not be read. A name that begins with `_` is taken as "
            "meant so."
        ),
        bad=("space s\nparam N = 3\nparam M = 4\ncell c(x) { x -> conv(3) * N }"),
        good=("space s\nparam N = 3\ncell c(x) { x -> conv(3) * N }"),
    ),
    "W0702": Entry(
        "a declaration that nothing uses",
        (
            "An operation, a list, a cell, a block or a name at the top of the file that the "
            "file never mentions. In a file without a network cells and blocks are there by "
            "themselves, and a file without `space` and network is one that others import."
        ),
        bad=("space s\nop unit { relu }\ncell c(x) { x -> tanh }"),
        good=("space s\nop unit { relu }\ncell c(x) { x -> unit }"),
    ),
    "W0703": Entry(
        "an import of which nothing is used",
        (
            "The file mentions no name of the imported one, and that makes no requirement "
            "and sets no width."
        ),
        bad=("space s\nimport nasbench_macro\ncell c(x) { x -> relu }"),
        good=("space s\nimport nasbench_macro\ncell c(x) { x -> choose candidate }"),
    ),
    "W0704": Entry(
        "a name that is bound and never read",
        (
            "The name stands only left of its `=`. If a choice is bound to it, that is a "
            "decision which multiplies the size of the space and changes no architecture."
        ),
        bad=("cell c(x) {\n  k = choose [1, 3]\n  x -> conv(3)\n}"),
        good=("cell c(x) {\n  k = choose [1, 3]\n  x -> conv(k)\n}"),
    ),
    "W0705": Entry(
        "an input or a parameter that is never read",
        (
            "The body mentions it nowhere, and none of the sets that hold the inputs of a "
            "cell. If it has to be there, let its name begin with `_`."
        ),
        bad=("op unit(k, act) { conv(k) -> relu }\ncell c(x) { x -> unit(3, tanh) }"),
        good=("op unit(k, act) { conv(k) -> act }\ncell c(x) { x -> unit(3, tanh) }"),
    ),
    "W0706": Entry(
        "a choice with one alternative",
        ("There is nothing else to take, and yet it is a decision in every record."),
        bad=("cell c(x) { x -> choose [relu] }"),
        good=("cell c(x) { x -> choose [relu, tanh] }"),
    ),
    "W0707": Entry(
        "a guard that is settled",
        (
            "Its condition is true, or false, whatever the params are set to: it compares a "
            "number with others that it can never be. The ranges of params, and those that "
            "nodes and repetitions count through, are taken into account."
        ),
        bad=("cell c(x) {\n  node i in 1..3 { previous -> (conv(3) when i > 3 else relu) }\n}"),
        good=("cell c(x) {\n  node i in 1..3 { previous -> (conv(3) when i > 2 else relu) }\n}"),
    ),
    "W0708": Entry(
        "a requirement that always holds",
        ("Whatever the params are set to, it keeps no architecture out."),
        bad=("param N = 3 in 1..9\nrequire N >= 1\ncell c(x) { x -> relu * N }"),
        good=("param N = 3 in 1..9\nrequire N >= 2\ncell c(x) { x -> relu * N }"),
    ),
    "W0709": Entry(
        "words that mean nothing for a choice of one",
        ("`with repeats` and `in order` speak of several members that are chosen together."),
        bad=("cell c(x) { x -> choose [relu, tanh] with repeats }"),
        good=("cell c(x) { x -> choose [relu, tanh] }"),
    ),
    "W0710": Entry(
        "a node that nothing can read",
        (
            "From the node on, the cell mentions neither `nodes` nor `earlier`, `previous` or "
            "`loose`, and does not end with the node: its value is lost, and its decisions "
            "change nothing."
        ),
        bad=("cell c(x) {\n  node 1 { x -> choose [relu, tanh] }\n  x -> conv(3)\n}"),
        good=("cell c(x) {\n  node 1 { x -> choose [relu, tanh] }\n  previous -> conv(3)\n}"),
    ),
    "W0711": Entry(
        "a comment that allows nothing",
        (
            "`# lint: allow W0701` allows a finding in its line or, alone in a line, in the "
            "next one. Where there is no such finding, the comment is out of date."
        ),
        bad=("param N = 3  # lint: allow W0701\ncell c(x) { x -> relu * N }"),
        good=("param N = 3\ncell c(x) { x -> relu * N }"),
    ),
}
