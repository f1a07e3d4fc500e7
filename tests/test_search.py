"""Searches on tiny spaces: learning, stopping, going on, and what is left on the disk."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from search_worlds import EDGES, IMAGES, LANGUAGE, assembly
from torch import Tensor

from enasdsl.search import checkpoint
from enasdsl.search.alternation import Alternation
from enasdsl.search.assembly import Assembly
from enasdsl.search.clock import Clock, Interruption, interruptible
from enasdsl.search.drive import Driver, Ending
from enasdsl.search.errors import SearchError
from enasdsl.search.metrics import Metrics, Position
from enasdsl.search.progress import reporting

WORLDS = [
    (LANGUAGE, "enas"),
    (IMAGES, "enas"),
    (IMAGES, "random"),
    (IMAGES, "evolution"),
    (LANGUAGE, "spos"),
    (LANGUAGE, "gdas"),
    (EDGES, "darts"),
]


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


class _After(Interruption):
    """An interruption that comes before step `n`."""

    def __init__(self, n: int) -> None:
        super().__init__()
        self._left = n

    def __bool__(self) -> bool:
        self._left -= 1
        return self._left < 0


def _run(
    assembled: Assembly,
    *,
    stop: Interruption | None = None,
    clock: Clock | None = None,
    resume: bool = False,
) -> tuple[Alternation, Ending]:
    folder = assembled.run.folder
    job = assembled.alternation()
    metrics = Metrics(folder, every=4, curves=False)
    with reporting() as report:
        stop = Interruption() if stop is None else stop
        driver = Driver(job, folder, clock or Clock(), metrics, report, stop)
        if resume:
            driver.restore()
        ending = driver.run()
    metrics.close()
    return job, ending


def _flat(value: object) -> Iterator[object]:
    """All numbers of a nested state, tensors as lists."""
    if isinstance(value, Tensor):
        yield value.tolist()
    elif isinstance(value, Mapping):
        for key in value:
            yield key
            yield from _flat(value[key])
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _flat(item)
    else:
        yield value


def _lines(folder: Path) -> list[dict[str, Any]]:
    rows = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [{key: value for key, value in row.items() if key != "seconds"} for row in rows]


# ------------------------------------------------------------------- going on


@pytest.mark.parametrize(("text", "strategy"), WORLDS)
def test_a_search_that_was_cut_anywhere_ends_as_one_that_was_not(
    text: str, strategy: str, tmp_path: Path
) -> None:
    whole, ending = _run(assembly(tmp_path / "whole", text, strategy))
    assert ending is Ending.FINISHED
    expected = list(_flat(whole.state_dict()))
    for cut in (3, 7, 12, 24):
        folder = tmp_path / f"cut{cut}"
        _, ending = _run(assembly(folder, text, strategy), stop=_After(cut))
        assert ending is Ending.INTERRUPTED
        resumed, ending = _run(assembly(folder, text, strategy), resume=True)
        assert ending is Ending.FINISHED
        assert list(_flat(resumed.state_dict())) == expected
        assert _lines(folder) == _lines(tmp_path / "whole")


def test_lines_after_the_checkpoint_are_forgotten(tmp_path: Path) -> None:
    _run(assembly(tmp_path / "whole", IMAGES))
    folder = tmp_path / "cut"
    _run(assembly(folder, IMAGES), stop=_After(8))
    with (folder / "metrics.jsonl").open("a") as file:  # a process that died after its checkpoint
        file.write('{"phase": "weights", "epoch": 7}\n')
    _run(assembly(folder, IMAGES), resume=True)
    assert _lines(folder) == _lines(tmp_path / "whole")


@pytest.mark.parametrize(("updates", "wanted"), [("none", 6), (3, 3)])
def test_without_a_number_of_updates_there_is_one_a_step(
    updates: object, wanted: int, tmp_path: Path
) -> None:
    job, _ = _run(assembly(tmp_path, LANGUAGE, controller__steps=updates))
    assert job.state_dict()["totals"] == {
        "weights": 12, "controller": 2 * wanted, "samples": 20, "beliefs": 2
    }  # fmt: skip


# ------------------------------------------------------------------- stopping


class _Ticks:
    """A clock on which every look takes `tick` seconds."""

    def __init__(self, tick: float) -> None:
        self._seconds, self._tick = 0.0, tick

    def __call__(self) -> float:
        self._seconds += self._tick
        return self._seconds


@pytest.mark.parametrize("budget", [1.5, 3.0])
def test_a_budget_is_kept_and_everything_is_saved(budget: float, tmp_path: Path) -> None:
    clock = Clock(budget, now=_Ticks(0.02))
    _, ending = _run(assembly(tmp_path, LANGUAGE), clock=clock)
    assert ending is Ending.BUDGET
    assert 0.7 * budget < clock.elapsed <= budget + 0.05  # the look itself takes 0.02
    resumed, ending = _run(assembly(tmp_path, LANGUAGE), resume=True)
    assert ending is Ending.FINISHED
    whole, _ = _run(assembly(tmp_path / "whole", LANGUAGE))
    assert list(_flat(resumed.state_dict())) == list(_flat(whole.state_dict()))


def test_a_budget_counts_what_was_spent_before(tmp_path: Path) -> None:
    _run(assembly(tmp_path, LANGUAGE), clock=Clock(3.0, now=_Ticks(0.02)))
    saved = checkpoint.newest(tmp_path / "checkpoints")["steps"]
    _, ending = _run(assembly(tmp_path, LANGUAGE), clock=Clock(3.0, now=_Ticks(0.02)), resume=True)
    assert ending is Ending.BUDGET
    assert checkpoint.newest(tmp_path / "checkpoints")["steps"] <= saved + 5


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_lets_the_step_end(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with interruptible() as interruption:
        assert not interruption
        os.kill(os.getpid(), number)
        assert interruption
    assert signal.getsignal(number) is before


def test_a_second_ctrl_c_stops_at_once() -> None:
    def twice() -> None:
        with interruptible():
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        twice()


# --------------------------------------------------------------------- saving


def test_a_full_disk_is_said_and_leaves_the_last_checkpoint(tmp_path: Path) -> None:
    checkpoint.save(tmp_path, 1, {"weights": torch.ones(3)})
    (tmp_path / "checkpoint-2.pt.part").symlink_to("/dev/full")
    with pytest.raises(SearchError, match="No space left") as caught:
        checkpoint.save(tmp_path, 2, {"weights": torch.zeros(100_000)})
    assert "--resume" in caught.value.help
    assert checkpoint.newest(tmp_path)["weights"].tolist() == [1, 1, 1]
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint-1.pt"]


def test_a_full_disk_is_said_when_figures_are_written(tmp_path: Path) -> None:
    (tmp_path / "metrics.jsonl").symlink_to("/dev/full")
    metrics = Metrics(tmp_path, curves=False)
    with pytest.raises(SearchError, match="No space left"):
        metrics.add(Position("weights", 0, 0, 0), {"loss": 1.0}, seconds=0.0, last=True)
    metrics.close()


def test_the_newest_two_checkpoints_are_kept_and_a_damaged_one_is_passed_over(
    tmp_path: Path,
) -> None:
    for number in (9, 10, 11):
        checkpoint.save(tmp_path, number, {"number": number})
    assert [p.name for p in checkpoint.saved(tmp_path)] == ["checkpoint-11.pt", "checkpoint-10.pt"]
    (tmp_path / "checkpoint-11.pt").write_bytes(b"torn")
    assert checkpoint.newest(tmp_path)["number"] == 10


def test_a_folder_without_checkpoints_is_said(tmp_path: Path) -> None:
    with pytest.raises(SearchError, match="no checkpoint"):
        checkpoint.newest(tmp_path)
