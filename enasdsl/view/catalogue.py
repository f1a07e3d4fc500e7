"""The catalogue of the shipped spaces, and their pictures.

`python -m enasdsl.view.catalogue` writes them.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from enasdsl.ir.count import count
from enasdsl.ir.parameters import parameter_count
from enasdsl.ir.space import Published
from enasdsl.ir.unique import classes
from enasdsl.pipeline import Compilation
from enasdsl.source import shipped
from enasdsl.view.compose import compose
from enasdsl.view.numbers import agrees, power_of_ten
from enasdsl.view.space_picture import picture_of_space
from enasdsl.view.svg import to_svg

INTRODUCTION = """\
# The shipped spaces

Every file here is found by its bare name, as in `enasdsl count darts`, and can be imported by
another file. Counts are exact: complete records of the decisions that are reached, without any
symmetry taken out. Parameters are those of the supernet at the file's own params, for images of
3 x 32 x 32 in ten classes or a vocabulary of 10,000 words. Where a printed size differs from the
exact one, the file says why. `different` is how many architectures are left when those that the
file's `modulo` takes for one count once (`enasdsl count SPACE --unique`), for each part whose
decisions are independent of the others. In a picture each node is a box with its choices, and a
dashed arrow is there in some architectures only; `enasdsl show SPACE --arch random -o found.svg`
draws one.
"""

PICTURES = "pictures"
"""The folder of the pictures, within that of the spaces."""


def catalogue(different: Mapping[str, str]) -> str:
    """The text of spaces/README.md; `different` has the number of classes of each space."""
    columns = "space lines decisions architectures published different supernet_parameters picture"
    head = f"| {' | '.join(columns.split()).replace('_', ' ')} |"
    rows = (_row(path, different[path.stem]) for path in shipped_spaces())
    return "\n".join([INTRODUCTION, head, "|---|---:|---:|---:|---|---|---:|---|", *rows, ""])


def shipped_spaces() -> list[Path]:
    """The files of the spaces, by name."""
    return sorted(shipped("spaces").glob("*.enas"))


def different(path: Path) -> str:
    """How many architectures are left under the `modulo` of a file; for some it takes minutes."""
    space = Compilation.open(path).space
    if space is None or not space.modulo:
        return ""
    found = classes(space)
    if found.count is None:
        return f"at least {power_of_ten(found.least)} (an estimate)"
    return " × ".join(f"{part.count:,} ({part.name})" for part in found.parts)


def picture(path: Path) -> str:
    """The SVG of a shipped space."""
    space = Compilation.open(path).space
    if space is None:
        raise ValueError(f"{path} has mistakes: enasdsl check shows them")
    return to_svg(compose(picture_of_space(space)))


def _row(path: Path, unique: str) -> str:
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
        unique,
        f"{parameter_count(space.places):,}",
        f"[drawing]({PICTURES}/{path.stem}.svg)",
    )
    return f"| {' | '.join(cells)} |"


def _published(published: Published, total: int) -> str:
    match published.value:
        case int(value):
            shown = f"{value:,}" if value < 10**9 else power_of_ten(value)
        case value:
            shown = f"{value:g}".replace("e+", "e")  # the digits that were printed
    return f"{shown} ({published.origin})" + ("" if agrees(total, published.value) else ", differs")


def write() -> None:
    """Writes the catalogue and every picture; those of spaces that are gone go too."""
    folder = shipped("spaces")
    found = {path.stem: different(path) for path in shipped_spaces()}
    (folder / "README.md").write_text(catalogue(found), "utf-8")
    pictures = folder / PICTURES
    pictures.mkdir(exist_ok=True)
    for old in pictures.glob("*.svg"):
        old.unlink()
    for path in shipped_spaces():
        (pictures / f"{path.stem}.svg").write_text(picture(path), "utf-8")


if __name__ == "__main__":
    write()
