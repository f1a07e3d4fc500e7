"""A second road from a file to a network: the syntax tree, run for one architecture alone.

Nothing of the lowering is used. Picks are taken from the record in the order in which the
evaluation reaches a `choose`; every operation remembers what tells its weights from others'.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, assert_never

from interpreted import (
    FUNCTIONS,
    WIDTHS,
    Absent,
    Env,
    Frame,
    Key,
    Member,
    Op,
    Settled,
    Times,
    Unspoken,
    Value,
    bare,
    identity,
    is_numeric,
    listed,
    plain,
    where,
)
from machine import Machine

from enasdsl.semantics.ops import OPS
from enasdsl.semantics.symbols import OPERATORS
from enasdsl.source import Span
from enasdsl.syntax import ast


class Interpreter(Machine):
    """Runs a checked file for the picks of one architecture."""

    def evaluate(self, e: ast.Expr, env: Env) -> Any:  # noqa: C901
        match e:
            case ast.Number() | ast.Text() | ast.Truth():
                return e.value
            case ast.Reference():
                return self.reference(e.name, env)
            case ast.ListLiteral() | ast.Tuple():
                return self.members(e.items, env)
            case ast.Comprehension():
                return self.comprehension(e, env)
            case ast.Call():
                return self.call(e, env)
            case ast.Index():
                return self.evaluate(e.target, env)[plain(self.evaluate(e.index, env)) - 1].value
            case ast.Range():
                low, high = (plain(self.evaluate(x, env)) for x in (e.low, e.high))
                step = 1 if e.step is None else plain(self.evaluate(e.step, env))
                size = int((high - low) / step + 1e-9) + 1 if high >= low else 0
                return [Member(n, round(low + n * step, 12)) for n in range(size)]
            case ast.Unary() | ast.Binary():
                return self.operator(e, env)
            case ast.Flow():
                return self.flow(e, env)
            case ast.Guarded():
                return self.guarded(e, env)
            case ast.Choose():
                return self.choose(e, env)
            case ast.Maybe():
                return self.maybe(e, env)
            case ast.Repeat():
                return self.repeated(e, plain(self.evaluate(e.count, env)), env, e.span)
            case ast.Share():
                raise Unspoken("`share`", e.span)
            case _:
                assert_never(e)

    def members(self, items: Sequence[ast.Expr], env: Env) -> list[Member]:
        found: list[Member] = []
        for n, e in enumerate(items):
            value = self.evaluate(e, env)
            if isinstance(e, ast.Comprehension):
                found += [Member(n * 1000 + m.position, m.value) for m in value]
            elif not isinstance(value, Absent):
                found.append(Member(n, value))
        return found

    def comprehension(self, e: ast.Comprehension, env: Env) -> list[Member]:
        found = []
        for position, body, inner in self.each_of(e, env):
            value = self.evaluate(body, inner)
            found += [] if isinstance(value, Absent) else [Member(position, value)]
        return found

    def each_of(self, e: ast.Comprehension, env: Env) -> Iterator[tuple[int, ast.Expr, Env]]:
        """The bodies of a comprehension and where each is evaluated, nested ones in turn."""
        source = self.evaluate(e.source, env)
        for m in source if isinstance(source, list) else [Member(0, source)]:
            inner = env.at(where(e.span), m.position, **{e.variable.text: m.value})
            if e.condition is not None and not plain(self.evaluate(e.condition, inner)):
                continue
            if isinstance(e.body, ast.Comprehension):
                below = self.each_of(e.body, inner)
                yield from ((m.position * 1000 + n, body, at) for n, body, at in below)
            else:
                yield m.position, e.body, inner

    def reference(self, name: str, env: Env) -> Any:
        frame = env.frame
        if name in env.names:
            return env.names[name]
        if frame is not None and name in ("earlier", "nodes", "inputs", "previous", "loose"):
            return self.part(name, frame)
        if name == "edges" and frame is not None:
            return sum(frame.edges.values())
        if name in ("stride", "classes", "vocabulary"):
            return env.stride if name == "stride" else getattr(self.task, name)
        if name in WIDTHS and (name in env.widths or env.own):
            return env.widths.get(name, env.own)
        if name in self.checked.params:
            return self.checked.params[name]
        return self.declared(name, env)

    def part(self, name: str, frame: Frame) -> Any:
        earlier = frame.inputs + frame.nodes
        match name:
            case "previous":
                return earlier[-1]
            case "earlier":
                found = earlier
            case "loose":
                found = [v for v in frame.nodes if v.name not in frame.read]
            case "loose with inputs":
                found = [v for v in earlier if v.name not in frame.read]
            case _:
                found = frame.nodes if name == "nodes" else frame.inputs
        positions = {v.name: n for n, v in enumerate(earlier)}
        return [Member(positions[v.name], v) for v in found]

    def declared(self, name: str, env: Env) -> Any:
        found = self.checked.names.get(name)
        changes: tuple[ast.Change, ...] = ()
        kind = getattr(found, "kind", "")
        while isinstance(found, ast.CellLike):
            changes = found.changes + changes
            found = self.checked.names[found.base.text]
        if isinstance(found, ast.CellDecl):
            found = replace(found, kind=kind)
        match found:
            case ast.Let():
                return self.lets[name]
            case ast.OpList():
                return self.evaluate(found.items, env)
            case ast.CellDecl(count=None) | ast.OpDecl():
                return Op((name, found), changes=changes)
            case ast.CellDecl():
                count = plain(self.evaluate(found.count, env))  # type: ignore[arg-type]
                return [
                    Member(n, Op((name, found), changes=changes, member=n)) for n in range(count)
                ]
            case _:
                return Op(name)

    # ------------------------------------------------------------------- choices

    def choose(self, e: ast.Choose, env: Env, key: str = "") -> Any:
        options = self.options(e.domain, env)
        site = (*env.site, where(e.span), key)
        picks = self.decide(e.span, env, len(options), key)
        values = {n: options[n](env.at(where(e.span), n)) for n in sorted(set(picks))}
        for n, text in self.texts(e.domain).items():
            if isinstance(values.get(n), Op):
                values[n] = replace(values[n], text=text)
        one = e.quantity is None or (not e.ordered and self.bounds(e.quantity, env) == (1, 1))
        if one:
            return self.slot(values[picks[0]], (site, 0, picks[0]))
        if not e.repeats and not e.ordered:
            return [Member(n, v) for n, v in values.items()]
        return [Member(s, self.slot(values[n], (site, s, n))) for s, n in enumerate(picks)]

    def slot(self, value: Any, key: Key) -> Any:
        match value:
            case Value():
                return replace(value, picked=key)
            case Op():
                return self.alternative(value, key)
            case int() | float() | str():
                return Settled(value, key[:2])
            case _:
                return value

    def alternative(self, op: Op, key: Key) -> Op:
        return Op("", text=op.text, run=lambda inputs, env, span: self.apply(
            op, inputs, env.at("alternative", where(span), *key), span
        ))  # fmt: skip

    def bounds(self, e: ast.Expr, env: Env) -> tuple[int, int] | None:
        match e:
            case ast.Reference(name="any"):
                return None
            case ast.Range():
                return plain(self.evaluate(e.low, env)), plain(self.evaluate(e.high, env))
            case _:
                count = plain(self.evaluate(e, env))
                return count, count

    def options(self, e: ast.Expr, env: Env) -> list[Callable[[Env], Any]]:
        """What a choice has, each member evaluated only where it was picked."""
        e = self.written(e)
        if not isinstance(e, ast.ListLiteral):
            return [lambda _, v=v: v for v in flattened(self.evaluate(e, env))]  # type: ignore[misc]
        return [option for item in e.items for option in self.option(item, env, {})]

    def written(self, e: ast.Expr) -> ast.Expr:
        declared = self.checked.names.get(e.name) if isinstance(e, ast.Reference) else None
        return declared.items if isinstance(declared, ast.OpList) else e

    def option(self, item: ast.Expr, env: Env, names: dict[str, Any]) -> list[Callable[[Env], Any]]:
        """What one item of a list adds, with the names that comprehensions bind around it."""
        if isinstance(item, ast.Comprehension):
            return [
                option
                for _, body, at in self.each_of(item, env)
                for option in self.option(body, at, dict(at.names))
            ]
        if isinstance(item, ast.Guarded) and item.otherwise is None:
            if not plain(self.evaluate(item.condition, env)):
                return []
            item = item.body
        known = isinstance(item, ast.Reference) and isinstance(env.names.get(item.name), list)
        parts = isinstance(item, ast.Reference) and item.name in ("nodes", "earlier", "inputs")
        if known or parts or isinstance(self.written(item), ast.ListLiteral):
            return self.options(item, env)
        return [lambda inner: self.evaluate(item, inner.at(**names))]

    def texts(self, e: ast.Expr) -> dict[int, str]:
        """The text of each alternative of a written list without guards, as it is compared."""
        declared = self.checked.names.get(e.name) if isinstance(e, ast.Reference) else None
        if isinstance(declared, ast.OpList):
            e = declared.items
        items = e.items if isinstance(e, ast.ListLiteral) else ()
        return {n: bare(item) for n, item in enumerate(items)}

    def apart(self, e: ast.Choose, names: Sequence[str], env: Env) -> list[Any]:
        if e.repeats:
            single = replace(e, quantity=None, repeats=False)
            return [self.choose(single, env, name) for name in names]
        return [m.value for m in self.choose(replace(e, ordered=True), env)]

    def maybe(self, e: ast.Maybe, env: Env) -> Any:
        key = (*env.site, where(e.span))
        (taken,) = self.decide(e.span, env, 2)
        value = self.evaluate(e.body, env) if taken else Op("identity")
        if taken and not isinstance(value, Op):
            return value
        standing = self.checked_value(e.body, env)
        return Absent() if not taken and standing else self.alternative(value, (key, taken))

    def checked_value(self, e: ast.Expr, env: Env) -> bool:
        """Whether what `maybe` leaves out would be data and not an operation."""
        return isinstance(e, ast.Reference) and isinstance(env.names.get(e.name), Value)

    def guarded(self, e: ast.Guarded, env: Env) -> Any:
        condition = self.evaluate(e.condition, env)
        holds = plain(condition)
        chosen = holds if isinstance(condition, Settled) else None
        if holds or e.otherwise is not None:
            value = self.evaluate(e.body if holds else e.otherwise, env)  # type: ignore[arg-type]
        else:
            value = Absent()
        if chosen is None or e.otherwise is None:
            return value
        return self.slot(value, (condition.key, where(e.span), chosen))

    # ------------------------------------------------------------------ operators

    def operator(self, e: ast.Unary | ast.Binary, env: Env) -> Any:
        if isinstance(e, ast.Unary):
            x = self.evaluate(e.operand, env)
            if isinstance(x, Value):
                return self.affine(x, -1.0, 0.0, env, e.span)
            return self.number("neg" if e.operator == "-" else "not", x)
        if e.operator == "with":
            assert env.frame is not None
            return self.part("loose with inputs", env.frame)
        left, right = self.evaluate(e.left, env), self.evaluate(e.right, env)
        if e.operator in ("==", "!=") and isinstance(left, Op | Value):
            same = identity(left, e.left) == identity(right, e.right)
            return same == (e.operator == "==")
        if e.operator == "except":
            gone = [m.value for m in right] if isinstance(right, list) else [right]
            return [m for m in left if not any(m.value.name == g.name for g in gone)]
        if isinstance(left, Op):
            return self.repeated(left, plain(right), env, e.span)
        if isinstance(left, Value) or isinstance(right, Value):
            return self.elementwise(e, left, right, env)
        return self.number(e.operator, left, right)

    def number(self, operator: str, *operands: Any) -> Any:
        value = OPERATORS[operator](*map(plain, operands))
        keys = [o.key for o in operands if isinstance(o, Settled)]
        return Settled(value, keys[0]) if keys else value

    def elementwise(self, e: ast.Binary, left: Any, right: Any, env: Env) -> Any:
        names = {"+": "add", "-": "subtract", "*": "multiply", "/": "divide"}
        if isinstance(left, Value) and isinstance(right, Value):
            return self.apply(Op(names[e.operator]), [left, right], env, e.span)
        first = isinstance(left, Value)
        x, n = (left, plain(right)) if first else (right, plain(left))
        if e.operator == "/" and not first:
            x = self.apply(Op("reciprocal"), [x], env, e.span)
        match e.operator:
            case "+":
                scale, offset = 1.0, n
            case "-":
                scale, offset = (1.0, -n) if first else (-1.0, n)
            case _:
                scale, offset = (1.0 / n if e.operator == "/" and first else n), 0.0
        return self.affine(x, scale, offset, env, e.span)

    def affine(self, x: Value, scale: float, offset: float, env: Env, span: Span) -> Any:
        return self.apply(Op("affine", {"scale": scale, "offset": offset}), [x], env, span)

    # ----------------------------------------------------------------- operations

    def call(self, e: ast.Call, env: Env) -> Any:
        name = e.function.name if isinstance(e.function, ast.Reference) else ""
        if name in FUNCTIONS and name not in env.names:
            arguments = [self.evaluate(a.value, env) for a in e.arguments]
            if name not in OPS or is_numeric(arguments):
                return self.function(name, arguments, env)
        values = [(a.name.text if a.name else "", self.evaluate(a.value, env)) for a in e.arguments]
        positional = [v for n, v in values if not n and not isinstance(v, Absent)]
        named = {n: v for n, v in values if n}
        if name == "channels":
            return positional[0].shape.channels
        callee = self.evaluate(e.function, env)
        if positional and all(isinstance(v, Value | list) for v in positional):
            given = {**callee.given, **named}
            return self.apply(replace(callee, given=given), positional, env, e.span)
        match callee.what:
            case str():
                names = [p.name for p in OPS[callee.what].parameters]
            case (_, ast.OpDecl(parameters=parameters)):
                names = [p.name.text for p in parameters]
            case _:
                names = []
        given = dict(zip(names, positional, strict=False))
        return replace(callee, given={**callee.given, **given, **named})

    def function(self, name: str, arguments: list[Any], env: Env) -> Any:
        """A number or a truth about lists, values and nodes."""
        if name == "reachable":
            source, target = arguments
            ends = [m.value for m in target] if isinstance(target, list) else [target]
            return any(source.name in v.flows for v in ends)
        members = [v for a in arguments for v in (listed(a) if isinstance(a, list) else [a])]
        if name == "edges":
            assert env.frame is not None
            return sum(env.frame.edges[v.name] for v in members)
        keys = [v.name if isinstance(v, Value) else v.text if isinstance(v, Op) else plain(v)
                for v in members]  # fmt: skip
        return FUNCTIONS[name](keys)

    def flow(self, e: ast.Flow, env: Env) -> Any:
        """The operations of a flow are evaluated before the first of them is applied."""
        first, *ops = [self.evaluate(stage, env) for stage in e.stages]
        ops = [Op("identity") if isinstance(op, Absent) else op for op in ops]
        spans = [stage.span for stage in e.stages]
        if isinstance(first, Op):
            return Op("", stages=tuple(zip((first, *ops), spans, strict=True)))
        value = first
        for op, span in zip(ops, spans[1:], strict=True):
            side = isinstance(value, list) and isinstance(e.stages[0], ast.Tuple)
            inputs = [m.value for m in value] if side else [value]
            value = self.apply(op, inputs, env, span)
        return value

    def repeated(self, what: Op | ast.Repeat, count: int, env: Env, span: Span) -> Op:
        return Op("", times=Times(what, count, env, span))


def flattened(found: list[Member]) -> Iterator[Any]:
    """The members of a list, and of the lists in it, in order."""
    for m in found:
        yield from flattened(m.value) if isinstance(m.value, list) else (m.value,)
