"""The `dag.json` of carpedm20/ENAS-pytorch: which nodes a node of a recurrent cell feeds."""

from __future__ import annotations

import json

from enasdsl.ir.notations.enas import ACTIVATIONS
from enasdsl.ir.notations.foreign import Choices, Foreign, Notation, NotationError, label_of

STATE, INPUT = "-2", "-1"  # h[t-1] and x[t] as nodes
MEAN, RESULT = "avg", "h[t]"  # what a loose end, and their mean, feed


def read_dag(text: str) -> Foreign:
    """Nodes by the numbers of those that they read; each has an activation.

    Raises NotationError where the loose ends are not what is averaged.
    """
    sources, acts = _edges(text)
    count = len(acts)
    if sorted(acts) != list(range(count)) or sources.get(0) != -1:
        raise NotationError("the nodes are not numbered 0, 1, ... with x and h feeding node 0")
    choices: dict[str, str | list[str]] = {}
    for node in range(count):
        if node:
            if not 0 <= sources[node] < node:
                raise NotationError(f"node {node} reads {sources[node]}, which is not before it")
            choices[f"recurrent.node{node + 1}.source"] = f"node{sources[node] + 1}"
        choices[f"recurrent.node{node + 1}.act"] = acts[node]
    return Foreign("rnn", choices, {"N": str(count)})


def _edges(text: str) -> tuple[dict[int, int], dict[int, str]]:
    """What each node reads, and its activation."""
    sources: dict[int, int] = {}
    acts: dict[int, str] = {}
    averaged: set[int] = set()
    for source, target, name in _arrows(text):
        if name.lower() in ACTIVATIONS:
            sources[target], acts[target] = max(source, -1), name.lower()
        elif name == MEAN:
            averaged.add(source)
        elif name != RESULT:
            raise NotationError(f"`{name}` is no activation, nor `{MEAN}` nor `{RESULT}`")
    if averaged != acts.keys() - set(sources.values()):
        raise NotationError("what is averaged is not the nodes that no other node reads")
    return sources, acts


def _arrows(text: str) -> list[tuple[int, int, str]]:
    """From which node to which node, and what it is called."""
    try:
        dag = json.loads(text)
        found = [(int(s), int(t), str(name)) for s, ends in dag.items() for t, name in ends]
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise NotationError(
            'a dag is an object of lists of pairs, as in {"0": [[1, "tanh"]]}'
        ) from error
    return found


def write_dag(choices: Choices) -> str:
    """Inverse of `read_dag`."""
    acts = ["tanh"] * (len(choices) // 2 + 1)
    dag: dict[str, list[list[object]]] = {}
    for node in range(len(acts)):
        acts[node] = label_of(choices, f"recurrent.node{node + 1}.act")
        shown = "ReLU" if acts[node] == "relu" else acts[node]
        sources = [INPUT, STATE]
        if node:
            source = label_of(choices, f"recurrent.node{node + 1}.source")
            sources = [str(int(source.removeprefix("node")) - 1)]
        for source in sources:
            dag.setdefault(source, []).append([node, shown])
    for node in range(len(acts)):
        dag.setdefault(str(node), [[len(acts), MEAN]])
    dag[str(len(acts))] = [[len(acts) + 1, RESULT]]
    return json.dumps(dag)


NOTATIONS = (Notation("carpedm20", read_dag, write_dag),)
