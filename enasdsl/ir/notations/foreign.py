"""An architecture as others write it, before it is one of a space."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

Choices = Mapping[str, str | list[str]]


class NotationError(ValueError):
    """A text that does not follow the notation, or an architecture that it cannot say."""


@dataclass(frozen=True, slots=True)
class Foreign:
    """The labels of an architecture by the paths of its decisions.

    `space` is the shipped space that they are of, under the values `params` of its params.
    """

    space: str
    choices: dict[str, str | list[str]]
    params: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Notation:
    """A way to write architectures; both functions raise NotationError."""

    name: str
    read: Callable[[str], Foreign]
    write: Callable[[Choices], str]


def label_of(choices: Choices, path: str) -> str:
    """The one label of a decision; raises NotationError where there is none."""
    match choices.get(path):
        case str(label):
            return label
        case _:
            raise NotationError(f"the architecture has no decision `{path}` with one label")


def labels_of(choices: Choices, path: str) -> list[str]:
    """The labels of a decision that takes several; raises NotationError where there is none."""
    match choices.get(path):
        case list(labels):
            return labels
        case _:
            raise NotationError(f"the architecture has no decision `{path}` with several labels")


def place_of(word: str, words: tuple[str, ...], what: str) -> int:
    """The index of a word; raises NotationError where it is not one of `words`."""
    if word not in words:
        raise NotationError(f"{what} is one of {', '.join(words)}, and this is `{word}`")
    return words.index(word)


def at(index: int, words: tuple[str, ...], what: str) -> str:
    """The word of an index; raises NotationError where there is none."""
    if not 0 <= index < len(words):
        raise NotationError(f"{what} is a number from 0 to {len(words) - 1}, and this is {index}")
    return words[index]
