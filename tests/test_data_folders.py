"""A user's own images: class folders and .npz files, and what is said of unusable ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from enasdsl.data.errors import DataError
from enasdsl.data.images import ImageData
from enasdsl.data.load import load


def read(path: Path) -> ImageData:
    data = load(f"images:{path}")
    assert isinstance(data, ImageData)
    return data


def draw(path: Path, *, size: tuple[int, int] = (6, 4), value: int = 9, mode: str = "RGB") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, value).save(path)


def fill(root: Path, *, classes: tuple[str, ...] = ("cat", "dog"), count: int = 10) -> None:
    for name in classes:
        for i in range(count):
            draw(root / name / f"{i:02}.png", value=10 * i + len(name))


def test_one_level_of_class_folders_is_parted_by_class(tmp_path: Path) -> None:
    fill(tmp_path, classes=("dog", "cat", "bird"), count=20)
    data = read(tmp_path)
    assert data.classes == ("bird", "cat", "dog")
    assert [len(p.labels) for p in (data.train, data.valid, data.test)] == [48, 6, 6]
    assert data.valid.labels.tolist() == [0, 0, 1, 1, 2, 2]
    assert data.train.images.shape[1:] == (3, 4, 6)
    assert data.task.input.space == (4, 6)


def test_given_parts_are_kept_and_a_missing_one_is_taken_from_train(tmp_path: Path) -> None:
    fill(tmp_path / "train")
    fill(tmp_path / "test", count=3)
    data = read(tmp_path)
    assert [len(p.labels) for p in (data.train, data.valid, data.test)] == [18, 2, 6]
    fill(tmp_path / "valid", count=2)
    data = read(tmp_path)
    assert [len(p.labels) for p in (data.train, data.valid, data.test)] == [20, 4, 6]
    assert data.test.images[:3, 0, 0, 0].tolist() == [3, 13, 23]


def test_grey_images_have_one_channel_unless_others_are_coloured(tmp_path: Path) -> None:
    for name in ("a", "b"):
        for i in range(4):
            draw(tmp_path / name / f"{i}.png", mode="L", value=50 * i)
    assert read(tmp_path).task.input.channels == 1
    draw(tmp_path / "b" / "5.jpg")
    assert read(tmp_path).task.input.channels == 3


def test_one_class_is_refused(tmp_path: Path) -> None:
    fill(tmp_path, classes=("cat",))
    with pytest.raises(DataError, match="only one class, 'cat'"):
        read(tmp_path)


def test_an_image_of_another_size_is_named(tmp_path: Path) -> None:
    fill(tmp_path)
    draw(tmp_path / "dog" / "big.png", size=(7, 7))
    with pytest.raises(DataError, match=r"big\.png is 7x7 pixels, but 00\.png is 6x4"):
        read(tmp_path)


def test_a_truncated_image_is_named(tmp_path: Path) -> None:
    fill(tmp_path)
    file = tmp_path / "cat" / "03.png"
    file.write_bytes(file.read_bytes()[:40])
    with pytest.raises(DataError, match=r"03\.png is not a readable image"):
        read(tmp_path)


def test_folders_without_images_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="absent does not exist"):
        read(tmp_path / "absent")
    with pytest.raises(DataError, match="has no class folders") as caught:
        read(tmp_path)
    assert "FOLDER/train/CLASS" in caught.value.help
    (tmp_path / "cat").mkdir()
    (tmp_path / "dog").mkdir()
    with pytest.raises(DataError, match="holds no PNG or JPEG"):
        read(tmp_path)


def test_a_class_without_training_images_is_refused(tmp_path: Path) -> None:
    fill(tmp_path / "train")
    fill(tmp_path / "test", classes=("cat", "emu"))
    with pytest.raises(DataError, match="emu is a class that has no training images"):
        read(tmp_path)


def test_an_npz_of_colour_images_last_axis_first(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (30, 5, 4, 3), dtype=np.uint8)
    labels = np.arange(30) % 3
    np.savez(tmp_path / "set.npz", train_images=pixels, train_labels=labels)
    data = read(tmp_path)
    assert [len(p.labels) for p in (data.train, data.valid, data.test)] == [24, 3, 3]
    assert (data.task.input.channels, data.task.input.space) == (3, (5, 4))
    arrays = {f"{p}_images": pixels for p in ("train", "valid", "test")}
    columns = {f"{p}_labels": labels[:, None] for p in ("train", "valid", "test")}
    np.savez(tmp_path / "set.npz", **arrays, **columns)  # type: ignore[arg-type]
    data = read(tmp_path / "set.npz")
    assert np.array_equal(data.test.images.numpy(), pixels.transpose(0, 3, 1, 2))
    assert data.test.labels.tolist() == labels.tolist()


PIXELS = np.zeros((4, 2, 2), np.uint8)


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"x": PIXELS}, "no array train_images"),
        ({"train_images": PIXELS}, "no array train_labels"),
        ({"train_images": PIXELS / 1, "train_labels": [0, 1, 0, 1]}, "float64 of shape"),
        ({"train_images": PIXELS, "train_labels": [0, 1]}, "each of the 4 images"),
        ({"train_images": PIXELS, "train_labels": [0, -1, 0, 0]}, "each of the 4 images"),
        ({"train_images": PIXELS, "train_labels": [0, 0, 0, 0]}, "only one class"),
        ({"train_images": PIXELS, "train_labels": np.array([{}] * 4)}, "not a readable"),
    ],
)
def test_unusable_npz_files(tmp_path: Path, arrays: dict[str, object], said: str) -> None:
    np.savez(tmp_path / "bad.npz", **arrays)  # type: ignore[arg-type]
    with pytest.raises(DataError, match=said):
        read(tmp_path)


def test_a_truncated_npz_is_named(tmp_path: Path) -> None:
    np.savez(tmp_path / "bad.npz", train_images=PIXELS)
    content = (tmp_path / "bad.npz").read_bytes()
    for cut in (content[:50], b"", b"text"):
        (tmp_path / "bad.npz").write_bytes(cut)
        with pytest.raises(DataError, match=r"bad\.npz is not a readable \.npz"):
            read(tmp_path)
