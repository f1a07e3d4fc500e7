"""The strings of NAS-Bench-201: for each node its edges, `|operation~source|`, joined by `+`."""

from __future__ import annotations

import re

from enasdsl.ir.notations.foreign import (
    Choices,
    Foreign,
    Notation,
    NotationError,
    label_of,
    place_of,
)

OPERATIONS = {
    "none": "zero",
    "skip_connect": "identity",
    "nor_conv_1x1": "unit(1)",
    "nor_conv_3x3": "unit(3)",
    "avg_pool_3x3": "avg_pool(3)",
}
_NODE = re.compile(r"\|(?:[^|~+]+~\d+\|)+")


def read_string(text: str) -> Foreign:
    """Node k reads nodes 0 to k - 1, node 0 being the input, each through one operation."""
    choices: dict[str, str | list[str]] = {}
    for node, words in enumerate("".join(text.split()).split("+"), 1):
        if not _NODE.fullmatch(words):
            raise NotationError(f"`{words}` is no row of edges, as in |nor_conv_3x3~0|")
        edges = [edge.split("~") for edge in words.strip("|").split("|")]
        if [source for _, source in edges] != [str(k) for k in range(node)]:
            raise NotationError(f"node {node} reads each of 0 to {node - 1} once: `{words}`")
        for operation, source in edges:
            place_of(operation, tuple(OPERATIONS), "an operation")
            choices[f"c.node{node}.{_value(int(source))}.candidate"] = OPERATIONS[operation]
    return Foreign("nasbench201", choices)


def write_string(choices: Choices) -> str:
    """Inverse of `read_string`."""
    names = {label: name for name, label in OPERATIONS.items()}
    rows: list[str] = []
    while len(rows) < 3:
        node = len(rows) + 1
        labels = [label_of(choices, f"c.node{node}.{_value(k)}.candidate") for k in range(node)]
        for label in labels:
            place_of(label, tuple(names), "an operation")
        edges = (f"{names[label]}~{k}" for k, label in enumerate(labels))
        rows.append(f"|{'|'.join(edges)}|")
    return "+".join(rows)


def _value(index: int) -> str:
    return f"node{index}" if index else "x"


NOTATIONS = (Notation("nasbench201", read_string, write_string),)
