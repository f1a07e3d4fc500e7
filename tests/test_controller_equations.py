"""The controller's log-probabilities, computed once more from the equations of the paper."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from handmade import macro, rnn, seeded
from torch import Tensor
from torch.nn.functional import logsigmoid

from enasdsl.ir.space import Architecture, Source, Space
from enasdsl.nn.controller import Controller


class Textbook:
    """The equations of a controller for one architecture, as they are written in the paper."""

    def __init__(self, controller: Controller) -> None:
        self.controller = controller
        self.h: Tensor = torch.zeros_like(controller.first)
        self.c: Tensor = self.h

    def step(self, x: Tensor) -> None:
        i, f, o, g = (torch.cat([x, self.h]) @ self.controller.lstm).chunk(4)
        self.c = f.sigmoid() * self.c + i.sigmoid() * g.tanh()
        self.h = o.sigmoid() * self.c.tanh()

    def operations(self) -> Tensor:
        logits: Tensor = self.controller.softmax[0] @ self.h / 5.0
        return 1.2 * logits.tanh()

    def inputs(self, anchors: Sequence[Tensor]) -> Tensor:
        c = self.controller
        raw = [(a @ c.key + self.h @ c.query).tanh() @ c.score for a in anchors]
        return 2.4 * (torch.stack(raw) / 5.0).tanh()


def textbook_controller(space: Space) -> Controller:
    made = Controller(space, hidden=8, tanh=2.4, op_tanh_reduce=2, init=1.5, generator=seeded())
    return made.double()


def test_it_computes_the_equations_of_the_rnn_controller() -> None:
    space = rnn(4)
    controller = textbook_controller(space)
    picks = ((1,), (0,), (3,), (1,), (0,), (2,), (2,))
    book, total = Textbook(controller), torch.zeros((), dtype=torch.float64)
    x: Tensor = controller.first
    anchors: list[Tensor] = []
    for decision, (pick,) in zip(space.decisions, picks, strict=True):
        book.step(x)
        inputs = decision.source is Source.INPUT
        total = total + (book.inputs(anchors) if inputs else book.operations()).log_softmax(0)[pick]
        x = anchors[pick] if inputs else controller.embedding[0][pick]
        if not inputs:
            anchors.append(book.h)
    found = controller.log_prob([Architecture(space.name, space.hash, picks)])
    torch.testing.assert_close(found[0], total)


def test_it_computes_the_equations_of_the_macro_controller() -> None:
    space = macro(3)
    controller = textbook_controller(space)
    book, words = Textbook(controller), controller.embedding[0]
    book.step(controller.first)
    total = book.operations().log_softmax(0)[2]
    first = book.h
    book.step(words[2])
    total = total + book.operations().log_softmax(0)[4]
    book.step(controller.first)
    image = book.h
    book.step(words[4])
    total = total + logsigmoid(book.inputs([image]))[0]
    book.step(image / 2)
    total = total + book.operations().log_softmax(0)[0]
    book.step(words[0])
    total = total + (logsigmoid(book.inputs([image, first]) * torch.tensor([-1, 1]))).sum()
    picks = ((2,), (4,), (0,), (0,), (1,))
    found = controller.log_prob([Architecture(space.name, space.hash, picks)])
    torch.testing.assert_close(found[0], total)
