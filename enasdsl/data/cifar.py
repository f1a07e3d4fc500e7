"""CIFAR-10: the official binary layout, and its making from the archive of Python pickles."""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from enasdsl.data.augment import Augment
from enasdsl.data.errors import DataError
from enasdsl.data.images import Examples, ImageData, assemble

CLASSES = (
    *("airplane", "automobile", "bird", "cat", "deer"),
    *("dog", "frog", "horse", "ship", "truck"),
)
PIXELS = 3 * 32 * 32
RECORD = 1 + PIXELS
PER_FILE = 10_000
VALID = 5_000
TRAIN_FILES = tuple(f"data_batch_{i}.bin" for i in range(1, 6))
TEST_FILE = "test_batch.bin"
FILES = (*TRAIN_FILES, TEST_FILE)


def read_cifar10(folder: Path) -> ImageData:
    """The data set of the six binary files in `folder`.

    The last 5,000 training images are the validation part (facts 8.1). Raises DataError for a
    file that is missing, of a wrong size, or with a label above 9.
    """
    images = torch.empty((len(TRAIN_FILES) * PER_FILE, 3, 32, 32), dtype=torch.uint8)
    labels = torch.empty(len(images), dtype=torch.int64)
    for i, name in enumerate(TRAIN_FILES):
        part = slice(i * PER_FILE, (i + 1) * PER_FILE)
        images[part], labels[part] = read_records(folder / name)
    cut = len(labels) - VALID
    train, valid = Examples(images[:cut], labels[:cut]), Examples(images[cut:], labels[cut:])
    test = read_records(folder / TEST_FILE)
    return assemble("cifar10", CLASSES, (train, valid, test), augment=Augment())


def read_records(path: Path) -> Examples:
    """The 10,000 records of one file: a label byte, then the red, green and blue planes."""
    try:
        raw = np.fromfile(path, dtype=np.uint8)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from error
    if raw.size != PER_FILE * RECORD:
        raise DataError(
            f"{path} has {raw.size:,} bytes, not the {PER_FILE * RECORD:,} of 10,000 images",
            "it is incomplete: delete it, and it is fetched again",
        )
    rows = raw.reshape(PER_FILE, RECORD)
    if rows[:, 0].max() >= len(CLASSES):
        raise DataError(
            f"{path} has labels up to {rows[:, 0].max()}: it is not in CIFAR-10's binary layout"
        )
    images = torch.from_numpy(rows[:, 1:]).reshape(-1, 3, 32, 32).contiguous()
    return Examples(images, torch.from_numpy(rows[:, 0].astype(np.int64)))


class ArrayUnpickler(pickle.Unpickler):
    """Reads dictionaries of lists, strings and numpy arrays; any other name is refused."""

    RECONSTRUCT = np.empty(0).__reduce__()[0]
    ALLOWED: Mapping[tuple[str, str], Callable[..., Any]] = {
        ("numpy", "ndarray"): np.ndarray,
        ("numpy", "dtype"): np.dtype,
        ("numpy.core.multiarray", "_reconstruct"): RECONSTRUCT,  # type: ignore[dict-item, unused-ignore]
        ("numpy._core.multiarray", "_reconstruct"): RECONSTRUCT,  # type: ignore[dict-item, unused-ignore]
    }

    def find_class(self, module: str, name: str) -> Any:
        try:
            return self.ALLOWED[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}") from None


def convert_batch(content: bytes, name: str) -> bytes:
    """One pickled batch as the bytes of the binary layout.

    Raises DataError where the pickle holds anything but 10,000 labelled rows of 3,072 bytes.
    """
    try:
        batch = ArrayUnpickler(io.BytesIO(content), encoding="latin1").load()
        rows = np.asarray(batch["data"], dtype=np.uint8).reshape(PER_FILE, PIXELS)
        labels = np.asarray(batch["labels"], dtype=np.uint8).reshape(PER_FILE, 1)
    except Exception as error:  # a hostile or broken pickle may raise anything
        raise DataError(f"{name} is not a batch of CIFAR-10: {error}") from error
    return np.concatenate([labels, rows], axis=1).tobytes()
