"""The rivals of the spaces of images: micro and macro cells, as a good engineer writes them.

Batch norm, convolutions and layout are torch's own; tensors are channels last, the one setting
that anybody would find.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

Choices = Mapping[str, Any]


def conv(before: int, after: int, kernel: int, *, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(before, after, kernel, stride, kernel // 2, bias=False)


def depthwise(width: int, kernel: int, *, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(width, width, kernel, stride, kernel // 2, groups=width, bias=False)


def unit(width: int, kernel: int, *, stride: int = 1) -> nn.Sequential:
    """A depthwise-separable unit."""
    return nn.Sequential(
        nn.ReLU(),
        depthwise(width, kernel, stride=stride),
        conv(width, width, 1),
        nn.BatchNorm2d(width),
    )


class Halving(nn.Module):
    """The factorised reduction: even and odd pixels, half the filters each."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.even = conv(before, after - after // 2, 1, stride=2)
        self.odd = conv(before, after // 2, 1, stride=2)
        self.norm = nn.BatchNorm2d(after)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(  # type: ignore[no-any-return]
            torch.cat((self.even(x), self.odd(x[:, :, 1:, 1:])), 1)
        )


def operation(name: str, width: int, stride: int) -> nn.Module:
    """A candidate of micro, by its name."""
    match name:
        case "sep_conv(3)" | "sep_conv(5)":
            kernel = int(name[-2])
            return nn.Sequential(unit(width, kernel, stride=stride), unit(width, kernel))
        case "avg_pool(3)":
            return nn.AvgPool2d(3, stride, 1, count_include_pad=False)
        case "max_pool(3)":
            return nn.MaxPool2d(3, stride, 1)
        case _:
            return nn.Identity() if stride == 1 else Halving(width, width)


def aligned(before: int, after: int, *, halves: bool) -> nn.Module:
    """The calibration of an input of a cell of micro."""
    if halves:
        return nn.Sequential(nn.ReLU(), Halving(before, after))
    if before == after:
        return nn.Identity()
    return nn.Sequential(nn.ReLU(), conv(before, after, 1), nn.BatchNorm2d(after))


class MicroCell(nn.Module):
    """One cell of micro; `before` are the widths of its inputs, `halves` whether the first is
    twice as large as the second."""

    def __init__(
        self, choices: Choices, cell: str, before: Sequence[int], width: int, *, halves: bool
    ) -> None:
        super().__init__()
        stride = 2 if cell == "reduction" else 1
        first, second = before
        self.align = nn.ModuleList(
            (aligned(first, width, halves=halves), aligned(second, width, halves=False))
        )
        nodes = sum(path.startswith(f"{cell}.") for path in choices) // 4
        names = ["prev_prev", "prev", *(f"node{i + 3}" for i in range(nodes))]
        self.sources: list[tuple[int, int]] = []
        self.operations = nn.ModuleList()
        for name in names[2:]:
            a, b = (names.index(choices[f"{cell}.{name}.{k}"]) for k in "ab")
            self.sources.append((a, b))
            for source, k in ((a, "f"), (b, "g")):
                choice = choices[f"{cell}.{name}.{k}"]
                self.operations.append(operation(choice, width, stride if source < 2 else 1))
        read = {i for pair in self.sources for i in pair}
        self.loose = [i for i in range(len(names)) if i not in read]
        self.ends = nn.ModuleList(
            aligned(width, width, halves=stride == 2 and i < 2) for i in self.loose
        )
        self.join = conv(width * len(self.loose), width, 1)
        self.norm = nn.BatchNorm2d(width)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        values = [align(v) for align, v in zip(self.align, (x, y), strict=True)]
        for n, (a, b) in enumerate(self.sources):
            f, g = self.operations[2 * n], self.operations[2 * n + 1]
            values.append(f(values[a]) + g(values[b]))
        ends = [end(values[i]) for end, i in zip(self.ends, self.loose, strict=True)]
        return self.norm(self.join(torch.relu(torch.cat(ends, 1))))  # type: ignore[no-any-return]


class MicroChild(nn.Module):
    """The network of section 2.4: three stages of `repeats` normal cells, two reductions."""

    def __init__(self, choices: Choices, filters: int, repeats: int) -> None:
        super().__init__()
        width = 3 * filters
        self.stem = nn.Sequential(conv(3, width, 3), nn.BatchNorm2d(width))
        self.cells = nn.ModuleList()
        before, halves = (width, width), False
        kinds = (["normal"] * repeats + ["reduction"]) * 2 + ["normal"] * repeats
        width = filters
        for kind in kinds:
            width *= 2 if kind == "reduction" else 1
            self.cells.append(MicroCell(choices, kind, before, width, halves=halves))
            before, halves = (before[1], width), kind == "reduction"
        self.head = nn.Linear(width, 10, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        before = x = self.stem(x)
        for cell in self.cells:
            before, x = x, cell(before, x)
        return self.head(torch.relu(x).mean((2, 3)))  # type: ignore[no-any-return]


class MacroChild(nn.Module):
    """The network of section 2.3; every value that later layers read is halved twice."""

    def __init__(self, choices: Choices, filters: int) -> None:
        super().__init__()
        layers = 1 + sum(path.endswith(".skips") for path in choices)
        names = ["image", *(f"node{k}" for k in range(1, layers))]
        self.skips = [
            [names.index(name) for name in choices.get(f"layers.node{k}.skips", ())]
            for k in range(1, layers + 1)
        ]
        self.halvings = [layers // 3 + 1, 2 * (layers // 3) + 1]
        self.stem = nn.Sequential(conv(3, filters, 3), nn.BatchNorm2d(filters))
        self.layers = nn.ModuleList()
        for k in range(1, layers + 1):
            halve = [i for i in range(k) if k in self.halvings and self._needed(i, k)]
            layer = nn.ModuleDict()
            layer["halve"] = nn.ModuleDict({str(i): Halving(filters, filters) for i in halve})
            layer["work"] = _layer(choices[f"layers.node{k}.candidate"], filters)
            if k > 1:
                width = filters * (1 + len(self.skips[k - 1]))
                layer["join"] = nn.Sequential(
                    conv(width, filters, 1), nn.BatchNorm2d(filters), nn.ReLU()
                )
            self.layers.append(layer)
        self.head = nn.Linear(filters, 10, bias=False)

    def _needed(self, value: int, layer: int) -> bool:
        later = enumerate(self.skips[layer - 1 :], layer)
        return any(value in skips or value == k - 1 for k, skips in later)

    def forward(self, x: Tensor) -> Tensor:
        values = {0: self.stem(x)}
        for k, layer in enumerate(self.layers, 1):
            assert isinstance(layer, nn.ModuleDict)
            halvings = layer["halve"]
            assert isinstance(halvings, nn.ModuleDict)
            values.update({int(i): halve(values[int(i)]) for i, halve in halvings.items()})
            y = layer["work"](values[k - 1])
            if k > 1:
                y = layer["join"](torch.cat([y, *(values[i] for i in self.skips[k - 1])], 1))
            values[k] = y
        return self.head(y.mean((2, 3)))  # type: ignore[no-any-return]


def _layer(name: str, width: int) -> nn.Module:
    """A candidate of macro, by its name."""
    first = [nn.ReLU(), conv(width, width, 1), nn.BatchNorm2d(width)]
    if name.startswith("layer_conv"):
        return nn.Sequential(
            *first, nn.ReLU(), conv(width, width, int(name[-2])), nn.BatchNorm2d(width)
        )
    if name.startswith("layer_sep"):
        return nn.Sequential(*first, unit(width, int(name[-2])))
    return nn.Sequential(*first, operation(name.removeprefix("layer_pool(")[:-1], width, 1))
