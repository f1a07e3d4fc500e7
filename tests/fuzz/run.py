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
from collections.abc import Iterator
from dataclasses import asdict
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
DEADLINE = 60  # seconds until a process that cannot even be stopped is ended
POOL = 400


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


def judged(path: Path, text: str) -> Verdict:
    """The verdict on one file; what takes too long is stopped, and so is what cannot be."""
    faulthandler.dump_traceback_later(DEADLINE, exit=True)
    signal.setitimer(signal.ITIMER_PROF, PATIENCE)
    try:
        return judge(path, text)
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


def work(folder: Path, seed: int, files: int, worker: int, workers: int) -> None:
    """Judges the files of one worker that have no line in its log yet."""
    confine()
    place = folder / str(worker)
    place.mkdir(exist_ok=True)
    (place / "other.enas").write_text('import "fuzz.enas"\nimport micro\nop other { relu }\n')
    done = len(list(lines(folder / f"{worker}.jsonl")))
    with (folder / f"{worker}.jsonl").open("a", encoding="utf-8", buffering=1) as log:
        for number in range(worker + done * workers, files, workers):
            (place / "number").write_text(str(number))
            verdict = judged(place / "fuzz.enas", case(seed, number))
            log.write(json.dumps({"number": number, **asdict(verdict)}) + "\n")


def lines(path: Path) -> Iterator[dict[str, object]]:
    if path.exists():
        with path.open(encoding="utf-8") as file:
            yield from (json.loads(line) for line in file if line.endswith("\n"))


def supervise(folder: Path, seed: int, files: int, workers: int) -> None:
    """Runs the workers; one that died has its file written down as a failure and starts again."""
    context = multiprocessing.get_context("fork")
    pending = list(range(workers))
    running = {}
    while pending or running:
        for worker in pending:
            process = context.Process(target=work, args=(folder, seed, files, worker, workers))
            process.start()
            running[worker] = process
        pending = []
        time.sleep(0.5)
        for worker, process in list(running.items()):
            if process.is_alive():
                continue
            del running[worker]
            if process.exitcode:
                _bury(folder, worker, process.exitcode)
                pending.append(worker)


def _bury(folder: Path, worker: int, code: int) -> None:
    number = int((folder / str(worker) / "number").read_text())
    verdict = Verdict(failure=f"the process ended with {code}", seconds={"check": DEADLINE})
    with (folder / f"{worker}.jsonl").open("a", encoding="utf-8") as log:
        log.write(json.dumps({"number": number, **asdict(verdict)}) + "\n")


def smallest(path: Path, failure: str, text: str) -> str:
    """A small part of `text` that fails in the same way."""
    return minimise(text, lambda part: judged(path, part).failure == failure)


def main() -> int:
    """0 where no file failed, 1 where one did."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--folder", type=Path, default=None, help="goes on in a folder of before")
    parser.add_argument("--minimise", action="store_true", help="the first file of each failure")
    given = parser.parse_args()
    folder = given.folder or Path(f"runs/fuzz-{given.seed}")
    folder.mkdir(parents=True, exist_ok=True)
    start = time.monotonic()
    supervise(folder, given.seed, given.files, given.workers)
    verdicts = [line for path in sorted(folder.glob("*.jsonl")) for line in lines(path)]
    print(f"{time.monotonic() - start:.0f} s on {given.workers} processes")
    failures = report(verdicts)
    if given.minimise:
        confine()
        for failure, number in failures.items():
            print(f"\n# {failure}\n{smallest(folder / 'fuzz.enas', failure, case(given.seed, number))}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
