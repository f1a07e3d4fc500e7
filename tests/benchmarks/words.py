"""The rivals: networks for one architecture each, as a good engineer writes them by hand.

They are plain PyTorch, know nothing of steps or places, and read an architecture as `sample`
prints it. Their parameters come in the order in which they are used.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Choices = Mapping[str, Any]

ACTIVATIONS = {
    "tanh": torch.tanh,
    "relu": torch.relu,
    "sigmoid": torch.sigmoid,
    "identity": lambda x: x,
}


class RnnChild(nn.Module):
    """The recurrent cell of section 2.1 with highways; gate and candidate are one matrix."""

    def __init__(self, choices: Choices, nodes: int, hidden: int, vocabulary: int) -> None:
        super().__init__()
        self.activations = [
            ACTIVATIONS[choices[f"recurrent.node{i}.act"]] for i in range(1, nodes + 1)
        ]
        named = [choices[f"recurrent.node{i}.source"] for i in range(2, nodes + 1)]
        self.sources = [int(name.removeprefix("node")) - 1 for name in named]
        self.loose = sorted(set(range(nodes)) - set(self.sources))
        self.embedding = nn.Embedding(vocabulary, hidden)
        self.first = nn.Linear(2 * hidden, 2 * hidden, bias=False)
        self.nodes = nn.ModuleList(
            nn.Linear(hidden, 2 * hidden, bias=False) for _ in range(nodes - 1)
        )
        self.norm = nn.BatchNorm1d(hidden)

    def forward(self, tokens: Tensor, h: Tensor | None = None) -> tuple[Tensor, Tensor]:
        x = self.embedding(tokens)  # [B, T, H]
        if h is None:
            h = x.new_zeros(x.shape[0], x.shape[2])
        outputs = []
        for x_t in x.unbind(1):
            h = self.step(x_t, h)
            outputs.append(h)
        return F.linear(torch.stack(outputs, 1), self.embedding.weight), h

    def step(self, x: Tensor, h: Tensor) -> Tensor:
        first = self.first(torch.cat((x, h), 1))
        states = [highway(first, h, self.activations[0])]
        for source, matrix, act in zip(self.sources, self.nodes, self.activations[1:], strict=True):
            states.append(highway(matrix(states[source]), states[source], act))
        loose = sum(states[i] for i in self.loose) / len(self.loose)
        return self.norm(loose)  # type: ignore[no-any-return]


def highway(joined: Tensor, carry: Tensor, act: Any) -> Tensor:
    gate, candidate = joined.chunk(2, -1)
    new: Tensor = act(candidate)
    return carry + torch.sigmoid(gate) * (new - carry)
