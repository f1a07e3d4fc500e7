"""Exported networks give what the child gives, and need nothing of this package."""

from __future__ import annotations

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path
from random import Random

import pytest
import torch
from hypothesis import given, settings
from programs import IMAGES, Program, programs
from safetensors.torch import save_file
from test_meaning import data, lowered
from test_zoo import IMAGES as LARGE
from test_zoo import SMALL, WORDS
from torch import Tensor

from enasdsl.cli import main
from enasdsl.export.built import Built, of_space
from enasdsl.export.classes import WRITERS
from enasdsl.export.code import ExportError
from enasdsl.export.folding import folded
from enasdsl.export.onnx import module_of, to_onnx
from enasdsl.export.python import Exported, to_python
from enasdsl.ir.count import count
from enasdsl.ir.record import to_token
from enasdsl.ir.sample import sample
from enasdsl.ir.space import Space
from enasdsl.nn.build import FORWARD
from enasdsl.pipeline import Compilation
from enasdsl.semantics.task import Task

WIDEST = 100
SIZES: dict[str, dict[str, object]] = {
    **SMALL,
    "macro": {"L": 6, "filters": 6},
    "micro": {"B": 5, "N": 2, "filters": 4},
    "rnn": {"N": 5, "hidden": 8, "norm": "batch"},
}
WORDY = {"rnn", "darts_rnn"}


@cache
def space(name: str, **params: object) -> Space:
    task: Task = WORDS if name in WORDY else LARGE
    found = Compilation.open(name, overrides={**SIZES[name], **params}, task=task).space
    assert found is not None
    return found


def unsettle(built: Built) -> None:
    """Running values as a training might leave them, so that a mix-up shows."""
    drawn = torch.Generator().manual_seed(1)
    for name, value in built.child.named_buffers():
        value.copy_(
            0.1 * torch.rand(value.shape, generator=drawn) + 0.9 * name.endswith("variance")
        )


def exported(built: Built) -> Exported:
    file = "weights.safetensors"
    return to_python(built.space, built.architecture, built.child, weights_file=file)


def same(built: Built, x: Tensor) -> Exported:
    """The export of an architecture, whose results are the child's, rounding aside."""
    unsettle(built)
    found = exported(built)
    network = module_of(found).double()
    x = x.double() if x.is_floating_point() else x
    with torch.no_grad():
        y, states = built.child.double()(x)
        z = network(x)
    torch.testing.assert_close(z if not states else z[0], y, equal_nan=True)
    for left, state in zip(z[1:] if states else (), states, strict=True):
        torch.testing.assert_close(left, state)
    assert sum(p.numel() for p in network.parameters()) == found.parameters
    return found


def test_every_operation_has_a_writer() -> None:
    assert WRITERS.keys() == FORWARD.keys()


@pytest.mark.parametrize("name", sorted(SIZES))
def test_an_exported_network_gives_what_the_child_gives(name: str) -> None:
    known = space(name)
    x = data(WORDS if name in WORDY else LARGE, torch.Generator().manual_seed(0))
    for architecture in sample(known, 2, Random(0)):
        built = of_space(known, to_token(architecture))
        found = same(built, x)
        assert found.parameters == sum(p.numel() for p in built.child.parameters())
        imported = [n for n in ast.walk(ast.parse(found.text)) if isinstance(n, ast.ImportFrom)]
        assert {n.module for n in imported} == {"pathlib", "safetensors.torch", "torch"}
        assert max(map(len, found.text.splitlines())) <= WIDEST


@settings(max_examples=25, deadline=None)
@given(programs())
def test_generated_spaces_are_exported(program: Program) -> None:
    known = lowered(program)
    if count(known) == 0:
        return
    (architecture,) = sample(known, 1, Random(0))
    x = data(program.task, torch.Generator().manual_seed(0))
    same(of_space(known, to_token(architecture)), x)


@pytest.mark.parametrize(
    "line",
    [
        f"x = ({' + '.join(f'self.node{i}(node1)' for i in range(9))}) / 9  # [B, 64]",
        f"return torch.cat(({', '.join(f'self.node{i}(x, y)' for i in range(9))}), 1)",
        f"x = {' + '.join(f'self.node{i}(x)' for i in range(12))}",
        f"self.cells = nn.ModuleList([{', '.join(f'Cell({i}, {i})' for i in range(20))}])",
        f"x = self.conv({'torch.relu(' * 12}x{')' * 12})",
    ],
)
def test_a_line_that_is_folded_says_the_same(line: str) -> None:
    rows = folded(f"        {line}")
    assert len(rows) > 1
    text = "\n".join(rows)
    assert ast.dump(ast.parse(f"def f():\n{text}")) == ast.dump(ast.parse(f"def f():\n  {line}"))


def test_cells_that_follow_each_other_are_a_loop() -> None:
    built = of_space(space("micro", N=6), "random")
    text = same(built, data(LARGE, torch.Generator().manual_seed(0))).text
    assert text.count("nn.ModuleList") == 3
    assert "for normal in self.normals:" in text


def test_a_tied_weight_is_one_and_states_are_handed_on() -> None:
    built = of_space(space("rnn"), "random")
    network = module_of(exported(built))
    x = data(WORDS, torch.Generator().manual_seed(0))
    whole, last = network(x)
    first, state = network(x[:, :3])
    rest, again = network(x[:, 3:], state)
    torch.testing.assert_close(torch.cat((first, rest), 1), whole)
    torch.testing.assert_close(again, last)
    assert network.get_parameter("head_linear.weight") is network.get_parameter(
        "stem_embedding.weight"
    )


def test_gradients_are_the_childs() -> None:
    built = of_space(space("micro"), "random")
    network = module_of(exported(built))
    x = data(LARGE, torch.Generator().manual_seed(0))
    built.child(x)[0].square().sum().backward()
    network(x).square().sum().backward()
    sums = [
        sorted(float(p.grad.norm()) for p in m.parameters() if p.grad is not None)
        for m in (built.child, network)
    ]
    assert sums[0] == pytest.approx(sums[1], rel=1e-4)


@pytest.mark.parametrize("name", ["nasbench201", "rnn"])
def test_torch_compiles_the_file_whole(name: str) -> None:
    built = of_space(space(name), "random")
    x = data(WORDS if name in WORDY else LARGE, torch.Generator().manual_seed(0))
    network = module_of(exported(built)).train()
    compiled = torch.compile(network, fullgraph=True, backend="eager")
    torch.testing.assert_close(compiled(x), network(x))


def test_a_head_for_training_alone_is_left_out() -> None:
    text = (
        "space sided\nparam filters = 4\n"
        "op beside on x { auxiliary(x, x -> global_avg_pool -> linear(classes)) }\n"
        "network image_classifier {\n"
        "  stem conv(3)\n  stack choose [conv(3), conv(5)], beside\n"
        "  head global_avg_pool -> linear(classes)\n}\n"
    )
    sided = lowered(Program(text, IMAGES))
    built = of_space(sided, "random")
    found = same(built, data(IMAGES, torch.Generator().manual_seed(0)))
    left_out = sum(p.numel() for p in built.child.parameters()) - found.parameters
    assert left_out == 4 * IMAGES.classes
    assert "is left out" in found.text


def test_what_drops_while_training_does_so_in_the_file() -> None:
    drops = {f"{part}_drop": 0.5 for part in ("word", "input", "state", "output")}
    for known, task in ((space("rnn", **drops), WORDS), (space("micro", path_drop=0.5), LARGE)):
        built = of_space(known, "random")
        x = data(task, torch.Generator().manual_seed(0))
        found = same(built, x)
        assert "Dropout(0.5)" in found.text or "DropPath(" in found.text
        assert ("of whole words" in found.text) == (task is WORDS)
        network = module_of(found).train()
        first, second = (y[0] if isinstance(y, tuple) else y for y in (network(x), network(x)))
        assert not torch.equal(first, second)


def test_the_file_runs_where_this_package_is_not(tmp_path: Path) -> None:
    built = of_space(space("nasbench201"), "random")
    found = exported(built)
    (tmp_path / "found.py").write_text(found.text, "utf-8")
    save_file(found.weights, tmp_path / "weights.safetensors")
    x = data(LARGE, torch.Generator().manual_seed(0))
    torch.save(x, tmp_path / "x.pt")
    program = (
        "import sys, torch; sys.path.insert(0, '.'); from found import load; "
        "torch.save(load()(torch.load('x.pt')), 'y.pt'); sys.exit('enasdsl' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True)
    torch.testing.assert_close(torch.load(tmp_path / "y.pt"), built.child(x)[0])


@pytest.mark.parametrize("name", ["nasbench201", "rnn"])
def test_onnxruntime_gives_the_same(name: str, tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    built = of_space(space(name), "random")
    unsettle(built)
    assert to_onnx(built.space, exported(built), tmp_path / "found.onnx") < 1e-3
    assert (tmp_path / "found.onnx").stat().st_size > 1000


def test_onnx_without_its_packages_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    built = of_space(space("nasbench201"), "random")
    with pytest.raises(ExportError, match=r"enasdsl\[onnx\]"):
        to_onnx(built.space, exported(built), tmp_path / "found.onnx")


def test_export_on_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ["export", "nasbench201", "--set", "N=1", "--arch", "published/nats_cell"]
    assert main([*words, "-o", "cell.py"]) == 0
    assert "fresh, seed 0" in capsys.readouterr().out
    assert {p.name for p in tmp_path.iterdir()} == {"cell.py", "cell.safetensors"}
    assert main([*words, "--to", "nasbench201"]) == 0
    assert capsys.readouterr().out.startswith("|nor_conv_3x3~0|+|nor_conv_3x3~0|")
    for wrong, said in (
        ([*words, "--to", "darts"], "cannot be said in darts"),
        ([*words, "-o", "cell.txt"], "ends in .py"),
        (words[:2], "name one with --arch"),
        ([*words[:2], "--arch", "nonsense"], "no architecture"),
    ):
        assert main(wrong) in (1, 2)
        assert said in capsys.readouterr().err
