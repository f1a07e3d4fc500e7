"""Where a step's time goes, and how far it is from a limit.

The limit is what the step's matrix products and convolutions take at the best rate that this
machine reaches on large matrices, measured in turn with the steps: no code in single precision
gets below it, and all else would have to cost nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from statistics import median

import torch
from torch.profiler import ProfilerActivity, profile
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.frame import Action, machine, spent
from benchmarks.rivals import PROVEN, Pair
from benchmarks.supernets import CONTESTS, one_thread

NAMES = ("rnn64", "rnn200", "micro", "macro", "rnn64_native", "micro_native", "macro_native")
SIZE = 1024
KINDS: Mapping[str, tuple[str, ...]] = {
    "products": ("aten::mm", "aten::addmm", "convolution"),
    "norms": ("batch_norm",),
    "activations": ("sigmoid", "tanh", "threshold", "clamp_min", "relu", "lerp"),
    "pools": ("pool",),
    "softmax": ("softmax", "nll_loss", "amax"),
    "other tensors": ("aten::",),
}
"""What is in the name of a call, the first that fits; what is left is Python and autograd."""


def report(names: Sequence[str], *, quick: bool) -> Iterator[str]:
    """For each contest the milliseconds of both sides and of the limit, then shares of them."""
    with one_thread():
        for name in names or NAMES:
            contest = CONTESTS[name]()
            contest = replace(contest, batch=PROVEN) if quick else contest
            pair = Pair(contest, contest.architectures(1)[0], proven=False)
            yield f"{name}: {_distance(pair, runs=1 if quick else 5)}"
            for side, action in zip(("supernet", "child"), pair.actions, strict=True):
                parts = ", ".join(f"{kind} {share:.0%}" for kind, share in shares(action).items())
                yield f"  {side}: {parts}"
    yield machine()


def _distance(pair: Pair, *, runs: int) -> str:
    a, b = torch.randn(2, SIZE, SIZE)
    actions = (*pair.actions, lambda: torch.mm(a, b))
    rows = [[spent(action) for action in actions] for _ in range(runs + 1)][1:]
    mine, theirs, product = (median(column) for column in zip(*rows, strict=True))
    limit = flops(pair) / (2 * SIZE**3 / product)
    return (
        f"{1e3 * mine:.0f} ms, child {1e3 * theirs:.0f} ms, limit {1e3 * limit:.0f} ms "
        f"({2e-9 * SIZE**3 / product:.0f} GFLOP/s): {mine / limit:.2f} of the limit, "
        f"which is {limit / theirs:.2f} of the child"
    )


def flops(pair: Pair) -> int:
    """The operations of the child's products, forward and back."""
    with FlopCounterMode(display=False) as counter:
        torch.autograd.backward(pair.child_loss(pair.x, pair.y))
    return int(counter.get_total_flops())


def shares(action: Action) -> dict[str, float]:
    """The share of each kind of call in the time of a step."""
    action()
    with profile(activities=[ProfilerActivity.CPU]) as profiler:
        action()
    found: Counter[str] = Counter()
    for event in profiler.key_averages():
        kind = next((k for k, words in KINDS.items() if _fits(event.key, words)), "Python")
        found[kind] += event.self_cpu_time_total
    total = sum(found.values())
    return {kind: time / total for kind, time in found.most_common()}


def _fits(call: str, words: tuple[str, ...]) -> bool:
    return call.startswith("aten::") and any(word in call for word in words)
