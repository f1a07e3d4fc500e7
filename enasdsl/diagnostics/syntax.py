"""The codes for syntax and files: E01xx."""

from __future__ import annotations

from enasdsl.diagnostics.entry import Entry

ENTRIES: dict[str, Entry] = {
    "E0101": Entry(
        "something else was expected",
        (
            "The parser met a word or sign that cannot stand where it stands. The message "
            "names what could stand there. Often a comma, an operator or the end of a line "
            "is missing just before."
        ),
        bad="cell normal(prev_prev prev) {\n  prev\n}",
        good="cell normal(prev_prev, prev) {\n  prev\n}",
    ),
    "E0102": Entry(
        "a bracket is never closed",
        (
            "Every `{`, `(` and `[` needs its counterpart. The message points to the one "
            "that stayed open; where braces stand on lines of their own, their indentation "
            "tells which."
        ),
        bad="cell c(x) {\n  node 1 { x -> relu\n  loose\n}",
        good="cell c(x) {\n  node 1 { x -> relu }\n  loose\n}",
    ),
    "E0103": Entry(
        "a bracket closes nothing",
        "A `}`, `)` or `]` stands where no bracket of its kind is open.",
        bad="param N = 3\n}",
        good="param N = 3",
    ),
    "E0104": Entry(
        "a character that the language does not have",
        (
            "Names and operators are written in ASCII. Curly quotes, arrows and blanks of "
            "other kinds come from text processors; replace them."
        ),
        bad="y = x → relu",
        good="y = x -> relu",
    ),
    "E0105": Entry(
        "a text does not end",
        "A text begins and ends with a double quote on the same line.",
        bad='require N > 1 "too few',
        good='require N > 1 "too few"',
    ),
    "E0106": Entry(
        "a word that the language does not have",
        ("A name stands where only a word of the language makes sense, and it resembles one."),
        bad="a = chose 1 from earlier",
        good="a = choose 1 from earlier",
    ),
    "E0107": Entry(
        "an operator of another language",
        ("Data flow is written `->`, powers `^`, ranges `..`, and logic `and`, `or`, `not`."),
        bad="y = x |> relu",
        good="y = x -> relu",
    ),
    "E0108": Entry(
        "the wrong one of `=`, `==` and `:`",
        (
            "`=` gives a value a name, `==` compares two values, and `:` names an argument "
            "or a key of a recipe."
        ),
        bad="y = x -> conv(kernel = 3)",
        good="y = x -> conv(kernel: 3)",
    ),
    "E0109": Entry(
        "something other than a name is given a value",
        "Only names, separated by commas, can stand left of `=`.",
        bad="f(x) = 3",
        good="fx = 3",
    ),
    "E0110": Entry(
        "too deeply nested",
        (
            "Brackets, operators and prefixes may stand inside each other up to a limit of "
            "100 levels; a long sum counts a level for each term. Name the inner parts, or "
            "use `sum`."
        ),
        bad="y = ((((... x ...))))",
        good="inner = x -> relu\ny = inner",
    ),
    "E0111": Entry(
        "a reserved word as a name",
        (
            "The words `choose from with in when else for not and or true false repeat "
            "maybe share` are never names. All other words are reserved only where the "
            "grammar asks for them."
        ),
        bad="param in = 3",
        good="param inputs_kept = 3",
    ),
    "E0112": Entry(
        "a declaration or statement in the wrong place",
        (
            "Declarations (`param`, `op`, `cell` ...) stand outside of all braces; `node` "
            "and `each` stand in the bodies of cells, and `stem`, `stack` and `head` in "
            "networks."
        ),
        bad="node 1 { x }",
        good="cell c(x) {\n  node 1 { x }\n}",
    ),
    "E0114": Entry(
        "an unknown escape in a text",
        'A text knows the escapes `\\"`, `\\\\`, `\\n` and `\\t`.',
        bad='import "parts\\darts.enas"',
        good='import "parts/darts.enas"',
    ),
    "E0115": Entry(
        "a number is too large",
        (
            "Whole numbers have at most 1000 digits, and numbers with a point or an "
            "exponent stay below 1.8e308."
        ),
        bad="param rate = 1e999",
        good="param rate = 1e3",
    ),
    "E0150": Entry(
        "the file does not exist",
        ("No file has this path. A name without a path and an ending finds a shipped space."),
        bad="enasdsl check spaces/mirco.enas",
        good="enasdsl check spaces/micro.enas",
    ),
    "E0151": Entry(
        "not a file",
        "The path leads to a folder, a device or a pipe.",
        bad="enasdsl check spaces/",
        good="enasdsl check spaces/micro.enas",
    ),
    "E0152": Entry(
        "the file cannot be read",
        "The system refuses to open the file, mostly for want of permission.",
        bad="chmod 000 space.enas",
        good="chmod 644 space.enas",
    ),
    "E0153": Entry(
        "the file is not UTF-8",
        "Files are read as UTF-8; the message names the first byte that is not.",
        bad="(a file saved as Latin-1)",
        good="(the same file saved as UTF-8)",
    ),
    "E0154": Entry(
        "the file is too large",
        (
            "A file has at most 1,000,000 bytes. A space that needs more is written with "
            "`repeat`, `node i in ...` or imports."
        ),
        bad="(a file of 10 MB)",
        good="(a file of a few kB)",
    ),
    "E0155": Entry(
        "the file holds NUL characters",
        "NUL characters are a sign of a binary file or of UTF-16.",
        bad="(a file saved as UTF-16)",
        good="(the same file saved as UTF-8)",
    ),
    "E0156": Entry(
        "the file is empty",
        "Nothing but blanks and comments stands in the file.",
        bad="# to be written",
        good="space my_space\nparam N = 3",
    ),
}
