"""The codes for names, arguments and values: E02xx."""

from __future__ import annotations

from enasdsl.diagnostics.entry import Entry

ENTRIES: dict[str, Entry] = {
    "E0201": Entry(
        "declared twice",
        (
            "A file has one declaration of each name, and none that its imports or the language's "
            "own operations already have: what a name means never depends on the order of files. "
            "It also has at most one `space`, one `network` and one `modulo`, a network one stem, "
            "one stack and one head."
        ),
        bad="param N = 3\nop N { relu }",
        good="param N = 3\nop rectified { relu }",
    ),
    "E0202": Entry(
        "two nodes of one number",
        "The nodes of a cell are told apart by their numbers.",
        bad="node 1 { x -> relu }\nnode 1 { x -> tanh }",
        good="node 1 { x -> relu }\nnode 2 { x -> tanh }",
    ),
    "E0203": Entry(
        "unknown operation",
        (
            "A name is called, or stands behind an arrow or in a list of operations, and neither "
            "the language nor this file nor what it imports has an operation of that name."
        ),
        bad="ops candidate = [sepcnv(3), identity]",
        good="ops candidate = [sep_conv(3), identity]",
    ),
    "E0204": Entry(
        "unknown name",
        (
            "A name must be a param, a declaration, a word of the language, or something bound "
            "above it in the same body: an input, a state, a variable, `name = ...`."
        ),
        bad="a = choose 1 from earlir",
        good="a = choose 1 from earlier",
    ),
    "E0205": Entry(
        "a word out of its place",
        (
            "`earlier`, `nodes`, `inputs`, `previous` and `loose` are parts of the cell or block "
            "around them, and `node` and `each` make such parts; outside a cell they mean "
            "nothing. An operation gets what it needs by `on`. `any` only says how many a "
            "`choose` takes."
        ),
        bad="op pick on x { choose 1 from earlier }",
        good="cell pick(x) { node 1 { choose 1 from earlier }; sum(loose) }",
    ),
    "E0206": Entry(
        "an operation is needed",
        (
            "What stands behind an arrow, in `ops`, in a stage of a network or before arguments "
            "is applied to values, so it must be an operation or a choice of one: no number, "
            "text, set or list."
        ),
        bad="ops candidate = [conv(3), conv(5)]\ncell c(x) { x -> candidate }",
        good="ops candidate = [conv(3), conv(5)]\ncell c(x) { x -> choose candidate }",
    ),
    "E0207": Entry(
        "arguments that an operation does not take",
        (
            "An argument is unknown, missing, given twice, one too many, or of the wrong kind. "
            "Arguments stand in the order of the parameters, then by name. Every operation "
            "accepts `stride`, `filters` and `hidden` by name."
        ),
        bad="x -> conv(3, padding: 1)",
        good='x -> conv(3, padding: "valid")',
    ),
    "E0208": Entry(
        "a number that does not exist",
        (
            "Constants are computed when the file is read. This one cannot be: it divides by "
            "zero, it is too large to write down, or it mixes numbers, texts and truths. `/` "
            "divides exactly, `//` rounds down."
        ),
        bad="param N = 12 / 0",
        good="param N = 12 / 3",
    ),
    "E0209": Entry(
        "a list that is none",
        (
            "Members are taken from a list: one written out, a named one, a range, or a word for "
            "parts of a cell such as `earlier`. A single number, operation or value has none."
        ),
        bad="param n = 3\ncell c(x) { x -> conv(choose n) }",
        good="param n = 3\ncell c(x) { x -> conv(choose 1..n) }",
    ),
    "E0210": Entry(
        "`with` between other things",
        (
            "Between values `with` has one use: `loose with inputs` counts the inputs that no "
            "node reads among the loose ends. Other lists are joined as `[nodes, inputs]`."
        ),
        bad="cell c(x) {\n  node 1 { x -> relu }\n  concat(nodes with inputs)\n}",
        good="cell c(x) {\n  node 1 { x -> relu }\n  concat(loose with inputs)\n}",
    ),
    "E0211": Entry(
        "a number that is too small",
        (
            "Kernels, strides, widths, depths and numbers of cells are at least 1, and rates at "
            "least 0."
        ),
        bad="x -> conv(0)",
        good="x -> conv(1)",
    ),
    "E0220": Entry(
        "a name bound twice",
        (
            "A name means one thing in its whole body. Inputs, variables and `name = ...` cannot "
            "take a name that something around them already has; nothing is shadowed, so that a "
            "name can be looked up by eye."
        ),
        bad="y = x -> relu\ny = y -> tanh",
        good="y = x -> relu\nz = y -> tanh",
    ),
    "E0221": Entry(
        "not known before the search",
        (
            "Params, their ranges, numbers of cells, depths and published sizes are settled when "
            "the file is read. They may use numbers and the params above, but no choice and no "
            "operation."
        ),
        bad="param N = choose [2, 3]",
        good="param N = 2 in [2, 3]",
    ),
    "E0222": Entry(
        "a param out of its range",
        (
            "`in` says which values a param may have. The default, `--set` and the `params` of a "
            "recipe must keep to it."
        ),
        bad="param B = 2 in 3..32",
        good="param B = 7 in 3..32",
    ),
    "E0223": Entry(
        "a negative size",
        (
            "A whole number is a size, a count or a position here, and none of them is negative. "
            "Where a negative number makes sense, give its range with `in`."
        ),
        bad="param N = -3",
        good="param N = 3",
    ),
    "E0224": Entry(
        "a param that reads a later one",
        "Params are evaluated from top to bottom.",
        bad="param B = N + 2\nparam N = 5",
        good="param N = 5\nparam B = N + 2",
    ),
    "E0225": Entry(
        "unknown param",
        (
            "`--set NAME=VALUE` and the `params` of a recipe can only name params that the file "
            "or an import declares."
        ),
        bad="param filters = 20\nrecipe quick { params { fliters: 8 } }",
        good="param filters = 20\nrecipe quick { params { filters: 8 } }",
    ),
    "E0226": Entry(
        "a param of another kind",
        (
            "A param keeps the kind of its default: a whole number, a number, a truth or a text. "
            "Where a whole number may become a fraction, write the default as `1.0`."
        ),
        bad="param N = 3\nrecipe quick { params { N: 2.5 } }",
        good="param N = 3\nrecipe quick { params { N: 2 } }",
    ),
    "E0227": Entry(
        "a name that the language has taken",
        (
            "Operations, sets such as `earlier`, numbers such as `stride` and functions such as "
            "`count` keep their meaning in every file. `filters` and `hidden` may be params, "
            "which then give the width at first."
        ),
        bad="op relu { tanh }",
        good="op squash { tanh }",
    ),
    "E0228": Entry(
        "used before it is bound",
        (
            "A body is read from top to bottom: a name is known only below the line that binds "
            "it. The same holds for choices bound outside every cell."
        ),
        bad="z = y -> relu\ny = x -> tanh",
        good="y = x -> tanh\nz = y -> relu",
    ),
    "E0229": Entry(
        "an input from a later node",
        (
            "`nodes[k]` is the k-th node above, counted from 1. A node reads the inputs and the "
            "nodes above it, so that data flows one way."
        ),
        bad="node 1 { nodes[2] -> relu }\nnode 2 { x -> relu }",
        good="node 1 { x -> relu }\nnode 2 { nodes[1] -> relu }",
    ),
    "E0230": Entry(
        "an alternative written twice",
        (
            "The alternatives of a choice are a set. An alternative that stands twice would count "
            "the same architecture twice."
        ),
        bad="ops candidate = [conv(3), conv(3)]",
        good="ops candidate = [conv(3), conv(5)]",
    ),
    "E0231": Entry(
        "`like` something that is no cell",
        (
            "`cell a like b` takes the body of the cell or block `b` and makes its own decisions "
            "in it."
        ),
        bad="cell reduction like norml with stride 2",
        good="cell reduction like normal with stride 2",
    ),
    "E0232": Entry(
        "a change that `with` cannot make",
        (
            "`with` sets or scales what every operation of the body can read: `stride`, "
            "`filters`, `hidden`, and params."
        ),
        bad="cell reduction like normal with strides 2",
        good="cell reduction like normal with stride 2",
    ),
    "E0233": Entry(
        "a body without a value",
        (
            "The last line of a body is what the body gives: the value of a node or a cell, or "
            "the operation that an `op` stands for."
        ),
        bad="cell c(x) {\n  y = x -> relu\n}",
        good="cell c(x) {\n  y = x -> relu\n  y\n}",
    ),
    "E0234": Entry(
        "a value that nothing reads",
        (
            "A lone expression is the value of its body, and so it must be the last line. Give it "
            "a name if a later line is to read it."
        ),
        bad="x -> relu\nx -> tanh",
        good="y = x -> relu\ny -> tanh",
    ),
    "E0235": Entry(
        "a network without parts",
        ("A network is made of a `stem`, a `stack` and a `head`, at least one of them."),
        bad="network image_classifier { }",
        good="network image_classifier { head global_avg_pool -> linear(classes) }",
    ),
    "E0236": Entry(
        "rules without an end",
        (
            "Operations that use each other need a bound: `depth`, or an argument that a `when` "
            "stops."
        ),
        bad="op unary { choose [relu, unary] }",
        good="op unary depth 2 { choose [relu, unary] }",
    ),
    "E0237": Entry(
        "unknown kind of network",
        ("A network is named for its task, which says what comes in and what must come out."),
        bad="network classifier { head linear(classes) }",
        good="network image_classifier { head global_avg_pool -> linear(classes) }",
    ),
    "E0238": Entry(
        "unknown rule of `modulo`",
        (
            "`modulo` says which architectures count as one: `prune dead`, `erase zero`, "
            "`contract identity`, `commute`, `rename`."
        ),
        bad="modulo { prune deads }",
        good="modulo { prune dead }",
    ),
    "E0239": Entry(
        "nothing to share across",
        (
            "Weights belong to a place: a stamp of a cell, a node, the input that was chosen, the "
            "alternative, the use in the text. `share ... across` drops one of these: `stamps`, "
            "`nodes`, `inputs`, `alternatives`, `uses`."
        ),
        bad="x -> share conv(3) across node",
        good="x -> share conv(3) across nodes",
    ),
}
