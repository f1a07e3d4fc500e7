"""From a space file and a recipe's words to a space that fits the data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from pydantic import ValidationError

from enasdsl.ir.space import Space
from enasdsl.pipeline import Compilation, load
from enasdsl.search.errors import SearchError
from enasdsl.semantics.layers import overlay
from enasdsl.semantics.recipe import SECTIONS, Problem, Recipe, Settings, apply, problems
from enasdsl.semantics.task import TASKS, Task
from enasdsl.source import SourceFile
from enasdsl.syntax import ast


@dataclass(frozen=True, slots=True)
class SpaceFile:
    """A file that parses, to be compiled under one set of params and another."""

    source: SourceFile

    @classmethod
    def open(cls, name: str | Path) -> SpaceFile:
        """The file of that path, or the shipped space of that name; raises SearchError."""
        compilation = Compilation.open(name)
        if compilation.tree is None:
            raise _refused(compilation)
        return cls(compilation.source)

    @property
    def path(self) -> Path:
        return Path(self.source.name)

    def recipe(
        self, name: str | None, settings: Settings, task: Task | None = None
    ) -> tuple[str | None, Recipe]:
        """The recipe of that name with settings over it; without a name `quick`, or the first.

        A setting whose key is no section of a recipe is a param of the file. Raises SearchError.
        """
        compilation = Compilation(self.source, {}, task)
        checked = compilation.checked
        if checked is None:
            raise _refused(compilation)
        known = checked.recipes
        chosen = name or ("quick" if "quick" in known else next(iter(known), None))
        if chosen is not None and chosen not in known:
            listed = ", ".join(known) or "none"
            raise SearchError(f"{self.path} has no recipe `{chosen}`", f"it has: {listed}")
        written = known[chosen] if chosen else {}
        return chosen, read_recipe(written, over_params(settings))

    @property
    def task(self) -> Task:
        """The usual sizes of what the network of the file is for; raises SearchError."""
        compilation = Compilation(self.source)
        if compilation.checked is None:
            raise _refused(compilation)
        network = compilation.checked.network
        if network is None:
            raise self._no_network()
        return TASKS[network.task.text]

    def space(self, params: Settings, task: Task) -> Space:
        """The space under these params, for data of this kind; raises SearchError."""
        compilation = Compilation(self.source, params, task)
        checked = compilation.checked
        if checked is not None:
            self._check_task(checked.network, task)
        if compilation.space is None:
            raise _refused(compilation)
        return compilation.space

    def design(self, params: Settings) -> Space:
        """The space under these params, with or without a network; raises SearchError."""
        compilation = Compilation(self.source, params)
        if compilation.space is None:
            raise _refused(compilation)
        return compilation.space

    def _check_task(self, network: ast.Network | None, task: Task) -> None:
        if network is None:
            raise self._no_network()
        if network.task.text != task.kind:
            raise SearchError(
                f"{self.path} is for `{network.task.text}`, and this data is for `{task.kind}`",
                "choose other data with --data",
            )

    def _no_network(self) -> SearchError:
        return SearchError(
            f"{self.path} declares no network, so nothing can be trained",
            "add a `network` block, with stem, stack and head",
        )

    def texts(self) -> dict[str, str]:
        """The file and those that it imports by path, by their names below its folder."""
        folder = self.path.parent.resolve()
        found = {self.path.name: self.source.text}
        for path in _imported(self.source, folder):
            found[str(path.relative_to(folder))] = path.read_text("utf-8")
        return found


def _imported(source: SourceFile, folder: Path) -> Iterator[Path]:
    tree = Compilation(source).tree
    for declaration in tree.declarations if tree else ():
        match declaration:
            case ast.Import(ast.Text(value)):
                path = (folder / value).resolve()
                yield path
                parsed = load(path)
                if parsed and parsed[0]:
                    yield from _imported(parsed[0].source, path.parent)


def over_params(settings: Settings) -> dict[str, object]:
    """Settings as `--set` gives them, each whose key is not a recipe's under `params`."""
    sections = SECTIONS[""]
    return {
        key if key.partition(".")[0] in sections else f"params.{key}": value
        for key, value in settings.items()
    }


def over_child(settings: Settings) -> dict[str, object]:
    """Settings as `--set` gives them to a training: a param is the child's, whoever has it too."""
    found = over_params(settings)
    params = {k: value for k, value in found.items() if k.partition(".")[0] == "params"}
    return {**{f"child.{key}": value for key, value in params.items()}, **found}


def read_recipe(written: Mapping[str, object], settings: Settings) -> Recipe:
    """A recipe with settings put over it; raises SearchError for what the schema refuses."""
    try:
        return apply(written, settings)
    except ValidationError as error:
        found = problems(overlay(written, settings))
        wrong = "; ".join(p.message for p in found) or str(error)
        help = "; ".join(_suggestion(p) for p in found if p.known)
        raise SearchError(f"the recipe is wrong: {wrong}", help) from error


def _suggestion(problem: Problem) -> str:
    close = get_close_matches(problem.path[-1], problem.known, n=1)
    return f"did you mean {close[0]}?" if close else f"there are: {', '.join(problem.known)}"


def _refused(compilation: Compilation) -> SearchError:
    found = compilation.diagnostics
    first = found[0].message if found else "it cannot be compiled"
    return SearchError(
        f"{compilation.source.name}: {first}", "enasdsl check shows every mistake", found
    )
