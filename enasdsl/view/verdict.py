"""What a search was worth, as a person reads it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from statistics import fmean
from textwrap import wrap

from enasdsl.diagnostics.wording import several
from enasdsl.search.comparison import LEVEL, Comparison, Trained, needed
from enasdsl.search.learned import Course, Earned, Learned, Visited, by_line
from enasdsl.search.resampling import Estimate
from enasdsl.view.numbers import power_of_ten

COLUMNS = 5
"""Epochs of which an entropy is shown."""
FEW = 10
"""Children from which on the bootstrap is trusted."""
WIDTH = 96
"""Characters of a line of prose."""


def learned_text(found: Learned, *, each: bool = False) -> str:
    """What a search shows by itself; entropies by line, or of `each` decision."""
    epochs = len(found.earned.rewards)
    lines = [
        f"by itself: {found.strategy}, seed {found.seed}, {several(epochs, 'epoch')}",
        f"  drawn   {_visited(found.visited)}",
    ]
    if epochs:
        lines.append(f"  reward  {_rewards(found.earned)}")
    if found.chance is not None and found.chance.rewards:
        lines.append(f"  chance  {_rewards(found.chance)}: {found.chance.folder}")
    if found.courses:
        lines += ["", *_entropies(found.courses, each=each)]
    return "\n".join(lines)


def no_verdict(command: str) -> str:
    """The sentence that ends what is said of a single run."""
    return (
        f"One run is no verdict. Whether it found more than chance does, this tells:\n  {command}"
    )


def _visited(visited: Visited) -> str:
    total = visited.total
    size = f"{total:,}" if total < 10**6 else power_of_ten(total)
    drawn = several(visited.drawn, "architecture")
    text = f"{drawn}, {visited.different:,} different, of {size}"
    if not visited.modulo or not visited.drawn:
        return text
    which = "they" if visited.sorted == visited.different else f"the latest {visited.sorted:,}"
    classes = several(visited.classes, "class")
    return f"{text}; {which} are of {classes} modulo {{ {'; '.join(visited.modulo)} }}"


def _rewards(earned: Earned) -> str:
    text = f"{earned.rewards[-1]:.4f} in the last epoch, {max(earned.rewards):.4f} in the best"
    return text if earned.best is None else f"{text}, {earned.best:.4f} of the best derived"


def _entropies(courses: Sequence[Course], *, each: bool) -> Iterator[str]:
    """Rows of entropies at some epochs, the first and the last among them."""
    epochs = len(courses[0].entropy)
    count = min(COLUMNS, epochs)
    shown = [round(i * (epochs - 1) / max(count - 1, 1)) for i in range(count)]
    names = ["after epoch", *[str(epoch + 1) for epoch in shown], "at most"]
    yield "entropy of the decisions in nats, where they are taken"
    rows = [["", "", names[0], *names[1:]]]
    for (part, place, words), group in by_line(courses).items():
        groups = [[course] for course in group] if each else [group]
        for some in groups:
            name = some[0].path if each else f"{part}, {several(len(some), 'decision')}"
            means = [_mean([course.entropy[epoch] for course in some]) for epoch in shown]
            most = fmean(course.most for course in some)
            rows.append([place, words, name, *means, f"{most:.2f}"])
    yield from _aligned(rows, left=3)


def _mean(values: Sequence[float | None]) -> str:
    known = [value for value in values if value is not None]
    return f"{fmean(known):.2f}" if known else "-"


def comparison_text(found: Comparison) -> str:
    """How the found child does among random ones, and what shared weights foretell."""
    done = len(found.chance)
    many = f"{several(found.epochs, 'epoch')}, {several(found.seeds, 'seed')} each"
    lines = [
        f"the found child and {done} of {several(found.asked, 'random child')}, "
        f"trained alike from scratch ({many})",
    ]
    if found.found is not None or found.chance:
        lines += [*_aligned(list(_children(found)), left=1), ""]
    if found.median is not None:
        lines.append(f"test {found.figure}, by which is compared")
        lines += _standing(found)
    lines += [*_wrapped(sentences(found)), ""]
    lines.append(f"shared against own weights, valid {found.figure}, over the random children")
    lines.append(f"  Kendall's tau   {_estimate(found.kendall)}")
    lines.append(f"  Spearman's rho  {_estimate(found.spearman)}")
    return "\n".join(lines)


def _children(found: Comparison) -> Iterator[list[str]]:
    yield ["", "shared", "valid", "test", "parameters", "seconds"]
    for child in (*([found.found] if found.found else []), *found.chance):
        yield [child.name, f"{child.shared:.4g}", *_own(child)]


def _own(child: Trained) -> tuple[str, str, str, str]:
    own = (f"{fmean(figures):.4g}" for figures in (child.valid, child.test))
    return (*own, f"{child.parameters:,}", f"{child.seconds:.0f}")  # type: ignore[return-value]


def _standing(found: Comparison) -> Iterator[str]:
    tests = sorted(fmean(child.test) for child in found.chance)
    yield f"  random  median {found.median:.4g}, from {tests[0]:.4g} to {tests[-1]:.4g}"
    if found.found is not None:
        own = fmean(found.found.test)
        ties = ", ties against it" if own in tests else ""
        yield f"  found   {own:.4g}, rank {found.rank} of {len(tests) + 1}{ties}"
        yield f"  lead    {_estimate(found.lead)}, over the median; below 0 it is behind"


def sentences(found: Comparison) -> Iterator[str]:
    """The verdict, and what it leaves open."""
    yield conclusion(found)
    if found.found is not None and found.chance:
        yield from _sizes(found.found, found.chance)
    if found.lead is not None:
        noise = "one seed" if found.seeds == 1 else f"{found.seeds} seeds"
        yield (
            f"The interval is over the random children; the found one has {noise}, and how much "
            "that matters is not in it."
        )
        if len(found.chance) < FEW:
            yield f"Intervals over fewer than {FEW} children are too narrow."
    yield "It is about one search with one seed, and says nothing of another."


def _sizes(found: Trained, chance: Sequence[Trained]) -> Iterator[str]:
    """How the found child's size stands among those of the others, where sizes differ."""
    if {child.parameters for child in chance} != {found.parameters}:
        less = sum(child.parameters < found.parameters for child in chance)
        yield (
            f"Equal is what training took, not the size: {less} of the {len(chance)} have fewer "
            "parameters than the found one."
        )


def conclusion(found: Comparison) -> str:
    """The verdict in one sentence, or why there is none."""
    if found.found is None:
        return "No verdict: the found child is not trained to its end."
    if found.luck is None:
        return "No verdict: no random child is trained to its end."
    place = f"rank {found.rank} of {len(found.chance) + 1}{' or better' if found.rank != 1 else ''}"
    odds = f"chance alone gives {place} in {100 * found.luck:.3g} of 100 cases"
    if found.tells:
        return f"The found child does better than chance mostly would: {odds}."
    if len(found.chance) < needed():
        fewest = f"for {100 * LEVEL:.0f} or fewer it takes {needed()} random children or more"
        return f"These children cannot tell: {odds}; {fewest}."
    return f"No sign that the search found more than chance: {odds}."


def _estimate(estimate: Estimate | None) -> str:
    if estimate is None:
        return "unknown: too few children, or all alike"
    return f"{estimate.value:.3g}, 95 % [{estimate.low:.3g}, {estimate.high:.3g}]"


def _wrapped(sentences: Iterable[str]) -> list[str]:
    return wrap(" ".join(sentences), WIDTH, initial_indent="  ", subsequent_indent="  ")


def _aligned(rows: Sequence[Sequence[str]], *, left: int) -> Iterator[str]:
    """Rows as columns two spaces apart, the first `left` of them flush left."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (
            cell.ljust(width) if place < left else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        yield f"  {'  '.join(cells)}".rstrip()
