"""The codes for shapes: E03xx."""

from __future__ import annotations

from enasdsl.diagnostics.entry import Entry

ENTRIES: dict[str, Entry] = {
    "E0301": Entry(
        "shapes do not fit",
        (
            "An operation got a value that it cannot take, or values that should be alike "
            "differ in channels, height, width or length. The labels show where each of them "
            "comes from. Shapes are followed through every alternative, so the mistake may be "
            "in one alternative alone."
        ),
        bad=("cell c(x) {\n  (x -> conv(3, filters: 8)) + (x -> conv(3, filters: 16))\n}"),
        good=("cell c(x) {\n  (x -> conv(3, filters: 8)) + (x -> conv(3, filters: 8))\n}"),
    ),
    "E0302": Entry(
        "another number of values is read",
        (
            "An operation, a cell or a block reads as many values as it names inputs; a "
            "primitive operation reads one, and merges read any number."
        ),
        bad=("op mix on x, y { x + y }\ncell c(x) {\n  x -> mix\n}"),
        good=("op mix on x, y { x + y }\ncell c(x) {\n  x, x -> mix\n}"),
    ),
    "E0303": Entry(
        "a list or something else stands where one value is needed",
        (
            "Data flows through single values. A list of nodes becomes one by a merge: `sum`, "
            "`concat`, `mean` or `product`."
        ),
        bad=("cell c(x) {\n  node i in 1..2 { x -> relu }\n  nodes -> relu\n}"),
        good=("cell c(x) {\n  node i in 1..2 { x -> relu }\n  sum(nodes) -> relu\n}"),
    ),
    "E0304": Entry(
        "a stride is never taken",
        (
            "In a cell with a stride, what reads an input of the cell must contain an "
            "operation that takes the stride: a convolution or a pooling. `stride` has its "
            "value, so an alternative can say what it does instead."
        ),
        bad=("cell c(x) {\n  node 1 { x -> relu }\n  previous\n}\ncell r like c with stride 2"),
        good=(
            "op skip { identity when stride == 1 else factorized_reduction }\n"
            "cell c(x) {\n"
            "  node 1 { x -> skip }\n"
            "  previous\n"
            "}\n"
            "cell r like c with stride 2"
        ),
    ),
    "E0305": Entry(
        "a stride that is no fixed whole number",
        (
            "A stride is a whole number, and the height and width of all that follows depend on "
            "it, so it cannot be chosen. Choose among operations of one stride, or where in a "
            "row of operations it is taken."
        ),
        bad=("cell c(x) {\n  x -> conv(3, stride: choose [1, 2])\n}"),
        good=("cell c(x) {\n  x -> choose [conv(3, stride: 2), max_pool(3, stride: 2)]\n}"),
    ),
    "E0306": Entry(
        "the network gives the wrong shape",
        (
            "An image classifier gives one number for each of `classes`; a language model "
            "gives, at each position, one for each word of the `vocabulary`."
        ),
        bad=("network image_classifier {\n  head global_avg_pool\n}"),
        good=("network image_classifier {\n  head global_avg_pool -> linear(classes)\n}"),
    ),
    "E0307": Entry(
        "weights cannot be shared",
        (
            "`share` gives several uses of an operation one set of weights, so they must read "
            "and give the same number of channels."
        ),
        bad=(
            "cell c(x) {\n"
            "  node i in 1..2 { x -> share conv(3, filters: 8 * i) across nodes }\n"
            "  concat(loose)\n"
            "}"
        ),
        good=(
            "cell c(x) {\n"
            "  node i in 1..2 { x -> share conv(3, filters: 8) across nodes }\n"
            "  concat(loose)\n"
            "}"
        ),
    ),
    "E0308": Entry(
        "a position reads those behind it",
        (
            "A language model predicts each word from those before it. An operation that lets a "
            "position read later ones, such as attention that is not causal or a mean over the "
            "whole sequence, would show it the answer, and its figures would mean nothing."
        ),
        bad=(
            "network language_model {\n"
            "  stem embedding(16)\n"
            "  stack self_attention(2, 8)\n"
            "  head linear(vocabulary)\n"
            "}"
        ),
        good=(
            "network language_model {\n"
            "  stem embedding(16)\n"
            "  stack self_attention(2, 8, causal: true)\n"
            "  head linear(vocabulary)\n"
            "}"
        ),
    ),
}
