"""Data sets: what is read, how it is batched, and what is said of files that cannot be used."""

from __future__ import annotations

import os
import pickle
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Generator, Tensor

from enasdsl.data import cifar
from enasdsl.data.augment import Augment
from enasdsl.data.batches import Shuffle
from enasdsl.data.errors import DataError
from enasdsl.data.images import ImageData, stratify
from enasdsl.data.load import NAMES, load
from enasdsl.data.pydocs import read_pydocs
from enasdsl.data.text import TextData, encode

SHARED = Path(os.environ.get("ENASDSL_TEST_DATA", Path(__file__).parents[2] / "shared" / "data"))


def seeded(seed: int = 0) -> Generator:
    return Generator().manual_seed(seed)


def images(name: str, root: Path | None = None) -> ImageData:
    data = load(name, root=root)
    assert isinstance(data, ImageData)
    return data


def text(name: str, root: Path | None = None) -> TextData:
    data = load(name, root=root)
    assert isinstance(data, TextData)
    return data


@pytest.fixture(scope="module")
def digits() -> ImageData:
    return images("digits")


# ----------------------------------------------------------------------- names


def test_an_unknown_name_is_told_the_nearest_and_all() -> None:
    with pytest.raises(DataError, match="unknown data set `cifar-10`") as caught:
        load("cifar-10")
    assert "did you mean `cifar10`?" in caught.value.help
    assert all(name in caught.value.help for name in NAMES)


@pytest.mark.parametrize("name", ["", "text", "text:", "images:", "digits:x", "ptb:x"])
def test_a_name_of_the_wrong_form_is_unknown(name: str) -> None:
    with pytest.raises(DataError, match="unknown data set"):
        load(name)


# --------------------------------------------------------------------- batches


@given(st.integers(1, 40), st.integers(1, 60), st.integers(0, 9))
def test_every_epoch_of_a_shuffle_has_each_index_once(count: int, size: int, seed: int) -> None:
    order = Shuffle(count, size, seeded(seed))
    epochs = 3
    taken = [next(order) for _ in range(epochs * count // size + 1)]
    assert {len(batch) for batch in taken} == {size}
    stream = torch.cat(taken)
    for epoch in range(epochs):
        assert sorted(stream[epoch * count : (epoch + 1) * count].tolist()) == list(range(count))


@given(st.integers(0, 30), st.integers(0, 30))
def test_a_restored_shuffle_goes_on_exactly(before: int, after: int) -> None:
    order, other = Shuffle(17, 5, seeded(1)), Shuffle(17, 5, seeded(2))
    for _ in range(before):
        next(order)
    other.load_state_dict(order.state_dict())
    for _ in range(after):
        assert torch.equal(next(order), next(other))


def test_the_order_depends_on_the_generator_alone(digits: ImageData) -> None:
    def first(seed: int) -> Tensor:
        torch.rand(seed + 3)  # the global generator must not matter
        return next(digits.stream("train", 32, seeded(seed)))[1]

    assert torch.equal(first(5), first(5))
    assert not torch.equal(first(5), first(6))


def test_augmented_streams_resume_bit_for_bit(digits: ImageData) -> None:
    stream = digits.stream("train", 200, seeded(), augment=True)
    for _ in range(4):
        next(stream)
    saved = stream.state_dict()
    expected = [next(stream) for _ in range(4)]
    other = digits.stream("train", 200, seeded(9), augment=True)
    other.load_state_dict(saved)
    for x, y in expected:
        again, labels = next(other)
        assert torch.equal(x, again)
        assert torch.equal(y, labels)


def test_a_pass_in_order_gives_every_example_once(digits: ImageData) -> None:
    batches = list(digits.batches("test", 100))
    assert [len(y) for _, y in batches] == [100, 100, 100, len(digits.test.labels) - 300]
    assert torch.equal(torch.cat([y for _, y in batches]), digits.test.labels)
    shuffled = torch.cat([y for _, y in digits.batches("test", 100, seeded())])
    assert not torch.equal(shuffled, digits.test.labels)
    assert torch.equal(shuffled.sort().values, digits.test.labels.sort().values)


def test_the_training_part_is_normalised(digits: ImageData) -> None:
    x = torch.cat([x for x, _ in digits.batches("train", 64)])
    assert x.dtype == torch.float32
    assert abs(float(x.mean())) < 1e-4
    assert abs(float(x.std()) - 1) < 1e-3


def test_train_and_valid_together(digits: ImageData) -> None:
    both = digits.split("train+valid")
    assert len(both.images) == len(both.labels) == len(digits.train.labels) + 359
    with pytest.raises(ValueError, match="no part is named 'dev'"):
        digits.split("dev")


# ---------------------------------------------------------------- augmentation


def test_a_crop_is_a_window_of_the_padded_image_or_its_mirror() -> None:
    x = torch.arange(1, 1 + 6 * 2 * 4 * 5).float().view(6, 2, 4, 5)
    varied = Augment(pad=2, flip=True)(x, seeded(3))
    padded = torch.nn.functional.pad(x, (2, 2, 2, 2))
    for image, source in zip(varied, padded, strict=True):
        windows = [
            window
            for top in range(5)
            for left in range(5)
            for window in [source[:, top : top + 4, left : left + 5]]
        ]
        assert any(torch.equal(image, w) or torch.equal(image, w.flip(2)) for w in windows)


def test_crops_and_flips_reach_all_places() -> None:
    x = torch.arange(1, 10).float().view(1, 1, 3, 3).expand(4000, 1, 3, 3)
    varied = Augment(pad=1, flip=True)(x, seeded())
    assert len(varied.unique(dim=0)) == 9 * 2  # type: ignore[no-untyped-call]
    flipped = Augment(pad=0, flip=True)(x, seeded())
    assert 0.45 < float((flipped[:, 0, 0, 0] == 3).float().mean()) < 0.55
    assert torch.equal(Augment(pad=0, flip=False)(x, seeded()), x)


def test_cutout_is_a_clipped_square_with_uniform_centre() -> None:
    x = torch.ones(3000, 2, 6, 6)
    cut = Augment(pad=0, flip=False, cutout=4)(x, seeded()) == 0
    assert torch.equal(cut[:, 0], cut[:, 1])
    areas = cut[:, 0].sum((1, 2))
    assert int(areas.max()) == 16
    assert int(areas.min()) == 4  # a centre in the first corner leaves 2 x 2
    rows, columns = cut[:, 0].any(2), cut[:, 0].any(1)
    assert torch.equal(rows.sum(1) * columns.sum(1), areas)


def test_all_of_a_batch_is_made_on_the_device_of_the_data(digits: ImageData) -> None:
    moved = digits.to("meta")  # any operation that mixes devices fails
    stream = moved.stream("train", 8, seeded(), augment=Augment(pad=1, flip=True, cutout=3))
    x, y = next(stream)
    assert (x.device.type, y.device.type) == ("meta", "meta")
    assert x.shape == (8, 1, 8, 8)


# ---------------------------------------------------------------------- digits


def test_digits_are_parted_alike_in_every_class(digits: ImageData) -> None:
    sizes = [len(part.labels) for part in (digits.train, digits.valid, digits.test)]
    assert sizes == [1079, 359, 359]
    assert digits.train.images.shape[1:] == (1, 8, 8)
    assert digits.train.images.dtype == torch.uint8
    assert (digits.task.kind, digits.task.classes) == ("image_classifier", 10)
    counts = torch.bincount(digits.valid.labels)
    assert int(counts.min()) >= 34
    assert int(counts.max()) <= 37
    again = load("digits", seed=0)
    other = load("digits", seed=1)
    assert torch.equal(again.valid[0], digits.valid.images)
    assert not torch.equal(other.valid[0], digits.valid.images)


@given(st.lists(st.integers(0, 4), min_size=1, max_size=60))
def test_stratified_parts_are_a_partition(labels: list[int]) -> None:
    parts = stratify(torch.tensor(labels), (0.2, 0.2), 0)
    assert sorted(torch.cat(parts).tolist()) == list(range(len(labels)))
    assert set(labels) == {labels[i] for i in parts[0].tolist()}


# ------------------------------------------------------------------------ text


def test_windows_cover_a_stream_and_targets_follow_inputs() -> None:
    words = [str(i) for i in range(53)]
    data = encode("count", {"train": words, "valid": words, "test": words})
    streams = data.batchify("train", 4)
    assert streams.shape == (4, 13)
    assert torch.equal(streams.flatten(), data.train[:52])
    windows = data.windows("train", 4, 5)
    pairs = list(windows)
    assert [x.shape[1] for x, _ in pairs] == [5, 5, 2]
    assert len(windows) == 3
    assert torch.equal(torch.cat([x for x, _ in pairs], 1), streams[:, :-1])
    assert torch.equal(torch.cat([y for _, y in pairs], 1), streams[:, 1:])
    assert torch.equal(next(windows)[0], pairs[0][0])  # a second pass begins anew
    other = data.windows("train", 4, 5)
    other.load_state_dict(windows.state_dict())
    assert torch.equal(next(other)[0], pairs[1][0])
    x, y = data.random_window("valid", 4, 5, seeded())
    assert x.shape == y.shape == (4, 5)
    assert torch.equal(x[:, 1:], y[:, :-1])
    starts = {int(data.random_window("valid", 4, 5, g)[0][0, 0]) for g in [seeded()] * 300}
    assert starts == set(data.valid[:8].tolist())
    with pytest.raises(DataError, match="53 tokens, too few for 40 streams"):
        data.windows("test", 40, 5)


def test_unigram_perplexity_by_hand() -> None:
    data = encode("tiny", {"train": ["a", "a", "b"], "valid": ["b", "c"], "test": ["a"]})
    assert data.vocabulary == ("a", "b", "<eos>", "<unk>")
    # counts + 1: a 3, b 2, <eos> 1, <unk> 1 of 7; c is unknown
    assert data.unigram_perplexity("valid") == pytest.approx((2 / 7 * 1 / 7) ** -0.5)


def test_pydocs_is_english_without_a_leak() -> None:
    data = text("pydocs")
    assert len(data.vocabulary) == 1500
    assert min(len(data.valid), len(data.test)) > 3000
    assert len(data.train) > 6 * len(data.valid)
    assert {"the", "N", "<unk>", "<eos>"} <= set(data.vocabulary)
    assert all(word == word.lower() for word in data.vocabulary if word != "N")
    unknown = data.vocabulary.index("<unk>")
    assert float((data.valid == unknown).float().mean()) < 0.15
    ngrams = [
        {tuple(words[i : i + 25]) for i in range(len(words) - 25)}
        for words in (data.train.tolist(), data.valid.tolist(), data.test.tolist())
    ]
    assert len(ngrams[0] & ngrams[1]) + len(ngrams[0] & ngrams[2]) < 60
    assert not ngrams[1] & ngrams[2]
    assert data.unigram_perplexity("valid") < 400


def test_pydocs_depends_on_the_text_alone() -> None:
    from pydoc_data.topics import topics

    backwards = read_pydocs(dict(reversed(list(topics.items()))))
    assert torch.equal(backwards.train, text("pydocs").train)


def test_a_text_folder(tmp_path: Path) -> None:
    (tmp_path / "train.txt").write_text("the cat\nthe dog")
    (tmp_path / "valid.txt").write_text("a cat \n")
    with pytest.raises(DataError, match=r"has no test\.txt"):
        text(f"text:{tmp_path}")
    (tmp_path / "test.txt").write_text(" \n")
    with pytest.raises(DataError, match=r"test\.txt holds no words"):
        text(f"text:{tmp_path}")
    (tmp_path / "test.txt").write_bytes(b"caf\xe9\n")
    with pytest.raises(DataError, match=r"test\.txt is not UTF-8 text \(byte 3\)"):
        text(f"text:{tmp_path}")
    (tmp_path / "test.txt").write_text("dog\n\n")
    data = text(f"text:{tmp_path}")
    assert data.vocabulary == ("<eos>", "the", "cat", "dog", "<unk>")
    assert " ".join(data.vocabulary[i] for i in data.train) == "the cat <eos> the dog <eos>"
    assert " ".join(data.vocabulary[i] for i in data.valid) == "<unk> cat <eos>"
    assert len(data.test) == 3
    assert data.task.vocabulary == 5


@pytest.mark.skipif(not (SHARED / "ptb").is_dir(), reason=f"no Penn Treebank under {SHARED}")
def test_penn_treebank_has_its_known_sizes() -> None:
    data = text("ptb", SHARED)
    assert [len(t) for t in (data.train, data.valid, data.test)] == [929_589, 73_760, 82_430]
    assert len(data.vocabulary) == data.task.vocabulary == 10_000
    assert 600 < data.unigram_perplexity("valid") < 750
    assert text("ptb", SHARED / "ptb").vocabulary == data.vocabulary


# --------------------------------------------------------------------- CIFAR-10


@pytest.fixture
def small_cifar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(cifar, "PER_FILE", 20)
    monkeypatch.setattr(cifar, "VALID", 30)
    rng = np.random.default_rng(0)
    folder = tmp_path / "cifar-10-batches-bin"
    folder.mkdir()
    for name in cifar.FILES:
        rows = rng.integers(0, 256, (20, cifar.RECORD), dtype=np.uint8)
        rows[:, 0] = rng.integers(0, 10, 20)
        rows.tofile(folder / name)
    return folder


def test_cifar10_in_the_binary_layout(small_cifar: Path) -> None:
    data = images("cifar10", small_cifar.parent)
    assert [len(p.labels) for p in (data.train, data.valid, data.test)] == [70, 30, 20]
    raw = (small_cifar / "data_batch_5.bin").read_bytes()
    last = raw[-cifar.RECORD :]
    assert int(data.valid.labels[-1]) == last[0]
    green = data.valid.images[-1, 1].flatten().tolist()
    assert bytes(green) == last[1 + 1024 : 1 + 2048]
    expected = data.train.images.double() / 255
    assert torch.allclose(data.mean.double(), expected.mean((0, 2, 3)))
    assert torch.allclose(data.std.double(), expected.std((0, 2, 3), correction=0))


def test_damaged_cifar10_files_are_named(small_cifar: Path) -> None:
    file = small_cifar / "data_batch_3.bin"
    content = file.read_bytes()
    file.write_bytes(content[:-1])
    with pytest.raises(DataError, match=r"data_batch_3\.bin has 61,459 bytes"):
        images("cifar10", small_cifar)
    file.write_bytes(b"\x0a" + content[1:])
    with pytest.raises(DataError, match=r"data_batch_3\.bin has labels up to 10"):
        images("cifar10", small_cifar)


def test_a_pickled_batch_becomes_the_binary_layout(small_cifar: Path) -> None:
    rows = np.arange(20 * cifar.PIXELS, dtype=np.uint32).astype(np.uint8).reshape(20, -1)
    labels = [i % 10 for i in range(20)]
    batch = pickle.dumps({"data": rows, "labels": labels, "batch_label": "1 of 5"}, protocol=3)
    table = np.frombuffer(cifar.convert_batch(batch, "b"), np.uint8).reshape(20, cifar.RECORD)
    assert table[:, 0].tolist() == labels
    assert np.array_equal(table[:, 1:], rows)


def test_a_batch_pickled_by_python_2_is_read(small_cifar: Path) -> None:
    rows = np.random.default_rng(0).integers(0, 256, (20, cifar.PIXELS), dtype=np.uint8)
    array = (
        b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\nK\x00\x85U\x01btR(K\x01"
        b"(K\x14M\x00\x0ctcnumpy\ndtype\nU\x02u1K\x00K\x01\x87R(K\x03U\x01|NNN"
        b"J\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89T" + struct.pack("<i", rows.size)
    )
    labels = b"(" + b"".join(b"K" + bytes([i % 10]) for i in range(20)) + b"l"
    batch = b"\x80\x02}(U\x04data" + array + rows.tobytes() + b"tbU\x06labels" + labels + b"u."
    table = np.frombuffer(cifar.convert_batch(batch, "b"), np.uint8).reshape(20, cifar.RECORD)
    assert np.array_equal(table[:, 1:], rows)
    assert table[:, 0].tolist() == [i % 10 for i in range(20)]


def test_a_pickle_cannot_run_code(tmp_path: Path) -> None:
    class Hostile:
        def __reduce__(self) -> tuple[object, ...]:
            return os.mkdir, (str(tmp_path / "owned"),)

    with pytest.raises(DataError, match=r"not a batch of CIFAR-10: it asks for posix\.mkdir"):
        cifar.convert_batch(pickle.dumps({"data": Hostile()}), "data_batch_1")
    assert not (tmp_path / "owned").exists()


@pytest.mark.skipif(
    "ENASDSL_SLOW_TESTS" not in os.environ, reason="unpacks 180 MB; set ENASDSL_SLOW_TESTS"
)
@pytest.mark.skipif(not (SHARED / "cifar10").is_dir(), reason=f"no CIFAR-10 under {SHARED}")
def test_all_of_cifar10(tmp_path: Path) -> None:
    subprocess.run([sys.executable, SHARED / "cifar10" / "unpack.py", tmp_path], check=True)
    data = images("cifar10", tmp_path)
    assert [len(p.labels) for p in (data.train, data.valid, data.test)] == [45_000, 5_000, 10_000]
    assert torch.bincount(data.test.labels).tolist() == [1000] * 10
    assert torch.allclose(data.mean, torch.tensor([0.491, 0.482, 0.447]), atol=0.002)
    assert data.stream("train", 128, seeded()).per_epoch == 352
