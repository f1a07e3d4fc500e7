"""The genotypes of DARTS (Liu et al. 2019), as Python text: `Genotype(normal=[...], ...)`."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from enasdsl.ir.notations.foreign import (
    Choices,
    Foreign,
    Notation,
    NotationError,
    label_of,
    labels_of,
    place_of,
)

OPERATIONS = {
    "max_pool_3x3": "pool(max_pool(3))",
    "avg_pool_3x3": "pool(avg_pool(3))",
    "skip_connect": "skip",
    "sep_conv_3x3": "sep_conv(3)",
    "sep_conv_5x5": "sep_conv(5)",
    "dil_conv_3x3": "dil_conv(3)",
    "dil_conv_5x5": "dil_conv(5)",
}
ACTIVATIONS = ("tanh", "relu", "sigmoid", "identity")
CELLS = {"normal": "normal", "reduce": "reduction"}
INPUTS = ("prev_prev", "prev")

Edges = list[tuple[str, int]]


# ---------------------------------------------------------------- convolutional


def read_genotype(text: str) -> Foreign:
    """Two edges for each node, an operation and a source; sources 0 and 1 are the inputs.

    Raises NotationError where the output is not the concatenation of all nodes.
    """
    fields = _fields(text, ("normal", "normal_concat", "reduce", "reduce_concat"))
    choices: dict[str, str | list[str]] = {}
    for name, cell in CELLS.items():
        edges = _edges(fields[name], name)
        nodes = len(edges) // 2
        if len(edges) % 2 or sorted(_indices(fields[f"{name}_concat"])) != [*range(2, nodes + 2)]:
            raise NotationError(
                f"`{name}` has two edges for each node, and `{name}_concat` all nodes from 2"
            )
        for node in range(nodes):
            choices.update(_node(f"{cell}.node{node + 1}", edges[2 * node : 2 * node + 2], node))
    return Foreign("darts", choices)


def _node(path: str, edges: Edges, node: int) -> Iterator[tuple[str, str | list[str]]]:
    if len({source for _, source in edges}) < 2:
        raise NotationError(f"`{path}` reads the same value twice, and DARTS takes two different")
    for operation, source in edges:
        if not 0 <= source < node + 2:
            raise NotationError(f"`{path}` reads {source}, which is not before it")
        place_of(operation, tuple(OPERATIONS), "an operation")
        yield f"{path}.{_value(source)}.candidate", OPERATIONS[operation]
    yield f"{path}.earlier", [_value(source) for source in sorted(s for _, s in edges)]


def write_genotype(choices: Choices) -> str:
    """Inverse of `read_genotype`, each node's edges by their sources."""
    names = {label: name for name, label in OPERATIONS.items()}
    words = []
    for name, cell in CELLS.items():
        edges: Edges = []
        node = 1
        while f"{cell}.node{node}.earlier" in choices:
            for source in labels_of(choices, f"{cell}.node{node}.earlier"):
                label = label_of(choices, f"{cell}.node{node}.{source}.candidate")
                place_of(label, tuple(names), "an operation")
                edges.append((names[label], _index(source)))
            node += 1
        if not edges:
            raise NotationError(f"the architecture has no cell `{cell}` as DARTS has it")
        words.append(f"{name}={edges!r}, {name}_concat=range(2, {node + 1})")
    return f"Genotype({', '.join(words)})"


def _value(source: int) -> str:
    return INPUTS[source] if source < 2 else f"node{source - 1}"


def _index(label: str) -> int:
    return INPUTS.index(label) if label in INPUTS else int(label.removeprefix("node")) + 1


# -------------------------------------------------------------------- recurrent


def read_recurrent(text: str) -> Foreign:
    """For each node after the fixed node 0, of tanh, its activation and its input.

    Where the output is the mean of all of them it is a cell of DARTS, where it is that of the
    loose ends one of ENAS, whose node 1 is node 0. Raises NotationError for any other output.
    """
    fields = _fields(text, ("recurrent", "concat"))
    edges = _edges(fields["recurrent"], "recurrent")
    joined = sorted(_indices(fields["concat"]))
    for node, (act, source) in enumerate(edges, 1):
        place_of(act, ACTIVATIONS, "an activation")
        if not 0 <= source < node:
            raise NotationError(f"node {node} reads {source}, which is not before it")
    read = {source for _, source in edges}
    if joined == [*range(1, len(edges) + 1)]:
        return _cell(edges, "darts_rnn", first=0)
    if joined == [k for k in range(len(edges) + 1) if k not in read]:
        return _cell(edges, "rnn", first=1)
    raise NotationError("`concat` is neither all nodes from 1 nor those that no other reads")


def _cell(edges: Edges, space: str, *, first: int) -> Foreign:
    choices: dict[str, str | list[str]] = {"recurrent.node1.act": "tanh"} if first else {}
    for node, (act, source) in enumerate(edges, first + 1):
        choices[f"recurrent.node{node}.source"] = f"node{source + first}"
        choices[f"recurrent.node{node}.act"] = act
    return Foreign(space, choices, {"N": str(len(edges) + first)})


def write_recurrent(choices: Choices) -> str:
    """Inverse of `read_recurrent` for cells of DARTS, whose node 0 is fixed."""
    edges: Edges = []
    while (path := f"recurrent.node{len(edges) + 1}.source") in choices:
        source = int(label_of(choices, path).removeprefix("node"))
        edges.append((label_of(choices, path.replace("source", "act")), source))
    if 2 * len(edges) != len(choices):
        raise NotationError("the architecture is no recurrent cell of DARTS")
    return f"Genotype(recurrent={edges!r}, concat=range(1, {len(edges) + 1}))"


# ------------------------------------------------------------------ Python text


def _fields(text: str, names: tuple[str, ...]) -> dict[str, ast.expr]:
    """The arguments of the call that the text is, or assigns; nothing of it is run."""
    try:
        (statement,) = ast.parse(text.strip()).body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise NotationError(f"a genotype is a call, `Genotype({names[0]}=[...], ...)`") from error
    match statement:
        case ast.Expr(ast.Call(args=args, keywords=keywords)):
            pass
        case ast.Assign(value=ast.Call(args=args, keywords=keywords)):
            pass
        case _:
            raise NotationError(f"a genotype is a call, `Genotype({names[0]}=[...], ...)`")
    found = dict(zip(names, args, strict=False))
    found |= {keyword.arg or "**": keyword.value for keyword in keywords}
    if found.keys() != set(names):
        raise NotationError(f"a genotype has the fields {', '.join(names)}")
    return found


def _edges(expression: ast.expr, name: str) -> Edges:
    pairs = _literal(expression)
    edges: Edges = []
    for pair in pairs if isinstance(pairs, list | tuple) else (None,):
        match pair:
            case (str(operation), int(source)):
                edges.append((operation, source))
            case _:
                raise NotationError(
                    f"`{name}` is a list of pairs, as in [('sep_conv_3x3', 1), ...]"
                )
    return edges


def _indices(expression: ast.expr) -> list[int]:
    """A list of numbers, or a `range` written out."""
    match expression:
        case ast.Call(func=ast.Name("range"), args=[ast.Constant(int(a)), ast.Constant(int(b))]):
            return list(range(a, min(b, a + 1000)))
        case _:
            found = _literal(expression)
    if isinstance(found, list | tuple) and all(isinstance(n, int) for n in found):
        return list(found)
    raise NotationError("a `concat` is a list of numbers, or a range")


def _literal(expression: ast.expr) -> object:
    try:
        return ast.literal_eval(expression)
    except (ValueError, TypeError, SyntaxError, RecursionError) as error:
        raise NotationError(f"`{ast.unparse(expression)}` is no list") from error


NOTATIONS = (
    Notation("darts", read_genotype, write_genotype),
    Notation("darts-rnn", read_recurrent, write_recurrent),
)
