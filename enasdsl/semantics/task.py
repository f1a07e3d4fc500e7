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

    @property
    def output(self) -> Shape:
        """What the network gives for an example."""
        if self.input.tokens:
            return Shape(self.vocabulary, self.input.space)
        return Shape(self.classes)

    def ending(self, shape: Shape) -> str:
        """The operations that bring a value of this shape to the network's output."""
        if self.input.tokens:
            return "linear(vocabulary)"
        return "global_avg_pool -> linear(classes)" if shape.space else "linear(classes)"


IMAGE_CLASSIFIER = Task("image_classifier", Shape(3, (32, 32)))
LANGUAGE_MODEL = Task("language_model", Shape(10_000, (35,), tokens=True))
TASKS = {task.kind: task for task in (IMAGE_CLASSIFIER, LANGUAGE_MODEL)}
"""The sizes assumed where no data set is named: of CIFAR-10 and of the Penn Treebank."""
