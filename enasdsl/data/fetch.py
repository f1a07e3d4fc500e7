"""Downloads: several mirrors in turn, checked, resumed where they broke off, placed whole."""

from __future__ import annotations

import logging
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from enasdsl.data.errors import DataError

CHUNK = 1 << 16
TIMEOUT = (10.0, 30.0)
"""Seconds to connect, and between two pieces of an answer."""
AGENT = {"User-Agent": "enasdsl (a research tool that reads public data sets)"}

Unpack = Callable[[Path, Path], None]
"""Writes the files of an archive, the first path, into a folder, the second."""


@dataclass(frozen=True, slots=True)
class Artifact:
    """One file on the network, the same bytes from each of `urls`.

    `checksum` is `md5:...` or `sha256:...`; None where `unpack` checks what the archive holds.
    """

    name: str
    checksum: str | None
    urls: tuple[str, ...]
    unpack: Unpack | None = None


@dataclass(frozen=True, slots=True)
class Collection:
    """The files of a data set, the folders where they may lie, and the ways to obtain them.

    `files` gives each file's checksum, None where it has none; `sources` are tried in turn, and
    all artifacts of one make the files.
    """

    name: str
    files: Mapping[str, str | None]
    folders: tuple[str, ...]
    sources: tuple[tuple[Artifact, ...], ...]


def locate(collection: Collection, root: Path | None) -> Path:
    """The folder that holds the files, downloaded to `root` or to the user's cache at need.

    Raises DataError where a file that is there is damaged, and where none could be fetched.
    """
    base = root if root is not None else cache_folder()
    for name in ("", *collection.folders):
        folder = base / name
        if all((folder / file).is_file() for file in collection.files):
            _verify(collection, folder)
            return folder
    target = base / collection.name
    _fetch(collection, target)
    _verify(collection, target)
    return target


def cache_folder() -> Path:
    """The folder of downloaded data in the user's cache."""
    import platformdirs

    return platformdirs.user_cache_path("enasdsl") / "data"


def matches(path: Path, checksum: str | None) -> bool:
    """Whether a file has a checksum; every file has None."""
    from pooch.hashes import hash_matches

    return bool(hash_matches(str(path), checksum))


def _verify(collection: Collection, folder: Path) -> None:
    for file, checksum in collection.files.items():
        if not matches(folder / file, checksum):
            raise DataError(
                f"{folder / file} is damaged: its checksum is not {checksum}",
                "delete it, and it is fetched again; a text of your own goes into text:FOLDER",
            )


# --------------------------------------------------------------------- mirrors


def _fetch(collection: Collection, folder: Path) -> None:
    failures: list[str] = []
    with _local_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for source in collection.sources:
            if all(_fetch_one(artifact, folder, failures) for artifact in source):
                return
    archives = [a.name for source in collection.sources for a in source if a.unpack]
    choice = "".join(f", or the archive {name}," for name in archives)
    raise DataError(
        f"{collection.name} could not be downloaded:\n" + "\n".join(failures),
        f"put {', '.join(collection.files)}{choice} into {folder}, or run again with a network; "
        "--data pydocs and --data digits need none",
    )


@contextmanager
def _local_errors(folder: Path) -> Iterator[None]:
    """Turns a full disk or a folder that may not be written into DataError."""
    try:
        yield
    except OSError as error:
        where = error.filename or folder
        raise DataError(
            f"cannot write {where}: {error.strerror or error}",
            "make room or give rights there, or name another folder with --data-root",
        ) from error


def _fetch_one(artifact: Artifact, folder: Path, failures: list[str]) -> bool:
    """Whether one of the mirrors gave the artifact; why the others did not goes to `failures`."""
    for url in artifact.urls:
        reason = _fetch_from(url, artifact, folder)
        if reason is None:
            return True
        failures.append(f"  {url}: {reason}")
    return False


def _fetch_from(url: str, artifact: Artifact, folder: Path) -> str | None:
    """Why a mirror did not give the artifact, or None where it did."""
    import pooch
    from requests import RequestException

    pooch.get_logger().setLevel(logging.WARNING)
    path = folder / artifact.name
    downloader = Resuming(folder / f"{artifact.name}.part")
    own = not path.exists()
    try:
        while True:
            try:
                pooch.retrieve(url, artifact.checksum, artifact.name, folder, downloader=downloader)
                break
            except ValueError:
                # A continued file may join two versions: one more try, from its first byte.
                if not downloader.resumed:
                    return "the file is damaged, its checksum is not the known one"
    except RequestException as error:
        return _describe(error)
    if artifact.unpack is None:
        return None
    try:
        _unpack(artifact.unpack, path, folder)
    except DataError as error:
        return error.message
    finally:
        if own:
            path.unlink()
    return None


def _unpack(unpack: Unpack, archive: Path, folder: Path) -> None:
    """Unpacks beside the final places, then moves each file there whole."""
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        unpack(archive, Path(scratch))
        for file in sorted(Path(scratch).iterdir()):
            os.replace(file, folder / file.name)


def _describe(error: Exception) -> str:
    from requests import exceptions

    match error:
        case exceptions.HTTPError(response=response) if response is not None:
            return f"answered {response.status_code} {response.reason}"
        case exceptions.Timeout():
            return "did not answer in time"
        case exceptions.SSLError():
            return "its certificate was not accepted"
        case exceptions.ChunkedEncodingError():
            return "the transfer broke off; the next run goes on from there"
        case exceptions.ConnectionError():
            return "cannot be reached"
        case _:
            return str(error)


# -------------------------------------------------------------------- transfer


@dataclass(slots=True)
class Resuming:
    """A downloader for pooch that goes on where an earlier transfer of the file broke off.

    Pooch deletes an unfinished file, so it is kept as `part`. A transfer takes `part` for itself
    by renaming it: two processes never write into one file.
    """

    part: Path
    attempts: int = 3
    resumed: bool = field(default=False, init=False)

    def __call__(
        self, url: str, output_file: str, pooch: object, check_only: bool | None = False
    ) -> None:
        from requests import ConnectionError, exceptions

        output = Path(output_file)
        if self.part.exists():
            os.replace(self.part, output)
        self.resumed = output.stat().st_size > 0
        try:
            for attempt in range(1, self.attempts + 1):
                before = output.stat().st_size
                try:
                    return self._transfer(url, output)
                except (exceptions.ChunkedEncodingError, ConnectionError):
                    stuck = output.stat().st_size <= before
                    if stuck or attempt == self.attempts:
                        raise
        except BaseException:
            if output.stat().st_size:
                os.replace(output, self.part)
            raise

    def _transfer(self, url: str, output: Path) -> None:
        import requests

        start = output.stat().st_size
        headers = {**AGENT, "Accept-Encoding": "identity"}
        if start:
            headers["Range"] = f"bytes={start}-"
        with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT) as response:
            if response.status_code == requests.codes.requested_range_not_satisfiable:
                os.truncate(output, 0)
                self.resumed = False
                return self._transfer(url, output)
            response.raise_for_status()
            if not _continues(response, start):
                os.truncate(output, 0)
                self.resumed = False
            self._save(response, output)

    def _save(self, response: Any, output: Path) -> None:
        done = output.stat().st_size
        length = response.headers.get("Content-Length", "")
        total = done + int(length) if length.isdigit() else None
        with output.open("ab") as file, _progress(self.part.stem, done, total) as advance:
            for chunk in response.iter_content(CHUNK):
                file.write(chunk)
                advance(len(chunk))


def _continues(response: Any, start: int) -> bool:
    """Whether an answer begins at byte `start` of the file."""
    if response.status_code != 206:
        return start == 0
    return bool(response.headers.get("Content-Range", "").startswith(f"bytes {start}-"))


@contextmanager
def _progress(name: str, done: int, total: int | None) -> Iterator[Callable[[int], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn

    console = Console(stderr=True)
    columns = ("{task.description}", BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task(name, total=total, completed=done)
        yield lambda count: progress.advance(task, count)
