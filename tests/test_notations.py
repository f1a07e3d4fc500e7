"""Architectures as others write them: both ways, and what is no such text."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from random import Random

import pytest

from enasdsl.cli import main
from enasdsl.ir.named import fitted, named
from enasdsl.ir.notations import NOTATIONS, NotationError, read
from enasdsl.ir.published import names, published
from enasdsl.ir.record import RecordError, from_choices, to_json, to_token
from enasdsl.ir.sample import sample
from enasdsl.ir.space import Architecture, Space
from enasdsl.pipeline import Compilation

RNN = "0 0 0 1 1 2 1 2 0 2 0 5 1 1 0 6 1 8 1 8 1 8 1"
DAG = {
    "-1": [[0, "tanh"]], "-2": [[0, "tanh"]], "0": [[1, "tanh"]],
    "1": [[2, "ReLU"], [3, "tanh"]], "2": [[4, "tanh"], [5, "tanh"], [6, "ReLU"]],
    "4": [[7, "ReLU"]], "7": [[8, "ReLU"]], "8": [[9, "ReLU"], [10, "ReLU"], [11, "ReLU"]],
    **{k: [[12, "avg"]] for k in ("3", "5", "6", "9", "10", "11")}, "12": [[13, "h[t]"]],
}  # fmt: skip
"""The dag in the repository carpedm20/ENAS-pytorch: the cell of the paper, its nodes renamed."""
GENOTYPE = (
    "Genotype(recurrent=[('tanh', 0), ('tanh', 1), ('relu', 1), ('tanh', 3), ('tanh', 3), "
    "('relu', 3), ('relu', 4), ('relu', 7), ('relu', 8), ('relu', 8), ('relu', 8)], "
    "concat=[2, 5, 6, 9, 10, 11])"
)
"""The same cell as DARTS' code names it."""

SPACES = {
    "enas-rnn": ("rnn", {"N": "6"}),
    "enas-lm": ("darts_rnn", {}),
    "enas-macro": ("macro", {"L": "7"}),
    "enas-micro": ("micro", {"B": "6"}),
    "carpedm20": ("rnn", {"N": "9"}),
    "darts": ("darts", {}),
    "darts-rnn": ("darts_rnn", {}),
    "nasbench201": ("nasbench201", {}),
}


@cache
def space(name: str, **params: str) -> Space:
    found = Compilation.open(name, overrides=params).outline
    assert found is not None
    return found


def choices(space: Space, architecture: Architecture) -> dict[str, str | list[str]]:
    found = to_json(space, architecture)["choices"]
    assert isinstance(found, dict)
    return found


def tree(space: Space, architecture: Architecture, node: str = "node1") -> str:
    """A recurrent cell as its tree of activations, whatever its nodes are called."""
    picked = choices(space, architecture)
    below = [p.split(".")[1] for p, v in picked.items() if p.endswith(".source") and v == node]
    inner = ",".join(sorted(tree(space, architecture, child) for child in below))
    return f"{picked[f'recurrent.{node}.act']}({inner})"


def test_every_notation_is_tried_here() -> None:
    assert SPACES.keys() == NOTATIONS.keys()


@pytest.mark.parametrize("name", NOTATIONS)
def test_a_text_says_the_architecture_that_it_was_written_for(name: str) -> None:
    file, params = SPACES[name]
    known = space(file, **params)
    for architecture in sample(known, 20, Random(0)):
        text = NOTATIONS[name].write(choices(known, architecture))
        found = read(text, name)
        assert found.space == file
        assert params.items() <= found.params.items()
        assert from_choices(known, found.choices) == architecture
        assert NOTATIONS[name].write(found.choices) == text


@pytest.mark.parametrize("name", names())
def test_a_published_text_reads_alike_without_its_notation(name: str) -> None:
    architecture = published(name)
    assert read(architecture.text) == architecture.read()
    again = NOTATIONS[architecture.notation].write(architecture.read().choices)
    assert read(again, architecture.notation) == architecture.read()


def test_the_cell_of_the_paper_is_one_in_three_notations() -> None:
    """facts: scripts/ptb_final.sh, carpedm20's dag.json and DARTS' ENAS are one tree."""
    known = space("rnn")
    trees = set()
    for text in (RNN, json.dumps(DAG), GENOTYPE):
        found = read(text)
        assert (found.space, found.params["N"]) == ("rnn", "12")
        trees.add(tree(known, from_choices(known, found.choices)))
    assert len(trees) == 1


def test_the_published_cells_say_what_is_known_of_them() -> None:
    rnn = choices(space("rnn"), named(space("rnn"), "published/enas_rnn"))
    acts = [rnn[f"recurrent.node{i}.act"] for i in range(1, 13)]
    tanhs = [i for i, act in enumerate(acts, 1) if act == "tanh"]
    assert tanhs == [1, 2, 5, 6, 8]
    assert set(acts) == {"tanh", "relu"}
    read_by = {rnn[f"recurrent.node{i}.source"] for i in range(2, 13)}
    loose = [i for i in range(1, 13) if f"node{i}" not in read_by]
    assert loose == [4, 5, 8, 10, 11, 12]  # six, as the paper says
    macro = space("macro", L="24")
    layers = choices(macro, named(macro, "published/enas_macro"))
    kinds = [layers[f"layers.node{k}.candidate"] for k in range(1, 25)]
    counts = [kinds.count(f"layer_{op}") for op in ("conv(3)", "sep_conv(3)", "conv(5)")]
    assert counts == [8, 2, 9]
    assert sum(len(layers[f"layers.node{k}.skips"]) for k in range(2, 25)) == 98
    micro = choices(space("micro"), named(space("micro"), "published/enas_micro"))
    third = [micro[f"reduction.node5.{x}"] for x in "afbg"]
    assert third == ["prev", "sep_conv(5)", "node4", "sep_conv(5)"]


WRONG = {
    "0 1": "an odd number",
    "0 5 1": "no value before",
    "7": "from 0 to 3",
    "0 x": "has a `x`",
}


@pytest.mark.parametrize("text", WRONG)
def test_what_is_no_recurrent_string_is_said(text: str) -> None:
    with pytest.raises(NotationError, match=WRONG[text]):
        read(text, "enas-rnn")


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("enas-lm", "0 1 2", "even number"),
        ("enas-macro", "0 1", "here are 2"),
        ("enas-macro", "0 1 2", "0 or 1, not 2"),
        ("enas-micro", "0 1 2", "multiple of 8"),
        ("enas-micro", "2 0 0 0 0 0 0 0", "no value before"),
        ("carpedm20", "[]", "an object of lists"),
        ("carpedm20", '{"0": [[1, "cosh"]]}', "`cosh`"),
        ("carpedm20", '{"-1": [[0, "tanh"]]}', "what is averaged"),
        ("darts", "__import__('os')", "has the fields"),
        ("darts", "1 +", "is a call"),
        ("darts", "G(normal=[1], normal_concat=[], reduce=[], reduce_concat=[])", "list of pairs"),
        ("darts-rnn", "G([('tanh', 0)], f())", "is no list"),
        ("darts-rnn", "G([('tanh', 1)], [1])", "not before it"),
        ("nasbench201", "|none~0|+|none~1|", "reads each of"),
        ("nasbench201", "|nothing~0|", "one of none"),
    ],
)
def test_what_does_not_follow_a_notation_is_said(name: str, text: str, reason: str) -> None:
    with pytest.raises(NotationError, match=reason):
        read(text, name)


def test_two_notations_for_one_text_are_named() -> None:
    with pytest.raises(NotationError, match="enas-rnn or enas-macro"):
        read("0")
    with pytest.raises(NotationError, match="no notation fits"):
        read("hello")


def test_an_architecture_of_another_size_says_what_to_set() -> None:
    with pytest.raises(RecordError, match="--set L=24"):
        named(space("macro"), "published/enas_macro")
    with pytest.raises(RecordError, match="did you mean `published/enas_rnn`"):
        named(space("rnn"), "published/enas_rn")
    with pytest.raises(RecordError, match="is of `rnn"):
        fitted(space("micro"), read(RNN), "this")


def test_import_prints_a_token_and_writes_a_record(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["import", "published/enas_macro", "-o", "deep.json"]) == 0
    token, _, command = capsys.readouterr().out.splitlines()
    macro = space("macro", L="24")
    assert token == to_token(named(macro, "published/enas_macro"))
    assert command.strip() == "enasdsl show macro --set L=24 --arch deep.json"
    assert named(macro, "deep.json") == named(macro, token)
    assert main(["show", "macro", "--set", "L=24", "--arch", "deep.json"]) == 0
    capsys.readouterr()
    assert main(["import", "0"]) == 1
    assert "say which" in capsys.readouterr().err
    assert main(["import", RNN, "--space", "micro"]) == 1
    assert "no architecture of `micro`" in capsys.readouterr().err
