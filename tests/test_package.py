"""The repository as a user meets it: its folders, its README, the examples that end every help."""

from __future__ import annotations

import ast
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

import enasdsl
from enasdsl.cli import COMMANDS, application

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
FOLDERS = {"enasdsl", "grammars", "spaces", "tests"}
FILES = {"pyproject.toml", "README.md", "Makefile", "LICENSE", "CHANGELOG.md"}
LIMIT = 300
BUDGET = "--budget 3s"
"""What a search or a training is given here in place of the minutes that an example names."""

BLOCK = re.compile(
    r"(?:<!-- run: (?P<how>\w+), [^>]+-->\n)?```console\n(?P<body>.*?)```", re.DOTALL
)
"""A README block of commands, run in order in one empty folder unless a comment says otherwise.

What stands below a command is what it prints, a line `...` for any lines left out. `<!-- run:
parsed, REASON -->`: each command is only read, options and all. `<!-- run: never, REASON
-->`: it is not a command of this program.
"""


def _blocks() -> list[tuple[str, tuple[tuple[str, str], ...]]]:
    """How each block is run, and its commands, each with the output that is shown below it."""
    found = BLOCK.finditer(README.read_text("utf-8"))
    return [(block["how"] or "run", tuple(_commands(block["body"]))) for block in found]


def _commands(body: str) -> Iterator[tuple[str, str]]:
    joined = re.sub(r"\\\n\s*", "", body)
    for part in re.split(r"^\$ ", joined, flags=re.MULTILINE)[1:]:
        command, _, output = part.partition("\n")
        yield command.split("  #")[0].strip(), output


def _shows(output: str, shown: str) -> bool:
    """Whether `shown` is `output`, lines of `...` aside."""
    pieces = re.split(r"^\.\.\.\n", shown.rstrip() + "\n", flags=re.MULTILINE)
    pattern = "(?:.*\n)*".join(map(re.escape, pieces))
    return not shown.strip() or re.fullmatch(pattern, output.rstrip() + "\n") is not None


def _shortened(command: str) -> str:
    if not re.match(r"enasdsl (search|train|verdict) ", command):
        return command
    return re.sub(r" --budget \S+", "", command) + f" {BUDGET}"


def _succeed(command: str, folder: Path) -> str:
    """The standard output of a line of shell in `folder`, where `enasdsl` is that of the tests."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    result = subprocess.run(
        ["bash", "-o", "pipefail", "-c", _shortened(command)],
        cwd=folder,
        env=os.environ | {"PATH": path, "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    assert result.returncode == 0, f"$ {command}\n{result.stdout}{result.stderr}"
    assert "Traceback" not in result.stderr
    return result.stdout


def test_top_level_holds_nothing_new() -> None:
    listing = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    top = {line.split("/")[0] for line in listing.stdout.splitlines()}
    assert {name for name in top if not name.startswith(".")} <= FOLDERS | FILES


@pytest.mark.trains
def test_readme_commands_run(tmp_path: Path) -> None:
    for how, commands in _blocks():
        for command, shown in commands:
            match how:
                case "run":
                    output = _succeed(command, tmp_path)
                    assert _shows(output, shown), f"$ {command}\n{output}"
                case "parsed":
                    application().parse_args(shlex.split(command)[1:])
                case _:
                    assert how == "never", f"`run: {how}` means nothing"
                    assert not command.startswith("enasdsl ")


def test_the_space_in_the_readme_is_the_shipped_one(tmp_path: Path) -> None:
    readme = README.read_text("utf-8")
    shown = re.search(r"```\n(space .*?)```", readme, re.DOTALL)
    assert shown is not None
    (tmp_path / "shown.enas").write_text(shown[1], "utf-8")
    sizes = [
        json.loads(_succeed(f"enasdsl count {f} --output json", tmp_path))["count"]
        for f in ("shown.enas", "micro")
    ]
    assert sizes[0] == sizes[1]


@pytest.mark.slow
def test_readme_programs_print_what_their_comments_say(tmp_path: Path) -> None:
    """The comment on a `print` is the line that it prints."""
    programs = re.findall(r"```python\n(.*?)```", README.read_text("utf-8"), re.DOTALL)
    assert programs
    for program in programs:
        (tmp_path / "program.py").write_text(program, "utf-8")
        printed = _succeed(f"{shlex.quote(sys.executable)} program.py", tmp_path).splitlines()
        for said in re.findall(r"^print\(.*\)  # (.*)$", program, re.MULTILINE):
            assert said in printed


def test_readme_names_tests_that_exist() -> None:
    text = README.read_text("utf-8")
    tests = "\n".join(path.read_text("utf-8") for path in (ROOT / "tests").glob("test_*.py"))
    assert [f for f in re.findall(r"`(tests/\w+\.py)`", text) if not (ROOT / f).is_file()] == []
    assert [n for n in re.findall(r"`(test_\w+)`", text) if f"def {n}(" not in tests] == []


def test_readme_shows_every_command() -> None:
    shown = " ".join(command for _, commands in _blocks() for command, _ in commands)
    assert [name for name in COMMANDS if f"enasdsl {name} " not in shown] == []


@pytest.mark.slow
def test_help_ends_with_its_examples(tmp_path: Path) -> None:
    for name, command in COMMANDS.items():
        page = _succeed(f"enasdsl {name} --help", tmp_path)
        assert page.rstrip().endswith("\n".join(f"  {example}" for example in command.examples))


def test_the_list_of_commands_says_what_each_says_itself() -> None:
    """It is written down, so that the list needs no command's module."""
    for name, command in COMMANDS.items():
        module, _, function = command.path.partition(":")
        found = getattr(import_module(f"enasdsl.cli.{module}"), function)
        assert found.__name__.rstrip("_") == name
        summary, *_ = (found.__doc__ or "").split("\n\n")
        assert command.summary == " ".join(summary.split())


@pytest.mark.trains
def test_examples_run(tmp_path: Path) -> None:
    shutil.copy(ROOT / "spaces/micro.enas", tmp_path / "space.enas")
    for command in COMMANDS.values():
        for example in command.examples:
            _succeed(example, tmp_path)


@pytest.mark.slow
def test_the_quick_tests_import_no_torch() -> None:
    options = ["--quick", "--collect-only", "-qq", "-p", "no:cacheprovider", str(ROOT / "tests")]
    program = f"import sys, pytest; sys.exit(pytest.main({options}) or 'torch' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True)
    assert result.returncode == 0, result.stdout.decode()


def test_the_public_face_is_small_and_needs_no_torch() -> None:
    program = (
        "import sys, enasdsl; from enasdsl import Compilation, count, sample; "
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
    assert len(enasdsl.__all__) <= 12
    with pytest.raises(AttributeError, match="has no attribute `nothing`"):
        enasdsl.nothing  # noqa: B018


def test_a_public_name_is_imported_from_where_the_type_checker_finds_it() -> None:
    tree = ast.parse((ROOT / "enasdsl/__init__.py").read_text("utf-8"))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    typed = {
        alias.name: node.module.removeprefix("enasdsl.")
        for node in imports
        if node.module and node.module.startswith("enasdsl.")
        for alias in node.names
    }
    assert typed == enasdsl._HOMES
    assert sorted(typed) == enasdsl.__all__


def test_every_dependency_says_why() -> None:
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    named = tomllib.loads(text)["project"]["dependencies"]
    silent = [n for n in named if not re.search(rf'"{re.escape(n)}", *# \S', text)]
    assert silent == []


def test_the_constraints_name_every_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    lines = (ROOT / ".ci/constraints.txt").read_text("utf-8").splitlines()
    pinned = {line.split("==")[0].lower().replace("_", "-") for line in lines if "==" in line}
    assert {re.split(r"[<>=]", name)[0].lower() for name in project["dependencies"]} <= pinned
