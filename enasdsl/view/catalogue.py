"""The catalogue of the shipped spaces; `python -m enasdsl.view.catalogue` writes it."""

from __future__ import annotations

from pathlib import Path

from enasdsl.ir.count import count
from enasdsl.ir.parameters import parameter_count
from enasdsl.ir.space import Published
from enasdsl.pipeline import Compilation
from enasdsl.source import shipped
from enasdsl.view.numbers import agrees, power_of_ten

INTRODUCTION = """\
# The shipped spaces

Every file here is found by its bare name, as in `enasdsl count darts`, and can be imported by
another file. Counts are exact: complete records of the decisions that are reached, without any
symmetry taken out. Parameters are those of the supernet at the file's own params, for images of
3 x 32 x 32 in ten classes or a vocabulary of 10,000 words. Where a printed size differs from the
exact one, the file says why.
"""


def catalogue() -> str:
    """The text of spaces/README.md."""
    head = "| space | lines | decisions | architectures | published | supernet parameters |"
    rows = (_row(path) for path in sorted(shipped("spaces").glob("*.enas")))
    return "\n".join([INTRODUCTION, head, "|---|---:|---:|---:|---|---:|", *rows, ""])


def _row(path: Path) -> str:
    space = Compilation.open(path).space
    if space is None:
        raise ValueError(f"{path} has mistakes: enasdsl check shows them")
    lines = len(path.read_text("utf-8").splitlines())
    total = count(space)
    printed = "; ".join(_published(p, total) for p in space.published)
    cells = (
        f"[`{path.stem}`]({path.name})",
        str(lines),
        str(len(space.decisions)),
        f"{total:,}",
        printed,
        f"{parameter_count(space.places):,}",
    )
    return f"| {' | '.join(cells)} |"


def _published(published: Published, total: int) -> str:
    match published.value:
        case int(value):
            shown = f"{value:,}" if value < 10**9 else power_of_ten(value)
        case value:
            shown = f"{value:g}".replace("e+", "e")  # the digits that were printed
    return f"{shown} ({published.origin})" + ("" if agrees(total, published.value) else ", differs")


if __name__ == "__main__":
    (shipped("spaces") / "README.md").write_text(catalogue(), "utf-8")
