"""Compiles the kernels where a C++ compiler is; what installs the package loads this file alone."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

FLAGS = ("-std=c++17", "-O3", "-fno-trapping-math", "-shared", "-fPIC", "-fvisibility=hidden")
VARIANTS: tuple[tuple[str, ...], ...] = (("-fopenmp",), ())
"""More flags, those that a compiler may not know first."""


def library_of(folder: Path) -> Path:
    """Where the library of the sources in `folder` lies; another one's is of other sources."""
    digest = hashlib.sha256()
    for source in (*_sources(folder), *sorted(folder.glob("*.hpp"))):
        digest.update(source.read_bytes())
    return folder / f"kernels-{digest.hexdigest()[:12]}.so"


def build(folder: Path) -> tuple[Path | None, str]:
    """The library, made where it is not there yet; or None, and why."""
    library = library_of(folder)
    if library.exists():
        return library, ""
    compiler = shutil.which(os.environ.get("CXX", "c++"))
    if compiler is None:
        return None, "no C++ compiler was found"
    for stale in folder.glob("kernels-*.so"):
        stale.unlink()
    whole = ""
    for command in _commands(compiler, folder, library):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return library, ""
        whole = done.stderr
    library.unlink(missing_ok=True)
    return None, f"{compiler} failed: {whole.strip()}"


def _sources(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.cpp"))


def _commands(compiler: str, folder: Path, library: Path) -> Iterator[list[str]]:
    for more in VARIANTS:
        yield [compiler, *FLAGS, *more, *map(str, _sources(folder)), "-o", str(library)]
