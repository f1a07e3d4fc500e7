"""Searches over a space with shared weights: the paper's way, and by chance."""

from enasdsl.search.deriving import Derivation, derive
from enasdsl.search.drive import Ending
from enasdsl.search.errors import SearchError
from enasdsl.search.evaluating import Evaluation, evaluate
from enasdsl.search.judging import Verdict, verdict
from enasdsl.search.searching import SearchResult, search
from enasdsl.search.strategy import Strategy, strategy_of
from enasdsl.search.tabulating import TableResult, search_table
from enasdsl.search.training import TrainResult, train

__all__ = [
    "Derivation",
    "Ending",
    "Evaluation",
    "SearchError",
    "SearchResult",
    "Strategy",
    "TableResult",
    "TrainResult",
    "Verdict",
    "derive",
    "evaluate",
    "search",
    "search_table",
    "strategy_of",
    "train",
    "verdict",
]
