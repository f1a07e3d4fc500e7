"""Searches by table: what a table says, what a query is, and that a cut leaves no trace."""

from __future__ import annotations

import csv
import io
import json
from functools import cache
from itertools import permutations
from pathlib import Path
from random import Random
from typing import Any

import pytest
import torch
from rich.console import Console

from enasdsl.cli import main
from enasdsl.ir.record import to_json, to_token
from enasdsl.ir.sample import enumerate_space
from enasdsl.ir.space import Architecture, Space
from enasdsl.pipeline import Compilation
from enasdsl.search import SearchError, search_table
from enasdsl.search.clock import Clock, Interruption
from enasdsl.search.drive import Driver
from enasdsl.search.metrics import Metrics
from enasdsl.search.progress import reporting
from enasdsl.search.ranking import class_key
from enasdsl.search.strategy import STRATEGIES, strategy_of
from enasdsl.search.table import read_table
from enasdsl.search.tabular import DEFAULTS, Prices, Tabular
from enasdsl.semantics.recipe import validate
from enasdsl.source import SourceFile

SHARED = Path(__file__).resolve().parents[2] / "shared/data"
MACRO = SHARED / "nas-bench-macro/nas-bench-macro_cifar10.json"
CELL = """
space tiny
ops candidate = [identity, relu, tanh, sigmoid]
cell c(x) {
  node i in 1..4 { previous -> choose candidate }
  previous
}
modulo { contract identity }
"""
BY_TABLE = [name for name in STRATEGIES if name not in ("darts", "gdas")]
"""The strategies that need rewards alone; the others follow gradients through a network."""
CLASSES = sum(3**length for length in range(5))
"""Words of up to four letters: of the 256 architectures, what is left without identities."""


@pytest.fixture(scope="module")
def space() -> Space:
    space = Compilation(SourceFile("tiny.enas", CELL)).space
    assert space is not None
    return space


def worth(architecture: Architecture) -> float:
    """Depends on the class alone: an identity is worth nothing, wherever it stands."""
    word = [p[0] for p in architecture.picks if p and p[0]]
    return sum(pick * (place + 1) for place, pick in enumerate(word)) / 10


def table_file(folder: Path, space: Space) -> Path:
    path = folder / "table.json"
    entries = {
        to_token(a): {"accuracy": worth(a), "size": sum(p != (0,) for p in a.picks), "note": "x"}
        for a in enumerate_space(space)
    }
    path.write_text(json.dumps(entries))
    return path


def _job(
    space: Space, table: Path, strategy: str, queries: int, *, of: str | None = None
) -> Tabular:
    recipe = validate({**DEFAULTS, "controller": {**DEFAULTS["controller"], "hidden": 8}})  # type: ignore[dict-item]
    key = class_key(space)
    return Tabular(
        strategy_of(strategy, space, recipe, 3),
        Prices.of(space, read_table(table, space, key), of),
        key,
        queries=queries,
        children=4,
    )


# ------------------------------------------------------------------------- reading


def test_all_ways_to_write_a_table_say_the_same(space: Space, tmp_path: Path) -> None:
    some = list(enumerate_space(space))[::37]
    expected = {a: {"accuracy": worth(a)} for a in some}
    bare = {a: to_token(a).rsplit(":", 1)[1] for a in some}
    column = io.StringIO()
    writer = csv.writer(column)
    writer.writerow(["note", "architecture", "accuracy"])
    writer.writerows(["x", bare[a], worth(a)] for a in some)
    records = [{**to_json(space, a), "accuracy": worth(a)} for a in some]
    texts = {
        "tokens.json": json.dumps({to_token(a): {"accuracy": worth(a)} for a in some}),
        "picks.json": json.dumps({bare[a]: {"accuracy": worth(a)} for a in some}),
        "digits.json": json.dumps({bare[a].replace(".", ""): expected[a] for a in some}),
        "list.json": json.dumps([{"token": to_token(a), "accuracy": worth(a)} for a in some]),
        "choices.json": json.dumps(
            [{"choices": r["choices"], "accuracy": r["accuracy"]} for r in records]
        ),
        "lines.jsonl": "\n".join(
            json.dumps({"architecture": json.dumps(to_json(space, a)), "accuracy": worth(a)})
            for a in some
        ),
        "table.csv": column.getvalue(),
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
        assert read_table(tmp_path / name, space, to_token).rows == expected, name


def test_a_number_by_itself_is_the_reward(space: Space, tmp_path: Path) -> None:
    (tmp_path / "t.json").write_text(json.dumps({"0.0.0.0": 3, "1.0.0.0": 0.5}))
    table = read_table(tmp_path / "t.json", space, to_token)
    assert table.names == ("reward",)
    assert [n["reward"] for n in table.rows.values()] == [3.0, 0.5]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "does not fit"),
        ("[]", "holds no number"),
        ("3", "neither an object nor a list"),
        ('{"0.0.0.9": 1}', "no index 9"),
        ('{"0.0": 1}', "2 decisions, not 4"),
        ('{"other:abc:0.0.0.0": 1}', "of the space `other`"),
        ('{"0.0.0.0": "high"}', "neither a number nor an object of numbers"),
        ('[{"accuracy": 1}]', "does not say its architecture"),
        ('[{"choices": {"c.node1": "relu"}}]', "has no decision `c.node1`"),
    ],
)
def test_a_table_that_does_not_fit_is_refused(
    text: str, said: str, space: Space, tmp_path: Path
) -> None:
    (tmp_path / "t.json").write_text(text)
    with pytest.raises(SearchError, match=said):
        read_table(tmp_path / "t.json", space, to_token)


def test_one_of_a_class_speaks_for_all(space: Space, tmp_path: Path) -> None:
    (tmp_path / "t.json").write_text(json.dumps({"1.0.0.0": 7}))
    table = read_table(tmp_path / "t.json", space, class_key(space))
    known = {a.picks for a in enumerate_space(space) if table.numbers(a) == {"reward": 7.0}}
    assert known == set(permutations([(1,), (0,), (0,), (0,)]))


# ------------------------------------------------------------------------- searching


@pytest.mark.parametrize("strategy", BY_TABLE)
def test_a_class_is_looked_up_once(strategy: str, space: Space, tmp_path: Path) -> None:
    job = _job(space, table_file(tmp_path, space), strategy, 60)
    while not job.done:
        job.step()
    assert job.asked >= len(job.found) > 20
    words = [tuple(p for p in e.architecture.picks if p != (0,)) for e in job.found.values()]
    assert len(set(words)) == len(words) <= 60
    assert all(e.measure.reward == worth(e.architecture) for e in job.found.values())


def test_chance_finds_almost_every_class_and_then_stops(space: Space, tmp_path: Path) -> None:
    job = _job(space, table_file(tmp_path, space), "random", 10_000)
    while not job.done:
        job.step()
    assert 0.9 * CLASSES < len(job.found) <= CLASSES


@pytest.mark.parametrize("strategy", ["enas", "evolution"])
def test_what_learns_beats_chance(strategy: str, space: Space, tmp_path: Path) -> None:
    """The last queries are worth more than the first, and more than those of chance."""
    table = table_file(tmp_path, space)

    def late(name: str) -> float:
        job = _job(space, table, name, 60)
        while not job.done:
            job.step()
        return sum(e.measure.reward for e in list(job.found.values())[-20:]) / 20

    assert late(strategy) > late("random") + 0.3


def test_limits_are_kept_and_the_front_is_printed(space: Space, tmp_path: Path) -> None:
    (tmp_path / "tiny.enas").write_text(CELL)
    shown = io.StringIO()
    result = search_table(
        tmp_path / "tiny.enas",
        table_file(tmp_path, space),
        queries=40,
        strategy="evolution",
        settings={"reward.of": "accuracy - 0.01 * size, size <= 2"},
        out=tmp_path / "run",
        console=Console(file=shown, width=200),
    )
    assert result.queries == 1 + 3 + 9
    assert all(entry.values["size"] <= 2 for entry in result.best)
    assert result.best[0].values["accuracy"] == 0.9
    assert result.regret == 0
    assert [(e.values["size"], e.values["accuracy"]) for e in result.front] == [
        (2, 0.9), (1, 0.3), (0, 0.0)
    ]  # fmt: skip
    assert "the Pareto front, drawn in front.svg:" in shown.getvalue()
    assert "the front, 3" in (tmp_path / "run/front.svg").read_text("utf-8")
    record = json.loads((tmp_path / "run/derived.json").read_text())
    assert len(record["front"]) == 3
    assert record["architectures"][0]["token"] == to_token(result.best[0].architecture)


class _After(Interruption):
    """An interruption that comes before step `n`."""

    def __init__(self, n: int) -> None:
        super().__init__()
        self._left = n

    def __bool__(self) -> bool:
        self._left -= 1
        return self._left < 0


def _driven(job: Tabular, folder: Path, stop: Interruption, *, resume: bool) -> dict[str, Any]:
    folder.mkdir(exist_ok=True)
    metrics = Metrics(folder, every=3, curves=False)
    with reporting() as report:
        driver = Driver(job, folder, Clock(), metrics, report, stop)
        if resume:
            driver.restore()
        driver.run()
    metrics.close()
    return job.state_dict()


@pytest.mark.parametrize("strategy", BY_TABLE)
@pytest.mark.parametrize("cut", [1, 6, 9])
def test_a_search_by_table_goes_on_bit_for_bit(
    cut: int, strategy: str, space: Space, tmp_path: Path
) -> None:
    table = table_file(tmp_path, space)
    whole = _driven(_job(space, table, strategy, 40), tmp_path / "a", Interruption(), resume=False)
    _driven(_job(space, table, strategy, 40), tmp_path / "b", _After(cut), resume=False)
    again = _driven(_job(space, table, strategy, 40), tmp_path / "b", Interruption(), resume=True)
    assert _plain(again) == _plain(whole)
    lines = [
        [
            {**json.loads(line), "seconds": 0}
            for line in (tmp_path / n / "metrics.jsonl").read_text().splitlines()
        ]
        for n in "ab"
    ]
    assert lines[0] == lines[1]


def _plain(value: Any) -> Any:
    """The same with tensors as lists, and lists for tuples."""
    if isinstance(value, torch.Tensor):
        return value.tolist()
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(v) for v in value] if isinstance(value, list | tuple) else value


# ------------------------------------------------------------------------- the command


def test_the_command_says_what_it_found_and_goes_on(
    space: Space,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiny.enas").write_text(CELL)
    table = str(table_file(tmp_path, space))
    words = ["search", "tiny.enas", "--table", table, "--out", "run"]
    assert main([*words, "--strategy", "random", "--queries", "30"]) == 0
    shown = capsys.readouterr().out
    assert "run: 30 queries" in shown
    assert "regret" in shown
    assert main([*words, "--resume"]) == 0
    assert "run: 30 queries" in capsys.readouterr().out
    assert main([*words, "--resume", "--set", "evolution.population=3"]) == 1
    assert main(["derive", "run"]) == 1
    assert "was a search by table" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--reward", "acuracy"], 1, "did you mean `accuracy`?"),
        (["--strategy", "luck"], 1, "no strategy is named `luck`"),
        (["--data", "digits"], 2, "--data or --table"),
        (["--queries", "0"], 2, "--queries takes a number from 1"),
        (["--strategy", "random", "--reward", "accuracy, size < 0"], 1, "are in"),
    ],
)
def test_what_a_search_by_table_refuses(
    words: list[str],
    code: int,
    said: str,
    space: Space,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiny.enas").write_text(CELL)
    table = str(table_file(tmp_path, space))
    assert main(["search", "tiny.enas", "--table", table, *words]) == code
    assert said in capsys.readouterr().err


# ------------------------------------------------------------------------- what others measured


@pytest.mark.skipif(not MACRO.is_file(), reason="the table of NAS-Bench-Macro is not here")
def test_evolution_halves_the_regret_of_chance_on_nasbench_macro() -> None:
    space = Compilation.open("nasbench_macro").space
    assert space is not None
    key = cache(class_key(space))
    prices = Prices.of(space, read_table(MACRO, space, key), None)
    assert len(prices.table.rows) == 6561
    rng = Random(0)
    for architecture in rng.sample(list(prices.table.rows), 20):  # costs by another road
        values = {**prices.table.rows[architecture]}
        priced = Prices.of(space, prices.table, "mean_acc - macs")
        found = priced.values(architecture)
        assert found is not None
        assert found["macs"] == values["flops"]

    def regret(strategy: str) -> float:
        bests = []
        for seed in range(3):
            job = Tabular(
                strategy_of(strategy, space, validate(DEFAULTS), seed),
                prices, key, queries=300, children=4,
            )  # fmt: skip
            while not job.done:
                job.step()
            bests.append(max(e.measure.reward for e in job.found.values()))
        return prices.best - sorted(bests)[1]

    assert regret("evolution") <= regret("random") / 2
