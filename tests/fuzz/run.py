"""The fuzzer: files by number, each the same for the same seed, over some processes, resumable."""

from __future__ import annotations

import argparse
import faulthandler
import gc
import json
import multiprocessing
import os
import resource
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from multiprocessing.process import BaseProcess
from pathlib import Path
from random import Random
from types import FrameType

from fuzz.bombs import bomb
from fuzz.corpus import corpus, generated
from fuzz.derive import derived
from fuzz.judge import Overdue, Verdict, judge
from fuzz.mutate import mutated
from fuzz.report import minimise, report

MEMORY = 500 * 2**20
PATIENCE = 10.0  # seconds of CPU until whatever runs is stopped
TRIALS = 3
AFRESH = 75  # the exit code of a process that is to be started again
DEADLINE = 300  # seconds until a process that cannot even be stopped is ended
POOL = 400


@dataclass(frozen=True, slots=True)
class Run:
    """What is judged, and by how many processes; `slack` is as for `judge`."""

    folder: Path
    seed: int
    files: int
    workers: int
    slack: float

    def log(self, worker: int) -> Path:
        return self.folder / f"{worker}.jsonl"


def case(seed: int, number: int) -> str:
    """File `number` of a seed: half mutated, the rest by the grammar, by strategy, and bombs."""
    rng = Random(f"{seed}:{number}")
    written = corpus()
    made = generated(POOL, seed)
    match number % 10:
        case 0 | 1 | 2 | 3:
            return mutated(rng.choice(written), written, rng)
        case 4 | 5:
            return mutated(rng.choice(made), made, rng)
        case 6:
            return rng.choice(made) if rng.random() < 0.1 else mutated(bomb(rng), written, rng)
        case 7 | 8:
            return derived(rng)
        case _:
            return bomb(rng)


def judged(path: Path, text: str, slack: float) -> Verdict:
    """The verdict on one file; what is slow is tried again, since machines that test are busy."""
    for _ in range(TRIALS):
        verdict = _once(path, text, slack)
        if not verdict.failure.startswith("slow"):
            break
    return verdict


def _once(path: Path, text: str, slack: float) -> Verdict:
    """What takes far too long is stopped, and so, with its process, is what cannot be."""
    faulthandler.dump_traceback_later(DEADLINE, exit=True)
    signal.setitimer(signal.ITIMER_PROF, PATIENCE * slack)
    try:
        return judge(path, text, slack=slack)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        faulthandler.cancel_dump_traceback_later()


def confine() -> None:
    """Limits the memory of this process, and has its timer raise `Overdue`."""
    gc.set_threshold(100_000)  # as the command line does
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    signal.signal(signal.SIGPROF, _overdue)


def _overdue(number: int, frame: FrameType | None) -> None:
    raise Overdue


def work(run: Run, worker: int) -> None:
    """Judges the files of one worker that have no line in its log yet."""
    confine()
    place = run.folder / str(worker)
    place.mkdir(exist_ok=True)
    (place / "other.enas").write_text('import "fuzz.enas"\nimport micro\nop other { relu }\n')
    done = run.log(worker).read_bytes().count(b"\n") if run.log(worker).exists() else 0
    with run.log(worker).open("a", encoding="utf-8", buffering=1) as log:
        start = worker + done * run.workers
        for number in range(start, run.files, run.workers):
            (place / "number").write_text(str(number))
            verdict = judged(place / "fuzz.enas", case(run.seed, number), run.slack)
            if verdict.failure.startswith("slow") and number > start:
                sys.exit(AFRESH)  # by itself it may be quick: what is kept of others slows it
            log.write(json.dumps({"number": number, **asdict(verdict)}) + "\n")
            if verdict.failure or _peak() > MEMORY / 3:
                sys.exit(AFRESH)  # what a large file leaves behind is not held against the next


def _peak() -> int:
    """The most memory that this process had, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def lines(path: Path) -> Iterator[dict[str, object]]:
    if path.exists():
        with path.open(encoding="utf-8") as file:
            yield from (json.loads(line) for line in file if line.endswith("\n"))


def supervise(run: Run) -> None:
    """Runs the workers; one that died has its file written down as a failure and starts again."""
    context = multiprocessing.get_context("fork")
    corpus(), generated(POOL, run.seed), derived(Random(0))  # once, for every process
    pending = list(range(run.workers))
    running: dict[int, BaseProcess] = {}
    while pending or running:
        for worker in pending:
            running[worker] = context.Process(target=work, args=(run, worker))
            running[worker].start()
        time.sleep(0.05)
        ended = {w: p for w, p in running.items() if not p.is_alive()}
        pending = [w for w, process in ended.items() if process.exitcode]
        for worker, process in ended.items():
            del running[worker]
            if process.exitcode not in (0, AFRESH):
                _bury(run, worker, process.exitcode)


def _bury(run: Run, worker: int, code: int | None) -> None:
    number = int((run.folder / str(worker) / "number").read_text())
    verdict = Verdict(failure=f"the process ended with {code}", seconds={"check": DEADLINE})
    with run.log(worker).open("a", encoding="utf-8") as log:
        log.write(json.dumps({"number": number, **asdict(verdict)}) + "\n")


def main() -> int:
    """0 where no file failed, 1 where one did."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument(
        "--slack",
        type=float,
        default=1.0,
        help="seconds of processor for each step, 1; more on a busy machine",
    )
    parser.add_argument("--folder", type=Path, help="goes on where a run of so many workers was")
    parser.add_argument("--minimise", action="store_true", help="the first file of each failure")
    given = parser.parse_args()
    folder = given.folder or Path(f"runs/fuzz-{given.seed}")
    run = Run(folder, given.seed, given.files, given.workers, given.slack)
    run.folder.mkdir(parents=True, exist_ok=True)
    start = time.monotonic()
    supervise(run)
    print(f"{time.monotonic() - start:.0f} s on {run.workers} processes")
    failures = report([line for w in range(run.workers) for line in lines(run.log(w))])
    if given.minimise:
        show_smallest(run, failures)
    return 1 if failures else 0


def show_smallest(run: Run, failures: Mapping[str, int]) -> None:
    """Prints of the first file of each failure a small part that fails in the same way."""
    confine()
    place = run.folder / "fuzz.enas"
    for failure, number in failures.items():
        fails = partial(_fails, place, failure, run.slack)
        print(f"\n# {failure}\n{minimise(case(run.seed, number), fails)}")


def _fails(place: Path, failure: str, slack: float, text: str) -> bool:
    return judged(place, text, slack).failure == failure


if __name__ == "__main__":
    sys.exit(main())
