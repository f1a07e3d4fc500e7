"""The language reference, `grammars/README.md`: every example in it runs, and its tables are true.

`STORE_REFERENCE=1 pytest tests/test_reference.py` writes the generated tables anew.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest
from pydantic.fields import FieldInfo

from enasdsl.cli import main
from enasdsl.diagnostics import CATALOGUE
from enasdsl.ir.apply import CALL_DEPTH
from enasdsl.ir.budget import DEEPEST, NETWORK_STEPS, OUTLINE_STEPS
from enasdsl.ir.costs import cost
from enasdsl.ir.count import count
from enasdsl.ir.sample import enumerate_space, sample
from enasdsl.ir.space import Space
from enasdsl.ir.specialize import specialize
from enasdsl.ir.typed import RANGE_LIMIT
from enasdsl.ir.unique import classes
from enasdsl.pipeline import Compilation
from enasdsl.semantics.constants import MOST_FACTORIAL, spell
from enasdsl.semantics.imports import prelude
from enasdsl.semantics.ops import OPS, OpParameter, OpSpec
from enasdsl.semantics.recipe import Recipe
from enasdsl.semantics.scopes import WORDS
from enasdsl.semantics.training import Section
from enasdsl.source import SourceFile, shipped
from enasdsl.syntax import ast
from enasdsl.syntax.build import DIGIT_LIMIT, NESTING_LIMIT
from enasdsl.syntax.read import SIZE_LIMIT

PAGE = shipped("grammars") / "README.md"
GRAMMAR = shipped("grammars") / "enas.lark"
TEXT = PAGE.read_text("utf-8")


@dataclass(frozen=True, slots=True)
class Example:
    """A file on the page, at the line where its text begins."""

    line: int
    text: str

    def stated(self, what: str) -> list[str]:
        return re.findall(rf"# {what}: (\S+)", self.text)

    def compiled(self) -> Compilation:
        return Compilation(SourceFile(f"example_{self.line}.enas", self.text))


def examples() -> Iterator[Example]:
    for block in re.finditer(r"^```enas\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL):
        yield Example(TEXT.count("\n", 0, block.start()) + 2, block.group(1))


EXAMPLES = tuple(examples())


def named(example: Example) -> str:
    return f"line {example.line}"


# ------------------------------------------------------------------------ examples


@pytest.mark.parametrize("example", [e for e in EXAMPLES if not e.stated("error")], ids=named)
def test_an_example_has_the_size_that_it_states(example: Example) -> None:
    compilation = example.compiled()
    assert compilation.space is not None, [
        (d.code, d.message, d.label.span.text) for d in compilation.diagnostics
    ]
    (size,) = example.stated("count")
    assert f"{count(compilation.space):,}" == size
    if compilation.space.network:
        for architecture in sample(compilation.space, 5, Random(0)):
            assert specialize(compilation.space, architecture).outputs
            assert cost(compilation.space, architecture).params > 0
    for different in example.stated("different"):
        assert f"{classes(compilation.space).count:,}" == different


@pytest.mark.parametrize("example", [e for e in EXAMPLES if e.stated("error")], ids=named)
def test_a_mistake_has_the_code_and_the_line_that_it_states(example: Example) -> None:
    (code,) = example.stated("error")
    (found,) = example.compiled().diagnostics
    line = next(n for n, text in enumerate(example.text.splitlines(), 1) if "# error" in text)
    assert (found.code, found.label.span.position[0]) == (code, line)


def test_every_fence_has_a_language_that_is_known() -> None:
    opened = re.findall(r"^```(\w*)$", TEXT, re.MULTILINE)[::2]
    assert set(opened) == {"enas", "console", "text"}
    assert opened.count("enas") == len(EXAMPLES)


def test_links_lead_to_headings() -> None:
    headings = re.findall(r"^#+ (.*)$", TEXT, re.MULTILINE)
    anchors = {re.sub(r"[^a-z0-9 -]", "", h.lower()).replace(" ", "-") for h in headings}
    assert set(re.findall(r"\]\(#([^)]*)\)", TEXT)) <= anchors


# --------------------------------------------------------------------- forms of choosing


def rows(heading: str) -> list[list[str]]:
    """The cells of the table behind a marker or a line, its head left out."""
    _, _, below = TEXT.partition(f"{heading}\n")
    lines = below.lstrip("\n").split("\n\n")[0].splitlines()
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]


@pytest.mark.parametrize(("form", "size"), [(r[0], r[-1]) for r in rows("<!-- table: choose -->")])
def test_a_form_of_choosing_has_the_stated_number_of_ways(form: str, size: str) -> None:
    choice = re.sub(r"\bS\b", "[conv(1), conv(3), conv(5)]", form.strip("` "))
    if choice.startswith("maybe"):
        body = f"x -> {choice}"
    elif "=" in choice:
        body = f"{choice}; (x -> a) + (x -> b)"
    elif "from" in choice:
        body = f"sum(x, [x -> f for f in {choice}])"
    else:
        body = f"x -> {choice}"
    space = lowered(f"cell c(x) {{ {body} }}")
    assert count(space) == len(set(enumerate_space(space))) == int(size)


def lowered(text: str) -> Space:
    compilation = Compilation(SourceFile("form.enas", text))
    assert compilation.space is not None, compilation.diagnostics
    return compilation.space


# ------------------------------------------------------------------------ the prelude


def signature(op: ast.OpDecl) -> str:
    parameters = [
        f"{p.name.text} = {p.default.span.text}" if p.default else p.name.text
        for p in op.parameters
    ]
    return f"{op.name.text}({', '.join(parameters)})" if parameters else op.name.text


def test_the_operations_of_the_prelude_are_listed() -> None:
    declared = [d for d in prelude().tree.declarations if isinstance(d, ast.OpDecl)]
    page = [row[0].strip("` ") for row in rows("and can be used in every file.")]
    assert page == [signature(op) for op in declared]


# -------------------------------------------------------------------- generated tables


def table(head: tuple[str, ...], body: Iterator[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *body]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def operations() -> str:
    return table(
        ("operation", "parameters", "stride", "what it does"),
        ((f"`{s.name}`", parameters(s), "yes" * s.strides, reads(s)) for s in OPS.values()),
    )


def reads(spec: OpSpec) -> str:
    number = {0: "any number of values", 1: "", 2: "two values", 3: "three values"}[spec.arity]
    return f"{spec.summary} ({number})" if number else spec.summary


def parameters(spec: OpSpec) -> str:
    return ", ".join(f"`{p.name}` {default(p)}".strip() for p in spec.parameters)


def default(parameter: OpParameter) -> str:
    implicit = parameter.implicit
    if implicit:
        return "" if implicit == "required" else f"= {implicit} in force"
    if parameter.choices:
        return f"= {' or '.join(map(spell, parameter.choices))}"
    return f"= {spell(parameter.default)}"


def settings() -> str:
    return "\n\n".join(sections("", Recipe))


def sections(path: str, model: type[Section]) -> Iterator[str]:
    """A table for each section, in the order of the schema; those of the child are known."""
    own = {n: f for n, f in model.model_fields.items() if section(f) is None}
    if own:
        yield f"**`{path}`** {model.__doc__}" if path else str(model.__doc__)
        body = ((f"`{n}`", given(f), said(f)) for n, f in own.items())
        yield table(("setting", "default", "what it says"), body)
    for name, field in model.model_fields.items():
        below = section(field)
        if below is None:
            continue
        if path == "child":
            yield f"**`child.{name}`** has the settings of `{name}`: {said(field)}"
        else:
            yield from sections(f"{path}.{name}".strip("."), below)


def section(field: FieldInfo) -> type[Section] | None:
    kind = field.annotation
    return kind if isinstance(kind, type) and issubclass(kind, Section) else None


def given(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=True)
    if isinstance(value, Mapping):
        return "no values"
    return str(value).lower() if isinstance(value, bool | None) else str(value)


def said(field: FieldInfo) -> str:
    """The field's docstring without its reference to the notes of facts, which users lack."""
    return re.sub(r" \(facts [^)]*\)", "", str(field.description))


def words() -> str:
    text = GRAMMAR.read_text("utf-8")
    (reserved,) = re.findall(r"^NAME: /\(\?!\(\?:([a-z|]+)\)", text, re.MULTILINE)
    contextual = re.findall(r"^_?[A-Z]+\.1: /([a-z]+)\\b", text, re.MULTILINE)
    said = {
        "Reserved everywhere": reserved.split("|"),
        "Words where the grammar asks for them, names elsewhere": sorted(contextual),
        "Names with a meaning in every file, which no declaration can take": sorted(WORDS),
    }
    lines = (f"{what}: {', '.join(f'`{w}`' for w in found)}." for what, found in said.items())
    return "\n\n".join((*lines, "So have the operations of the two tables above."))


def limits() -> str:
    known = {
        "bytes in a file": SIZE_LIMIT,
        "levels of brackets, operators and prefixes inside each other": NESTING_LIMIT,
        "digits of a whole number": DIGIT_LIMIT,
        "greatest argument of `factorial` in a constant": MOST_FACTORIAL,
        "members of a range": RANGE_LIMIT,
        "steps to which the decisions of a file expand, over all nodes, repeats and stamps": (
            OUTLINE_STEPS
        ),
        "steps to which its network expands": NETWORK_STEPS,
        "levels of expressions and calls within one another, as they are evaluated": DEEPEST,
        "calls of an operation within itself without a `depth`": CALL_DEPTH,
    }
    return table(("what", "at most"), ((what, f"{most:,}") for what, most in known.items()))


def codes() -> str:
    body = ((f"`{code}`", entry.title) for code, entry in CATALOGUE.items())
    return table(("code", "title"), body)


GENERATED: Mapping[str, Callable[[], str]] = {
    f.__name__: f for f in (operations, settings, words, limits, codes)
}


def replaced(text: str, name: str) -> str:
    start, stop = f"<!-- generated: {name} -->\n", "<!-- end -->"
    before, found, rest = text.partition(start)
    assert found, f"the page has no table {name}"
    return before + start + GENERATED[name]() + "\n" + rest[rest.index(stop) :]


@pytest.mark.parametrize("name", GENERATED)
def test_a_generated_table_is_up_to_date(name: str) -> None:
    text = PAGE.read_text("utf-8")
    wanted = replaced(text, name)
    if "STORE_REFERENCE" in os.environ:
        PAGE.write_text(wanted, "utf-8")
        text = wanted
    assert text == wanted, "STORE_REFERENCE=1 writes it anew"


def test_what_is_printed_of_the_first_file_is_true(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("first.enas").write_text(next(examples()).text)
    shown = re.findall(r"^\$ enasdsl (show .*)\n((?:.+\n)+)```", TEXT, re.MULTILINE)
    assert shown
    for command, printed in shown:
        assert main(command.split()) == 0
        assert capsys.readouterr().out == printed
