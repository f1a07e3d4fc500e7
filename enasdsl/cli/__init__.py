"""The command line: what is typed, what is answered, and the exit codes."""

from __future__ import annotations

import atexit
import gc
import os
import sys
from collections.abc import Sequence

from cyclopts import App, CycloptsError, Parameter

from enasdsl.cli.commands import COMMANDS as COMMANDS
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


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns the exit code.

    0: all is well; 1: what was read is wrong; 2: wrong usage; 3: internal error; 130: interrupted;
    141: whoever read the output has closed it.
    """
    gc.set_threshold(100_000)  # compiling makes many objects and hardly a cycle: a tenth faster
    atexit.register(gc.freeze)  # nor is what is left at the end searched for cycles
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        code = application(listing=all(word.startswith("-") for word in given))(given)
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


def application(*, listing: bool = False) -> App:
    """The commands, ready to be called with a list of words.

    For the `listing` of all of them no command is imported, but then the help of each is short.
    """
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
    for name, command in COMMANDS.items():
        lines = "\n".join(f"  {example}" for example in command.examples)
        app.command(
            f"{__name__}.{command.path}",
            name=name,
            help=command.summary if listing else None,
            help_epilogue=f"Examples:\n{lines}",
        )
    return app


def _usage(error: CycloptsError, given: Sequence[str]) -> int:
    chain = " ".join(["enasdsl", *(error.command_chain or ())])
    say_error(str(error).strip())
    print(f"  {chain} --help shows what is possible", file=sys.stderr)
    return USAGE


def _closed_pipe() -> int:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 141
