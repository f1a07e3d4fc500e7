"""Steps of shared weights against those of hand-written children: time, memory, alternatives.

One thread each, by its processor time and in turn, so that a busy machine does the same to both.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import torch

from benchmarks.frame import Action, Benchmark, spent
from benchmarks.rivals import PROVEN, Contest, Pair, macro, micro, words
from enasdsl.ir.space import Architecture
from enasdsl.nn.native import built
from enasdsl.nn.supernet import Supernet
from enasdsl.nn.weights import Init
from enasdsl.pipeline import Compilation


def _natively(contest: Callable[[], Contest]) -> Contest:
    return replace(contest(), native=True)


PLAIN: Mapping[str, Callable[[], Contest]] = {
    "rnn64": partial(words, 64, 1_000),
    "rnn200": partial(words, 200, 10_000),
    "rnn1000": partial(words, 1_000, 10_000),
    "micro": micro,
    "macro": macro,
}
NATIVE = "_native"
"""The end of the names of contests that the supernet enters with kernels in C++."""
CONTESTS: Mapping[str, Callable[[], Contest]] = {
    **PLAIN,
    **{f"{name}{NATIVE}": partial(_natively, contest) for name, contest in PLAIN.items()},
}
SETTINGS = ("highest", "medium")
"""The precisions of matrices that torch knows; each side is timed in the better one."""


@contextmanager
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        torch.set_float32_matmul_precision("highest")


def _steps(name: str, quick: bool) -> list[float]:
    """Ratios of steps, of several architectures."""
    contest = CONTESTS[name]()
    contest = replace(contest, batch=PROVEN) if quick else contest
    settings = SETTINGS if name.startswith("rnn") and not quick else SETTINGS[:1]
    runs = 2 if quick or name.startswith("rnn1000") else 5
    with one_thread():
        pairs = (Pair(contest, a) for a in contest.architectures(1 if quick else 3))
        return [r for pair in pairs for r in _ratios(pair, settings, runs=runs)]


def _ratios(pair: Pair, settings: tuple[str, ...], *, runs: int) -> list[float]:
    found = []
    for run in range(runs + 1):
        times: list[list[float]] = [[], []]
        for setting in settings:
            torch.set_float32_matmul_precision(setting)
            for side, action in zip(times, pair.actions, strict=True):
                side.append(spent(action))
        if run:  # the first does not count
            found.append(min(times[0]) / min(times[1]))
    return found


# ----------------------------------------------------------------------------- memory


def _memory(quick: bool) -> list[float]:
    """Peaks above what was there before, the shared weights allowed: each in a process afresh."""
    names = ("rnn64",) if quick else ("rnn200", "micro", "macro")
    return [_peaks(name) for name in names]


def _peaks(name: str) -> float:
    with get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        mine, shared = pool.apply(_peak, (name, 0))
        theirs, _ = pool.apply(_peak, (name, 1))
    return mine / (theirs + shared)


def _peak(name: str, side: int) -> tuple[int, int]:
    """Bytes that steps needed at most beyond those in use before, and bytes of shared weights."""
    torch.set_num_threads(1)
    contest = CONTESTS[name]()
    pair = Pair(contest, contest.architectures(1)[0], proven=False)
    shared = sum(p.numel() * p.element_size() for p in pair.net.parameters())
    before = _status("VmRSS")
    for _ in range(3):
        pair.actions[side]()
    return _status("VmHWM") - before, shared


def _status(field: str) -> int:
    lines = Path("/proc/self/status").read_text("utf-8").splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(field))


# ----------------------------------------------------------------------- alternatives


def _alternatives(quick: bool) -> list[float]:
    """Steps with 60 candidate operations to those with 6, of the same architecture."""
    with one_thread():
        many, few = _chooser(60), _chooser(6)
        many(), few()
        return [spent(many) / spent(few) for _ in range(3 if quick else 15)]


def _chooser(candidates: int) -> Action:
    names = [f"unit{i}" for i in range(candidates)]
    ops = "\n".join(f"op {name} {{ conv(3) -> batch_norm -> relu }}" for name in names)
    text = f"""space wide
{ops}
ops candidate = [{", ".join(names)}]
cell layers(x) {{
  node i in 1..8 {{ previous -> choose candidate }}
  previous
}}
network image_classifier {{
  stem conv(3, filters: 24)
  stack layers
  head global_avg_pool -> linear(classes)
}}
"""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "wide.enas"
        path.write_text(text, "utf-8")
        space = Compilation.open(path).space
    assert space is not None
    net = Supernet(space, init=Init(), generator=torch.Generator().manual_seed(0))
    optimizer = torch.optim.SGD(net.parameters(), 1e-6, 0.9)
    x, y = torch.randn(16, 3, 32, 32), torch.randint(10, (16,))
    architecture = Architecture(space.name, space.hash, ((0,),) * len(space.decisions))

    def step() -> None:
        net.programs.clear()
        optimizer.zero_grad()
        net.loss(x, y, architecture)[0].backward()  # type: ignore[no-untyped-call]
        optimizer.step()

    return step


def _stepping(name: str, unit: str, goal: float, native: float) -> Iterator[Benchmark]:
    """The steps of a contest, with kernels in C++ also where this installation has them."""
    yield Benchmark(name, unit, goal, partial(_steps, name))
    if built():
        whole = f"{name}{NATIVE}"
        yield Benchmark(whole, f"{unit}, kernels in C++", native, partial(_steps, whole))


BENCHMARKS = (
    *_stepping("rnn64", "the child's step, H=64", 0.75, 0.55),
    *_stepping("rnn200", "the child's step, H=200", 0.65, 0.55),
    *_stepping("rnn1000", "the child's step, H=1000", 0.88, 0.83),
    *_stepping("micro", "the child's step", 1.05, 0.75),
    *_stepping("macro", "the child's step", 1.05, 0.60),
    Benchmark("memory", "the child's peak and the shared weights", 1.1, _memory),
    Benchmark("alternatives", "a step with 6, with 60", 1.1, _alternatives),
)
