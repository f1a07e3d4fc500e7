"""A network as one file of plain PyTorch, which needs nothing of this package."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor

from enasdsl.export.aligning import aligned
from enasdsl.export.attributes import Attributes, attributes, title
from enasdsl.export.classes import ACTIVATION, WRITERS, Class, Classes, classes, site
from enasdsl.export.code import word
from enasdsl.export.folding import folded
from enasdsl.export.forward import Forward
from enasdsl.export.groups import grouped
from enasdsl.export.snippets import needed
from enasdsl.ir.graph import Step
from enasdsl.ir.nesting import Frame, nest
from enasdsl.ir.parameters import by_name
from enasdsl.ir.places import join
from enasdsl.ir.record import to_token
from enasdsl.ir.space import Architecture, Space
from enasdsl.nn.child import Child
from enasdsl.semantics.ops import OPS

WIDEST = 100


@dataclass(frozen=True, slots=True)
class Exported:
    """A file of Python, and its weights by the names that its network gives them."""

    text: str
    network: str  # the class
    parameters: int
    weights: dict[str, Tensor]


@dataclass(frozen=True, slots=True)
class _Use:
    """An operation with weights in the whole network."""

    path: str
    place: str
    step: Step


def to_python(
    space: Space, architecture: Architecture, child: Child, *, weights_file: str
) -> Exported:
    """The network of an architecture with the weights of its child.

    The text loads `weights_file`, which lies beside it. Raises ExportError.
    """
    network = grouped(nest(space, architecture))
    known = classes(network, title(space.name))
    named = {id(row): attributes(row, known) for row in known.rows}
    uses = list(_uses(network, known, named, "", ""))
    ties = list(_ties(space, uses))
    body = "\n\n".join(_class(row, known, named[id(row)], ties) for row in known.rows)
    extra = needed(body)
    weights = _weights(space, uses, child)
    count = sum(w.numel() for name, w in weights.items() if ".running_" not in name)
    told = f"A network of the search space {space.name}: {count:,} parameters."
    if count < sum(p.numel() for p in child.parameters()):
        told += "\n\nA head at the side, which only training needs, is left out."
    if any(dict(use.step.args).get("word_dropout") for use in uses):
        told += "\n\nDropout of whole words, which only training needs, is left out."
    head = _head(told, to_token(architecture), extra + body)
    text = f"{head}{extra}\n\n{body}\n\n{_loader(known.rows[-1], weights_file)}"
    return Exported(text, known.rows[-1].name, count, weights)


# ------------------------------------------------------------------ the classes


def _class(row: Class, known: Classes, names: Attributes, ties: Sequence[str]) -> str:
    top = row is known.rows[-1]
    forward = Forward(row, names, lambda value: _remark(row, value), keeps_states=top)
    body = forward.write()
    made = [*_made(row, known, names), *(ties if top else ())]
    arguments = [word(a) for a in row.pattern.arguments]
    if top:
        arguments += [f"{state}=None" for state in forward.states]
    lines = [f"class {row.name}(nn.Module):", f'    """{_told(row)}"""', ""]
    if made:
        lines += folded(f"    def __init__({', '.join(['self', *row.parameters])}):")
        lines.append("        super().__init__()")
        lines += (line for text in made for line in folded(f"        {text}"))
        lines.append("")
    lines.append(f"    def forward({', '.join(['self', *arguments])}):")
    opening = _opening(row)
    lines += [f"        # {opening}"] * bool(opening)
    lines += (line for text in body for line in folded(f"        {text}"))
    return "\n".join(lines) + "\n"


def _told(row: Class) -> str:
    """The first line of a class: what it is, and how often it stands in the network."""
    return (
        f"`{row.pattern.name}` of the space." if row.pattern.name != "network" else "The network."
    )


def _made(row: Class, known: Classes, names: Attributes) -> Iterator[str]:
    """The lines that make the attributes."""
    for name, family in row.families.items():
        if family == ACTIVATION:
            yield f"self.{name} = {name}"
    index = 0
    while index < len(row.pattern.items):
        run = names.run_at(index)
        if run is not None:
            stem = str(names.names[index]).partition("[")[0]
            members = ", ".join(_row(row, known, run.start, run.stop))
            yield f"self.{stem} = nn.ModuleList([{members}])"
            index = run.stop
            continue
        if names.names[index] is not None:
            yield f"self.{names.names[index]} = {_maker(row, known, index)}"
        index += 1


def _row(row: Class, known: Classes, start: int, stop: int) -> Iterator[str]:
    """The members of a list, those alike in a row said once."""
    makers = [_maker(row, known, index) for index in range(start, stop)]
    while makers:
        alike = next((n for n, m in enumerate(makers) if m != makers[0]), len(makers))
        yield makers[0] if alike == 1 else f"*({makers[0]} for _ in range({alike}))"
        del makers[:alike]


def _maker(row: Class, known: Classes, index: int) -> str:
    item, numbers = row.pattern.items[index], row.numbers[index]
    if aligned(item, row.pattern) is not None:
        return next(iter(numbers.values()))
    if item.frame is not None:
        inner = known.of[item.frame]
        return f"{inner.name}({', '.join(numbers[name] for name in inner.parameters)})"
    where = site(item, row.pattern)
    made = WRITERS[where.op].made
    assert made is not None
    return made(where, numbers)


# --------------------------------------------------------------------- comments


def _remark(row: Class, value: int) -> str:
    """The shape of a value as a comment; empty where the frames have no common text for it."""
    shapes = [frame.values()[value] for frame in row.frames]
    widths = [int(s.channels) for s in shapes]  # type: ignore[arg-type]
    width = row.width(widths)
    if width is None:
        return ""
    spaces = {s.space for s in shapes}
    if len(spaces) == 1:
        space = [str(n) for n in spaces.pop()]
    else:
        firsts = [frame.shapes[0].space for frame in row.frames]
        ratios = {_ratio(f, s.space) for f, s in zip(firsts, shapes, strict=True)}
        ratio = ratios.pop() if len(ratios) == 1 else 0
        if not ratio:
            return ""
        space = [axis if ratio == 1 else f"{axis}/{ratio}" for axis in ("H", "W")]
    sizes = [width, *space] if len(space) == 2 else [*space, width]
    return f"[B, {', '.join(sizes)}]"


def _ratio(first: Sequence[int], space: Sequence[int]) -> int:
    """By how much an image is smaller than another; 0 where that is no whole number."""
    if len(first) != 2 or len(space) != 2:
        return 0
    pairs = {divmod(a, b) for a, b in zip(first, space, strict=True)}
    ratio, rest = pairs.pop() if len(pairs) == 1 else (0, 1)
    return 0 if rest else ratio


def _opening(row: Class) -> str:
    """The shapes of the arguments."""
    shapes = row.pattern.shapes
    told = []
    for n, argument in enumerate(row.pattern.arguments):
        remark = "[B, T], tokens" if shapes[n].tokens else _remark(row, n)
        told += [f"{word(argument)}: {remark}"] * bool(remark)
    return "; ".join(told)


# ---------------------------------------------------------------------- weights


def _uses(
    frame: Frame, known: Classes, named: Mapping[int, Attributes], path: str, prefix: str
) -> Iterator[_Use]:
    """Every operation with weights, by its path in the exported network."""
    names = named[id(known.of[frame])].names
    for item, name in zip(frame.items, names, strict=True):
        if item.frame is not None:
            inner = join(prefix, item.place) if item.place else prefix
            yield from _uses(item.frame, known, named, f"{path}{name}.", inner)
        elif item.step is not None and OPS[item.step.op].weights:
            yield _Use(f"{path}{name}", join(prefix, item.place), item.step)


def _ties(space: Space, uses: Sequence[_Use]) -> Iterator[str]:
    """The lines that make two attributes one, or two weights."""
    places = by_name(space.places)
    first: dict[str, _Use] = {}
    for use in uses:
        known = first.setdefault(use.place, use)
        if known is not use:
            yield f"self.{use.path} = self.{known.path}  # one weight for both"
    for use in first.values():
        tied = places[use.place].tied
        if tied is not None and tied in first:
            yield f"self.{use.path}.weight = self.{first[tied].path}.weight  # tied"


def _weights(space: Space, uses: Sequence[_Use], child: Child) -> dict[str, Tensor]:
    places = by_name(space.places)
    found: dict[str, Tensor] = {}
    seen: set[str] = set()
    for use in uses:
        if use.place in seen:
            continue
        seen.add(use.place)
        tied = places[use.place].tied
        for weight, name in WRITERS[use.step.op].weights.items():
            if weight == "weight" and tied is not None:
                continue
            if (use.place, weight) in child.shared:
                path = ".".join(part for part in (_dotted(use.path), name) if part)
                found[path] = child.tensor(use.place, weight).detach().cpu().contiguous().clone()
    return found


def _dotted(path: str) -> str:
    """`cells[2].conv` as torch names it."""
    return re.sub(r"\[(\d+)\]", r".\1", path)


# --------------------------------------------------------------- around the classes


def _head(told: str, token: str, code: str) -> str:
    rows = [token[i : i + WIDEST] for i in range(0, len(token), WIDEST)]
    imports = ["from pathlib import Path", ""]
    imports += ["import torch"] * ("torch." in code)
    imports += ["import torch.nn.functional as F"] * ("F." in code)
    imports += ["from safetensors.torch import load_model", "from torch import nn"]
    return "\n".join([f'"""{told}', "", *rows, '"""', "", *imports, ""])


def _loader(row: Class, weights_file: str) -> str:
    return f'''def load(path=Path(__file__).with_name("{weights_file}")):
    """The network with the weights of a file, ready for evaluation."""
    network = {row.name}()
    load_model(network, path)
    return network.eval()
'''
