"""Word-level text as streams of token numbers, and the windows that training reads."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypedDict

import torch
from torch import Generator, Tensor

from enasdsl.data.errors import DataError
from enasdsl.semantics.symbols import Shape
from enasdsl.semantics.task import Task

EOS = "<eos>"
UNKNOWN = "<unk>"
SPLITS = ("train", "valid", "test")

Window = tuple[Tensor, Tensor]
"""Tokens and the tokens that follow them, both int64 [B, T]."""


@dataclass(frozen=True, slots=True)
class TextData:
    """A corpus with its three parts, int64 [n] each, and the words that the numbers stand for."""

    name: str
    vocabulary: tuple[str, ...]
    train: Tensor
    valid: Tensor
    test: Tensor

    @property
    def task(self) -> Task:
        size = len(self.vocabulary)
        return Task("language_model", Shape(size, (35,), tokens=True), vocabulary=size)

    @property
    def device(self) -> torch.device:
        return self.train.device

    def split(self, name: str) -> Tensor:
        """A part by name; `train+valid` is one after the other."""
        match name:
            case "train":
                return self.train
            case "valid":
                return self.valid
            case "test":
                return self.test
            case "train+valid":
                return torch.cat([self.train, self.valid])
            case _:
                raise ValueError(f"no part is named {name!r}: train, valid, test, train+valid")

    def to(self, device: torch.device | str) -> TextData:
        """The same data on `device`."""
        train, valid, test = (self.split(name).to(device) for name in SPLITS)
        return replace(self, train=train, valid=valid, test=test)

    def batchify(self, split: str, batch: int) -> Tensor:
        """A part as `batch` contiguous streams, int64 [batch, length], without the remainder.

        Raises DataError where a stream would have fewer than two tokens.
        """
        tokens = self.split(split)
        length = len(tokens) // batch
        if length < 2:
            raise DataError(
                f"{self.name}: the {split} part has {len(tokens)} tokens, too few for "
                f"{batch} streams of at least two",
                "use a smaller batch size or more text",
            )
        return tokens[: batch * length].view(batch, length)

    def windows(self, split: str, batch: int, bptt: int) -> Windows:
        """A part's streams from left to right, `bptt` tokens at a time; the last is shorter."""
        return Windows(self.batchify(split, batch), bptt)

    def random_window(self, split: str, batch: int, bptt: int, generator: Generator) -> Window:
        """The same stretch of every stream of a part, at a place drawn from `generator`."""
        streams = self.batchify(split, batch)
        length = min(bptt, streams.shape[1] - 1)
        places = streams.shape[1] - length
        start = int(torch.randint(places, (), generator=generator, device=generator.device))
        return _window(streams, start, length)

    def unigram_perplexity(self, split: str) -> float:
        """Perplexity of a part under the training part's word counts, one added to each."""
        size = len(self.vocabulary)
        counts = torch.bincount(self.train, minlength=size).double() + 1
        log_prob = (counts / counts.sum()).log()
        seen = torch.bincount(self.split(split), minlength=size).double()
        return math.exp(float(-(seen @ log_prob) / seen.sum()))


class WindowPlace(TypedDict):
    """The first token of the next window."""

    position: int


class Windows(Iterator[Window]):
    """One pass over contiguous streams; after its end the next loop begins anew.

    `position` is 0 exactly where a recurrent state should start from nothing.
    """

    def __init__(self, streams: Tensor, bptt: int) -> None:
        self.streams = streams
        self.bptt = bptt
        self.position = 0

    def __len__(self) -> int:
        return -(-(self.streams.shape[1] - 1) // self.bptt)

    def __next__(self) -> Window:
        left = self.streams.shape[1] - 1 - self.position
        if left <= 0:
            self.position = 0
            raise StopIteration
        start = self.position
        self.position += self.bptt
        return _window(self.streams, start, min(self.bptt, left))

    def state_dict(self) -> WindowPlace:
        return {"position": self.position}

    def load_state_dict(self, state: WindowPlace) -> None:
        self.position = state["position"]


def _window(streams: Tensor, start: int, length: int) -> Window:
    return streams[:, start : start + length], streams[:, start + 1 : start + 1 + length]


def encode(
    name: str, words: Mapping[str, list[str]], *, cap: int | None = None, least: int = 1
) -> TextData:
    """The corpus of the words of its three parts.

    The vocabulary is the training part's words that come `least` times, `cap` of them at most
    with `<unk>` and `<eos>` counted in, by falling frequency and then by spelling.
    """
    counts = Counter(words["train"])
    ranked = sorted(counts, key=lambda word: (-counts[word], word))
    kept = [w for w in ranked if counts[w] >= least and w not in (UNKNOWN, EOS)]
    special = {UNKNOWN, EOS}
    if cap is not None:
        kept = kept[: cap - len(special)]
    keep = special.union(kept)
    vocabulary = [w for w in ranked if w in keep]
    vocabulary += sorted(special - counts.keys())
    index = {word: number for number, word in enumerate(vocabulary)}
    unknown = index[UNKNOWN]
    parts = {
        split: torch.tensor([index.get(w, unknown) for w in words[split]], dtype=torch.int64)
        for split in SPLITS
    }
    return TextData(name, tuple(vocabulary), parts["train"], parts["valid"], parts["test"])


def read_words(path: Path) -> list[str]:
    """The words of a UTF-8 file, cut at white space, with `<eos>` after each line."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path} is not UTF-8 text (byte {error.start})", "convert the file to UTF-8"
        ) from error
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from error
    if not text.strip():
        raise DataError(f"{path} holds no words")
    if not text.endswith("\n"):
        text += "\n"
    return text.replace("\n", f" {EOS} ").split()


def read_text(name: str, files: Mapping[str, Path]) -> TextData:
    """The corpus of three files, by the names of the parts."""
    return encode(name, {split: read_words(files[split]) for split in SPLITS})


def read_text_folder(folder: Path) -> TextData:
    """The corpus of a folder with train.txt, valid.txt and test.txt."""
    files = {split: folder / f"{split}.txt" for split in SPLITS}
    missing = [path.name for path in files.values() if not path.is_file()]
    if missing:
        raise DataError(
            f"{folder} has no {', '.join(missing)}",
            "text:FOLDER reads train.txt, valid.txt and test.txt: words cut at white space, "
            "a sentence a line",
        )
    return read_text(f"text:{folder}", files)
