"""The command line: what is typed, what is answered, and the exit codes."""

from __future__ import annotations

import atexit
import gc
import os
import sys
from collections.abc import Callable, Sequence

from cyclopts import App, CycloptsError, Parameter

from enasdsl.cli import (
    compiling,
    costing,
    editing,
    exchanging,
    explaining,
    exporting,
    formatting,
    judging,
    linting,
    searching,
    showing,
    spaces,
    starting,
)
from enasdsl.cli.ending import (
    USAGE,
    WRONG_INPUT,
    CommandError,
    Reported,
    installed_version,
    internal_error,
    say_error,
)

HELP = """\
Neural-architecture search spaces as programs: check, count and sample them,
compile and search them, and train what the search found. FILE is an .enas file,
the name of a shipped space, or - for standard input."""


COMMANDS: dict[Callable[..., int], tuple[str, ...]] = {
    spaces.check: (
        "enasdsl check micro",
        "enasdsl check micro --set B=5 --output json",
        "enasdsl check - < space.enas",
    ),
    spaces.count: (
        "enasdsl count micro",
        "enasdsl count rnn --set N=8 --output json",
        "enasdsl count nasbench201 --unique",
    ),
    spaces.sample: (
        "enasdsl sample rnn",
        "enasdsl sample micro -n 3 --seed 0 --output jsonl",
        'enasdsl sample darts_rnn -n 3 --unique --modulo "rename"',
    ),
    costing.costs: (
        "enasdsl costs nasbench201",
        "enasdsl costs spos -n 10 --output json",
    ),
    formatting.fmt: (
        "enasdsl fmt space.enas",
        "enasdsl fmt --check --diff .",
        "enasdsl fmt - < space.enas",
    ),
    exchanging.import_: (
        'enasdsl import "0 0 0 1 1 2 1 2 0 2 0 5 1 1 0 6 1 8 1 8 1 8 1"',
        "enasdsl import published/darts_v2 -o darts_v2.json",
    ),
    linting.lint: ("enasdsl lint space.enas", "enasdsl lint micro macro --output sarif"),
    starting.new: ("enasdsl new first", "enasdsl new models/second --kind transformer"),
    explaining.explain: ("enasdsl explain E0203", "enasdsl explain --output json"),
    editing.lsp: ("enasdsl lsp < /dev/null",),
    editing.editor: ("enasdsl editor vscode enas-vscode",),
    explaining.ops: ("enasdsl ops", "enasdsl ops conv", "enasdsl ops sep_conv --output json"),
    compiling.compile: (
        "enasdsl compile micro",
        "enasdsl compile rnn --recipe quick -o compiled",
    ),
    searching.search: (
        "enasdsl search rnn --data pydocs --budget 5s --out run",
        "enasdsl search macro --data digits --strategy random --set L=3 --budget 5s",
        "enasdsl search macro --data digits --budget 5s --reward 'accuracy, macs < 9M'",
    ),
    showing.show: (
        "enasdsl show micro",
        "enasdsl show rnn --arch random --seed 1 -o cell.svg",
        "enasdsl show nasbench201 --stage ir",
        "enasdsl show run --beliefs -o beliefs.svg",
    ),
    searching.derive: ("enasdsl derive run --samples 3",),
    searching.train: ("enasdsl train run --budget 5s",),
    searching.eval: ("enasdsl eval run",),
    exporting.export: (
        "enasdsl export run -o found.py",
        "enasdsl export nasbench201 --arch random --to onnx -o cell.onnx",
        "enasdsl export darts --arch random --to darts",
    ),
    judging.verdict: ("enasdsl verdict run --children 2 --budget 8s",),
}
"""Each command with the examples that end its help; those from `search` on follow each other."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns the exit code.

    0: all is well; 1: what was read is wrong; 2: wrong usage; 3: internal error; 130: interrupted;
    141: whoever read the output has closed it.
    """
    gc.set_threshold(100_000)  # compiling makes many objects and hardly a cycle: a tenth faster
    atexit.register(gc.freeze)  # nor is what is left at the end searched for cycles
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        code = application()(given)
        sys.stdout.flush()
        return int(code or 0)
    except CycloptsError as error:
        return _usage(error, given)
    except Reported:
        return WRONG_INPUT
    except CommandError as error:
        say_error(str(error))
        return error.code
    except BrokenPipeError:
        return _closed_pipe()
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return 130
    except Exception as error:
        return internal_error(error, given)


def application() -> App:
    """The commands, ready to be called with a list of words."""
    app = App(
        name="enasdsl",
        help=HELP,
        help_format="plaintext",
        help_epilogue="enasdsl COMMAND --help tells more, with examples.",
        version=lambda: f"enasdsl {installed_version()}",
        default_parameter=Parameter(negative=()),
        exit_on_error=False,
        print_error=False,
        verbose=False,
        suppress_keyboard_interrupt=False,
        result_action="return_value",
    )
    for command, examples in COMMANDS.items():
        lines = "\n".join(f"  {example}" for example in examples)
        app.command(command, help_epilogue=f"Examples:\n{lines}")
    return app


def _usage(error: CycloptsError, given: Sequence[str]) -> int:
    chain = " ".join(["enasdsl", *(error.command_chain or ())])
    say_error(str(error).strip())
    print(f"  {chain} --help shows what is possible", file=sys.stderr)
    return USAGE


def _closed_pipe() -> int:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 141
