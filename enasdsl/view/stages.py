"""A compilation stopped after any of its phases, for people to read."""

from __future__ import annotations

from collections.abc import Iterator

from enasdsl.ir.graph import Apply, Body, Call, Input, Node, Present, Select, Value
from enasdsl.ir.kernels import Kernel, Kernels, Recurrence
from enasdsl.ir.names import place_text
from enasdsl.ir.space import Decision, Space
from enasdsl.semantics.checked import Checked
from enasdsl.semantics.constants import spell
from enasdsl.semantics.symbols import (
    Chosen,
    Computed,
    Condition,
    Counted,
    Either,
    Num,
    Test,
    Unread,
)
from enasdsl.syntax.ast import Ast
from enasdsl.view.labels import quantity_of
from enasdsl.view.plain import outline


def tree_text(tree: Ast) -> str:
    """The syntax tree: each declaration with all that stands in it, and its line and column."""
    return "\n".join(line for d in tree.declarations for line in outline(d))


def checked_text(checked: Checked) -> str:
    """The file with its names known: the value of every param, and what every name is."""
    lines = [f"space {checked.name}"]
    lines += [f"param {name} = {spell(value)}" for name, value in checked.params.items()]
    for name, declared in checked.names.items():
        place = ":".join(map(str, (declared.span.source.name, *declared.span.position)))
        lines.append(f"{type(declared).__name__} {name}  {place}")
    if checked.network is not None:
        lines.append(f"network {checked.network.task.text}")
    lines += [f"require {' '.join(r.span.text.split())}" for r in checked.requires]
    lines += [f"modulo {rule}" for rule in checked.modulo]
    lines += [f"recipe {name}" for name in checked.recipes]
    return "\n".join(lines)


def space_text(space: Space) -> str:
    """The decisions in their order, what each depends on, and the requirements."""
    lines = [f"space {space.name} {space.hash}, {space.task}"]
    width = len(str(len(space.decisions)))
    for n, decision in enumerate(space.decisions):
        guard = condition_text(decision.guard)
        lines.append(f"%{n:<{width}} {_decision(decision)}" + (f"  when {guard}" if guard else ""))
    for constraint in space.constraints:
        guard = condition_text(constraint.guard)
        when = f"  when {guard}" if guard else ""
        lines.append(f"require {number_text(constraint.value)}{when}")
    return "\n".join(lines)


def _decision(decision: Decision) -> str:
    labels = ", ".join(decision.labels)
    return f"{decision.path}: {quantity_of(decision)} {decision.source.value}s: {labels}"


def graph_text(space: Space) -> str:
    """The values of the network and of each cell, in an order in which each reads earlier ones."""
    return "\n".join(line for n, body in enumerate(space.bodies) for line in _body(n, body))


def _body(number: int, body: Body) -> Iterator[str]:
    yield f"body {number} {body.name}"
    for n, value in enumerate(body.values):
        yield f"  {n}: {value_text(value)}  [{value.shape}]"
    yield f"  gives {', '.join(map(str, body.outputs))}"


def value_text(value: Value) -> str:
    """One value of a body in one line; `%3` is the decision 3."""
    match value:
        case Input(name=name):
            return f"input {name}"
        case Apply():
            args = ", ".join(f"{name}: {number_text(arg)}" for name, arg in value.args)
            within = place_text(value.within)
            place = f"  at {value.place}" if value.place else f"  in {within}" if within else ""
            return f"{value.op}({args}) {_refs(value.inputs)}{place}"
        case Select():
            branches = ", ".join("-" if b is None else str(b) for b in value.branches)
            return f"select %{value.decision}.{value.slot} of [{branches}]"
        case Present():
            return f"present {value.value} when {condition_text(value.condition)}"
        case Node(name=name, value=ref, guard=guard):
            when = f" when {condition_text(guard)}" if guard else ""
            return f"node {name} {ref}{when}"
        case Call():
            return f"call body {value.body}.{value.output} {_refs(value.inputs)}  at {value.place}"


def kernels_text(kernels: Kernels, indent: str = "") -> str:
    """The calls that run for one architecture, those of a recurrent cell below it."""
    shapes = enumerate(kernels.inputs)
    lines = [f"{indent}{n}: input  [{shape}]" for n, shape in shapes]
    for n, call in kernels.numbered():
        lines.append(f"{indent}{n}: {_call_text(call)}  [{call.shape}]")
        if isinstance(call, Recurrence):
            lines.append(kernels_text(call.body, indent + "  "))
    lines.append(f"{indent}gives {', '.join(map(str, kernels.outputs))}")
    return "\n".join(lines)


def _call_text(call: Kernel | Recurrence) -> str:
    if isinstance(call, Recurrence):
        return f"recurrence of {call.states} {_refs(call.inputs)}"
    args = ", ".join(f"{name}: {spell(arg)}" for name, arg in call.args)
    places = ", ".join(step.place for step in call.members)
    return f"{call.op}({args}) {_refs(call.inputs)}" + (f"  at {places}" if places else "")


def _refs(refs: tuple[int, ...]) -> str:
    return "(" + ", ".join(map(str, refs)) + ")"


def condition_text(condition: Condition) -> str:
    """A condition; `%3 in 0, 2` where the decision 3 picks the alternative 0 or 2."""
    return " and ".join(map(_test, condition))


def _test(test: Test | Unread | Either) -> str:
    match test:
        case Test(decision=decision, allowed=allowed):
            return f"%{decision} in {', '.join(map(str, sorted(allowed)))}"
        case Unread(node=node):
            return f"{node} is loose"
        case Either(options=options):
            return "(" + " or ".join(map(condition_text, options)) + ")"


def number_text(num: Num) -> str:
    """A number, with the decisions on which it depends."""
    match num:
        case Chosen(decision=decision, slot=slot, values=values):
            return f"%{decision}.{slot}[{', '.join(map(spell, values))}]"
        case Counted(decision=decision, allowed=allowed):
            return f"count(%{decision} in {', '.join(map(str, sorted(allowed)))})"
        case Computed(operator=operator, operands=operands):
            return f"({f' {operator} '.join(map(number_text, operands))})"
        case _:
            return spell(num)
