"""The command `show`: a space or an architecture as a drawing, and every phase of a compilation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from enasdsl.cli.ending import CommandError, Reported, UsageError
from enasdsl.cli.opening import mistakes, opened
from enasdsl.cli.opening import show as show_diagnostics
from enasdsl.cli.options import File, Seed, Settings

if TYPE_CHECKING:
    from enasdsl.ir.space import Architecture, Space
    from enasdsl.pipeline import Compilation
    from enasdsl.view.picture import Picture

UNFOLDED = 1000
"""The width of the tree where no terminal folds its lines."""

FORMATS = (".svg", ".png", ".dot")


def show(
    file: File,
    /,
    *,
    arch: Annotated[
        str | None,
        Parameter(help="A token, a file with one, published/NAME, or random; else the space."),
    ] = None,
    out: Annotated[
        str | None,
        Parameter(name=["-o", "--out"], help="A file to draw: .svg, .png or .dot; else a tree."),
    ] = None,
    stage: Annotated[
        Literal["ast", "checked", "ir", "graph", "lowered"] | None,
        Parameter(help="Show what this phase made; lowered: what runs for --arch, else a random."),
    ] = None,
    beliefs: Annotated[
        bool, Parameter(help="FILE is the folder of a search: how likely it holds what is chosen.")
    ] = False,
    seed: Seed = 0,
    set: Settings = (),
    output: Literal["text", "json"] = "text",
) -> int:
    """Draw a space, or one of its architectures, cell by cell.

    A space has its choices in boxes, and dashed arrows for what only some architectures
    have; what a search believes in is dark and thick. Without -o it is a tree.
    """
    if stage is not None:
        if out is not None or beliefs:
            raise UsageError("--stage shows a phase; it goes with neither --beliefs nor -o")
        print(_staged(opened(file, set), stage, arch, seed, output=output))
    elif beliefs:
        if arch is not None or set:
            raise UsageError("--beliefs shows a search; it goes with neither --arch nor --set")
        _draw(_believed(file), out, output=output)
    else:
        picture, token = _picture(_space(opened(file, set), output=output), arch, seed)
        _draw(picture, out, output=output, note=token)
    return 0


def _space(compilation: Compilation, *, output: str) -> Space:
    """The space with its network, which a drawing needs."""
    space = compilation.space
    if space is None:
        show_diagnostics(compilation.diagnostics, output=output)
        raise Reported
    if compilation.diagnostics:
        show_diagnostics(compilation.diagnostics, output="text")
    return space


def _picture(space: Space, arch: str | None, seed: int) -> tuple[Picture, str]:
    """The picture, and the token of the architecture that it is of."""
    from enasdsl.ir.record import to_token
    from enasdsl.view.found_picture import picture_of_architecture
    from enasdsl.view.outline_picture import picture_of_decisions
    from enasdsl.view.space_picture import picture_of_space

    if arch is None:
        draw = picture_of_space if space.network else picture_of_decisions
        return draw(space), ""
    found = _architecture(space, arch, seed)
    picture = picture_of_architecture if space.network else picture_of_decisions
    return picture(space, found), to_token(found)


def _believed(run: str) -> Picture:
    """The space of a search with what its strategy believes of it."""
    from enasdsl.search.believed import believed
    from enasdsl.view.outline_picture import picture_of_decisions
    from enasdsl.view.space_picture import picture_of_space

    with mistakes():
        space, beliefs = believed(run)
    if space.network:
        return picture_of_space(space, beliefs)
    return picture_of_decisions(space, beliefs=beliefs)


def _architecture(space: Space, arch: str, seed: int) -> Architecture:
    from random import Random

    from enasdsl.ir.count import TooManyStates
    from enasdsl.ir.named import named
    from enasdsl.ir.record import RecordError

    try:
        return named(space, arch, Random(seed))
    except (TooManyStates, ValueError) as error:
        what = "is no architecture" if isinstance(error, RecordError) else "cannot be sampled"
        raise CommandError(f"`{arch}` {what} of `{space.name}`: {error}") from error


def _draw(picture: Picture, out: str | None, *, output: str, note: str = "") -> None:
    if out is None:
        _print_picture(picture, output=output)
    elif Path(out).suffix not in FORMATS:
        raise UsageError(f"-o takes a file that ends in {', '.join(FORMATS)}, and this is `{out}`")
    else:
        _write(Path(out), picture, note)
        print(f"written to {out}")


def _write(path: Path, picture: Picture, note: str) -> None:
    from enasdsl.view.compose import compose
    from enasdsl.view.dot import to_dot
    from enasdsl.view.svg import to_svg

    match path.suffix:
        case ".dot":
            made = to_dot(picture).encode()
        case ".svg":
            made = to_svg(compose(picture), note=note).encode()
        case _:
            made = _png(picture)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(made)
    except OSError as error:
        raise CommandError(f"`{path}` cannot be written: {error.strerror}") from error


def _png(picture: Picture) -> bytes:
    from enasdsl.view.compose import compose
    from enasdsl.view.png import to_png

    try:
        return to_png(compose(picture))
    except ImportError as error:
        raise CommandError(
            "a PNG needs Pillow: pip install 'enasdsl[draw]'; SVG and DOT need nothing"
        ) from error


def _print_picture(picture: Picture, *, output: str) -> None:
    from rich.console import Console

    from enasdsl.view.plain import plain
    from enasdsl.view.tree import to_tree

    if output == "json":
        print(json.dumps(plain(picture), indent=2, ensure_ascii=False))
        return
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=UNFOLDED)
    console.print(to_tree(picture))


def _phase(compilation: Compilation, stage: str, *, output: str) -> str:
    """What a phase made, as text or as JSON."""
    from enasdsl.view import stages
    from enasdsl.view.plain import plain

    made: object
    match stage:
        case "ast" if (tree := compilation.tree) is not None:
            made, text = tree, stages.tree_text(tree)
        case "checked" if (checked := compilation.checked) is not None:
            made, text = checked, stages.checked_text(checked)
        case "ir" if (outlined := compilation.outline) is not None:
            made, text = outlined, stages.space_text(outlined)
        case "graph" if (space := compilation.space) is not None:
            made, text = space, stages.graph_text(space)
        case _:
            show_diagnostics(compilation.diagnostics, output=output)
            raise Reported
    return text if output == "text" else json.dumps(plain(made), indent=2, ensure_ascii=False)


def _staged(
    compilation: Compilation, stage: str, arch: str | None, seed: int, *, output: str
) -> str:
    if stage == "lowered":
        return _lowered(compilation, arch or "random", seed, output=output)
    if arch is not None:
        raise UsageError("only --stage lowered goes with --arch: other phases have all of them")
    return _phase(compilation, stage, output=output)


def _lowered(compilation: Compilation, arch: str, seed: int, *, output: str) -> str:
    """What runs for an architecture, after all passes."""
    from enasdsl.ir.passes import lowered
    from enasdsl.ir.specialize import specialize
    from enasdsl.view.plain import plain
    from enasdsl.view.stages import kernels_text

    space = _space(compilation, output=output)
    if not space.network:
        raise CommandError(f"`{space.name}` has no network that could be run")
    kernels = lowered(specialize(space, _architecture(space, arch, seed)))
    if output == "json":
        return json.dumps(plain(kernels), indent=2, ensure_ascii=False)
    return kernels_text(kernels)
