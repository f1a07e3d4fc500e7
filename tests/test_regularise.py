"""Operations that act while training only, each against what it is for."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from drafts import Draft, supernet
from torch import Tensor

from enasdsl.ir.sample import unrank
from enasdsl.ir.specialize import specialize
from enasdsl.nn.build import FORWARD
from enasdsl.nn.execute import Call
from enasdsl.nn.mode import Mode, Trace
from enasdsl.nn.supernet import Supernet
from enasdsl.nn.weights import Init, escaped
from enasdsl.pipeline import Compilation
from enasdsl.search.losses import aside
from enasdsl.semantics.symbols import Shape
from enasdsl.source import SourceFile


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def _mode(seed: int = 0, **others: float) -> Mode:
    generator = torch.Generator().manual_seed(seed)
    return Mode(training=True, generator=generator, progress=others.get("progress", 1.0))


# ------------------------------------------------------------------------ words


def _embedded(tokens: Tensor, rate: float, mode: Mode) -> Tensor:
    return FORWARD["embedding"](
        [tokens], {"weight": torch.ones(7, 3)}, {"word_dropout": rate}, mode
    )


def test_a_dropped_word_is_zero_at_all_its_positions() -> None:
    tokens = torch.randint(7, (200, 20), generator=torch.Generator().manual_seed(1))
    y = _embedded(tokens, 0.25, _mode())
    share = []
    for row, words in zip(y, tokens, strict=True):
        for word in set(words.tolist()):
            (value,) = set(row[words == word].flatten().tolist())
            assert value in (0.0, pytest.approx(4 / 3))
            share.append(value == 0)
    assert sum(share) / len(share) == pytest.approx(0.25, abs=0.03)


def test_words_are_dropped_in_each_sequence_by_itself_and_never_in_evaluation() -> None:
    tokens = torch.zeros(64, 2, dtype=torch.int64)
    assert len(set(_embedded(tokens, 0.5, _mode()).flatten().tolist())) == 2
    assert torch.equal(_embedded(tokens, 0.5, Mode()), torch.ones(64, 2, 3))


# ------------------------------------------------------------------------ paths


def _dropped(x: Tensor, mode: Mode, *, ramp: bool = True) -> Tensor:
    return FORWARD["drop_path"]([x], {}, {"rate": 0.4, "ramp": ramp}, mode)


def test_a_path_is_dropped_for_whole_examples_and_keeps_the_mean() -> None:
    x = torch.randn(4000, 2, 3, 3, generator=torch.Generator().manual_seed(1))
    y = _dropped(x, _mode())
    kept = y.flatten(1).abs().sum(1) > 0
    torch.testing.assert_close(y[kept], x[kept] / 0.6)
    assert float(kept.float().mean()) == pytest.approx(0.6, abs=0.03)
    ones = torch.ones(4000, 2, 3, 3)
    assert float(_dropped(ones, _mode()).mean()) == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize("progress", [0.0, 0.25, 0.5, 1.0])
def test_the_share_of_dropped_paths_grows_with_training(progress: float) -> None:
    x = torch.ones(8000, 1)
    y = _dropped(x, _mode(progress=progress))
    assert float((y == 0).float().mean()) == pytest.approx(0.4 * progress, abs=0.02)
    steady = _dropped(x, _mode(progress=progress), ramp=False)
    assert float((steady == 0).float().mean()) == pytest.approx(0.4, abs=0.02)


def test_the_share_of_dropped_paths_grows_with_depth() -> None:
    draft = Draft(Shape(1))
    value = 0
    for _ in range(4):
        value = draft.add("drop_path", value, rate=0.4, ramp=True)
    steady = draft.add("drop_path", value, rate=0.4, ramp=False)
    program = supernet([]).program(draft.network(steady))
    rates = [call.args["rate"] for call in program.bound.calls if isinstance(call, Call)]
    assert rates == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.4])


def test_no_path_is_dropped_in_evaluation() -> None:
    assert torch.equal(_dropped(torch.ones(5, 2), Mode()), torch.ones(5, 2))


# -------------------------------------------------------------- heads at the side


def test_a_head_at_the_side_changes_no_output_and_its_gradient_reaches_the_body() -> None:
    draft = Draft(Shape(3))
    body = draft.add("linear", 0, units=4, place="body")
    side = draft.add("linear", body, units=2, place="side")
    joined = draft.add("auxiliary", body, side)
    net = supernet(draft.places)
    x = torch.randn(5, 3, generator=torch.Generator().manual_seed(2))
    net.trace = Trace()
    y, _ = net(x, draft.network(joined))
    weights = net.tensor("body", "weight"), net.tensor("side", "weight")
    torch.testing.assert_close(y, x @ weights[0].T)
    (logits,) = net.trace.auxiliary
    torch.testing.assert_close(logits, x @ weights[0].T @ weights[1].T)
    F.cross_entropy(logits, torch.tensor([0, 1, 0, 1, 1])).backward()  # type: ignore[no-untyped-call]
    assert all(w.grad is not None and bool(w.grad.abs().sum() > 0) for w in weights)


def test_without_a_trace_nothing_is_kept() -> None:
    x = torch.ones(2, 3)
    assert FORWARD["auxiliary"]([x, x], {}, {}, Mode()) is x


def test_the_outputs_of_recurrent_cells_are_noted() -> None:
    body = Draft(Shape(2), Shape(2))
    body.add("add", 0, 1)
    draft = Draft(Shape(2, (4,)))
    draft.scan(body, 0, states=1, outputs=(2,))
    net = supernet([])
    net.trace = Trace()
    x = torch.randn(3, 4, 2)
    y, _ = net(x, draft.network())
    (sequence,) = net.trace.sequences
    assert torch.equal(sequence, y)
    torch.testing.assert_close(sequence, x.cumsum(1))


SIDE = """
space side
param filters = 4
param aux = true
op beside on x { auxiliary(x, x -> relu -> global_avg_pool -> linear(classes)) }
cell c(older, newer) { older + newer -> choose [conv(1), conv(3)] }
network image_classifier {
  stem  conv(3)
  stack c, beside when aux, c * 2
  head  global_avg_pool -> linear(classes)
}
"""


def test_a_head_at_the_side_leaves_the_row_of_outputs_as_it_is() -> None:
    with_side, without = (
        Compilation(SourceFile("side.enas", SIDE), overrides={"aux": aux}).space
        for aux in (True, False)
    )
    assert with_side is not None
    assert without is not None
    nets = [
        Supernet(space, init=Init(), generator=torch.Generator().manual_seed(n)).eval()
        for n, space in enumerate((with_side, without))
    ]
    missing, extra = nets[1].load_state_dict(nets[0].state_dict(), strict=False)
    network = specialize(with_side, unrank(with_side, 1))
    assert not missing
    assert {escaped(place) for place in aside(network)} >= {key.split(".")[0] for key in extra}
    x = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(3))
    same = [net(x, unrank(net.space, 1))[0] for net in nets]
    torch.testing.assert_close(*same)


def test_a_head_at_the_side_must_know_the_classes() -> None:
    text = SIDE.replace("global_avg_pool -> linear(classes))", "global_avg_pool -> linear(7))")
    found = Compilation(SourceFile("side.enas", text))
    assert [d.code for d in found.diagnostics] == ["E0306"]
    assert "7" in found.diagnostics[0].message
