"""From a checked file to its space: evaluates it once, through every alternative."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from enasdsl.diagnostics import Diagnostic
from enasdsl.ir import cells, mentions
from enasdsl.ir.apply import apply, iterations, repetitions
from enasdsl.ir.between import selected
from enasdsl.ir.budget import NETWORK_STEPS, OUTLINE_STEPS, Budget, with_room
from enasdsl.ir.build import Ledger, Mistake, mistake
from enasdsl.ir.cases import Split, leaves
from enasdsl.ir.connections import Untraced
from enasdsl.ir.context import AMBIENT, Apply, Broken, Context, Evaluate, Program
from enasdsl.ir.evaluate import evaluate
from enasdsl.ir.graph import Apply as Applied
from enasdsl.ir.graph import Body
from enasdsl.ir.joining import settle
from enasdsl.ir.names import Key, Scope
from enasdsl.ir.places import place_specs
from enasdsl.ir.presence import Presence, reordered
from enasdsl.ir.space import Published, Space
from enasdsl.ir.statements import bind, require, strided
from enasdsl.ir.typed import describe, number, operation
from enasdsl.ir.unpriced import unpriced
from enasdsl.ir.values import (
    Absent,
    ByCase,
    ChosenOp,
    Item,
    Listing,
    Operation,
    Repeated,
    Stamp,
    Tensor,
    Trailing,
)
from enasdsl.semantics.checked import Checked
from enasdsl.semantics.symbols import Shape
from enasdsl.semantics.task import TASKS, Task
from enasdsl.source import Span
from enasdsl.syntax import ast

HISTORY = 8
"""How many earlier outputs of a stack its cells can read."""

_TASK = {"image_classifier": "an image classifier", "language_model": "a language model"}


@with_room
def lower(
    checked: Checked,
    task: Task | None = None,
    *,
    outline: bool = False,
    evaluate: Evaluate = evaluate,
    apply: Apply = apply,
) -> tuple[Space | None, tuple[Diagnostic, ...]]:
    """The space of a file for the sizes of a task (those of the usual data set where None).

    An `outline` has no network: its decisions, which are the same, are found several times faster.
    An `evaluate` or an `apply` that passes everything to the real one can look on.
    """
    try:
        return _lower(checked, task, evaluate, apply, outline=outline, merged=outline)
    except Untraced:
        return _lower(checked, task, evaluate, apply, outline=outline, merged=False)


def _lower(
    checked: Checked,
    task: Task | None,
    evaluate: Evaluate,
    apply: Apply,
    *,
    outline: bool,
    merged: bool,
) -> tuple[Space | None, tuple[Diagnostic, ...]]:
    kind = checked.network.task.text if checked.network else "image_classifier"
    budget = _budget(outline=merged)
    program = Program(checked, task or TASKS[kind], evaluate, apply, budget, merged)
    found = _Found(program)
    if not program.ledger.diagnostics:
        order = reordered(found.decisions)
        if order is not None:
            decisions = [found.decisions[n] for n in order]
            paths = {decision.path: n for n, decision in enumerate(decisions)}
            ledger = Ledger(decisions, [""] * len(decisions), paths)
            program = replace(program, budget=_budget(outline=merged), ledger=ledger, root=Scope())
            found = _Found(replace(program, lets={}, stamped={}))
            program = found.program
    diagnostics = tuple(program.ledger.diagnostics.values())
    if diagnostics:
        return None, diagnostics
    if outline and any(map(unpriced, found.constraints)):
        return lower(checked, task, evaluate=evaluate, apply=apply)
    bodies = () if outline else found.bodies
    space = Space(
        checked.name,
        program.task.kind,
        found.decisions,
        found.constraints,
        bodies,
        place_specs(bodies) if bodies and checked.network else (),
        found.published,
        checked.modulo,
        lone=checked.network is None,
    )
    return _demanding(space)


def _demanding(space: Space) -> tuple[Space | None, tuple[Diagnostic, ...]]:
    """The space with what it requires of costs, unless that is unknown or leaves nothing."""
    if not space.constraints:
        return space, ()
    # Most files require nothing, and need not wait for what counts and prices to be loaded.
    from enasdsl.ir.contradiction import contradiction
    from enasdsl.ir.pricing import priced

    try:
        space = priced(space)
    except Mistake as unknown:
        return None, (unknown.diagnostic,)
    unmet = contradiction(space)
    return (space, ()) if unmet is None else (None, (unmet,))


def _budget(*, outline: bool) -> Budget:
    return Budget(OUTLINE_STEPS if outline else NETWORK_STEPS)


class _Found:
    """What one evaluation of a file finds."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.bodies: tuple[Body, ...] = ()
        self.published: tuple[Published, ...] = ()
        ledger = program.ledger
        if ledger.attempt(lambda: _globals(program)):
            ledger.attempt(lambda: setattr(self, "bodies", tuple(_bodies(program))))
            ledger.attempt(lambda: setattr(self, "published", tuple(_published(program))))
        if not ledger.constraints:
            for doubt in ledger.doubts:
                ledger.report(doubt)
        presence = Presence(ledger)
        self.decisions = presence.decisions()
        self.constraints = presence.constraints()


def _context(program: Program, name: str) -> Context:
    ambient = {n: v for n in AMBIENT if (v := program.checked.params.get(n)) is not None}
    builder = program.ledger.builder(name)
    return Context(program, builder, program.root, {}, ambient)


def _globals(program: Program) -> None:
    """The choices that a file binds outside its cells, decided once and first."""
    ctx = _context(program, "network")
    for name, declared in program.checked.names.items():
        if isinstance(declared, ast.Let):
            program.lets[name] = Broken()
            bind(declared, ctx)
            program.lets.update(ctx.env)
    program.ledger.bodies.clear()


def _bodies(program: Program) -> list[Body]:
    network = program.checked.network
    if network is None:
        return _lone_cells(program)
    ctx = _context(program, "network")
    for statement in program.checked.requires:
        require(statement, ctx)
    output = _network(network, ctx)
    _check_output(output, ctx, network)
    program.ledger.bodies[0] = ctx.builder.finish((output,))
    return [body for body in program.ledger.bodies if body is not None]


def _published(program: Program) -> list[Published]:
    ctx = _context(program, "published")
    found = []
    for entry in program.checked.published:
        value = number(entry.value, ctx)
        if not isinstance(value, int | float):
            raise mistake("E0208", "a published size is a fixed number", entry.value.span, "here")
        found.append(Published(value, entry.origin.value, entry.why.value if entry.why else None))
    return found


def _lone_cells(program: Program) -> list[Body]:
    """Evaluates the cells of a file without a network, over images of the usual size.

    Blocks are evaluated where cells use them, by themselves only in a file without cells.
    """
    checked = program.checked
    ctx = _context(program, "network")
    alone = [d for d in checked.cells if mentions.origin(d, checked)[0].kind == "cell"]
    waiting: list[tuple[Stamp, list[Tensor], Span]] = []
    for declared in alone or checked.cells:
        program.ledger.attempt(lambda d=declared: waiting.extend(_lone_stamps(d, ctx)))  # type: ignore[misc]
    outputs: list[Tensor] = []
    for op, inputs, span in waiting:
        outline = partial(_lone_outputs, op, inputs, span, ctx)
        program.ledger.attempt(lambda found=outline: outputs.extend(found()))  # type: ignore[misc]
    for statement in checked.requires:
        require(statement, ctx)
    program.ledger.bodies[0] = ctx.builder.finish(tuple(outputs))
    return [body for body in program.ledger.bodies if body is not None]


def _lone_stamps(
    declared: ast.CellDecl | ast.CellLike, ctx: Context
) -> Iterator[tuple[Stamp, list[Tensor], Span]]:
    found = mentions.stamps(declared, declared.name.span, ctx)
    stamps = [i.value for i in found.items] if isinstance(found, Listing) else [found]
    for op in stamps:
        assert isinstance(op, Stamp)
        width = ctx.ambient.get("hidden" if op.decl.states else "filters", 16)
        space = (35,) if op.decl.states else (32, 32)
        shape = Shape(width, space)  # type: ignore[arg-type]
        inputs = [ctx.builder.input(n.text, shape, stride=1, span=n.span) for n in op.decl.inputs]
        yield op, inputs, declared.name.span


def _lone_outputs(op: Stamp, inputs: list[Tensor], span: Span, ctx: Context) -> list[Tensor]:
    found = ctx.apply(op, inputs, span=span)
    values = [item.value for item in found.items] if isinstance(found, Listing) else [found]
    return [settle(value, ctx, span=span) for value in values]


# --------------------------------------------------------------------- network


def _network(network: ast.Network, ctx: Context) -> Tensor:
    """Evaluates `stem`, `stack` and `head` in turn; gives the output of the last."""
    shape = ctx.program.task.input
    if shape.tokens:
        shape = replace(shape, channels=ctx.program.task.vocabulary)
    state = _Stack([ctx.builder.input("input", shape, stride=1, span=network.task.span)], ctx)
    for statement in network.body.statements:
        match statement:
            case ast.Part(role="stack"):
                state = _stack(statement, state)
            case ast.Part():
                state = _part(statement, state)
            case ast.Let():
                bind(statement, state.ctx)
            case ast.Require():
                require(statement, state.ctx)
            case _:
                raise mistake(
                    "E0110",
                    "a network is made of stem, stack and head",
                    statement.span,
                    "this belongs in a cell",
                )
    return state.history[-1]


class _Stack:
    """The outputs so far, the newest last, and the context in which the next stage stands."""

    __slots__ = ("ctx", "history")

    def __init__(self, history: list[Tensor], ctx: Context) -> None:
        self.history = history[-HISTORY:]
        self.ctx = ctx

    def then(self, output: Tensor, ctx: Context) -> _Stack:
        """The stack after a stage; one that puts a head beside the newest output replaces that."""
        made = ctx.builder.values[output.ref]
        newest = self.history[-1].ref
        beside = isinstance(made, Applied) and made.op == "auxiliary" and made.inputs[0] == newest
        return _Stack([*(self.history[:-1] if beside else self.history), output], ctx)


def _part(statement: ast.Part, state: _Stack) -> _Stack:
    inner = state.ctx.placed("uses", (statement.role, statement.span.start), statement.role)
    op = operation(statement.value, inner, role=statement.role)
    value = inner.apply(op, [state.history[-1]], span=statement.value.span)
    output = settle(value, inner, span=statement.value.span)
    return _Stack([output], state.ctx)


def _stack(statement: ast.Part, state: _Stack) -> _Stack:
    value = statement.value
    stages = value.items if isinstance(value, ast.Tuple) else (value,)
    for n, stage in enumerate(stages, 1):
        found = state.ctx.evaluate(stage)
        for item in found.items if isinstance(found, Listing) else (Item(found),):
            if isinstance(item.value, Operation):
                state = _stage(item.value, state, (n, item.label), stage.span)
            elif not isinstance(item.value, Absent):
                raise mistake(
                    "E0206",
                    "a stage must be a cell or an operation",
                    stage.span,
                    f"this is {describe(item.value)}",
                )
    return state


def _stage(op: Operation, state: _Stack, key: Key, span: Span) -> _Stack:
    """Applies one stage, as often as it is repeated, to the outputs before it."""
    ctx = state.ctx.but(site=key)
    if not isinstance(op, Repeated):
        return _once(op, state, ctx, span)
    exits = [state]
    for inner, step in iterations(op, ctx):
        exits.append(_once(step, exits[-1], inner, span))
    found = repetitions(op)
    return _chosen_exit(found, exits, span) if isinstance(found, Split) else exits[-1]


def _chosen_exit(count: Split, exits: list[_Stack], span: Span) -> _Stack:
    """The stack after a chosen number of repetitions: each earlier output is selected."""
    reached = {n: exits[int(n)] for n in leaves(count)}
    ctx = exits[-1].ctx
    depth = min(len(s.history) for s in reached.values())
    history = []
    for back in range(depth, 0, -1):
        values = {n: s.history[-back] for n, s in reached.items()}
        if len({v.ref for v in values.values()}) == 1:
            history.append(next(iter(values.values())))
        elif len({(v.shape, v.stride) for v in values.values()}) == 1 or back == 1:
            history.append(selected(count, values, ctx, span=span))
    return _Stack(history, ctx)


def _once(op: Operation, state: _Stack, ctx: Context, span: Span) -> _Stack:
    op, arity = _reading(op)
    if arity > HISTORY:
        raise mistake(
            "E0302",
            f"a stage can read the {HISTORY} outputs before it, and this reads {arity}",
            span,
            "here",
        )
    padded = [state.history[0]] * (arity - len(state.history)) + state.history
    inner = ctx.but(ambient=state.ctx.ambient)
    value = inner.apply(op, padded[len(padded) - arity :], span=span)
    output = strided(settle(value, inner, span=span), span)
    return state.then(output, _after(op, state.history, state.ctx))


def _reading(op: Operation) -> tuple[Operation, int]:
    """A stage, and how many outputs it reads: each alternative of a choice as many as it wants."""
    match op:
        case Stamp():
            return op, len(op.decl.inputs)
        case ChosenOp():
            found = [_reading(branch) for branch in op.branches]
            most = max(count for _, count in found)
            return replace(op, branches=tuple(Trailing(*each) for each in found)), most
        case ByCase():
            cases = [(value, *_reading(case)) for value, case in op.cases]
            most = max(count for *_, count in cases)
            trailing = tuple((value, Trailing(case, count)) for value, case, count in cases)
            return replace(op, cases=trailing), most
        case _:
            return op, 1


def _after(op: Operation, inputs: list[Tensor], ctx: Context) -> Context:
    """The context after a stage: a change of width by a cell's `with` stays in force."""
    if not isinstance(op, Stamp) or not op.changes:
        return ctx
    _, ambient = cells.in_force(replace(op, given={}), inputs, ctx)
    return ctx.but(ambient={n: v for n, v in ambient.items() if n in AMBIENT})


def _check_output(output: Tensor, ctx: Context, network: ast.Network) -> None:
    task = ctx.program.task
    wanted = task.output
    if output.shape != wanted or output.stride != 1:
        raise mistake(
            "E0306",
            f"the network gives {output.shape}",
            network.body.ending,
            f"{_TASK[task.kind]} must give {wanted}",
            help=f"end the head with `{task.ending(output.shape)}`",
        )
    for values in (*(b.values for b in ctx.builder.ledger.bodies if b), ctx.builder.values):
        for value in values:
            if isinstance(value, Applied) and value.op == "auxiliary":
                _check_side(values[value.inputs[1]].shape, wanted, network)


def _check_side(shape: Shape, wanted: Shape, network: ast.Network) -> None:
    if shape != wanted:
        label = f"the second input of `auxiliary` must be {wanted}"
        raise mistake("E0306", f"a head at the side gives {shape}", network.body.ending, label)
