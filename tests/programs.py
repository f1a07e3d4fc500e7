"""A Hypothesis strategy for whole `.enas` files: small, valid, and as varied as the language."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

from hypothesis import strategies as st

from enasdsl.semantics.symbols import Shape
from enasdsl.semantics.task import Task

IMAGES = Task("image_classifier", Shape(3, (8, 8)), classes=3)
WORDS = Task("language_model", Shape(8, (4,), tokens=True), vocabulary=8)

T = TypeVar("T")

IMAGE_OPS = """
op skip { identity when stride == 1 else factorized_reduction }
op calibrate { relu -> (conv(1) -> batch_norm when stride == 1 else factorized_reduction) }
op unit(k) { relu -> conv(k) -> batch_norm }
op pick(k) { conv(k) -> choose [relu, tanh] }
op auto(k = choose [1, 3]) { conv(k) }
op gated(act) on x {
  gate = x -> conv(1) -> sigmoid
  gate * (x -> act) + (1 - gate) * x
}
op joined on x, y { 0.5 * (x -> conv(1)) - y / 2 }
op deep(n) depth 3 { conv(1) when n == 0 else relu -> deep(n - 1) }
""".strip().splitlines()

WORD_OPS = """
op unit(act) { linear -> act }
op pick(act) { linear -> choose [act, identity] }
op gated(act) on x {
  gate = x -> linear -> sigmoid
  gate * (x -> act) + (1 - gate) * x
}
op joined on x, y { 0.5 * (x -> linear) - y / 2 }
""".strip().splitlines()


@dataclass(slots=True)
class Writer:
    """What one file draws from; `room` is how many architectures it may still multiply to."""

    draw: st.DrawFn
    image: bool
    room: int = 600
    globals: list[str] = field(default_factory=list)
    names: int = 0

    def one_of(self, *options: T) -> T:
        return self.draw(st.sampled_from(options))

    def coin(self) -> bool:
        return self.draw(st.booleans())

    def number(self, low: int, high: int) -> int:
        return self.draw(st.integers(low, high))

    def may(self, ways: int) -> bool:
        """Whether there is room for a decision of so many ways; takes it if so."""
        if self.room < ways:
            return False
        self.room //= ways
        return True

    def name(self) -> str:
        self.names += 1
        return f"v{self.names}"


# -------------------------------------------------------------------- operations


def plain(w: Writer, *, strided: bool = False) -> str:
    """An operation without decisions that keeps the width, and with `strided` takes a stride."""
    if not w.image:
        return w.one_of("linear", "(linear -> tanh)", "unit(relu)", "gated(tanh)", "sigmoid")
    takes = ["conv(1)", "conv(3)", "avg_pool(3)", "max_pool(3)", "skip", "sep_conv(3)", "unit(3)"]
    keeps = ["relu", "identity", "(relu -> conv(1))", "depthwise_conv(K)", "gated(conv(1))"]
    keeps += ["deep(2)", "(conv(1) when stride == 1 else relu)"]
    return w.one_of(*takes) if strided else w.one_of(*takes, *keeps)


def alternatives(w: Writer, *, strided: bool, depth: int) -> str:
    """A list written out, or the file's own."""
    if not strided and w.number(0, 3) == 0:
        return "candidate"
    return f"[{', '.join(members(w, strided=strided, depth=depth))}]"


def members(w: Writer, *, strided: bool, depth: int) -> list[str]:
    """Different operations; the last may be left out by its guard."""
    found = {plain(w, strided=strided) for _ in range(2)}
    if depth > 0:
        found.add(operation(w, strided=strided, depth=depth - 1))
    guarded = w.one_of([], [], ["tanh when stride == 1"], ["tanh when K > 99"])
    return sorted(found) + (guarded if w.image and not strided else [])


def operation(w: Writer, *, strided: bool = False, depth: int = 2) -> str:
    """Any operation that keeps the width, in brackets where it must be."""
    forms: list[Callable[[], str]] = [lambda: plain(w, strided=strided)]
    if depth > 0:
        forms += _compound(w, strided=strided, depth=depth)
    return w.draw(st.sampled_from(forms))()


def _compound(w: Writer, *, strided: bool, depth: int) -> list[Callable[[], str]]:
    def inner() -> str:
        return operation(w, strided=strided, depth=depth - 1)

    def chosen(ways: int, text: str) -> Callable[[], str]:
        return lambda: text if w.may(ways) else plain(w, strided=strided)

    forms = [
        lambda: (
            f"(choose {alternatives(w, strided=strided, depth=depth)})" if w.may(4) else inner()
        ),
        lambda: f"(maybe {inner()})" if not strided and w.may(2) else inner(),
        lambda: f"({inner()} -> {operation(w, depth=depth - 1)})",
        lambda: f"({inner()} * 2)",
        lambda: f"({inner()} * choose [1, 2])" if w.may(2) else inner(),
        lambda: f"(repeat {w.number(1, 2)} {{ {inner()} }})",
        lambda: f"(repeat choose 1..2 {{ {inner()} }})" if w.may(8) else inner(),
    ]
    if not w.image:
        return [*forms, chosen(2, "pick(tanh)"), chosen(2, "(linear -> (tanh * choose [1, 2]))")]
    forms += [
        chosen(2, "conv(choose [1, 3])"),
        chosen(2, "(conv(3, filters: choose [2, 4]) -> conv(1))"),
        chosen(4, "(conv(choose [1, 3], filters: choose 2..4 step 2) -> batch_norm -> conv(1))"),
        chosen(2, w.one_of("pick(3)", "auto")),
        lambda: "(repeat 2 as i { conv(2 * i - 1) })",
    ]
    return forms + [lambda: w.one_of(*w.globals)] * bool(w.globals and not strided)


# ------------------------------------------------------------------------- nodes


@dataclass(frozen=True, slots=True)
class Site:
    """Where a node stands: how many values are earlier, and whether they wait for a stride."""

    earlier: int
    strided: bool
    first: str  # the name of the first input


def node(w: Writer, at: Site) -> list[str]:
    """The lines of a node's body."""
    forms = [_apart, _single, _edges]
    if not at.strided:
        forms += [_merged, _arithmetic, _optional, _guarded, _joined, _listed]
    return w.draw(st.sampled_from(forms))(w, at)


def _single(w: Writer, at: Site) -> list[str]:
    source = f"choose {w.one_of('', '1 from ')}earlier" if w.may(at.earlier) else at.first
    return [f"{source} -> {operation(w, strided=at.strided)}"]


def _apart(w: Writer, at: Site) -> list[str]:
    """Members taken apart by name."""
    a, b, f, g = (w.name() for _ in range(4))
    repeats = " with repeats" if at.earlier < 2 or w.coin() else ""
    if not w.may(at.earlier**2):
        return [f"{at.first} -> {plain(w, strided=at.strided)}"]
    lines = [f"{a}, {b} = choose 2 from earlier{repeats}"]
    if w.may(9):
        ordered = f"choose 2 from [{plain(w, strided=at.strided)}, conv(5)]"
        options = alternatives(w, strided=at.strided, depth=1)
        repeated = f"choose 2 from {options} with repeats"
        lines.append(f"{f}, {g} = {ordered if w.image and w.coin() else repeated}")
    else:
        lines += [f"{f} = {plain(w, strided=at.strided)}", f"{g} = {f}"]
    last = w.one_of(f"({a} -> {f}) + ({b} -> {g})", f"mean({a} -> {f}, {b} -> {f}, {a} -> {g})")
    return [*lines, last]


def _edges(w: Writer, at: Site) -> list[str]:
    """An operation on every edge."""
    op = operation(w, strided=at.strided, depth=1)
    if w.may(2**at.earlier):
        op = f"choose [{op}, {'conv(5)' if w.image else 'unit(sigmoid)'}]"
    merge = w.one_of("sum", "mean", "product")
    if not at.strided and w.coin() and w.may(2**at.earlier):
        least = w.one_of("1..", "any")
        count = f"1..{at.earlier}" if least == "1.." else "any"
        head = f"{at.first}, " if least == "any" else ""
        name = w.name()
        edges = f"{name} = [j -> {op} for j in choose {count} from earlier]"
        return [edges, f"{merge}({head}{name})"]
    return [f"{merge}(j -> {op} for j in earlier)"]


def _merged(w: Writer, at: Site) -> list[str]:
    """A set, a multiset or a sequence of inputs, joined at once."""
    n = at.earlier
    forms = [(2**n, f"choose 1..{n} from earlier"), (n**2, "choose 2 from earlier with repeats")]
    forms += [(n**2, "choose 2 from earlier with repeats in order")]
    if n > 1:
        forms += [(n**2, "choose 2 from earlier"), (n**2, "choose 2 from earlier in order")]
    ways, chosen = w.draw(st.sampled_from(forms))
    if not w.may(ways):
        chosen = "earlier"
    if w.image and w.coin():
        return [f"concat({chosen}){w.one_of('', ' -> batch_norm')} -> conv(1)"]
    return [f"{w.one_of('sum', 'mean', 'product')}({chosen}) -> {operation(w, depth=1)}"]


def _arithmetic(w: Writer, at: Site) -> list[str]:
    a = w.name()
    source = "choose earlier" if w.may(at.earlier) else "previous"
    return [
        f"{a} = {source} -> {operation(w, depth=1)}",
        w.one_of(
            f"2 * {a} - {at.first} / 2", f"{a} * ({a} -> sigmoid) + 1", f"-{a} + (1 - {at.first})"
        ),
    ]


def _optional(w: Writer, at: Site) -> list[str]:
    skips, y = w.name(), w.name()
    lines = [f"{y} = previous -> {operation(w, depth=1)}"]
    if w.may(2 ** (at.earlier - 1)):
        lines.append(f"{skips} = choose any from earlier except previous")
        return [*lines, f"{w.one_of('sum', 'mean')}({y}, {skips})"]
    return [*lines, f"sum({y}, maybe {at.first})" if w.may(2) else y]


def _guarded(w: Writer, at: Site) -> list[str]:
    """`when` with a condition that a decision settles."""
    d, y = w.name(), w.name()
    if not w.may(3):
        return ["previous"]
    low, high = plain(w), operation(w, depth=1)
    test = w.one_of(f"{d} == 2", f"{d} > 1", f"{d} != 1", f"not {d} == 3")
    forms = [
        f"{at.first} -> ({high} when {test} else {low})",
        f"sum({at.first}, ({at.first} -> {low}) when {test})",
        f"{y} -> {low}",
    ]
    last = w.one_of(*forms)
    bound = [f"{y} = previous -> {high} when {test} else {at.first}"] if last == forms[2] else []
    return [f"{d} = choose 1..3", *bound, last]


def _joined(w: Writer, at: Site) -> list[str]:
    """An operation over two values, or a merge that is itself chosen."""
    a = w.name()
    source = "choose earlier" if w.may(at.earlier) else at.first
    merge = "joined"
    if w.coin():
        merge = "choose [sum, mean, product]" if w.may(3) else "sum"
    return [f"{a} = {source}", f"{a}, previous -> {merge}"]


def _listed(w: Writer, at: Site) -> list[str]:
    """Several operations on one value."""
    ways, chosen = w.one_of((4, "choose any from candidate"), (9, "choose 1..2 from candidate"))
    if not w.may(ways):
        return [f"{at.first} -> {plain(w)}"]
    return [f"sum({at.first}, [{at.first} -> f for f in {chosen}])"]


# ------------------------------------------------------------------------- cells


def indented(lines: Sequence[str], depth: int = 1) -> list[str]:
    return ["  " * depth + line for line in lines]


def body(w: Writer, inputs: Sequence[str], *, strided: bool, align: bool) -> list[str]:
    """The nodes of a cell and its value."""
    lines: list[str] = []
    for n in range(1, (count := w.number(1, 3)) + 1):
        at = Site(len(inputs) + n - 1, strided, inputs[0])
        lines += [f"node {n} {{", *indented(node(w, at)), "}"]
    if w.coin():
        bound = w.one_of(f"{count + 1}", f"{count + 2}")
        if bound != f"{count + 1}" and w.may(2):
            bound = f"choose [{count + 1}, {count + 2}]"
        reads = f"sum(j -> {plain(w, strided=strided)} for j in inputs)"
        if w.may((len(inputs) + count + 1) ** 2):
            reads = f"choose earlier -> {plain(w, strided=strided)}"
        lines += [f"node i in {count + 1}..{bound} {{", f"  {reads}", "}"]
    return [*lines, _result(w, strided=strided, align=align)]


def _result(w: Writer, *, strided: bool, align: bool) -> str:
    forms = ["sum(loose)", "mean(loose)"]
    if w.image:
        forms += ["concat(loose) -> conv(1)", "concat(loose) -> batch_norm -> relu -> conv(1)"]
    if w.image and (align or not strided):
        forms += ["concat(loose with inputs) -> conv(1)"] * 2
    return w.one_of(*forms)


def cell(w: Writer, name: str, kind: str = "cell", *, strided: bool = False) -> list[str]:
    inputs = w.one_of(["x"], ["prev_prev", "prev"]) if kind == "cell" else ["x"]
    align = strided or len(inputs) == 2
    head = f"{kind} {name}({', '.join(inputs)}){' align calibrate' if align else ''} {{"
    return [head, *indented(body(w, inputs, strided=strided, align=align)), "}"]


def motifs(w: Writer) -> list[str]:
    """Two designs of one kind."""
    first = "x -> choose [conv(1), max_pool(3)]" if w.may(4) else "x -> conv(3)"
    return ["cell motif[2](x) {", f"  node 1 {{ {first} }}", "  previous", "}"]


# ------------------------------------------------------------------------- files


def settings(w: Writer) -> list[str]:
    """Choices that the whole file shares, and a requirement over them."""
    lines: list[str] = []
    if w.coin() and w.may(4):
        lines += ["kernel = choose [1, 3]", "width = choose [2, 4]"]
        lines += ["require kernel <= width"] * w.coin()
        w.globals += ["conv(kernel)", "(conv(1, filters: width) -> conv(kernel))"]
        w.globals += ["(conv(1) when width == 2 else conv(3))"]
    if w.coin() and w.may(2):
        lines.append("nonlinear = choose [relu, tanh]")
        w.globals += ["nonlinear", "(conv(1) -> nonlinear)", "gated(nonlinear)"]
    return lines


@st.composite
def image_programs(draw: st.DrawFn) -> str:
    """Classifiers of images of 8 x 8."""
    w = Writer(draw, image=True)
    lines = ["space generated", "param filters = 2", "param K = 3 in 1..9", *IMAGE_OPS]
    lines += settings(w)
    candidates = draw(st.lists(st.sampled_from(CANDIDATES), min_size=2, max_size=3, unique=True))
    lines.append(f"ops candidate = [{', '.join(candidates)}]")
    strided = w.coin()
    stages = w.one_of(["normal"], ["normal", "normal"])
    if w.coin():
        lines += cell(w, "part", "block")
        stages.append(w.one_of("part", "part * 2", "(part * choose [1, 2])"))
    if w.coin():
        lines += motifs(w)
        stages.append(w.one_of("motif[1]", "choose motif", "motif[2] * 2"))
        w.globals.append("choose motif")
    lines += cell(w, "normal", strided=strided)
    if strided:
        lines.append("cell reduction like normal with stride 2, filters * 2")
        stages.insert(1, "reduction")
    elif w.coin() and w.may(2):
        stages[0] = "normal * choose 1..2"
    stages.append(w.one_of("relu", "conv(3) when K == 3", "conv(5) when K != 3"))
    lines += ["network image_classifier {", "  stem conv(3)", f"  stack {', '.join(stages)}"]
    units = "linear(choose [4, 8]) -> relu -> " * (w.coin() and w.may(2))
    return "\n".join([*lines, f"  head global_avg_pool -> {units}linear(classes)", "}", ""])


CANDIDATES = ("identity", "conv(1)", "conv(3)", "avg_pool(3)", "sep_conv(3)", "zero")


@st.composite
def word_programs(draw: st.DrawFn) -> str:
    """Language models over sequences of four tokens."""
    w = Writer(draw, image=False)
    lines = ["space generated", "param hidden = 3", *WORD_OPS]
    lines.append("ops candidate = [tanh, relu, unit(tanh)]")
    states = w.one_of("h", "h, c")
    lines.append(f"cell recurrent(x) state {states} {{")
    first = operation(w, depth=1)
    lines += ["  node 1 {", f"    concat(x, h) -> linear -> {first}", "  }"]
    for n in range(2, w.number(2, 4)):
        lines += [f"  node {n} {{", *indented(node(w, Site(n, False, "x")), 2), "  }"]
    norm = w.one_of("", " -> batch_norm", " -> tanh")
    result = w.one_of("mean(loose)", "sum(loose)") + norm
    lines += [f"  y = {result}", "  y, 0.5 * c + y" if states == "h, c" else "  y"]
    stage = w.one_of("recurrent", "recurrent * 2")
    tied = w.one_of("", ", tied: true")
    lines += ["}", "network language_model {", "  stem embedding(hidden)", f"  stack {stage}"]
    return "\n".join([*lines, f"  head linear(vocabulary{tied})", "}", ""])


class Program(NamedTuple):
    """A generated file and the sizes of the data that it is meant for."""

    text: str
    task: Task


def programs() -> st.SearchStrategy[Program]:
    """Whole files, three of four about images."""
    images = image_programs().map(lambda text: Program(text, IMAGES))
    words = word_programs().map(lambda text: Program(text, WORDS))
    return st.one_of(images, images, images, words)
