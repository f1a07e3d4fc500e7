"""Searches over a space with shared weights: the paper's way, and by chance."""

from enasdsl.search.compiled import Compiled, compile_space, write_compiled
from enasdsl.search.deriving import Derivation, derive
from enasdsl.search.drive import Ending
from enasdsl.search.errors import SearchError
from enasdsl.search.evaluating import Evaluation, evaluate
from enasdsl.search.searching import SearchResult, search
from enasdsl.search.training import TrainResult, train

__all__ = [
    "Compiled",
    "Derivation",
    "Ending",
    "Evaluation",
    "SearchError",
    "SearchResult",
    "TrainResult",
    "compile_space",
    "derive",
    "evaluate",
    "search",
    "train",
    "write_compiled",
]
