"""A network as an ONNX file, checked with onnxruntime."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from enasdsl.export.code import ExportError
from enasdsl.export.python import Exported
from enasdsl.ir.space import Space

TOLERANCE = 1e-3
"""Of a number, in units of the largest: float32, and other kernels."""


def module_of(exported: Exported) -> nn.Module:
    """The network of an exported text, with its weights, in evaluation."""
    scope: dict[str, Any] = {"__name__": "exported", "__file__": "exported.py"}
    exec(compile(exported.text, "exported.py", "exec"), scope)
    network: nn.Module = scope[exported.network]()
    names = {name for name, _ in network.named_parameters()}  # a tied weight has one name
    missing, unexpected = network.load_state_dict(exported.weights, strict=False)
    assert not names.intersection(missing)
    assert not unexpected
    return network.eval()


def to_onnx(space: Space, exported: Exported, path: Path) -> float:
    """Writes a network to an ONNX file whose first axis, the batch, is free.

    Returns by how much its results in onnxruntime differ at most, in units of the largest.
    Raises ExportError where the packages are missing, or the results differ.
    """
    try:
        import onnxruntime
        import onnxscript  # noqa: F401  which torch's exporter needs
    except ImportError as error:
        raise ExportError(f"ONNX needs {error.name}: pip install 'enasdsl[onnx]'") from error
    network = module_of(exported)
    inputs = _inputs(space, network, batch=2)
    batch = torch.export.Dim("batch")
    with _quiet():
        program = torch.onnx.export(
            network,
            tuple(inputs.values()),
            dynamo=True,
            verbose=False,
            input_names=list(inputs),
            output_names=["output", *(f"next_{name}" for name in list(inputs)[1:])],
            dynamic_shapes=tuple({0: batch} for _ in inputs),
        )
    assert program is not None
    path.parent.mkdir(parents=True, exist_ok=True)
    program.save(path)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    given = _inputs(space, network, batch=3)
    found = session.run(None, {name: x.numpy() for name, x in given.items()})
    with torch.no_grad():
        wanted = network(*given.values())
    difference = _difference(wanted if isinstance(wanted, tuple) else (wanted,), found)
    if not difference <= TOLERANCE:
        raise ExportError(f"onnxruntime's results differ by {difference:.2g} of the largest")
    return difference


def _inputs(space: Space, network: nn.Module, *, batch: int) -> Mapping[str, Tensor]:
    """Random inputs by name: an image or tokens, then the states of recurrent cells."""
    drawn = torch.Generator().manual_seed(batch)
    shape = space.bodies[0].values[0].shape
    assert isinstance(shape.channels, int)
    if not shape.tokens:
        return {"input": torch.randn(batch, shape.channels, *shape.space, generator=drawn)}
    x = torch.randint(shape.channels, (batch, *shape.space), generator=drawn)
    with torch.no_grad():
        result = network(x)
    states = result[1:] if isinstance(result, tuple) else ()
    return {"input": x, **{f"state{n}": h for n, h in enumerate(states, 1)}}


def _difference(wanted: tuple[Tensor, ...], found: list[Any]) -> float:
    pairs = [(w, torch.from_numpy(f)) for w, f in zip(wanted, found, strict=True)]
    return max(float((w - f).abs().max() / w.abs().max().clamp(min=1e-6)) for w, f in pairs)


@contextmanager
def _quiet() -> Iterator[None]:
    """Without what torch's exporter says of packages that are not there, and of itself."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
