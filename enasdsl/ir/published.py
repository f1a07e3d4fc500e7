"""The architectures that others published, shipped in `spaces/published/`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from enasdsl.ir import notations
from enasdsl.ir.notations import Foreign
from enasdsl.ir.record import RecordError
from enasdsl.source import shipped

PREFIX = "published/"


@dataclass(frozen=True, slots=True)
class PublishedArchitecture:
    """One file of the folder.

    `text` is the architecture as its authors wrote it, in `notation`; `space` is the shipped
    space that it is of, and `params` are those with which its network was built. `parameters` is
    how many that network has, where somebody counted them.
    """

    name: str
    space: str
    notation: str
    text: str
    origin: str
    params: dict[str, str]
    parameters: int | None = None

    def read(self) -> Foreign:
        """Its decisions."""
        return notations.read(self.text, self.notation)


def names() -> tuple[str, ...]:
    """Those that there are."""
    return tuple(sorted(path.stem for path in _folder().glob("*.json")))


def published(name: str) -> PublishedArchitecture:
    """The architecture of that name, with or without `published/`; raises RecordError."""
    stem = name.removeprefix(PREFIX)
    if stem not in names():
        close = get_close_matches(stem, names(), n=1)
        help = f"did you mean `{PREFIX}{close[0]}`?" if close else f"there are {', '.join(names())}"
        raise RecordError(f"nothing is published as `{stem}`; {help}")
    record = json.loads((_folder() / f"{stem}.json").read_text("utf-8"))
    record["text"] = "\n".join(record["text"])
    return PublishedArchitecture(stem, **record)


def _folder() -> Path:
    return shipped("spaces") / "published"
