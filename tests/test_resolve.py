"""Names, params, calls, imports and recipes: what is refused, where, and what is let through."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enasdsl.diagnostics import CATALOGUE, Diagnostic
from enasdsl.pipeline import Compilation, load
from enasdsl.report import render
from enasdsl.semantics.checked import Checked
from enasdsl.semantics.resolve import resolve
from enasdsl.source import SourceFile, shipped
from enasdsl.syntax.parse import parse

MISTAKES = Path(__file__).resolve().parent / "mistakes"
OWN = sorted(path.stem for path in MISTAKES.glob("E0[26]*.enas"))
SHIPPED = sorted(path.stem for path in shipped("spaces").glob("*.enas"))
NETWORK = "network image_classifier { head global_avg_pool -> linear(2) }\n"


def check(
    text: str, *, name: str = "test.enas", **overrides: str
) -> tuple[Checked | None, tuple[Diagnostic, ...]]:
    tree, found = parse(SourceFile(name, text))
    assert tree is not None, [d.message for d in found]
    return resolve(tree, overrides=overrides, load=load)


def codes(text: str, **overrides: str) -> list[str]:
    return [diagnostic.code for diagnostic in check(text, **overrides)[1]]


def params(text: str, **overrides: str) -> Mapping[str, object]:
    checked, found = check(text, **overrides)
    assert checked is not None, [d.message for d in found]
    return checked.params


# ------------------------------------------------------------------- mistakes, one by one


@pytest.mark.parametrize("name", OWN)
def test_a_mistake_is_shown_as_stored(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(MISTAKES)
    found = Compilation.open(f"{name}.enas").diagnostics
    shown = render(found, color=False)
    stored = MISTAKES / f"{name}.txt"
    if "STORE_MISTAKES" in os.environ:
        stored.write_text(shown, "utf-8")
    assert shown == stored.read_text("utf-8")
    assert name[:5] in {diagnostic.code for diagnostic in found}


def test_every_code_of_names_and_recipes_has_a_mistake() -> None:
    wanted = {code for code in CATALOGUE if code.startswith(("E02", "E06"))}
    assert {name[:5] for name in OWN} >= wanted


def test_mistakes_carry_only_known_codes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(MISTAKES)
    for name in OWN:
        for diagnostic in Compilation.open(f"{name}.enas").diagnostics:
            assert diagnostic.code in CATALOGUE


def test_a_fix_mends_the_file() -> None:
    text = "ops candidate = [sepcnv(3), identity]\ncell c(x) { x -> choose candidat }\n"
    _, found = check(text)
    assert len(found) == 2
    for diagnostic in reversed(found):
        assert diagnostic.fix is not None
        span = diagnostic.fix.span
        text = text[: span.start] + diagnostic.fix.replacement + text[span.stop :]
    assert codes(text) == []


def test_one_mistake_brings_no_others_with_it() -> None:
    text = "param N = 3 / 0\nparam M = N + 1\ncell c(x) { node 1 { x -> conv(M) }; sum(loose) }\n"
    assert codes(text) == ["E0208"]


# -------------------------------------------------------------------------- what is right


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_spaces_resolve(name: str) -> None:
    checked, found = Compilation.open(name)._resolved
    assert found == ()
    assert checked is not None
    if name in {"rnn", "macro", "micro"}:
        assert set(checked.recipes) >= {"paper", "quick"}


RIGHT = {
    "listed names": """
cell c(x) {
  node i in 1..3 { s = choose any from earlier; sum(s, previous) }
  require count(s) <= 4
  sum(loose)
}""",
    "branches of one name": """
cell c(x) { node 1 { a = x -> relu; a }; node 2 { a = x -> tanh; a }; sum(loose) }""",
    "operations over values": """
op mix(act) on a, b { (a -> act) + b }
cell c(x, y) { z = relu(x); mix(x, y, act: relu) + concat(x, z) + z }""",
    "higher order": """
op twice(f) { f -> f }
op pooled(pool) { relu -> pool }
cell c(x) { x -> twice(choose [conv(3), pooled(avg_pool(3))]) -> repeat 3 as i { conv(i) } }""",
    "motifs": """
ops primitive = [conv(3), identity]
cell motif[6](x) { node i in 1..3 { sum(j -> choose primitive for j in earlier) }; previous }
cell c(x) { x -> choose motif -> motif[2] }""",
    "recursion with depth": """
op unary { choose [relu, tanh, binary] }
op binary depth 2 { unary -> unary }
cell c(x) { x -> binary }""",
    "recursion under a guard": """
op tower(n) { tower(n - 1) -> relu when n > 0 else identity }
cell c(x) { x -> tower(3) }""",
    "guards and sizes": """
param filters = 16
param halve = true
ops candidate = [conv(3), identity when stride == 1, maybe relu]
cell c(x) align conv(1, filters: filters) { x -> choose candidate -> conv(3) when halve else x }
cell d like c with stride (2 when halve else 1), filters * 2
modulo { prune dead; commute }
published 4^2 * factorial(3) "a paper" why "because"
""",
    "file choices": """
width = choose 8..64 step 8
deep, wide = choose 2 from [1, 2, 3] with repeats
require deep + wide <= 4 "too much"
cell c(x) { x -> conv(3, filters: width) -> repeat deep { relu } }""",
    "shared weights": """
cell c(x) { a = choose 1 from earlier; a -> share conv(3) across inputs, nodes }""",
    "numbered nodes": """
cell c(x) {
  node i in 3..6 { nodes[1] -> relu when i > 3 else x }
  node 7 { nodes[4] -> relu }
  sum(loose with inputs)
}""",
    "a param may be the width": """
param hidden = 8
cell c(x) state h { (x, h -> concat) -> linear }""",
}


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_file_passes(name: str) -> None:
    checked, found = check(RIGHT[name])
    assert [(d.code, d.message) for d in found] == []
    assert checked is not None


def test_the_result_joins_the_prelude_and_keeps_the_file_apart() -> None:
    checked, _ = check(f"space tiny\nparam n = 2\ncell c(x) {{ x -> sep_conv(3) }}\n{NETWORK}")
    assert checked is not None
    assert checked.name == "tiny"
    assert checked.params == {"n": 2}
    assert {"c", "sep_conv"} <= set(checked.names)
    assert [cell.name.text for cell in checked.cells] == ["c"]
    assert checked.network is not None


# --------------------------------------------------------------------------------- params

EVEN = "param N = 4 in 2..8 step 2\nparam M = 10 // N\nparam on = false\n"
REST = 'param r = 1 in 0.0..1.0\nparam word = "a"\ncell c(x) { x }\n'


def test_params_read_those_above() -> None:
    assert params(EVEN + REST) == {"N": 4, "M": 2, "on": False, "r": 1, "word": "a"}


def test_an_override_reaches_the_params_that_read_it() -> None:
    found = params(EVEN + REST, N="2", on="true", r="0.25", word="b c")
    assert found == {"N": 2, "M": 5, "on": True, "r": 0.25, "word": "b c"}


@pytest.mark.parametrize(
    ("name", "text", "code"),
    [
        ("N", "3", "E0222"),
        ("N", "10", "E0222"),
        ("N", "9" * 5000, "E0226"),
        ("N", "2.0", "E0226"),
        ("N", "two", "E0226"),
        ("N", "", "E0226"),
        ("M", "-1", "E0223"),
        ("on", "1", "E0226"),
        ("r", "1.5", "E0222"),
        ("r", "nan", "E0226"),
        ("word", "3", "E0226"),
        ("n", "3", "E0225"),
    ],
)
def test_a_wrong_override_names_itself(name: str, text: str, code: str) -> None:
    _, found = check(EVEN + REST, **{name: text})
    assert [d.code for d in found] == [code]
    assert found[0].label.span.source.name == f"--set {name}={text}"
    render(found, color=False)


def test_an_unknown_override_is_guessed() -> None:
    _, found = check("param filters = 3\ncell c(x) { x }\n", fliters="4")
    assert found[0].help == "did you mean `filters`?"


# -------------------------------------------------------------------------------- imports


def _write(folder: Path, **files: str) -> None:
    for name, text in files.items():
        path = folder / (name.replace("__", "/") + ".enas")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")


def test_names_come_from_imports_below_and_each_file_once(tmp_path: Path) -> None:
    _write(
        tmp_path,
        main='import "lib/a.enas"\nimport "lib/b.enas"\ncell c(x) { x -> first -> second }',
        lib__a='import "base.enas"\nop first { base }',
        lib__b='import "base.enas"\nparam k = 5\nop second { base -> conv(k) }',
        lib__base="op base { relu }",
    )
    compiled = Compilation.open(tmp_path / "main.enas", overrides={"k": 7})
    assert compiled.diagnostics == ()
    assert compiled.checked is not None
    assert compiled.checked.params == {"k": 7}


def test_a_shipped_space_can_be_imported() -> None:
    text = "import rnn\nop mine(a) { highway(a) }\ncell c(x) { x -> choose activation }"
    assert codes(text) == []


def test_mistakes_in_an_import_stand_at_their_own_place(tmp_path: Path) -> None:
    _write(tmp_path, main='import "lib.enas"\ncell c(x) { x -> a -> gone }', lib="op a { rellu }")
    found = Compilation.open(tmp_path / "main.enas").diagnostics
    places = {(d.code, Path(d.label.span.source.name).name, d.label.span.text) for d in found}
    assert places == {("E0203", "lib.enas", "rellu"), ("E0203", "main.enas", "gone")}


def test_a_broken_import_does_not_make_its_names_unknown(tmp_path: Path) -> None:
    _write(tmp_path, main='import "lib.enas"\ncell c(x) { x -> a }', lib="op a { relu")
    found = Compilation.open(tmp_path / "main.enas").diagnostics
    assert [d.code[:3] for d in found] == ["E01"]


def test_a_clash_with_an_import_labels_both(tmp_path: Path) -> None:
    text = 'import "lib.enas"\nop a { tanh }\ncell c(x) { x -> a }'
    _write(tmp_path, main=text, lib="op a { relu }")
    (found,) = Compilation.open(tmp_path / "main.enas").diagnostics
    assert found.code == "E0201"
    assert [Path(label.span.source.name).name for label in (found.label, *found.others)] == [
        "main.enas",
        "lib.enas",
    ]


def test_a_link_does_not_lead_out_of_the_folder(tmp_path: Path) -> None:
    text = 'import "link.enas"\ncell c(x) { x -> a }'
    _write(tmp_path, outside="op a { relu }", inner__main=text)
    (tmp_path / "inner" / "link.enas").symlink_to(tmp_path / "outside.enas")
    found = Compilation.open(tmp_path / "inner" / "main.enas").diagnostics
    assert [d.code for d in found] == ["E0602"]


@pytest.mark.parametrize("target", ["a\\\\..\\\\b.enas", "/etc/passwd", "..", "a/../../b.enas"])
def test_no_spelling_leaves_the_folder(target: str) -> None:
    assert codes(f'import "{target}"\ncell c(x) {{ x }}') == ["E0602"]


# -------------------------------------------------------------------------------- recipes


def test_a_recipe_takes_over_what_it_does_not_say() -> None:
    checked, _ = check(
        "param N = 3\ncell c(x) { x }\n"
        "recipe paper { params { N: 2 }; weights { lr: 0.1; schedule { kind: cosine } } }\n"
        "recipe quick like paper { weights.schedule.period: N; child.params { N: 5 } }\n"
    )
    assert checked is not None
    assert checked.recipes["quick"] == {
        "params": {"N": 2},
        "weights": {"lr": 0.1, "schedule": {"kind": "cosine", "period": 3}},
        "child": {"params": {"N": 5}},
    }


def test_a_recipe_keeps_to_the_range_of_a_param() -> None:
    text = "param N = 3 in 1..5\ncell c(x) { x }\nrecipe quick { child { params { N: 6 } } }\n"
    assert codes(text) == ["E0222"]


def test_pydantic_stays_out_of_files_without_recipes(tmp_path: Path) -> None:
    _write(tmp_path, plain="cell c(x) { x -> relu }")
    script = (
        "import sys; from enasdsl.pipeline import Compilation; "
        "assert Compilation.open(sys.argv[1]).checked; "
        "sys.exit('pydantic' in sys.modules or 'torch' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path / "plain.enas")], check=True)


# ----------------------------------------------------------------------- whatever is written

WORDS = re.compile(r"[A-Za-z_]\w*")
TEXTS = {name: (shipped("spaces") / f"{name}.enas").read_text("utf-8") for name in SHIPPED}
POOL = sorted({word for text in TEXTS.values() for word in WORDS.findall(text)} | {"any", "zzz"})


@given(
    st.sampled_from(SHIPPED),
    st.lists(st.tuples(st.integers(0, 10_000), st.sampled_from(POOL)), min_size=1, max_size=4),
)
@settings(max_examples=60)
def test_no_exchange_of_names_raises(name: str, changes: list[tuple[int, str]]) -> None:
    text = TEXTS[name]
    for at, word in changes:
        places = list(WORDS.finditer(text))
        place = places[at % len(places)]
        text = text[: place.start()] + word + text[place.end() :]
    tree, _ = parse(SourceFile("mutated.enas", text))
    if tree is None:
        return
    checked, found = resolve(tree, overrides={}, load=load)
    assert (checked is None) == bool(found)
    assert {d.code for d in found} <= set(CATALOGUE)
    render(found, color=False)


def test_resolving_takes_milliseconds() -> None:
    tree, _ = parse(SourceFile("micro.enas", TEXTS["micro"]))
    assert tree is not None
    taken = []
    for _ in range(8):
        start = time.process_time()
        resolve(tree, overrides={}, load=load)
        taken.append(time.process_time() - start)
    assert min(taken) < 0.02
