"""Settings given by hand that could do nothing are refused, each with what would read it."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console
from safetensors.torch import load_file
from search_worlds import IMAGES, LANGUAGE, write_world
from test_recipes_training import SIDE, assembly_space

from enasdsl.ir.record import to_token
from enasdsl.search import derive, search, search_table, train, verdict
from enasdsl.search.compiling import over_params, read_recipe
from enasdsl.search.errors import SearchError
from enasdsl.search.idle import TRAINING, Reader, idle, named, refuse_idle
from enasdsl.search.run import open_run
from enasdsl.search.strategy import STRATEGIES
from enasdsl.semantics.recipe import Recipe, validate

pytestmark = pytest.mark.usefixtures("one_thread")
ENAS = Reader("enas")


def _recipe(**settings: object) -> Recipe:
    return validate({key.replace("__", "."): value for key, value in settings.items()})


@pytest.mark.parametrize(
    ("text", "key", "value"),
    [
        (LANGUAGE, "data.cutout", 16),
        (LANGUAGE, "controller.skip_weight", 0.8),
        (LANGUAGE, "weights.auxiliary.weight", 0.4),
        (IMAGES, "data.bptt", 20),
        (IMAGES, "reward.c", 1),
        (IMAGES, "child.weights.penalty.slowness", 1e-3),
        (IMAGES, "weights.schedule.gamma", 0.9),
        (IMAGES, "weights.init.bound", 0.1),
        (IMAGES, "child.weights.average.patience", 3),
    ],
)
def test_a_setting_that_can_do_nothing_is_refused(text: str, key: str, value: object) -> None:
    space = assembly_space(text)
    recipe = _recipe(**{key: value})
    assert key in set(named("", recipe))
    assert [found for found, _ in idle([key], recipe, space)] == [key]
    with pytest.raises(SearchError, match="has no effect"):
        refuse_idle({key: value}, recipe, space, ENAS)


def test_a_setting_that_does_something_is_not_refused() -> None:
    settings: dict[str, object] = {
        "data.cutout": 4, "controller.skip_weight": 0.8, "reward.dropout": True,
        "weights.auxiliary.weight": 0.4, "weights.schedule.kind": "step",
        "weights.schedule.gamma": 0.5, "child.weights.average.kind": "stalled",
        "child.weights.average.patience": 3,
    }  # fmt: skip
    refuse_idle(settings, _recipe(**settings), assembly_space(SIDE), ENAS)


OWN = {
    "controller.hidden": {"enas"},
    "controller.lr": {"enas"},
    "controller.steps": {"enas", "evolution"},
    "controller.children": {"enas", "evolution"},
    "evolution.population": {"evolution", "spos"},
    "relaxation.lr": {"darts", "gdas"},
    "relaxation.coldest": {"gdas"},
    "weights.children": {"enas", "random", "evolution", "spos", "gdas"},
    "weights.lr": set(STRATEGIES),
    "derive.samples": set(STRATEGIES),
}
"""Settings, and the strategies that read them while shared weights are trained."""
BY_TABLE = OWN | {
    "controller.steps": set(),
    "controller.children": set(STRATEGIES),
    "evolution.population": {"evolution"},
    "relaxation.lr": set(),
    "relaxation.coldest": set(),
    "weights.children": set(),
    "weights.lr": set(),
    "derive.samples": set(),
    "derive.keep": set(STRATEGIES),
}
"""The same where rewards stand in a table."""


def _refusal(key: str, reader: Reader) -> str:
    try:
        recipe = read_recipe({}, over_params({key: 3}))
        refuse_idle({key: 3}, recipe, assembly_space(IMAGES), reader)
    except SearchError as error:
        return error.message
    return ""


@pytest.mark.parametrize("table", [False, True])
def test_what_another_strategy_reads_is_refused_with_its_name(table: bool) -> None:
    for key, readers in (BY_TABLE if table else OWN).items():
        for strategy in STRATEGIES:
            said = _refusal(key, Reader(strategy, table=table))
            assert bool(said) == (strategy not in readers), (key, strategy)
            if said and readers:
                assert all(name in said for name in (f"`{key}`", f"`{strategy}`", *readers))


def test_of_a_strategy_that_a_package_brings_nothing_is_known() -> None:
    assert not any(_refusal(key, Reader("theirs")) for key in OWN)


def test_a_training_reads_what_stands_below_child() -> None:
    assert "`child.weights.lr`" in _refusal("weights.lr", TRAINING)
    assert "`child.data.batch`" in _refusal("data.batch", TRAINING)
    for key in ("weights.children", "controller.lr", "evolution.population", "derive.keep"):
        assert "a search alone" in _refusal(key, TRAINING)
    for key in ("child.weights.lr", "child.data.batch", "filters", "params.filters"):
        assert not _refusal(key, TRAINING)


def test_every_command_refuses_before_it_writes(tmp_path: Path) -> None:
    """A recipe of the file may hold settings of several strategies; the command line may not."""
    file, data = write_world(tmp_path)
    file.write_text(file.read_text().replace("derive {", "relaxation { lr: 0.1 }\n  derive {"))
    wrong, out = {"relaxation.lr": 0.2}, tmp_path / "run"
    with pytest.raises(SearchError, match="darts or gdas"):
        search(file, data, settings=wrong, out=out, budget=0.001)
    with pytest.raises(SearchError, match="a table"):
        search_table(file, tmp_path / "none.csv", settings=wrong, out=out)
    assert not out.exists()
    search(file, data, out=out)
    derive(out)
    with pytest.raises(SearchError, match="a search alone"):
        train(out, settings=wrong)
    with pytest.raises(SearchError, match="a search alone"):
        verdict(out, settings=wrong, children=1)
    assert not (out / "child").exists()
    assert not (out / "verdict").exists()


# ---------------------------------------------------------------------- params


def test_a_param_that_is_set_at_train_is_the_child_s(tmp_path: Path) -> None:
    """The recipe's child has one of its own, which the command line overrides."""
    file, data = write_world(tmp_path)
    file.write_text(file.read_text().replace("child {", "child { params { hidden: 7 };"))
    said = io.StringIO()
    console = Console(file=said, width=1000)
    search(file, data, settings={"hidden": 5}, out=tmp_path / "run", console=console)
    assert "note: the child has `hidden` 7 of its own" in said.getvalue()
    assert "--set child.params.hidden=5" in said.getvalue()
    best = to_token(derive(tmp_path / "run").best[0].architecture)

    def hidden(source: Path, name: str, **settings: object) -> int:
        dotted = {key.replace("__", "."): value for key, value in settings.items()}
        out = tmp_path / name
        train(source, data, arch=best, settings={**dotted, "child.weights.epochs": 1}, out=out)
        table = load_file(out / "weights.safetensors")
        return next(t.shape[1] for name, t in table.items() if "embedding" in name)

    for n, source in enumerate((tmp_path / "run", file)):
        assert hidden(source, f"own{n}") == 7
        assert hidden(source, f"set{n}", hidden=9) == 9
        assert hidden(source, f"params{n}", params__hidden=9) == 9
        assert hidden(source, f"child{n}", hidden=9, child__params__hidden=10) == 10
    verdict(tmp_path / "run", settings={"hidden": 4, "child.weights.epochs": 1}, children=1)
    assert open_run(tmp_path / "run/verdict/random1").recipe.child.params == {"hidden": 4}


def test_shared_weights_are_of_the_sizes_of_the_search(tmp_path: Path) -> None:
    file, data = write_world(tmp_path)
    run, out = tmp_path / "run", tmp_path / "child"
    search(file, data, out=run)
    best = to_token(derive(run).best[0].architecture)
    with pytest.raises(SearchError, match="not of the sizes"):
        train(run, settings={"hidden": 9}, from_shared=True, out=out)
    with pytest.raises(SearchError, match="has no shared weights"):
        train(file, data, arch=best, from_shared=True, out=out)
    assert not out.exists()
    assert train(run, settings={"hidden": 6}, from_shared=True, out=out).epochs == 2


def test_a_param_of_the_search_alone_is_not_noted(tmp_path: Path) -> None:
    file, data = write_world(tmp_path)
    said = io.StringIO()
    search(file, data, settings={"hidden": 5}, out=tmp_path / "run", console=Console(file=said))
    assert "note" not in said.getvalue()
