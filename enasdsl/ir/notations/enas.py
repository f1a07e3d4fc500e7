"""The strings of numbers in which the authors of ENAS write architectures.

melodyguan/enas: `scripts/ptb_final.sh`, `cifar10_macro_final.sh`, `cifar10_micro_final.sh`;
google-research `enas_lm`, its README.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from math import isqrt

from enasdsl.ir.notations.foreign import (
    Choices,
    Foreign,
    Notation,
    NotationError,
    at,
    label_of,
    labels_of,
    place_of,
)

ACTIVATIONS = ("tanh", "relu", "identity", "sigmoid")
LATER_ACTIVATIONS = ("tanh", "relu", "sigmoid", "identity")  # of enas_lm
LAYERS = (
    "layer_conv(3)",
    "layer_sep_conv(3)",
    "layer_conv(5)",
    "layer_sep_conv(5)",
    "layer_pool(avg_pool(3))",
    "layer_pool(max_pool(3))",
)
OPERATIONS = ("sep_conv(3)", "sep_conv(5)", "avg_pool(3)", "max_pool(3)", "skip")
INPUTS = ("prev_prev", "prev")
CELLS = ("normal", "reduction")
LARGEST = 64  # nodes of a recurrent cell, as the shipped spaces have it


def numbers(text: str) -> list[int]:
    """The numbers of a string, or of a list, of Python or of a shell; raises NotationError."""
    strange = re.search(r"[^\d\s,;\[\]()'\"\\]", text)
    if strange:
        raise NotationError(f"a string of numbers is needed, and this has a `{strange[0]}`")
    return [int(word) for word in re.findall(r"\d+", text)]


# ------------------------------------------------------------------- recurrent


def read_rnn(text: str) -> Foreign:
    """The activation of node 1, then for each other node its input and its activation."""
    found = numbers(text)
    if len(found) % 2 == 0 or len(found) > 2 * LARGEST:
        raise NotationError(
            f"a recurrent cell has an odd number of tokens up to {2 * LARGEST - 1}, "
            f"and here are {len(found)}"
        )
    choices: dict[str, str | list[str]] = {}
    for node in range(1, len(found) // 2 + 2):
        if node > 1:
            source = _earlier(found[2 * node - 3], node - 1)
            choices[f"recurrent.node{node}.source"] = f"node{source + 1}"
        choices[f"recurrent.node{node}.act"] = at(found[2 * node - 2], ACTIVATIONS, "an activation")
    return Foreign("rnn", choices, {"N": str(len(found) // 2 + 1)})


def write_rnn(choices: Choices) -> str:
    """Inverse of `read_rnn`."""
    words: list[int] = []
    for node in range(1, len(choices) // 2 + 2):
        if node > 1:
            words.append(_number(label_of(choices, f"recurrent.node{node}.source")) - 1)
        act = label_of(choices, f"recurrent.node{node}.act")
        words.append(place_of(act, ACTIVATIONS, "an activation"))
    return _joined(words)


def read_lm(text: str) -> Foreign:
    """For each node after the fixed node 0 its input and its activation."""
    found = numbers(text)
    if len(found) % 2 or not 0 < len(found) <= 2 * LARGEST:
        raise NotationError(
            f"a cell of enas_lm has an even number of tokens up to {2 * LARGEST}, "
            f"and here are {len(found)}"
        )
    choices: dict[str, str | list[str]] = {}
    for node in range(1, len(found) // 2 + 1):
        source, act = found[2 * node - 2], found[2 * node - 1]
        choices[f"recurrent.node{node}.source"] = f"node{_earlier(source, node)}"
        choices[f"recurrent.node{node}.act"] = at(act, LATER_ACTIVATIONS, "an activation")
    return Foreign("darts_rnn", choices, {"N": str(len(found) // 2)})


def write_lm(choices: Choices) -> str:
    """Inverse of `read_lm`."""
    words: list[int] = []
    for node in range(1, len(choices) // 2 + 1):
        words.append(_number(label_of(choices, f"recurrent.node{node}.source")))
        act = label_of(choices, f"recurrent.node{node}.act")
        words.append(place_of(act, LATER_ACTIVATIONS, "an activation"))
    return _joined(words)


# ----------------------------------------------------------------------- macro


def read_macro(text: str) -> Foreign:
    """For each layer its operation, then a bit for each earlier value: the stem, then layers.

    The layer before is its input in any case and has no bit.
    """
    found = numbers(text)
    layers = (isqrt(8 * len(found) + 1) - 1) // 2
    if layers * (layers + 1) // 2 != len(found) or not found:
        raise NotationError(
            f"L layers have 1 + 2 + ... + L tokens, and here are {len(found)}, between "
            f"{layers * (layers + 1) // 2} for {layers} and {(layers + 1) * (layers + 2) // 2}"
        )
    choices: dict[str, str | list[str]] = {}
    tokens = iter(found)
    for layer in range(1, layers + 1):
        operation = at(next(tokens), LAYERS, "an operation")
        choices[f"layers.node{layer}.candidate"] = operation
        bits = [next(tokens) for _ in range(layer - 1)]
        if set(bits) - {0, 1}:
            raise NotationError(f"the skip bits of layer {layer} are 0 or 1, not {_joined(bits)}")
        if layer > 1:
            kept = [name for name, bit in zip(_skips(layer), bits, strict=True) if bit]
            choices[f"layers.node{layer}.skips"] = kept
    return Foreign("macro", choices, {"L": str(layers)})


def write_macro(choices: Choices) -> str:
    """Inverse of `read_macro`, a line for each layer."""
    lines = []
    for layer in range(1, len(choices) // 2 + 2):
        candidate = label_of(choices, f"layers.node{layer}.candidate")
        words = [place_of(candidate, LAYERS, "an operation")]
        if layer > 1:
            kept = labels_of(choices, f"layers.node{layer}.skips")
            words += [int(name in kept) for name in _skips(layer)]
        lines.append(_joined(words))
    return "\n".join(lines)


def _skips(layer: int) -> Iterator[str]:
    yield "image"
    yield from (f"node{k}" for k in range(1, layer - 1))


# ----------------------------------------------------------------------- micro


def read_micro(text: str) -> Foreign:
    """The normal cell, then the reduction cell; for each node input, operation, input, operation.

    Inputs 0 and 1 are the outputs of the two cells before, 2 and more the nodes.
    """
    found = numbers(text)
    nodes = len(found) // 8
    if len(found) % 8 or not found:
        raise NotationError(
            f"two cells have a multiple of 8 tokens, 4 for each node, and here are {len(found)}"
        )
    choices: dict[str, str | list[str]] = {}
    for place, cell in enumerate(CELLS):
        for node in range(nodes):
            start = 4 * (place * nodes + node)
            a, f, b, g = found[start : start + 4]
            path = f"{cell}.node{node + 3}"
            choices[f"{path}.a"] = _value(_earlier(a, node + 2))
            choices[f"{path}.b"] = _value(_earlier(b, node + 2))
            choices[f"{path}.f"] = at(f, OPERATIONS, "an operation")
            choices[f"{path}.g"] = at(g, OPERATIONS, "an operation")
    return Foreign("micro", choices, {"B": str(nodes + 2)})


def write_micro(choices: Choices) -> str:
    """Inverse of `read_micro`, a line for each cell."""
    lines = []
    for cell in CELLS:
        words: list[int] = []
        for node in range(3, len(choices) // 8 + 3):
            for source, operation in ("af", "bg"):
                path = f"{cell}.node{node}"
                words.append(_index(label_of(choices, f"{path}.{source}")))
                label = label_of(choices, f"{path}.{operation}")
                words.append(place_of(label, OPERATIONS, "an operation"))
        lines.append(_joined(words))
    return "\n".join(lines)


def _value(index: int) -> str:
    return INPUTS[index] if index < 2 else f"node{index + 1}"


def _index(label: str) -> int:
    return INPUTS.index(label) if label in INPUTS else _number(label) - 1


def _earlier(index: int, count: int) -> int:
    """An index of one of `count` earlier values; raises NotationError where it is not."""
    if index >= count:
        raise NotationError(f"{index} is no value before: those are 0 to {count - 1}")
    return index


def _number(label: str) -> int:
    """The number of a node."""
    found = re.fullmatch(r"node(\d+)", label)
    if found is None:
        raise NotationError(f"`{label}` is no node")
    return int(found[1])


def _joined(words: list[int]) -> str:
    return " ".join(map(str, words))


NOTATIONS = (
    Notation("enas-rnn", read_rnn, write_rnn),
    Notation("enas-lm", read_lm, write_lm),
    Notation("enas-macro", read_macro, write_macro),
    Notation("enas-micro", read_micro, write_micro),
)
