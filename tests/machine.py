"""Applies operations, stamps cells and stacks stages, for one architecture alone."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, assert_never

from interpreted import (
    NONE,
    WIDTHS,
    Absent,
    Env,
    Frame,
    Graph,
    Key,
    Made,
    Op,
    Times,
    Unmet,
    Unspoken,
    Value,
    arguments,
    gather,
    joined,
    known,
    plain,
    where,
)

from enasdsl.semantics.checked import Checked
from enasdsl.semantics.ops import OPS
from enasdsl.semantics.symbols import OPERATORS, Shape
from enasdsl.semantics.task import Task
from enasdsl.source import Span
from enasdsl.syntax import ast

Records = Mapping[str, Iterable[tuple[Span, int, tuple[int, ...]]]]


class Machine(ABC):
    """What runs a checked file; a record holds the span, size and picks of live decisions.

    `records` has those of each cell, by its name, and under `""` all others, in order.
    """

    def __init__(self, checked: Checked, task: Task, records: Records) -> None:
        self.checked = checked
        self.task = task
        self.records = {cell: iter(found) for cell, found in records.items()}
        self.decided: dict[Key, tuple[int, ...]] = {}
        self.stamped = {""}
        self.frames = 0
        self.lets: dict[str, Any] = {}

    def decide(self, span: Span, env: Env, size: int, key: str = "") -> tuple[int, ...]:
        """The picks of one evaluation of a `choose`: the next in the record at the first time."""
        site = (env.cell, env.site, where(span), key)
        if site not in self.decided:
            found, wanted, picks = next(self.records[env.cell])
            assert (found, wanted) == (span, size), f"{span.text!r} reached, {found.text!r} next"
            self.decided[site] = picks
        return self.decided[site]

    def unreached(self) -> list[Span]:
        """The decisions of the record that belong to what has run and were not reached."""
        return [span for cell in self.stamped for span, _, _ in self.records.get(cell, ())]

    @abstractmethod
    def evaluate(self, e: ast.Expr, env: Env) -> Any:
        """The value of an expression."""

    @abstractmethod
    def apart(self, e: ast.Choose, names: Sequence[str], env: Env) -> list[Any]:
        """The members of a choice that are taken apart by name."""

    # ---------------------------------------------------------------- operations

    def apply(self, op: Op, inputs: Sequence[Any], env: Env, span: Span) -> Any:
        """What an operation makes of its inputs; weights tell chosen inputs apart."""
        name = op.what if isinstance(op.what, str) else ""
        if name and OPS[name].arity != 1:
            return self.merge(op, inputs, env, span)
        if op.stages:
            inner = env.at("stages", where(span))
            for stage, at in op.stages:
                inputs = [self.apply(stage, inputs, inner, at)]
            return inputs[0]
        tags = [i.picked for i in inputs if isinstance(i, Value) and i.picked]
        inner = env.at("from", where(span), *tags) if tags else env
        bare = [replace(i, picked=()) if isinstance(i, Value) else i for i in inputs]
        value = self.apply_bare(op, bare, inner, span)
        return replace(value, picked=tags[0]) if tags else value

    def apply_bare(self, op: Op, inputs: list[Any], env: Env, span: Span) -> Any:
        if op.run is not None:
            return op.run(inputs, env, span)
        if op.times is not None:
            for inner, step in self.times(op.times, env, span):
                inputs = [self.apply(step, inputs, inner, span)]
            return inputs[0]
        match op.what:
            case (_, ast.OpDecl() as decl):
                return self.composed(op, decl, inputs, env, span)
            case (str(name), ast.CellDecl() as decl):
                return self.stamp(op, name, decl, inputs, env, span)
            case _:
                (x,) = inputs
                args = arguments(op, x, env)
                value = self.make(op, args, [x], env, span)
                waits = "stride" not in args and value.shape.space == x.shape.space
                return replace(value, stride=x.stride if waits else 1)

    def times(self, t: Times, env: Env, span: Span) -> Iterator[tuple[Env, Op]]:
        for n in range(1, t.count + 1):
            inner = env.at("times", where(t.span), where(span), n)
            if isinstance(t.what, Op):
                yield inner, t.what
                continue
            names = {t.what.variable.text: n} if t.what.variable else {}
            body = replace(inner, names={**t.home.names, **names}, frame=t.home.frame)
            op = self.run_body(t.what.body, body)
            gather(t.what.body, body, t.home)
            yield inner, op

    def make(
        self, op: Op, args: dict[str, Any], inputs: Sequence[Value], env: Env, span: Span
    ) -> Value:
        assert isinstance(op.what, str)
        shape = OPS[op.what].shape(args, tuple(i.shape for i in inputs))
        weights = (*env.place, where(span), op.what) if OPS[op.what].weights else ()
        env.graph.steps.append(Made(op.what, args, tuple(i.at for i in inputs), shape, weights))
        value = Value(len(env.graph.steps) - 1, shape, inputs[0].stride)
        value = joined(value, inputs)
        return replace(value, edges=NONE, flows=NONE) if op.what == "zero" else value

    def merge(self, op: Op, inputs: Sequence[Any], env: Env, span: Span) -> Value:
        flat: list[Value] = []
        for i in inputs:
            found = [m.value for m in i] if isinstance(i, list) else [i]
            flat += [replace(v, picked=()) for v in found if not isinstance(v, Absent)]
        flat = self.aligned(flat, env, span, widths=op.what != "concat")
        parameters = OPS[str(op.what)].parameters
        args = {p.name: plain(op.given.get(p.name, p.default)) for p in parameters}
        return self.make(op, args, flat, env, span)

    def composed(self, op: Op, decl: ast.OpDecl, inputs: list[Value], env: Env, span: Span) -> Any:
        if "stride" in op.given:
            inputs = [replace(inputs[0], stride=op.given["stride"]), *inputs[1:]]
        inner = env.at(where(span), decl.name.text)
        widths = {**env.widths, **{n: v for n, v in op.given.items() if n in WIDTHS}}
        names = {n: v for n, v in op.given.items() if n not in WIDTHS and n != "stride"}
        own = inputs[0].shape.channels
        inner = replace(inner, names=names, widths=widths, own=own, stride=inputs[0].stride)
        inner = replace(inner, frame=None)
        for p in decl.parameters:
            if p.name.text not in names:
                assert p.default is not None
                names[p.name.text] = self.evaluate(p.default, inner)
        names.update({n.text: v for n, v in zip(decl.inputs, inputs, strict=False)})
        result = self.run_body(decl.body, inner)
        if isinstance(result, Op):
            return self.apply(result, inputs, inner, decl.body.statements[-1].span)
        return replace(result, picked=())

    # --------------------------------------------------------------------- cells

    def stamp(
        self, op: Op, name: str, decl: ast.CellDecl, inputs: list[Value], env: Env, span: Span
    ) -> Value:
        stride, widths = self.in_force(op, inputs[0], env)
        env = replace(env, own=inputs[0].shape.channels)
        if decl.kind == "block":
            inner = replace(env.at(where(span), name), names={}, widths=widths, stride=stride)
            waiting = [replace(i, stride=stride) for i in inputs]
            return self.cell(decl, waiting, [], inner)[0]
        inner = replace(env.at("stamp", where(span)), names={}, widths=widths, stride=stride)
        cell = name if op.member is None else f"{name}{op.member + 1}"
        inner = replace(inner, cell=cell, site=(), frame=None)
        self.stamped.add(cell)
        if decl.states:
            return self.scan(decl, inputs, inner)
        bare = [replace(i, stride=stride, reads=NONE, edges=NONE, flows=NONE) for i in inputs]
        (value,) = self.cell(decl, bare, [], inner)
        return joined(value, inputs)

    def in_force(self, op: Op, x: Value, env: Env) -> tuple[int, dict[str, Any]]:
        stride = x.stride
        widths = dict(env.widths)
        for change in op.changes:
            value = plain(self.evaluate(change.value, replace(env, widths=widths)))
            if change.name.text == "stride":
                stride = value
            elif change.operator:
                before = widths.get(change.name.text, x.shape.channels)
                widths[change.name.text] = OPERATORS[change.operator](before, value)
            else:
                widths[change.name.text] = value
        return stride, widths

    def scan(self, decl: ast.CellDecl, inputs: list[Value], env: Env) -> Value:
        outer, graph = env.graph, Graph()
        env = replace(env, graph=graph)
        steps = [graph.input(Shape(i.shape.channels)) for i in inputs]
        hidden = env.widths.get("hidden", inputs[0].shape.channels)
        states = [graph.input(Shape(hidden)) for _ in decl.states]
        values = self.cell(decl, steps, states, env)
        graph.outputs = tuple(v.at for v in values)
        shape = Shape(values[0].shape.channels, inputs[0].shape.space)
        outer.steps.append(Made("scan", {}, tuple(i.at for i in inputs), shape, env.place, graph))
        return Value(len(outer.steps) - 1, shape)

    def cell(
        self, decl: ast.CellDecl, inputs: list[Value], states: list[Value], env: Env
    ) -> list[Value]:
        self.frames += 1
        frame = Frame(self.frames, decl.align, env.place)
        env = replace(env, frame=frame)
        if decl.align is not None:
            least = min(i.shape.space for i in inputs)
            width = env.widths.get("filters")
            inputs = [
                replace(
                    self.align(replace(i, stride=1), f"in{n}", least, width, env), stride=i.stride
                )
                for n, i in enumerate(inputs)
            ]
        names = [n.text for n in decl.inputs + decl.states]
        for name, value in zip(names, inputs + states, strict=True):
            env.names[name] = self.named(value, name, frame)
            if name in [n.text for n in decl.inputs]:
                frame.inputs.append(env.names[name])
        result = self.run_body(decl.body, env)
        values = [m.value for m in result] if isinstance(result, list) else [result]
        return [replace(v, picked=()) for v in values]

    def named(self, value: Value, name: str, frame: Frame) -> Value:
        """A node or an input; what its computation ends in counts as read."""
        key = (frame.number, name)
        frame.read.update(r for r in value.reads if r[0] == frame.number)
        frame.edges[key] = sum(r[0] == frame.number for r in value.edges)
        return known(value, key)

    def aligned(self, values: list[Value], env: Env, span: Span, *, widths: bool) -> list[Value]:
        frame = env.frame
        alike = len({(v.shape, v.stride) for v in values}) == 1
        if frame is None or frame.align is None or alike:
            return values
        least = min(tuple(-(-s // v.stride) for s in v.shape.space) for v in values)
        found = {v.shape.channels for v in values}
        width = found.pop() if len(found) == 1 else env.widths.get("filters")
        return [
            self.align(v, str(v.name[1]) if v.name else "", least, width if widths else None, env)
            for v in values
        ]

    def align(self, x: Value, name: str, space: tuple[int, ...], width: Any, env: Env) -> Value:
        """`x` itself where it fits, else what the cell's `align` makes of it, made once."""
        width = x.shape.channels if width is None else width
        if (x.shape.space, x.shape.channels) == (space, width):
            return replace(x, stride=1)
        frame = env.frame
        assert frame is not None
        assert frame.align is not None
        assert name, "only nodes and inputs are mended in generated files"
        key = (name, space, width)
        if key not in frame.mended:
            ratio = -(-x.shape.space[0] // space[0])
            inner = replace(env, widths={**env.widths, "filters": width}, stride=ratio)
            inner = replace(inner, place=(*frame.place, "align", key))
            op = self.evaluate(frame.align, inner)
            frame.mended[key] = self.apply(op, [replace(x, stride=ratio)], inner, frame.align.span)
        return frame.mended[key]

    # ---------------------------------------------------------------- statements

    def run_body(self, body: ast.Body, env: Env) -> Any:
        result: Any = Absent()
        for s in body.statements:
            match s:
                case ast.Let():
                    self.bind(s, env)
                case ast.Node():
                    self.nodes(s, env)
                case ast.Each():
                    self.each(s, env)
                case ast.Result():
                    result = self.evaluate(s.value, env)
                case ast.Require():
                    self.require(s, env)
                case ast.Part():
                    raise Unspoken("a network within a body", s.span)
                case _:
                    assert_never(s)
        return result

    def require(self, s: ast.Require, env: Env) -> None:
        if not plain(self.evaluate(s.condition, env)):
            raise Unmet(s.span.text)

    def bind(self, s: ast.Let, env: Env) -> None:
        names = [t.text for t in s.targets]
        if len(names) == 1:
            env.names[names[0]] = self.evaluate(s.value, env)
        elif isinstance(s.value, ast.Choose):
            env.names.update(zip(names, self.apart(s.value, names, env), strict=True))
        else:
            found = self.evaluate(s.value, env)
            env.names.update(zip(names, [m.value for m in found], strict=True))

    def nodes(self, s: ast.Node, env: Env) -> None:
        frame = env.frame
        assert frame is not None
        domain = plain(self.evaluate(s.domain, env))
        for n in [m.value for m in domain] if isinstance(domain, list) else [domain]:
            names = {s.variable.text: n} if s.variable else {}
            inner = env.at("node", n, **names)
            value = self.run_body(s.body, inner)
            gather(s.body, inner, env)
            frame.nodes.append(self.named(value, f"node{n}", frame))

    def each(self, s: ast.Each, env: Env) -> None:
        frame = env.frame
        assert frame is not None
        if s.condition is not None and not plain(self.evaluate(s.condition, env)):
            return
        op = self.evaluate(s.operation, env)
        changed = {}
        for m in self.evaluate(s.source, env):
            inner = env.at(where(s.span), m.value.name[1])
            value = self.apply(op, [m.value], inner, s.operation.span)
            changed[m.value.name] = replace(value, picked=(), name=m.value.name)
        frame.inputs = [changed.get(v.name, v) for v in frame.inputs]
        frame.nodes = [changed.get(v.name, v) for v in frame.nodes]

    # ------------------------------------------------------------------- network

    def network(self) -> Graph:
        """The graph of the whole file."""
        found = self.checked.network
        assert found is not None
        graph = Graph()
        widths = {n: self.checked.params[n] for n in WIDTHS if n in self.checked.params}
        env = Env(graph, {}, widths)
        for declared in self.checked.names.values():
            if isinstance(declared, ast.Let):
                self.bind(declared, replace(env.at("let", where(declared.span)), names=self.lets))
        for required in self.checked.requires:
            self.require(required, env)
        history = [graph.input(self.task.input)]
        for part in found.body.statements:
            if isinstance(part, ast.Let):
                self.bind(part, env)
            elif isinstance(part, ast.Require):
                self.require(part, env)
            elif not isinstance(part, ast.Part):
                raise Unspoken("this statement in a network", part.span)
            elif part.role == "stack":
                history, env = self.stack(part.value, history, env)
            else:
                inner = env.at(part.role)
                op = self.evaluate(part.value, inner)
                history = [self.apply(op, history[-1:], inner, part.value.span)]
        graph.outputs = (history[-1].at,)
        return graph

    def stack(self, value: ast.Expr, history: list[Value], env: Env) -> tuple[list[Value], Env]:
        stages = value.items if isinstance(value, ast.Tuple) else (value,)
        for n, e in enumerate(stages):
            found = self.evaluate(e, env)
            if isinstance(found, list):
                for m in found:
                    inner = env.at("stage", n, m.position)
                    history = [*history, self.stage(m.value, history, inner, e.span)]
                continue
            op = found
            if isinstance(op, Absent):
                continue
            steps = [(env.at("stage", n), op)]
            if op.times is not None:
                steps = list(self.times(op.times, env.at("stage", n), e.span))
            for at, step in steps:
                inner = replace(at, widths=env.widths)
                history = [*history, self.stage(step, history, inner, e.span)]
                if step.changes:
                    env = replace(env, widths=self.in_force(step, history[-1], env)[1])
        return history, env

    def stage(self, op: Op, history: list[Value], env: Env, span: Span) -> Value:
        match op.what:
            case (_, ast.CellDecl(inputs=names)):
                arity = len(names)
            case _:
                arity = 1
        padded = [history[0]] * (arity - len(history)) + history
        value: Value = self.apply(op, padded[len(padded) - arity :], env, span)
        return replace(value, picked=())
