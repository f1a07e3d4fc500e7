"""Small files that mean something huge: deep, long, wide, or without end."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from random import Random

HUGE = ("100", "1000", "10000", "99999", "100000", "1000000", "10^9", "10^18", "9^9^9", "2^4000")


def bomb(rng: Random) -> str:
    """One of the kinds below, its sizes drawn."""
    return rng.choice(KINDS)(rng)


def _size(rng: Random) -> int:
    return rng.choice((3, 10, 30, 64, 99, 100, 101, 300, 1_000, 2_000))


def _cell(body: str, head: str = "") -> str:
    return f"space bomb\n{head}\ncell c(x) {{\n{body}\n}}\n"


def _brackets(rng: Random) -> str:
    n = _size(rng)
    pairs = (("(", ")"), ("[", "]"), ("-", ""), ("not ", ""), ("maybe ", ""), ("conv(", ")"))
    opening, closing = rng.choice((*pairs, ("repeat 1 {", "}"), ("(choose [relu, ", "])")))
    if rng.random() < 0.2:
        closing = ""
    return _cell(f"x -> {opening * n}relu{closing * n}")


def _chain(rng: Random) -> str:
    n = _size(rng)
    link = rng.choice((" -> relu", " -> conv(1)", " -> choose [relu, tanh]", " + x", " * x", "^2"))
    return _cell("x" + link * n)


def _sums(rng: Random) -> str:
    n = _size(rng)
    sign = rng.choice((" + ", " * ", " ^ ", " and ", " == ", " - ", " // "))
    return _cell("x -> conv(k)", f"k = {sign.join(rng.choice(('1', '3', '9')) for _ in range(n))}")


def _ranges(rng: Random) -> str:
    top = rng.choice(HUGE)
    body = rng.choice(
        (
            f"x -> conv(choose 1..{top})",
            f"x -> conv(choose 1..{top} step 3)",
            f"x -> relu * {top}",
            f"x -> relu * choose 0..{top}",
            f"x -> repeat {top} {{ choose [relu, tanh] }}",
            f"x -> repeat choose 1..{top} {{ choose [relu, tanh] }}",
            f"node i in 1..{top} {{ previous -> relu }}\nsum(loose)",
            f"node i in 1..{top} {{ previous -> choose [relu, conv(i)] }}\nprevious",
            f"node i in 1..{top} {{ choose earlier -> relu }}\nsum(loose)",
            f"node i in 1..{top} {{ sum(j -> choose [relu, tanh] for j in earlier) }}\nnodes[1]",
            f"n = choose 1..{top}\nnode i in 1..n {{ previous -> relu }}\nsum(nodes)",
            f"sum([x -> conv(k) for k in 1..{top}])",
            f"a = choose any from [x -> conv(k) for k in 1..{top}]\nsum(x, a)",
            f"a = choose {rng.choice(HUGE)} from 1..{top}\nrequire sum(a) > 9\nx -> relu",
            f"a = choose 3 from 1..{top} with repeats in order\nx -> conv(a[1])",
            f"w = [k * k for k in 1..{top} when k % 2 == 1]\nx -> conv(w[3])",
        )
    )
    return _cell(body)


def _nested(rng: Random) -> str:
    n = rng.choice((2, 3, 5, 12))
    top = rng.choice(HUGE[:5])
    lists = "1"
    for depth in range(n):
        lists = f"[{lists} for i{depth} in 1..{top}]"
    repeats = "relu"
    for _ in range(n):
        repeats = f"repeat {top} {{ {repeats} }}"
    chosen = "relu"
    for k in range(n):
        chosen = f"choose [{', '.join([chosen, *(f'conv({2 * j + 1})' for j in range(k, k + 4))])}]"
    merged = "x"
    for k in range(n):
        merged = f"sum({merged} -> conv(1) for j{k} in 1..{top})"
    bodies = (f"x -> conv({lists}[1])", f"x -> {repeats}", f"x -> {chosen}", merged)
    return _cell(rng.choice(bodies))


def _powers(rng: Random) -> str:
    tower = "^".join(rng.choice(("9", "2", "10", "k", "0.5")) for _ in range(rng.randint(2, 6)))
    uses = (
        f"param p = {tower}",
        f"require {tower} > 1",
        f"published {tower} 'x'".replace("'", '"'),
        f"require factorial({tower}) > k",
        f"param p = 3 in 1..{tower}",
        f"require k ^ {rng.choice(HUGE)} > 2",
        f"require k * {tower} // 3 % 7 == 1",
        f"ops o = [conv(i ^ {tower}) for i in 1..9]\nf = choose o",
        f"w = choose [{tower}, 1]",
    )
    k = rng.choice(("k = choose 1..9", "param k = 9", "k = choose [2, 2^64, 9^99]"))
    return _cell("x -> relu", f"{k}\n{rng.choice(uses)}")


def _calls(rng: Random) -> str:
    """Operations that use each other, again and again."""
    depth = rng.choice((" depth 3", " depth 30", f" depth {rng.choice(HUGE)}", ""))
    n = rng.choice(("n - 1", "n", "n + 1", "n // 2"))
    twice = rng.choice(
        (
            f"relu -> f({n}) -> f({n})",
            f"(f({n}) when n > 0 else relu)",
            f"choose [f({n}), relu]",
            f"relu -> choose [g({n}), g({n}) -> f({n})]",
            f"repeat 3 {{ f({n}) when n > 0 else relu }}",
        )
    )
    ops = [f"op f(n){depth} {{ {twice} }}", f"op g(n){depth} {{ f({n}) }}"]
    doubling = [
        f"op d{k}(x) {{ d{k - 1}(x) -> d{k - 1}(x) }}" for k in range(1, rng.randint(2, 40))
    ]
    if rng.random() < 0.3:
        start = rng.choice(("relu", "choose [relu, tanh]", "choose [conv(x), tanh]"))
        ops = [f"op d0(x) {{ {start} }}", *doubling]
        return _cell(f"x -> d{len(doubling)}(3)", "\n".join(ops))
    return _cell(f"x -> f({rng.choice(('3', '30', '300', '10^9'))})", "\n".join(ops))


def _stacks(rng: Random) -> str:
    """Networks that repeat and change their cells without end."""
    n = rng.choice(HUGE)
    inputs = ", ".join(f"x{k}" for k in range(rng.choice((1, 2, 3, 8, 9))))
    stage = rng.choice(
        (
            f"normal * {n}, reduction",
            f"reduction * {rng.choice(('9', n))}",
            f"normal * choose 0..{n}",
            f"(normal * {rng.choice(HUGE)}) * {n}",
            f"motif[{n}], choose motif",
            ", ".join(["normal", "reduction"] * _size(rng)),
        )
    )
    change = rng.choice(("stride 2, filters * 2", f"filters * {n}", "stride 0", f"stride {n}"))
    return (
        f"space bomb\nparam filters = {rng.choice(('8', '0', n))}\n"
        f"cell normal({inputs}) {{ x0 -> choose [conv(1), conv(3)] }}\n"
        f"cell reduction like normal with {change}\n"
        f"cell motif[{n}](x) {{ x -> choose [conv(1), conv(3)] }}\n"
        f"network image_classifier {{\n  stem conv(3)\n  stack {stage}\n"
        "  head global_avg_pool -> linear(classes)\n}\n"
    )


def _requirements(rng: Random) -> str:
    """Conditions over many decisions."""
    n = rng.choice((3, 8, 12, 30, 200, 2_000))
    names = [f"a{k}" for k in range(n)]
    head = [f"{name} = choose {rng.choice(('1..9', '[1, 3]', '1..100'))}" for name in names]
    sign = rng.choice((" + ", " * ", " - ", " ^ "))
    test = rng.choice(("> 99", "== 40", "% 7 == 3", "!= a0"))
    head.append(f"require {sign.join(names)} {test}")
    if rng.random() < 0.4:
        head += [f"require {a} <= {b}" for a, b in pairwise(names)]
    if rng.random() < 0.3:
        head.append(f"require factorial(sum([{', '.join(names)}])) > 7")
    return _cell("x -> relu", "\n".join(head))


def _many(rng: Random) -> str:
    """Very many declarations, names, mistakes, or characters in one line."""
    n = _size(rng)
    lines = (
        "param p{k} = {k}",
        "op o{k}(x) {{ conv(x) -> o{j}(x) }}",
        "cell c{k}(x) {{ x -> choose [conv(1), conv(3)] }}",
        "cell c{k} like c{j} with filters * 2",
        "f{k} = choose [1, 2, f{j}]",
        "param p = 1",
        "{{ ( [",
        'import "fuzz.enas"',
        "param p{k} = p{j} + p{j}",
    )
    line = rng.choice(lines)
    text = "\n".join(line.format(k=k, j=max(0, k - 1)) for k in range(n))
    return _cell("x -> relu", "op o(x) { conv(x) }\n" + text)


def _imports(rng: Random) -> str:
    names = (
        *("micro", "rnn", "macro", "nasbench101", "nowhere", '"fuzz.enas"', '"other.enas"'),
        *('"../x.enas"', '"."', '""', '"\\0"', '"/dev/zero"', '"other.enas/x"', f'"{"a" * 5000}"'),
    )
    lines = [f"import {rng.choice(names)}" for _ in range(rng.randint(1, 4))]
    return "\n".join(["space bomb", *lines, "cell c(x) { x -> choose [relu, tanh] }", ""])


KINDS: tuple[Callable[[Random], str], ...] = (
    *(_brackets, _chain, _sums, _ranges, _ranges, _nested, _powers, _calls, _calls, _stacks),
    *(_stacks, _requirements, _many, _imports),
)
