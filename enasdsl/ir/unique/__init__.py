"""Which architectures of a space are one under `modulo`, and how many different ones there are."""

from enasdsl.ir.unique.canon import Canon, Classes, Estimate, Part, classes, different
from enasdsl.ir.unique.modulo import RULES

__all__ = ["RULES", "Canon", "Classes", "Estimate", "Part", "classes", "different"]
