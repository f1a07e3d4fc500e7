"""A user's own images: a folder for each class, or one `.npz` file."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from enasdsl.data.augment import Augment
from enasdsl.data.errors import DataError
from enasdsl.data.images import Examples, ImageData, assemble, stratify

SUFFIXES = (".png", ".jpg", ".jpeg")
VALID_SHARE, TEST_SHARE = 0.1, 0.1
LAYOUT = (
    "images:FOLDER reads PNG and JPEG files from FOLDER/train/CLASS/, valid/CLASS/ and "
    "test/CLASS/; without valid a tenth of train is taken, and FOLDER/CLASS/ alone is parted "
    "8:1:1; or one .npz with train_images [n, H, W] or [n, H, W, C] uint8, train_labels [n], "
    "and the like for valid and test"
)

Array = npt.NDArray[np.generic]


def read_image_folder(path: Path, *, seed: int = 0) -> ImageData:
    """The data set of a folder of class folders, or of an `.npz` file or a folder that holds one.

    `seed` settles which images are held out where the folder does not say. Raises DataError,
    with the file named, for all that cannot be used.
    """
    if not path.exists():
        raise DataError(f"{path} does not exist", LAYOUT)
    archives = [path] if path.is_file() else sorted(path.glob("*.npz"))
    if len(archives) > 1:
        raise DataError(f"{path} holds {len(archives)} .npz files", "name one of them")
    classes, parts = _read_npz(archives[0]) if archives else _read_parts(path)
    train, valid, test = _complete(parts, seed)
    pad = min(train.images.shape[2:]) // 8
    return assemble(f"images:{path}", classes, (train, valid, test), augment=Augment(pad=pad))


Parts = dict[str, Examples]


def _complete(parts: Parts, seed: int) -> tuple[Examples, Examples, Examples]:
    """Train, valid and test, with those that are missing taken from train, class by class."""
    train = parts["train"]
    wanted = [("valid", VALID_SHARE), ("test", TEST_SHARE)]
    missing = [(name, share) for name, share in wanted if name not in parts]
    if missing:
        kept, *taken = stratify(train.labels, tuple(share for _, share in missing), seed)
        for (name, _), indices in zip(missing, taken, strict=True):
            parts[name] = _select(train, indices)
        train = _select(train, kept)
    return train, parts["valid"], parts["test"]


def _select(part: Examples, indices: Tensor) -> Examples:
    return Examples(part.images[indices], part.labels[indices])


# --------------------------------------------------------------------- folders


def _read_parts(folder: Path) -> tuple[tuple[str, ...], Parts]:
    roots = {"train": folder}
    if (folder / "train").is_dir():
        found = {"train": "train", "valid": "valid", "val": "valid", "test": "test"}
        roots = {part: folder / n for n, part in found.items() if (folder / n).is_dir()}
    classes = tuple(sorted(p.name for p in _folders(roots["train"])))
    if not classes:
        raise DataError(f"{roots['train']} has no class folders", LAYOUT)
    return classes, {part: _read_classes(root, classes) for part, root in roots.items()}


def _folders(root: Path) -> list[Path]:
    return [p for p in root.iterdir() if p.is_dir() and not p.name.startswith(".")]


def _read_classes(root: Path, classes: tuple[str, ...]) -> Examples:
    strange = sorted({p.name for p in _folders(root)} - set(classes))
    if strange:
        raise DataError(f"{root / strange[0]} is a class that has no training images")
    files: list[Path] = []
    labels: list[int] = []
    for label, name in enumerate(classes):
        found = sorted(p for p in (root / name).glob("*") if p.suffix.lower() in SUFFIXES)
        files += found
        labels += [label] * len(found)
    if not files:
        raise DataError(f"{root} holds no PNG or JPEG files in its class folders", LAYOUT)
    return Examples(_read_images(files), torch.tensor(labels))


def _read_images(files: list[Path]) -> Tensor:
    arrays = [_read_image(path) for path in files]
    for path, array in zip(files, arrays, strict=True):
        if array.shape[:2] != arrays[0].shape[:2]:
            size, first = _size(array), _size(arrays[0])
            raise DataError(
                f"{path} is {size} pixels, but {files[0].name} is {first}",
                "resize the images to one size beforehand",
            )
    if any(array.ndim == 3 for array in arrays):
        arrays = [a if a.ndim == 3 else np.repeat(a[..., None], 3, axis=2) for a in arrays]
    return _channels_first(np.stack(arrays))


def _size(array: Array) -> str:
    return f"{array.shape[1]}x{array.shape[0]}"


def _read_image(path: Path) -> Array:
    """uint8 [H, W] of a grey image, [H, W, 3] of any other."""
    try:
        from PIL import Image
    except ImportError as error:
        raise DataError(
            "Pillow is needed to read image files", 'pip install "enasdsl[images]"'
        ) from error
    try:
        with Image.open(path) as image:
            return np.asarray(image.convert("L" if image.mode in ("1", "L") else "RGB"))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise DataError(f"{path} is not a readable image: {error}") from error


def _channels_first(images: Array) -> Tensor:
    """uint8 [n, C, H, W] of [n, H, W] or [n, H, W, C]."""
    if images.ndim == 3:
        images = images[..., None]
    return torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2)))


# ------------------------------------------------------------------------ .npz


def _read_npz(path: Path) -> tuple[tuple[str, ...], Parts]:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, AttributeError) as error:
        raise DataError(f"{path} is not a readable .npz file: {error}", LAYOUT) from error
    parts = {
        part: _npz_part(path, arrays, part)
        for part in ("train", "valid", "test")
        if part == "train" or f"{part}_images" in arrays
    }
    known = int(parts["train"].labels.max()) + 1
    for name, part in parts.items():
        if int(part.labels.max()) >= known:
            raise DataError(f"{path}: {name}_labels has a class that train_labels lacks")
    return tuple(map(str, range(known))), parts


def _npz_part(path: Path, arrays: dict[str, Array], part: str) -> Examples:
    names = (f"{part}_images", f"{part}_labels")
    for name in names:
        if name not in arrays:
            raise DataError(f"{path} has no array {name}", LAYOUT)
    images, labels = (arrays[name] for name in names)
    if images.dtype != np.uint8 or images.ndim not in (3, 4) or 0 in images.shape:
        raise DataError(
            f"{path}: {names[0]} is {images.dtype} of shape {images.shape}, "
            "not uint8 [n, H, W] or [n, H, W, C]",
            LAYOUT,
        )
    if labels.dtype.kind not in "iu" or labels.size != len(images) or labels.min() < 0:
        raise DataError(
            f"{path}: {names[1]} does not give each of the {len(images)} images "
            "a class number from 0",
            LAYOUT,
        )
    return Examples(_channels_first(images), torch.from_numpy(labels.reshape(-1).astype(np.int64)))
