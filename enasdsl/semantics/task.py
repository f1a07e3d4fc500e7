"""What a data set asks of a network: the shape of an example and the sizes that files may name."""

from __future__ import annotations

from dataclasses import dataclass

from enasdsl.semantics.symbols import Shape


@dataclass(frozen=True, slots=True)
class Task:
    """The kind of a network (`image_classifier`, `language_model`) and the sizes of its data."""

    kind: str
    input: Shape
    classes: int = 10
    vocabulary: int = 10_000


IMAGE_CLASSIFIER = Task("image_classifier", Shape(3, (32, 32)))
LANGUAGE_MODEL = Task("language_model", Shape(10_000, (35,), tokens=True))
TASKS = {task.kind: task for task in (IMAGE_CLASSIFIER, LANGUAGE_MODEL)}
"""The sizes assumed where no data set is named: of CIFAR-10 and of the Penn Treebank."""
