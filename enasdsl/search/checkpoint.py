"""Checkpoints that are either whole or not there."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any
from zipfile import is_zipfile

import torch

from enasdsl.search.errors import SearchError

KEPT = 2
_NAME = re.compile(r"checkpoint-(\d+)\.pt")


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """A file to write that takes the place of `path` when it is complete and on the disk.

    Raises SearchError, `path` as it was, when the disk refuses.
    """
    part = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
        _sync(path.parent)
    except OSError as error:
        with suppress(OSError):
            part.unlink()
        raise SearchError(
            f"cannot write {path}: {error.strerror or error}",
            "what was saved before is untouched; make room and run the same command with --resume",
        ) from error


def _sync(folder: Path) -> None:
    """Puts a folder's entries on the disk, where the system can."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def save(folder: Path, number: int, state: dict[str, Any]) -> Path:
    """Writes checkpoint `number` and removes all but the newest KEPT; raises SearchError."""
    path = folder / f"checkpoint-{number}.pt"
    with replacing(path) as file:
        try:
            torch.save(state, file)
        except RuntimeError as error:  # torch's archive writer hides the OSError of a full disk
            if isinstance(error.__context__, OSError):
                raise error.__context__ from None
            raise
    for old in saved(folder)[KEPT:]:
        old.unlink(missing_ok=True)
    return path


def saved(folder: Path) -> list[Path]:
    """The checkpoints in a folder, newest first."""
    found = [(int(m[1]), p) for p in folder.glob("*.pt") if (m := _NAME.fullmatch(p.name))]
    return [path for _, path in sorted(found, reverse=True)]


def number(path: Path) -> int:
    """The number of a checkpoint."""
    return int(path.stem.rpartition("-")[2])


def newest(folder: Path) -> dict[str, Any]:
    """The newest checkpoint that can be read; raises SearchError where there is none."""
    for path in filter(is_zipfile, saved(folder)):
        with suppress(OSError, RuntimeError):
            state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
            return state
    raise SearchError(f"{folder} holds no checkpoint", "start again with another --out")


@contextmanager
def fitting(folder: Path) -> Iterator[None]:
    """Where a state is taken over; raises SearchError for one that is of another make."""
    try:
        yield
    except (KeyError, RuntimeError) as error:
        raise SearchError(
            f"the checkpoint in {folder} is of another version of enasdsl: {error!r}",
            f"{folder.parent / 'run.json'} says of which; start again with another --out",
        ) from error
