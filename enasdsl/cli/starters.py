"""The files that `enasdsl new` writes; `NAME` stands for the name of the space."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Starter:
    """A space file to begin with, and the embedded data on which it can be searched at once."""

    data: str
    text: str


_CELL = """\
space NAME                                  # what is searched: a cell, stamped many times

param B = 4 in 1..12                        # nodes of a cell
param N = 1 in 1..10                        # cells in each stage
param filters = 16                          # channels; a reduction doubles them

op skip { identity when stride == 1 else factorized_reduction }

ops candidate = [sep_conv(3), sep_conv(5), avg_pool(3), max_pool(3), skip]

# What brings the two inputs of a cell, which may differ in size, to one size and width.
op calibrate { relu -> (conv(1) -> batch_norm when stride == 1 else factorized_reduction) }

# Each node picks two earlier values and sends each of them through an operation of its own.
cell normal(before, last) align calibrate {
  node i in 1..B {
    a, b = choose 2 from earlier with repeats
    f, g = choose 2 from candidate with repeats
    (a -> f) + (b -> g)
  }
  concat(loose) -> conv(1) -> batch_norm    # loose: the nodes that no other node read
}

cell reduction like normal with stride 2, filters * 2    # decisions of its own

network image_classifier {
  stem  conv(3) -> batch_norm
  stack normal * N, reduction, normal * N
  head  relu -> global_avg_pool -> linear(classes)
}

# Settings of a search; `enasdsl search NAME.enas --set weights.lr=0.01` changes one.
recipe quick {
  data { batch: 32; augment: false }
  weights {
    optimizer: adam; lr: 0.005; decay: 0; epochs: 20
    schedule { kind: cosine; period: 20 }
  }
  controller { steps: 10; children: 5; lr: 0.01; baseline: 0.9 }
  derive { samples: 20; keep: 5 }
}
"""

_MACRO = """\
space NAME                                  # what is searched: every layer, and what it reads

param L = 6 in 2..48                        # layers; the image is halved after each third
param filters = 16                          # channels

op unit(k) { conv(k) -> batch_norm -> relu }

ops candidate = [unit(3), unit(5), sep_conv(3), sep_conv(5), avg_pool(3), max_pool(3)]

# Each layer picks an operation on the layer before it, and which earlier layers join the result.
cell layers(image) {
  node 1 { previous -> choose candidate }
  node k in 2..L {
    each earlier -> factorized_reduction when k == L // 3 + 1 or k == 2 * (L // 3) + 1
    y = previous -> choose candidate
    skips = choose any from earlier except previous
    concat(y, skips) -> conv(1) -> batch_norm -> relu
  }
  previous                                  # the last layer is the value of the cell
}

network image_classifier {
  stem  conv(3) -> batch_norm
  stack layers
  head  global_avg_pool -> dropout(0.1) -> linear(classes)
}

# Settings of a search; `enasdsl search NAME.enas --set weights.lr=0.01` changes one.
recipe quick {
  data { batch: 32; augment: false }
  weights {
    optimizer: adam; lr: 0.002; decay: 0; epochs: 20
    schedule { kind: cosine; period: 20 }
  }
  controller { steps: 10; children: 5; lr: 0.01; baseline: 0.9 }
  derive { samples: 20; keep: 5 }
}
"""

_RNN = """\
space NAME                                  # what is searched: a recurrent cell

param N = 6 in 1..32                        # nodes of the cell
param hidden = 64                           # width of the cell and of the word vectors

ops activation = [tanh, relu, identity, sigmoid]

# Keeps a share of what it carries, and replaces the rest.
op highway(act) on x, carry {
  gate = x -> linear -> sigmoid
  gate * (x -> linear -> act) + (1 - gate) * carry
}

# Run along the sequence: x is the word, h what the cell gave at the word before.
cell recurrent(x) state h {
  node 1 { concat(x, h), h -> highway(choose activation) }
  node i in 2..N {
    source = choose 1 from nodes            # one of the nodes above
    source, source -> highway(choose activation)
  }
  mean(loose) -> layer_norm                 # loose: the nodes that no other node read
}

network language_model {
  stem  embedding(hidden)
  stack recurrent
  head  linear(vocabulary, tied: true)      # with the matrix of the embedding
}

# Settings of a search; `enasdsl search NAME.enas --set weights.lr=0.005` changes one.
recipe quick {
  data { batch: 32; bptt: 16 }
  weights {
    optimizer: adam; lr: 0.01; decay: 0; clip: 1; epochs: 10
    schedule { kind: step; gamma: 0.7; from_epoch: 5 }
    init { kind: uniform; bound: 0.1 }
  }
  controller { steps: 20; children: 5; lr: 0.01; baseline: 0.9 }
  derive { samples: 20; keep: 5 }
}
"""

_TRANSFORMER = """\
space NAME                                  # what is searched: the sizes of a transformer

param patch = 2 in 1..32                    # side of the patches into which an image is cut
param size = 16                             # width of one head

width = choose 32..64 step 16               # bound here, once: the same in every layer

# Bound in an operation: decided afresh for each layer.
op layer on x {
  heads = choose 2..4
  ratio = choose [2, 3, 4]
  y = x + (x -> layer_norm -> self_attention(heads, size))
  y + (y -> layer_norm -> feed_forward(ratio))
}

network image_classifier {
  stem  conv(patch, filters: width, stride: patch) -> to_sequence -> positional_embedding
  stack layer * choose 2..4                 # a layer that is not there decides nothing
  head  layer_norm -> global_avg_pool -> linear(classes)
}

# Settings of a search; `enasdsl search NAME.enas --set weights.lr=0.001` changes one.
recipe quick {
  data { batch: 32; augment: false }
  weights {
    optimizer: adam; lr: 0.002; decay: 0; clip: 1; epochs: 20
    schedule { kind: cosine; period: 20 }
  }
  controller { steps: 10; children: 5; lr: 0.01; baseline: 0.9 }
  derive { samples: 20; keep: 5 }
}
"""

STARTERS: Mapping[str, Starter] = {
    "cell": Starter("digits", _CELL),
    "macro": Starter("digits", _MACRO),
    "rnn": Starter("pydocs", _RNN),
    "transformer": Starter("digits", _TRANSFORMER),
}
"""The starter of each kind of space."""
