"""The data sets by name."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from pathlib import Path

import torch

from enasdsl.data.augment import Augment
from enasdsl.data.cifar import read_cifar10
from enasdsl.data.errors import DataError
from enasdsl.data.fetch import Collection, locate
from enasdsl.data.folders import read_image_folder
from enasdsl.data.images import Examples, ImageData, assemble, stratify
from enasdsl.data.pydocs import read_pydocs
from enasdsl.data.sources import COLLECTIONS
from enasdsl.data.text import SPLITS, TextData, read_text, read_text_folder

NAMES = {
    "pydocs": "the English of Python's reference manual; no network",
    "digits": "scikit-learn's 8x8 scanned digits; no network",
    "ptb": "Penn Treebank, 10,000 words",
    "wikitext2": "WikiText-2, 33,278 words",
    "cifar10": "CIFAR-10, 32x32 colour images",
    "text:FOLDER": "train.txt, valid.txt and test.txt of your own",
    "images:FOLDER": "class folders of PNG or JPEG files, or an .npz, of your own",
}

PUBLIC: Mapping[str, Callable[[Path], ImageData | TextData]] = {
    "ptb": lambda folder: read_text("ptb", {s: folder / f"ptb.{s}.txt" for s in SPLITS}),
    "wikitext2": lambda folder: read_text(
        "wikitext2", {s: folder / f"wiki.{s}.tokens" for s in SPLITS}
    ),
    "cifar10": read_cifar10,
}


def load(
    name: str,
    *,
    root: Path | None = None,
    seed: int = 0,
    collections: Mapping[str, Collection] = COLLECTIONS,
) -> ImageData | TextData:
    """The data set called `name`, one of NAMES.

    Public sets are looked for in `root`, else in the user's cache, and are downloaded there if
    absent. `seed` settles the parts of `digits` and of image folders that are not parted.
    Raises DataError for all that a user may have to mend.
    """
    kind, colon, folder = name.partition(":")
    match kind:
        case "text" if folder:
            return read_text_folder(Path(folder).expanduser())
        case "images" if folder:
            return read_image_folder(Path(folder).expanduser(), seed=seed)
        case "pydocs" if not colon:
            return read_pydocs()
        case "digits" if not colon:
            return _read_digits(seed)
        case _ if name in PUBLIC:
            return PUBLIC[name](locate(collections[name], root))
        case _:
            raise _unknown(name)


def _unknown(name: str) -> DataError:
    plain = {n.removesuffix("FOLDER"): n for n in NAMES}
    close = difflib.get_close_matches(name.lower().replace("-", ""), plain, n=1, cutoff=0.5)
    question = f"did you mean `{plain[close[0]]}`? " if close else ""
    listed = "\n".join(f"  {n:14} {what}" for n, what in NAMES.items())
    return DataError(f"unknown data set `{name}`", f"{question}There are:\n{listed}")


def _read_digits(seed: int) -> ImageData:
    """1,797 digits of 8x8 pixels from 0 to 16, a fifth each for valid and test."""
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise DataError("scikit-learn carries `digits`", "pip install scikit-learn") from error
    pixels, targets = load_digits(return_X_y=True)
    images = torch.from_numpy(pixels).to(torch.uint8).view(-1, 1, 8, 8)
    labels = torch.from_numpy(targets).to(torch.int64)
    parts = stratify(labels, (0.2, 0.2), seed)
    train, valid, test = (Examples(images[i], labels[i]) for i in parts)
    classes = tuple("0123456789")
    augment = Augment(pad=1, flip=False)
    return assemble("digits", classes, (train, valid, test), augment=augment)
