"""The commands by name: where each stands, what it does, and how it is used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Command:
    """A command: the module and the function, the first sentence of its help, and its examples.

    The module is imported when the command is asked for, and for the list of all none is.
    """

    path: str
    summary: str
    examples: tuple[str, ...]


COMMANDS: Mapping[str, Command] = {
    "check": Command(
        "spaces:check",
        "Check a space: its syntax, its names, and the shapes of everything that it can build.",
        (
            "enasdsl check micro",
            "enasdsl check micro --set B=5 --output json",
            "enasdsl check - < space.enas",
        ),
    ),
    "count": Command(
        "spaces:count",
        "Count the architectures of a space, exactly.",
        (
            "enasdsl count micro",
            "enasdsl count rnn --set N=8 --output json",
            "enasdsl count nasbench201 --unique",
        ),
    ),
    "sample": Command(
        "spaces:sample",
        "Draw architectures, each of the space with the same probability.",
        (
            "enasdsl sample rnn",
            "enasdsl sample micro -n 3 --seed 0 --output jsonl",
            'enasdsl sample darts_rnn -n 3 --unique --modulo "rename"',
        ),
    ),
    "costs": Command(
        "costing:costs",
        "Say what the architectures of a space cost: parameters and multiply-accumulates.",
        ("enasdsl costs nasbench201", "enasdsl costs spos -n 10 --output json"),
    ),
    "fmt": Command(
        "formatting:fmt",
        "Format files: the same meaning and comments, in the look of the shipped spaces.",
        ("enasdsl fmt space.enas", "enasdsl fmt --check --diff .", "enasdsl fmt - < space.enas"),
    ),
    "import": Command(
        "exchanging:import_",
        "Import an architecture that others wrote in a notation of their own.",
        (
            'enasdsl import "0 0 0 1 1 2 1 2 0 2 0 5 1 1 0 6 1 8 1 8 1 8 1"',
            "enasdsl import published/darts_v2 -o darts_v2.json",
        ),
    ),
    "lint": Command(
        "linting:lint",
        "Say what is legal in files and likely wrong: what is never read, what is always true.",
        ("enasdsl lint space.enas", "enasdsl lint micro macro --output sarif"),
    ),
    "new": Command(
        "starting:new",
        "Write a starter file NAME.enas, with comments, that can be searched as it stands.",
        ("enasdsl new first", "enasdsl new models/second --kind transformer"),
    ),
    "explain": Command(
        "explaining:explain",
        "Explain an error code: what it means, and a file before and after it was mended.",
        ("enasdsl explain E0203", "enasdsl explain --output json"),
    ),
    "lsp": Command(
        "editing:lsp",
        "Serve an editor: mistakes, hover, completion and the rest, by the Language Server "
        "Protocol.",
        ("enasdsl lsp < /dev/null",),
    ),
    "editor": Command(
        "editing:editor",
        "Write an extension for an editor: colours, brackets, and a client of `enasdsl lsp`.",
        ("enasdsl editor vscode enas-vscode",),
    ),
    "ops": Command(
        "explaining:ops",
        "Show an operation: its parameters and weights, the shape it gives, and what it costs.",
        ("enasdsl ops", "enasdsl ops conv", "enasdsl ops sep_conv --output json"),
    ),
    "compile": Command(
        "compiling:compile",
        "Compile a space to a supernet with shared weights and a controller that fits it.",
        ("enasdsl compile micro", "enasdsl compile rnn --recipe quick -o compiled"),
    ),
    "search": Command(
        "searching:search",
        "Search a space: train its shared weights and its controller, or read a table.",
        (
            "enasdsl search rnn --data pydocs --budget 5s --out run",
            "enasdsl search macro --data digits --strategy random --set L=3 --budget 5s",
            "enasdsl search macro --data digits --budget 5s --reward 'accuracy, macs < 9M'",
        ),
    ),
    "show": Command(
        "showing:show",
        "Draw a space, or one of its architectures, cell by cell.",
        (
            "enasdsl show micro",
            "enasdsl show rnn --arch random --seed 1 -o cell.svg",
            "enasdsl show nasbench201 --stage ir",
            "enasdsl show run --beliefs -o beliefs.svg",
        ),
    ),
    "derive": Command(
        "searching:derive",
        "Derive the best architectures of a search.",
        ("enasdsl derive run --samples 3",),
    ),
    "train": Command(
        "searching:train",
        "Train one architecture from scratch; then state its figures.",
        ("enasdsl train run --budget 5s",),
    ),
    "eval": Command(
        "searching:eval",
        "Evaluate a run on the validation and the test part.",
        ("enasdsl eval run",),
    ),
    "export": Command(
        "exporting:export",
        "Export an architecture as something that needs nothing of this program.",
        (
            "enasdsl export run -o found.py",
            "enasdsl export nasbench201 --arch random --to onnx -o cell.onnx",
            "enasdsl export darts --arch random --to darts",
        ),
    ),
    "verdict": Command(
        "judging:verdict",
        "Judge a search: its child beside random ones that are trained alike.",
        ("enasdsl verdict run --children 2 --budget 8s",),
    ),
}
"""Those from `search` on follow each other: one's example goes on with what another's made."""
