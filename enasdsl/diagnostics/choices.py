"""The codes for choices: E04xx."""

from __future__ import annotations

from enasdsl.diagnostics.entry import Entry

ENTRIES: dict[str, Entry] = {
    "E0401": Entry(
        "the number to choose does not fit",
        (
            "`choose k from S` takes k different members, so S must have as many; with "
            "repeats a member may come again. A quantity is not negative, and `a..b` goes "
            "upwards."
        ),
        bad=(
            "ops candidate = [conv(3), conv(5)]\n"
            "cell c(x) {\n"
            "  sum(x -> f for f in choose 3 from candidate)\n"
            "}"
        ),
        good=(
            "ops candidate = [conv(3), conv(5)]\n"
            "cell c(x) {\n"
            "  sum(x -> f for f in choose 3 from candidate with repeats)\n"
            "}"
        ),
    ),
    "E0402": Entry(
        "nothing to choose from, or nothing to join",
        (
            "A list, a range or a merge is empty where a member is needed. Only `choose any` "
            "may have an empty list."
        ),
        bad=("cell c(x) {\n  node 1 { choose 1 from nodes }\n  sum(loose)\n}"),
        good=("cell c(x) {\n  node 1 { choose 1 from earlier }\n  sum(loose)\n}"),
    ),
    "E0403": Entry(
        "the list has no such member",
        ("Members of a list are counted from 1."),
        bad=("param widths = 3\nw = [8, 16]\ncell c(x) {\n  x -> conv(3, filters: w[3])\n}"),
        good=("w = [8, 16]\ncell c(x) {\n  x -> conv(3, filters: w[2])\n}"),
    ),
    "E0404": Entry(
        "names and members do not match",
        (
            "`a, b = choose 2 from S` needs one name for each member, and `a, b = E` one for "
            "each value of E."
        ),
        bad=("cell c(x) {\n  a, b = choose 3 from [1, 3, 5, 7]\n  x -> conv(a)\n}"),
        good=("cell c(x) {\n  a, b = choose 2 from [1, 3, 5, 7]\n  x -> conv(a) -> conv(b)\n}"),
    ),
    "E0405": Entry(
        "the alternatives depend on another choice",
        (
            "What is chosen from must be there in every architecture, so that each "
            "alternative is always the same one."
        ),
        bad=(
            "param N = 3\n"
            "n = choose 1..N\n"
            "cell c(x) {\n"
            "  node i in 1..n { x -> relu }\n"
            "  choose nodes\n"
            "}"
        ),
        good=(
            "param N = 3\n"
            "n = choose 1..N\n"
            "cell c(x) {\n"
            "  node i in 1..n { x -> relu }\n"
            "  sum(nodes)\n"
            "}"
        ),
    ),
    "E0406": Entry(
        "an ordered or unnamed choice cannot do this",
        (
            "An ordered choice takes a fixed number. And where several members are taken at "
            "once without names, an alternative cannot hold a choice of its own, since "
            "nothing names which of them it belongs to."
        ),
        bad=("cell c(x) {\n  sum(x -> f for f in choose 1..2 from [relu, tanh] in order)\n}"),
        good=("cell c(x) {\n  sum(x -> f for f in choose 2 from [relu, tanh] in order)\n}"),
    ),
    "E0407": Entry(
        "one choice with different alternatives",
        (
            "A cell is decided once and stamped many times, and an operation that reads a "
            "chosen input is evaluated for each of them, so a choice in it must have the same "
            "alternatives every time."
        ),
        bad=(
            "cell c(x) {\n"
            "  x -> choose [conv(3), conv(5) when filters > 16]\n"
            "}\n"
            "cell d like c with filters * 2\n"
            "param filters = 16\n"
            "network image_classifier {\n"
            "  stem conv(3)\n"
            "  stack c, c(filters: 32)\n"
            "  head global_avg_pool -> linear(classes)\n"
            "}"
        ),
        good=(
            "block c(x) {\n"
            "  x -> choose [conv(3), conv(5) when filters > 16]\n"
            "}\n"
            "param filters = 16\n"
            "network image_classifier {\n"
            "  stem conv(3)\n"
            "  stack c, c(filters: 32)\n"
            "  head global_avg_pool -> linear(classes)\n"
            "}"
        ),
    ),
    "E0408": Entry(
        "a requirement that nothing meets",
        (
            "A `require` is false whatever is chosen, or several of them are false together, so "
            "that the space is empty. The places named are a smallest set of them for which this "
            "is so."
        ),
        bad=(
            "a, b = choose 2 from 8..64 step 8 with repeats\n"
            "require a + b <= 64\n"
            "require a - b >= 56"
        ),
        good=(
            "a, b = choose 2 from 8..64 step 8 with repeats\n"
            "require a + b <= 64\n"
            "require a - b >= 24"
        ),
    ),
    "E0409": Entry(
        "loose ends that are not settled",
        (
            "`count(loose)` in a `require` is the number of loose ends of the whole cell, so it "
            "stands below the last node: a node that follows may read an end that is loose so far."
        ),
        bad=(
            "cell c(x) {\n"
            "  node i in 1..2 { choose earlier -> relu }\n"
            "  require count(loose) == 1\n"
            "  node 3 { previous -> tanh }\n"
            "  sum(loose)\n"
            "}"
        ),
        good=(
            "cell c(x) {\n"
            "  node i in 1..2 { choose earlier -> relu }\n"
            "  node 3 { previous -> tanh }\n"
            "  require count(loose) == 1\n"
            "  sum(loose)\n"
            "}"
        ),
    ),
}
