"""Small files, each of some declarations and a network over them, and what becomes of them."""

from __future__ import annotations

from every_way import runs
from programs import IMAGES

from enasdsl.ir.count import count
from enasdsl.ir.sample import enumerate_space
from enasdsl.ir.space import Space
from enasdsl.pipeline import Compilation
from enasdsl.source import SourceFile


def compiled(
    declarations: str, stack: str = "c", *, head: str = "param filters = 2"
) -> Compilation:
    network = (
        f"network image_classifier {{\n  stem conv(3, filters: 2)\n  stack {stack}\n"
        "  head global_avg_pool -> linear(classes)\n}\n"
    )
    text = f"space s\n{head}\n{declarations}\n{network}"
    return Compilation(SourceFile("small.enas", text), task=IMAGES)


def lowered(declarations: str, stack: str = "c", *, head: str = "param filters = 2") -> Space:
    compilation = compiled(declarations, stack, head=head)
    assert compilation.space is not None, compilation.diagnostics
    return compilation.space


def size(declarations: str, stack: str = "c", *, head: str = "param filters = 2") -> int:
    """The exact count, which is that of the enumeration, and of the ways in which the file runs."""
    compilation = compiled(declarations, stack, head=head)
    space = compilation.space
    assert space is not None, compilation.diagnostics
    found = count(space)
    assert found == len(set(enumerate_space(space))) == runs(compilation, IMAGES)
    return found


def refusal(declarations: str, stack: str = "c") -> tuple[str, str]:
    """The code and the message of the only mistake."""
    (found,) = compiled(declarations, stack).diagnostics
    return found.code, found.message
