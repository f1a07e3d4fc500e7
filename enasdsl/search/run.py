"""The run folder: what was asked, with which versions, and where everything lies."""

from __future__ import annotations

import json
import platform
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from enasdsl.search.checkpoint import replacing
from enasdsl.search.errors import SearchError
from enasdsl.semantics.recipe import Recipe


def versions() -> dict[str, str]:
    """What a result may depend on beside its seed."""
    found = {"python": platform.python_version(), "machine": platform.platform()}
    for package in ("enasdsl", "torch", "numpy"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found


class Info(BaseModel):
    """`run.json`: what a run was asked to do. Durations are in seconds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["search", "child"]
    file: str  # as it was typed
    main: str = ""  # the name of its copy in `space/`
    space: str = ""
    hash: str = ""
    data: str = ""
    data_root: str | None = None
    table: str | None = None  # where rewards are read, with no data
    queries: int | None = None  # classes of architectures to be looked up there
    recipe: str | None = None
    strategy: str = "enas"
    seed: int = 0
    device: str = "cpu"
    native: bool = False  # whether kernels in C++ ran
    budget: float | None = None
    architecture: str | None = None
    shared: str | None = None
    started: str = Field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))
    versions: dict[str, str] = Field(default_factory=versions)


@dataclass(frozen=True, slots=True)
class Run:
    """A folder with `run.json`, `recipe.json`, the space file, metrics and checkpoints."""

    folder: Path
    info: Info
    recipe: Recipe

    @property
    def space_file(self) -> Path:
        return self.folder / "space" / self.info.main

    @property
    def child(self) -> Path:
        """Where the derived child is trained unless another folder is named."""
        return self.folder / "child"

    @property
    def derived(self) -> Path:
        return self.folder / "derived.json"

    @property
    def front(self) -> Path:
        """The drawing of the Pareto front, where a search trades one thing for another."""
        return self.folder / "front.svg"


def create(folder: Path, info: Info, recipe: Recipe, sources: dict[str, str]) -> Run:
    """A new run folder with copies of the space file and its imports, by file name.

    Raises SearchError where the folder holds a run already, or the disk refuses.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        resumable = (folder / "run.json").is_file()
        raise SearchError(
            f"{folder} exists already",
            "go on with --resume, or name another folder with --out"
            if resumable
            else "it is not a run; name another folder with --out",
        )
    run = Run(folder, info, recipe)
    texts = {f"space/{name}": text for name, text in sources.items()}
    texts["recipe.json"] = recipe.model_dump_json(indent=2) + "\n"
    texts["run.json"] = info.model_dump_json(indent=2) + "\n"
    for name, text in texts.items():
        write(folder / name, text)
    return run


def open_run(folder: Path) -> Run:
    """The run of a folder; raises SearchError where it is none."""
    if not (folder / "run.json").is_file():
        raise SearchError(f"{folder} is not a run: it has no run.json", "name the folder of --out")
    try:
        info = Info.model_validate_json((folder / "run.json").read_text("utf-8"))
        recipe = Recipe.model_validate_json((folder / "recipe.json").read_text("utf-8"))
    except (OSError, ValidationError) as error:
        raise SearchError(f"{folder} cannot be read as a run: {error}") from error
    return Run(folder, info, recipe)


def write(path: Path, text: str) -> None:
    """Replaces a text file as a whole; raises SearchError when the disk refuses."""
    with replacing(path) as file:
        file.write(text.encode())


def write_json(path: Path, value: object) -> None:
    """Replaces a JSON file as a whole; raises SearchError when the disk refuses."""
    write(path, json.dumps(value, indent=2) + "\n")


def fresh_folder(stem: str) -> Path:
    """The first of `runs/STEM-1`, `runs/STEM-2` ... that does not exist."""
    number = 1
    while (folder := Path("runs") / f"{stem}-{number}").exists():
        number += 1
    return folder
