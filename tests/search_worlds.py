"""Tiny spaces and data sets on which whole searches take a second."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from enasdsl.data.augment import Augment
from enasdsl.data.images import Examples, ImageData, assemble
from enasdsl.data.text import TextData, encode
from enasdsl.search.assembly import Assembly
from enasdsl.search.compiling import SpaceFile
from enasdsl.search.run import Info, Run
from enasdsl.source import SourceFile

LANGUAGE = """
space tiny_rnn
param hidden = 6
cell recurrent(x) state h {
  node 1 { concat(x, h) -> linear -> choose [tanh, relu] }
  node i in 2..3 {
    source = choose 1 from nodes
    source -> linear -> choose [tanh, sigmoid]
  }
  mean(loose)
}
network language_model {
  stem  embedding(hidden) -> dropout(0.2)
  stack recurrent
  head  linear(vocabulary, tied: true)
}
recipe quick {
  data { batch: 4; eval_batch: 4; bptt: 5 }
  weights { lr: 0.5; momentum: 0.5; decay: 1e-4; clip: 1; epochs: 2; steps: 6
            init { kind: uniform } }
  controller { hidden: 8; lr: 0.01; steps: 4; children: 2; baseline: 0.9 }
  derive { samples: 6; keep: 3 }
  child { weights { epochs: 2 } }
}
"""

IMAGES = """
space tiny_cnn
param filters = 4
ops candidate = [conv(1), conv(3)]
cell layers(image) {
  node 1 { previous -> choose candidate }
  node k in 2..4 {
    y = previous -> choose candidate
    skips = choose any from earlier except previous
    concat(y, skips) -> conv(1) -> batch_norm -> relu
  }
  previous
}
network image_classifier {
  stem  conv(3) -> batch_norm
  stack layers
  head  global_avg_pool -> dropout(0.1) -> linear(classes)
}
recipe quick {
  data { batch: 8; eval_batch: 16 }
  weights { lr: 0.05; epochs: 2; schedule { kind: cosine; period: 1 } }
  controller { hidden: 8; lr: 0.01; steps: 4; children: 2; skip_weight: 0.1 }
  derive { samples: 6; keep: 3 }
  child { params { filters: 6 }; weights { epochs: 2 } }
}
"""

EDGES = """
space tiny_edges
param filters = 4
ops candidate = [zero, identity, conv(1), avg_pool(3)]
cell layers(x) {
  node 1 { x -> choose [identity, conv(3) -> choose [relu, tanh]] }
  node 2 { sum(j -> choose candidate for j in earlier) }
  node 3 { mean(j -> conv(1) for j in choose 1..2 from earlier) -> batch_norm }
  previous
}
network image_classifier {
  stem  conv(3) -> batch_norm
  stack layers
  head  global_avg_pool -> linear(classes)
}
recipe quick {
  data { batch: 8; eval_batch: 16 }
  weights { lr: 0.05; momentum: 0.9; epochs: 2 }
  relaxation { lr: 0.05 }
  derive { samples: 6; keep: 3 }
  child { weights { epochs: 2 } }
}
"""


def words(n: int = 700) -> dict[str, list[str]]:
    """Text in which each word all but settles the next."""
    draws = np.random.default_rng(0)
    text = [0]
    while len(text) < n:
        text.append((text[-1] * 2 + 1) % 11 if draws.random() < 0.9 else int(draws.integers(11)))
    spelt = [f"w{t}" for t in text]
    return {"train": spelt[: n // 2], "valid": spelt[n // 2 : -n // 4], "test": spelt[-n // 4 :]}


def text_data() -> TextData:
    return encode("tiny", words())


def image_data() -> ImageData:
    """Two classes of 6x6 images that differ in brightness; only a sixth of the pixels tell."""
    draws = torch.Generator().manual_seed(0)
    labels = torch.randint(2, (96,), generator=draws)
    images = torch.randint(0, 160, (96, 1, 6, 6), generator=draws)
    images[:, :, 2] += 60 * labels[:, None, None]
    examples = Examples(images.to(torch.uint8), labels)
    parts = [Examples(*(t[a:b] for t in examples)) for a, b in ((0, 48), (48, 80), (80, 96))]
    return assemble(
        "tiny", ("dark", "light"), (parts[0], parts[1], parts[2]), augment=Augment(pad=1)
    )


def write_world(folder: Path) -> tuple[Path, str]:
    """A space file and the name of a data set, on disk, for whole commands."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, part in words().items():
        (folder / f"{name}.txt").write_text(" ".join(part))
    file = folder / "tiny.enas"
    file.write_text(LANGUAGE)
    return file, f"text:{folder}"


def assembly(folder: Path, text: str, strategy: str = "enas", **settings: object) -> Assembly:
    """A search over a tiny space in memory; its folder has only what the search writes."""
    data = text_data() if text is LANGUAGE else image_data()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "space").mkdir(exist_ok=True)
    path = folder / "space" / "tiny.enas"
    path.write_text(text)
    file = SpaceFile(SourceFile(str(path), text))
    dotted = {key.replace("__", "."): value for key, value in settings.items()}
    _, recipe = file.recipe("quick", dotted, data.task)
    space = file.space(recipe.params, data.task)
    info = Info(
        kind="search", file="tiny.enas", main="tiny.enas", space=space.name, hash=space.hash,
        data="tiny", strategy=strategy,
    )  # fmt: skip
    return Assembly(Run(folder, info, recipe), data, torch.device("cpu"))
