"""Downloads against a server of this machine: mirrors, checksums, broken transfers, messages."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import pickle
import socket
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from enasdsl.data import cifar, fetch
from enasdsl.data import load as loading
from enasdsl.data.errors import DataError
from enasdsl.data.fetch import Artifact, Collection, Resuming, locate
from enasdsl.data.images import ImageData
from enasdsl.data.sources import COLLECTIONS, PTB_ARCHIVE, take_from_tar, take_from_zip
from enasdsl.data.text import TextData

TEXT = b"the quick brown fox\n" * 20_000  # 400 kB, several pieces of a transfer
PARTS = {f"ptb.{split}.txt": TEXT + split.encode() for split in ("train", "valid", "test")}


def md5(content: bytes) -> str:
    return f"md5:{hashlib.md5(content).hexdigest()}"


@dataclass
class Site:
    """What the server answers, and what it was asked for: each path with its Range header."""

    address: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    breaks: dict[str, list[int]] = field(default_factory=dict)
    ranges: bool = True
    asked: list[tuple[str, str | None]] = field(default_factory=list)

    def url(self, path: str) -> str:
        return f"{self.address}/{path}"


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    site = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name, wanted = self.path[1:], self.headers["Range"]
            site.asked.append((name, wanted))
            assert "enasdsl" in self.headers["User-Agent"]
            if name not in site.files:
                self.send_error(404)
                return
            content = site.files[name]
            start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and site.ranges else 0
            if start and start >= len(content):
                self.send_error(416)
                return
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(content) - start))
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/*")
            self.end_headers()
            cuts = site.breaks.get(name, [])
            stop = start + cuts.pop(0) if cuts else len(content)
            self.wfile.write(content[start:stop])
            self.close_connection = True

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        site.address = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield site
        server.shutdown()
        thread.join()


@pytest.fixture
def dead() -> str:
    """The address of a host that refuses connections."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{closed.getsockname()[1]}"


def one_file(*urls: str, content: bytes = TEXT) -> Collection:
    artifact = Artifact("text.txt", md5(content), urls)
    return Collection("sample", {"text.txt": md5(content)}, ("sample",), ((artifact,),))


def test_a_good_file_is_placed_whole_and_not_fetched_again(site: Site, tmp_path: Path) -> None:
    site.files["a"] = TEXT
    for _ in range(2):
        folder = locate(one_file(site.url("a")), tmp_path)
        assert folder == tmp_path / "sample"
        assert (folder / "text.txt").read_bytes() == TEXT
    assert site.asked == [("a", None)]
    assert os.listdir(folder) == ["text.txt"]


def test_mirrors_are_tried_in_turn(site: Site, dead: str, tmp_path: Path) -> None:
    site.files |= {"bad": TEXT[:-1] + b"?", "good": TEXT}
    urls = (f"{dead}/x", site.url("absent"), site.url("bad"), site.url("good"), site.url("never"))
    folder = locate(one_file(*urls), tmp_path)
    assert (folder / "text.txt").read_bytes() == TEXT
    assert [name for name, _ in site.asked] == ["absent", "bad", "good"]


def test_when_all_fail_the_message_says_why_and_what_to_do(
    site: Site, dead: str, tmp_path: Path
) -> None:
    site.files["bad"] = b"<html>"
    with pytest.raises(DataError) as caught:
        locate(one_file(f"{dead}/x", site.url("absent"), site.url("bad")), tmp_path)
    assert caught.value.message.splitlines() == [
        "sample could not be downloaded:",
        f"  {dead}/x: cannot be reached",
        f"  {site.url('absent')}: answered 404 Not Found",
        f"  {site.url('bad')}: the file is damaged, its checksum is not the known one",
    ]
    help = caught.value.help
    assert f"put text.txt into {tmp_path / 'sample'}" in help
    assert "--data pydocs and --data digits need none" in help
    assert os.listdir(tmp_path / "sample") == []


def test_a_broken_transfer_goes_on_where_it_stopped(site: Site, tmp_path: Path) -> None:
    site.files["a"] = TEXT
    site.breaks["a"] = [150_000, 100_000]
    folder = locate(one_file(site.url("a")), tmp_path)
    assert (folder / "text.txt").read_bytes() == TEXT
    assert site.asked[0] == ("a", None)
    starts = [int(str(r).removeprefix("bytes=").rstrip("-")) for _, r in site.asked[1:]]
    assert 0 < starts[0] <= 150_000 < starts[1] <= 250_000


def test_a_later_run_goes_on_from_the_part_that_an_earlier_one_left(
    site: Site, tmp_path: Path
) -> None:
    site.files["a"] = TEXT
    site.breaks["a"] = [100_000, 100_000, 100_000]
    with pytest.raises(DataError, match="broke off; the next run goes on from there"):
        locate(one_file(site.url("a")), tmp_path)
    (part,) = (tmp_path / "sample").iterdir()
    assert part.name == "text.txt.part"
    kept = part.stat().st_size
    assert 100_000 < kept <= 300_000
    site.asked.clear()
    locate(one_file(site.url("a")), tmp_path)
    assert site.asked == [("a", f"bytes={kept}-")]
    assert (tmp_path / "sample" / "text.txt").read_bytes() == TEXT
    assert not part.exists()


@pytest.mark.parametrize("ranges", [True, False])
def test_a_part_of_another_file_is_thrown_away(site: Site, tmp_path: Path, ranges: bool) -> None:
    site.files["a"] = TEXT
    site.ranges = ranges
    (tmp_path / "sample").mkdir()
    (tmp_path / "sample" / "text.txt.part").write_bytes(b"x" * 1000)
    folder = locate(one_file(site.url("a")), tmp_path)
    assert (folder / "text.txt").read_bytes() == TEXT
    assert [r for _, r in site.asked] == ["bytes=1000-", None][: 1 + ranges]


def test_a_part_longer_than_the_file_is_thrown_away(site: Site, tmp_path: Path) -> None:
    site.files["a"] = TEXT
    (tmp_path / "sample").mkdir()
    (tmp_path / "sample" / "text.txt.part").write_bytes(TEXT + b"more")
    locate(one_file(site.url("a")), tmp_path)
    assert [r for _, r in site.asked] == [f"bytes={len(TEXT) + 4}-", None]


def test_an_interrupt_keeps_what_was_transferred(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(self: Resuming, response: object, output: Path) -> None:
        output.write_bytes(TEXT[:1234])
        raise KeyboardInterrupt

    site.files["a"] = TEXT
    with monkeypatch.context() as patch:
        patch.setattr(Resuming, "_save", interrupt)
        with pytest.raises(KeyboardInterrupt):
            locate(one_file(site.url("a")), tmp_path)
    locate(one_file(site.url("a")), tmp_path)
    assert site.asked[-1] == ("a", "bytes=1234-")


def test_a_full_disk_is_no_fault_of_the_mirror(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Resuming, response: object, output: Path) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    site.files["a"] = TEXT
    monkeypatch.setattr(Resuming, "_save", full)
    with pytest.raises(DataError, match=r"cannot write .*sample: No space left") as caught:
        locate(one_file(site.url("a"), site.url("b")), tmp_path)
    assert "--data-root" in caught.value.help
    assert len(site.asked) == 1


def test_a_folder_that_cannot_be_made(site: Site, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match=r"cannot write .*file/sample: Not a directory"):
        locate(one_file(site.url("a")), tmp_path / "file")


def test_a_damaged_file_on_disk_is_named(site: Site, tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_bytes(TEXT[:-5])
    with pytest.raises(DataError, match=r"text\.txt is damaged"):
        locate(one_file(site.url("a")), tmp_path)
    assert site.asked == []


def test_without_a_root_the_users_cache_is_used(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.files["a"] = TEXT
    monkeypatch.setattr(fetch, "cache_folder", lambda: tmp_path / "cache")
    assert locate(one_file(site.url("a")), None) == tmp_path / "cache" / "sample"


# -------------------------------------------------------------------- archives


def tar(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def test_ptb_falls_back_from_raw_files_to_the_archive(
    site: Site, dead: str, tmp_path: Path
) -> None:
    archive = tar({f"./simple-examples/data/{name}": text for name, text in PARTS.items()})
    site.files |= {"p.tgz": archive, "ptb.train.txt": PARTS["ptb.train.txt"]}
    checksums = {name: md5(text) for name, text in PARTS.items()}
    raw = tuple(Artifact(n, c, (f"{site.address}/{n}",)) for n, c in checksums.items())
    packed = replace(PTB_ARCHIVE, checksum=md5(archive), urls=(dead, site.url("p.tgz")))
    ptb = replace(COLLECTIONS["ptb"], files=checksums, sources=(raw, (packed,)))
    data = loading.load("ptb", root=tmp_path, collections={"ptb": ptb})
    assert isinstance(data, TextData)
    assert len(data.train) == 5 * 20_000 + 2
    assert set(data.vocabulary) == {"the", "quick", "brown", "fox", "train", "<eos>", "<unk>"}
    assert sorted(os.listdir(tmp_path / "ptb")) == sorted(PARTS)


def test_cifar10_is_made_of_the_archive_of_pickles(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cifar, "PER_FILE", 20)
    monkeypatch.setattr(cifar, "VALID", 10)
    rng = np.random.default_rng(0)
    batches = {
        name.removesuffix(".bin"): {
            "data": rng.integers(0, 256, (20, 3072), dtype=np.uint8),
            "labels": rng.integers(0, 10, 20).tolist(),
        }
        for name in cifar.FILES
    }
    archive = tar(
        {f"cifar-10-batches-py/{n}": pickle.dumps(b, protocol=3) for n, b in batches.items()}
    )
    site.files["c.tgz"] = archive
    known = COLLECTIONS["cifar10"]
    ((artifact,), _) = known.sources
    artifact = replace(artifact, checksum=md5(archive), urls=(site.url("c.tgz"),))
    collection = replace(known, sources=((artifact,),))
    data = loading.load("cifar10", root=tmp_path, collections={"cifar10": collection})
    assert isinstance(data, ImageData)
    expected = np.asarray(batches["test_batch"]["data"]).reshape(-1, 3, 32, 32)
    assert np.array_equal(data.test.images.numpy(), expected)
    assert data.test.labels.tolist() == batches["test_batch"]["labels"]


def test_an_archive_without_a_checksum_is_judged_by_its_members(site: Site, tmp_path: Path) -> None:
    def zipped(content: bytes) -> bytes:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("w/text", content)
        return buffer.getvalue()

    site.files |= {"page": b"<html>", "other": zipped(b"other"), "good": zipped(TEXT)}
    site.files["short"] = site.files["good"][:-100]
    checksums = {"text.txt": md5(TEXT)}
    urls = tuple(map(site.url, ("page", "other", "short", "good")))
    artifact = Artifact("w.zip", None, urls, take_from_zip({"w/text": "text.txt"}, checksums))
    collection = Collection("sample", checksums, (), ((artifact,),))
    assert (locate(collection, tmp_path) / "text.txt").read_bytes() == TEXT
    assert os.listdir(tmp_path / "sample") == ["text.txt"]
    bad = replace(artifact, urls=urls[:3])
    with pytest.raises(DataError) as caught:
        locate(replace(collection, sources=((bad,),)), tmp_path / "else")
    lines = caught.value.message.splitlines()[1:]
    said = [line.split(": ", 1)[1] for line in lines]
    assert said[0].startswith("w.zip is not a complete archive")
    assert said[1] == "w/text in w.zip is not the known text"
    assert said[2].startswith("w.zip is not a complete archive")


def test_an_archive_put_there_by_hand_is_used_and_kept(dead: str, tmp_path: Path) -> None:
    content = tar({"b": TEXT})
    artifact = Artifact("w.tgz", md5(content), (dead,), take_from_tar({"b": "text.txt"}))
    collection = Collection("sample", {"text.txt": md5(TEXT)}, (), ((artifact,),))
    with pytest.raises(DataError) as caught:
        locate(collection, tmp_path)
    assert "put text.txt, or the archive w.tgz, into" in caught.value.help
    (tmp_path / "sample" / "w.tgz").write_bytes(content)
    folder = locate(collection, tmp_path)
    assert sorted(os.listdir(folder)) == ["text.txt", "w.tgz"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (tar({"a": b""}), "w.tgz lacks a file"),
        (tar({"b": TEXT})[:200], "not a complete archive"),
        (b"", "not a complete archive"),
    ],
    ids=["a file is missing", "cut short", "empty"],
)
def test_unusable_tar_archives(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "w.tgz").write_bytes(content)
    with pytest.raises(DataError, match=said):
        take_from_tar({"b": "b.txt"})(tmp_path / "w.tgz", tmp_path)


def test_public_collections_have_checksums_and_mirrors() -> None:
    for collection in COLLECTIONS.values():
        urls = [url for source in collection.sources for a in source for url in a.urls]
        assert len(urls) >= 2
        for source in collection.sources:
            for artifact in source:
                assert artifact.checksum or all(collection.files.values())
