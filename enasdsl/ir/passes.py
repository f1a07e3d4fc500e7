"""Rewritings of kernels that give the same results faster, in one list.

None knows a space: each looks for a shape of computation that any file may have. Results, gradients
and running values are equal up to the order of additions, and what draws random numbers draws
them in the same order. `nn/` has the torch code of what only passes make.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import accumulate, pairwise

from enasdsl.ir.graph import Network
from enasdsl.ir.kernels import Call, Kernel, Kernels, Recurrence, Rewriting, kernels, pruned
from enasdsl.semantics.symbols import Shape, limit

Pass = Callable[[Kernels], Kernels]

MERGES = frozenset({"sum", "mean", "product", "min", "max", "concat"})
RANDOM = frozenset({"dropout", "sequence_dropout", "drop_path", "auxiliary"})
JOINED = 2**18
"""Matrices with more numbers than this run as fast apart as joined."""


def without_identities(old: Kernels) -> Kernels:
    """What only hands its input on is left out."""
    new = Rewriting(old)
    for ref, call in new.pending():
        alone = call.op in MERGES and len(call.inputs) == 1 if isinstance(call, Kernel) else False
        idle = isinstance(call, Kernel) and (call.op == "identity" or alone)
        new.where[ref] = call.inputs[0] if idle else new.add(call)
    return new.done()


def without_zeros(old: Kernels) -> Kernels:
    """Zeros that are added are not built."""
    new = Rewriting(old)
    zeros: set[int] = set()
    for ref, call in new.pending():
        if isinstance(call, Kernel) and call.op in ("sum", "add"):
            kept = tuple(i for i in call.inputs if i not in zeros) or call.inputs[:1]
            if all(_shape(new, i) == call.shape for i in kept):
                call = replace(call, op="sum", args=(), inputs=kept)
        new.where[ref] = new.add(call)
        if isinstance(call, Kernel) and call.op == "zero":
            zeros.add(new.where[ref])
    return new.done()


def once(old: Kernels) -> Kernels:
    """What is computed twice from the same values is computed once, weights and chance aside."""
    new = Rewriting(old)
    known: dict[Call, int] = {}
    for ref, call in new.pending():
        pure = isinstance(call, Kernel) and not call.members and call.op not in RANDOM
        if not pure:
            new.where[ref] = new.add(call)
            continue
        if call not in known:
            known[call] = new.add(call)
        new.where[ref] = known[call]
    return new.done()


def blended(old: Kernels) -> Kernels:
    """`gate * y + (1 - gate) * x` is one kernel in place of four."""
    new = Rewriting(old)
    for ref, call in new.pending():
        found = _blend(old, ref)
        if found is not None and isinstance(call, Kernel):
            call = replace(call, op="blend", args=(), inputs=new.moved(found))
        new.where[ref] = new.add(call)
    return new.done()


def _blend(old: Kernels, ref: int) -> tuple[int, int, int] | None:
    """x, y and the gate of a sum, where it is a blend of values of one shape."""
    total = old.kernel(ref, "add") or old.kernel(ref, "sum")
    if total is None or len(total.inputs) != 2:
        return None
    products = [old.kernel(i, "multiply") for i in total.inputs]
    for first, second in (products, products[::-1]):
        if first is None or second is None:
            continue
        for y, gate in (first.inputs, first.inputs[::-1]):
            for x, rest in (second.inputs, second.inputs[::-1]):
                if _complement(old, rest) == gate and _alike(old, (x, y, gate), total.shape):
                    return x, y, gate
    return None


def _complement(old: Kernels, ref: int) -> int | None:
    """The value of which this one is the difference from 1."""
    call = old.kernel(ref, "affine")
    if call is None or dict(call.args) != {"scale": -1, "offset": 1}:
        return None
    return call.inputs[0]


def _alike(old: Kernels, refs: Sequence[int], shape: Shape) -> bool:
    return all(old.shape(i) == shape for i in refs)


def _shape(new: Rewriting, ref: int) -> Shape:
    first = len(new.inputs)
    return new.inputs[ref] if ref < first else new.calls[ref - first].shape


# ------------------------------------------------------------------------ matrices


def joined(old: Kernels) -> Kernels:
    """Small matrices that multiply the same value are one, of which each takes its channels."""
    groups: dict[object, list[int]] = {}
    for ref, call in old.numbered():
        if isinstance(call, Kernel) and call.op == "linear" and _small(old, call):
            groups.setdefault((call.inputs[0], dict(call.args)["bias"]), []).append(ref)
    joins = {group[0]: group for group in groups.values() if len(group) > 1}
    new = Rewriting(old)
    for ref, call in new.pending():
        if ref in joins:
            _join(new, joins[ref])
        elif ref not in new.where:
            new.where[ref] = new.add(call)
    return new.done()


def _small(old: Kernels, call: Kernel) -> bool:
    before, after = old.shape(call.inputs[0]).channels, call.shape.channels
    return isinstance(before, int) and isinstance(after, int) and before * after <= JOINED


def _join(new: Rewriting, group: Sequence[int]) -> None:
    calls = [new.old.kernel(ref, "linear") for ref in group]
    found = [call for call in calls if call is not None]
    widths = [limit(call.shape.channels) for call in found]
    shape = replace(found[0].shape, channels=sum(widths))
    members = tuple(member for call in found for member in call.members)
    bias = (("bias", dict(found[0].args)["bias"]),)
    whole = new.add(Kernel("linears", bias, new.moved(found[0].inputs), shape, members))
    bounds = pairwise(accumulate(widths, initial=0))
    for ref, call, (start, stop) in zip(group, found, bounds, strict=True):
        args = (("start", start), ("stop", stop))
        new.where[ref] = new.add(Kernel("channels", args, (whole,), call.shape))


# -------------------------------------------------------------------------- images


def halved(old: Kernels) -> Kernels:
    """Convolutions of the even and of the odd pixels are one of 2 x 2 pixels, partly zero."""
    new = Rewriting(old)
    for ref, call in new.pending():
        found = _halving(old, ref)
        if found is not None:
            call = replace(found, inputs=new.moved(found.inputs))
        new.where[ref] = new.add(call)
    return new.done()


def _halving(old: Kernels, ref: int) -> Kernel | None:
    call = old.kernel(ref, "concat")
    if call is None or len(call.inputs) != 2:
        return None
    even, odd = (old.kernel(i, "conv") for i in call.inputs)
    if even is None or odd is None or not (_sparse(even) and _sparse(odd)):
        return None
    shift = old.kernel(odd.inputs[0], "shift")
    if shift is None or shift.inputs != even.inputs:
        return None
    if any(size % 2 for size in old.shape(even.inputs[0]).space):
        return None
    return Kernel("halving", (), even.inputs, call.shape, even.members + odd.members)


def _sparse(conv: Kernel) -> bool:
    args = dict(conv.args)
    return (args["kernel"], args["stride"], args["groups"], args["bias"]) == (1, 2, 1, False)


def rectified(old: Kernels) -> Kernels:
    """A batch norm of images of which only a ReLU has need is one kernel with it."""
    readers = Counter([*old.outputs, *(ref for call in old.calls for ref in call.inputs)])
    new = Rewriting(old)
    for ref, call in new.pending():
        relu = old.kernel(ref, "relu")
        norm = relu and old.kernel(relu.inputs[0], "batch_norm")
        if relu and norm and norm.shape.space and readers[relu.inputs[0]] == 1:
            call = replace(norm, op="norm_relu", inputs=new.moved(norm.inputs))
        new.where[ref] = new.add(call)
    return new.done()


PASSES: tuple[Pass, ...] = (
    without_identities, without_zeros, once, blended, joined, halved, pruned,
)  # fmt: skip
NATIVE_PASSES: tuple[Pass, ...] = (*PASSES, rectified, pruned)
"""Those for native kernels, which torch has no use of."""


def lowered(network: Network, passes: Sequence[Pass] = PASSES) -> Kernels:
    """The kernels that run for a network, after all passes."""
    found = kernels(network)
    for each in passes:
        found = _everywhere(each, found)
    return found


def _everywhere(rewrite: Pass, old: Kernels) -> Kernels:
    """The pass in the bodies of recurrent cells, then around them."""
    calls = tuple(
        replace(call, body=_everywhere(rewrite, call.body))
        if isinstance(call, Recurrence)
        else call
        for call in old.calls
    )
    return rewrite(replace(old, calls=calls))
