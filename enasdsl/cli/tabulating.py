"""What `search` may be told of strategies and rewards, and the search by table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, TypedDict

from cyclopts import Parameter

from enasdsl.cli.ending import UsageError
from enasdsl.cli.opening import mistakes
from enasdsl.cli.options import pairs
from enasdsl.diagnostics.wording import several

if TYPE_CHECKING:
    from enasdsl.search import TableResult

Table = Annotated[
    str | None, Parameter(help="Take rewards from a file, CSV or JSON; nothing is trained.")
]
Queries = Annotated[
    int | None, Parameter(help="How many architectures to look up in --table: else 300.")
]
Reward = Annotated[
    str | None,
    Parameter(help="What is earned, as in 'accuracy - 0.1 * log(params), params <= 4M'."),
]
Strategy = Annotated[
    str,
    Parameter(help="enas, random, evolution, spos, darts, gdas, or one of an installed package."),
]


class Asked(TypedDict):
    """What every kind of search is told."""

    recipe: str | None
    settings: dict[str, str]
    strategy: str
    budget: float | None
    seed: int
    out: str | None
    resume: bool


def rewarded(settings: tuple[str, ...], reward: str | None) -> dict[str, str]:
    """The settings by key, with the reward among them."""
    return pairs(settings) | ({} if reward is None else {"reward.of": reward})


def search_by_table(
    file: str, table: str, data: str | None, queries: int | None, asked: Asked
) -> TableResult:
    """Searches with rewards from a table and says what it came to."""
    from enasdsl.search import search_table

    if data is not None:
        raise UsageError("search takes --data or --table, not both")
    with mistakes():
        result = search_table(file, table, queries=queries, **asked)
    print(_told(result))
    return result


def _told(result: TableResult) -> str:
    queries = several(result.queries, "query")
    lines = [
        f"{result.run}: {queries}, {result.asked:,} asked, {result.seconds:.0f} s",
        f"regret {result.regret:.4g}: the best of the table earns so much more",
    ]
    if result.ending.value == "finished" and result.queries < result.wanted:
        lines.append(f"{queries} of {result.wanted:,}: nothing new came any more")
    return "\n".join(lines)
