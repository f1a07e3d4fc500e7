"""The codes for imports and recipes: E06xx."""

from __future__ import annotations

from enasdsl.diagnostics.entry import Entry

ENTRIES: dict[str, Entry] = {
    "E0601": Entry(
        "no file to import",
        (
            '`import "blocks.enas"` reads a file beside this one or in a folder below; `import '
            "micro` reads a space that comes with the package."
        ),
        bad='import "blocks"',
        good='import "blocks.enas"',
    ),
    "E0602": Entry(
        "an import from elsewhere",
        (
            "A file reaches only its own folder and those below it, so that a folder of spaces "
            "can be moved and trusted as a whole. Links that lead out count as out."
        ),
        bad='import "../blocks.enas"',
        good='import "blocks.enas"',
    ),
    "E0603": Entry(
        "imports in a circle",
        "A file that is needed to read itself cannot be read.",
        bad='import "itself.enas"',
        good='import "another.enas"',
    ),
    "E0610": Entry(
        "unknown setting",
        "A recipe has a fixed set of keys, nested or written with dots.",
        bad="recipe quick { wieghts { lr: 0.1 } }",
        good="recipe quick { weights { lr: 0.1 } }",
    ),
    "E0611": Entry(
        "a setting of the wrong kind",
        "Each setting takes a number, a truth, a word or a block.",
        bad="recipe quick { weights { epochs: many } }",
        good="recipe quick { weights { epochs: 30 } }",
    ),
    "E0612": Entry(
        "a setting out of its range",
        "The value has the right kind, and the search could not work with it.",
        bad="recipe quick { weights { lr: -0.1 } }",
        good="recipe quick { weights { lr: 0.1 } }",
    ),
    "E0613": Entry(
        "a setting given twice",
        (
            "Within one recipe, each setting is given once. A recipe that is `like` another may "
            "give it again."
        ),
        bad="recipe quick { weights { lr: 0.1 }; weights.lr: 0.2 }",
        good="recipe quick { weights { lr: 0.2 } }",
    ),
    "E0614": Entry(
        "`like` something that is no recipe",
        (
            "A recipe takes over the settings of another recipe of the same file, and gives its "
            "own in their place. The chain must end."
        ),
        bad="recipe quick like papr { }",
        good="recipe paper { }\nrecipe quick like paper { }",
    ),
    "E0616": Entry(
        "a setting that is no constant",
        (
            "Settings are numbers, words, texts, `true`, `false`, lists of these, or arithmetic "
            "over params. The weights that architectures share are trained with one value of each. "
            "`data` and `weights` of `child` may read a choice that the top of the file makes of "
            "one among constants: an architecture that is trained by itself takes its own pick."
        ),
        bad="recipe quick { weights { lr: choose [0.1, 0.2] } }",
        good="recipe quick { weights { lr: 0.1 } }",
    ),
}
