"""The command `export`: an architecture as plain PyTorch, as ONNX, or in a notation of others."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from enasdsl.cli.ending import CommandError, Reported, UsageError
from enasdsl.cli.exchanging import Format
from enasdsl.cli.opening import mistakes, opened
from enasdsl.cli.opening import show as show_diagnostics
from enasdsl.cli.options import DataRoot, Seed, Settings

if TYPE_CHECKING:
    from enasdsl.export.built import Built
    from enasdsl.ir.space import Architecture, Space


def export(
    source: Annotated[
        str, Parameter(help="The folder of a search or of a training, or an .enas file.")
    ],
    /,
    *,
    arch: Annotated[
        str | None,
        Parameter(help="A rank of `derive`, a token, a file with one, published/NAME, or random."),
    ] = None,
    to: Annotated[Literal["python", "onnx"] | Format, Parameter(help="What to write.")] = "python",
    out: Annotated[
        str | None, Parameter(name=["-o", "--out"], help="The file; else named for the space.")
    ] = None,
    seed: Seed = 0,
    set: Settings = (),
    data_root: DataRoot = None,
) -> int:
    """Export an architecture as something that needs nothing of this program.

    `python` is a file of plain PyTorch, its weights beside it as safetensors; `onnx` is
    checked with onnxruntime; a notation of others is printed. The weights are those of
    the trained child where a run has one, else fresh.
    """
    if to not in ("python", "onnx"):
        return _notation(source, arch, to, out=out, seed=seed, settings=set)
    built = _built(source, arch, seed=seed, settings=set, data_root=data_root)
    path = Path(out or f"{built.space.name}.{'py' if to == 'python' else 'onnx'}")
    suffix = ".py" if to == "python" else ".onnx"
    if path.suffix != suffix:
        raise UsageError(f"--to {to} writes a file that ends in {suffix}, and this is `{path}`")
    try:
        _write(built, path, to)
    except OSError as error:
        raise CommandError(f"`{path}` cannot be written: {error.strerror or error}") from error
    return 0


def _write(built: Built, path: Path, to: str) -> None:
    from safetensors.torch import save_file

    from enasdsl.export.code import ExportError
    from enasdsl.export.onnx import to_onnx
    from enasdsl.export.python import to_python

    weights = path.with_suffix(".safetensors")
    try:
        exported = to_python(
            built.space, built.architecture, built.child, weights_file=weights.name
        )
        if to == "onnx":
            difference = to_onnx(built.space, exported, path)
            print(f"{path}: weights {built.origin}")
            print(f"checked with onnxruntime: it differs by {difference:.0e} of the largest output")
            return
    except ExportError as error:
        raise CommandError(str(error)) from error
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(exported.text, "utf-8")
    save_file(exported.weights, weights)
    print(f"{path}: {exported.network}, {exported.parameters:,} parameters")
    print(f"{weights}: weights {built.origin}")


def _built(
    source: str, arch: str | None, *, seed: int, settings: tuple[str, ...], data_root: str | None
) -> Built:
    from enasdsl.export.built import of_run, of_space

    if Path(source).is_dir():
        if settings:
            raise UsageError("a run knows its settings; --set goes with an .enas file")
        with mistakes():
            return of_run(Path(source), arch, data_root=data_root)
    space = _space(source, settings)
    if not space.network:
        raise CommandError(f"`{space.name}` has no network, and cells alone cannot be run")
    try:
        return of_space(space, _named(arch), seed=seed)
    except ValueError as error:
        raise CommandError(f"`{arch}` is no architecture of `{space.name}`: {error}") from error


def _notation(
    source: str, arch: str | None, to: str, *, out: str | None, seed: int, settings: tuple[str, ...]
) -> int:
    """Prints an architecture in a notation of others, or writes it to a file."""
    from enasdsl.ir.notations import NOTATIONS, NotationError
    from enasdsl.ir.record import to_json

    space, architecture = _found(source, arch, seed, settings)
    choices = to_json(space, architecture)["choices"]
    assert isinstance(choices, dict)
    try:
        text = NOTATIONS[to].write(choices)
    except NotationError as error:
        raise CommandError(f"this cannot be said in {to}: {error}") from error
    if out is None:
        print(text)
        return 0
    try:
        Path(out).write_text(text + "\n", "utf-8")
    except OSError as error:
        raise CommandError(f"`{out}` cannot be written: {error.strerror}") from error
    print(f"written to {out}")
    return 0


def _found(
    source: str, arch: str | None, seed: int, settings: tuple[str, ...]
) -> tuple[Space, Architecture]:
    from random import Random

    from enasdsl.ir.named import named

    if Path(source).is_dir():
        built = _built(source, arch, seed=seed, settings=settings, data_root=None)
        return built.space, built.architecture
    space = _space(source, settings)
    try:
        return space, named(space, _named(arch), Random(seed))
    except ValueError as error:
        raise CommandError(f"`{arch}` is no architecture of `{space.name}`: {error}") from error


def _space(file: str, settings: tuple[str, ...]) -> Space:
    compilation = opened(file, settings)
    space = compilation.space
    if compilation.diagnostics:
        show_diagnostics(compilation.diagnostics, output="text")
    if space is None:
        raise Reported
    return space


def _named(arch: str | None) -> str:
    if arch is None:
        raise UsageError("a file holds many architectures; name one with --arch")
    return arch
