"""The notations in which others write architectures, read and written."""

from __future__ import annotations

from enasdsl.ir.notations import carpedm20, darts, enas, nasbench201
from enasdsl.ir.notations.foreign import Foreign, Notation, NotationError

__all__ = ["NOTATIONS", "Foreign", "Notation", "NotationError", "read"]

NOTATIONS: dict[str, Notation] = {
    notation.name: notation
    for module in (enas, carpedm20, darts, nasbench201)
    for notation in module.NOTATIONS
}


def read(text: str, notation: str | None = None) -> Foreign:
    """The architecture that a text says, in the one notation that fits it if none is named.

    Raises NotationError.
    """
    if notation is not None:
        return NOTATIONS[notation].read(text)
    found: dict[str, Foreign] = {}
    refused: list[str] = []
    for name, known in NOTATIONS.items():
        try:
            found[name] = known.read(text)
        except NotationError as error:
            refused.append(f"{name}: {error}")
    match list(found.values()):
        case [foreign]:
            return foreign
        case []:
            raise NotationError("no notation fits:\n  " + "\n  ".join(refused))
        case _:
            raise NotationError(f"this can be {' or '.join(found)}; say which")
