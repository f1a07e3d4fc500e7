"""The body of a `forward`: values become variables, or parts of the expression that reads them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from enasdsl.export.aligning import aligned
from enasdsl.export.attributes import NEW, Attributes, Run
from enasdsl.export.classes import ACTIVATION, WRITERS, Class, site
from enasdsl.export.code import Code, called, word
from enasdsl.ir.nesting import Frame, Item

LONGEST = 44  # characters of an expression that may stand within another
DEEPEST = 3  # calls in it
GENERIC = ("x", "y", "z", "u", "v", "w")

Remark = Callable[[int], str]
"""What is said of a value where it gets a name; nothing in most cases."""


@dataclass(slots=True)
class Forward:
    """Writes the lines of one class, item by item."""

    row: Class
    attributes: Attributes
    remark: Remark
    keeps_states: bool = False  # whether states are arguments and results
    lines: list[str] = field(default_factory=list)
    states: list[str] = field(default_factory=list)
    _code: dict[int, Code] = field(default_factory=dict)
    _mentions: dict[int, set[str]] = field(default_factory=dict)  # variables in a value's code
    _holders: dict[str, set[int]] = field(default_factory=dict)  # values that need a variable
    _last: dict[int, int] = field(default_factory=dict)  # the item that reads a value last
    _count: dict[int, int] = field(default_factory=dict)

    @property
    def frame(self) -> Frame:
        return self.row.pattern

    def write(self) -> list[str]:
        """All lines, the `return` included."""
        frame = self.frame
        self._count_uses()
        for value, argument in enumerate(frame.arguments):
            self._bind(value, word(argument))
        value = len(frame.shapes)
        index = 0
        while index < len(frame.items):
            run = self.attributes.run_at(index)
            if run is not None:
                self._loop(run, value)
                value += run.stop - run.start
                index = run.stop
                continue
            item = frame.items[index]
            self._item(item, index, value)
            value += len(item.shapes)
            index += 1
        results = [str(self._code[o]) for o in frame.outputs] + self.states * self.keeps_states
        self.lines.append(f"return {', '.join(results)}")
        return self.lines

    def _count_uses(self) -> None:
        frame = self.frame
        for index, item in enumerate(frame.items):
            for value in item.inputs:
                self._last[value] = index
                self._count[value] = self._count.get(value, 0) + 1
        for value in frame.outputs:
            self._last[value] = len(frame.items)
            self._count[value] = self._count.get(value, 0) + 1

    # ------------------------------------------------------------- one item

    def _item(self, item: Item, index: int, value: int) -> None:
        name = f"self.{self.attributes.names[index]}"
        inputs = [self._code[i] for i in item.inputs]
        if item.states:
            self._scan(item, index, value, name)
            return
        if item.step is not None and aligned(item, self.frame) is None:
            code = self._call(item, index, inputs, name)
        else:
            code = called(name, *inputs)
        if len(item.shapes) > 1:
            names = [self._fresh(v, index) for v in range(value, value + len(item.shapes))]
            self.lines.append(f"{', '.join(names)} = {code}")
            for n, made in enumerate(names):
                self._bind(value + n, made)
        else:
            self._settle(value, code, item, index)

    def _call(self, item: Item, index: int, inputs: list[Code], name: str) -> Code:
        """What an operation makes of its inputs; one that differs by use is an attribute."""
        where = site(item, self.frame)
        function = self.row.numbers[index].get(ACTIVATION, "")
        if function in self.row.parameters:
            return called(f"self.{function}", inputs[0])
        return WRITERS[where.op].call(where, inputs, name)

    def _settle(self, value: int, code: Code, item: Item, index: int) -> None:
        """Keeps an expression for the one that reads it, or gives it a name."""
        mentions = {name for i in item.inputs for name in self._mentions[i]}
        short = len(code.text) <= LONGEST and code.text.count("(") <= DEEPEST
        once = self._count.get(value, 0) == 1 and value not in self.frame.names
        known = code.text in self._holders
        if (
            known
            or (once and short)
            or (value in self.frame.outputs and once and len(code.text) < 80)
        ):
            self._code[value], self._mentions[value] = code, mentions
            for name in mentions:
                self._holders[name].add(value)
            return
        name = self._fresh(value, index, self._code[item.inputs[0]].text if item.inputs else "")
        self.lines.append(_remarked(f"{name} = {code}", self.remark(value)))
        self._bind(value, name)

    def _bind(self, value: int, name: str) -> None:
        self._code[value] = Code(name)
        self._mentions[value] = {name}
        self._holders[name] = {value}

    def _is_free(self, name: str, index: int) -> bool:
        """Whether nothing after an item needs a variable."""
        return all(self._last.get(v, -1) <= index for v in self._holders.get(name, ()))

    def _fresh(self, value: int, index: int, old: str = "") -> str:
        """The name of a node, the name that is free now, or a new one."""
        node = self.frame.names.get(value)
        wanted = [word(node)] if node else [*([old] if self._passing(old) else []), *GENERIC]
        for name in wanted:
            if self._is_free(name, index):
                return name
        number = 2
        while not self._is_free(f"{wanted[-1]}{number}", index):
            number += 1
        return f"{wanted[-1]}{number}"

    def _passing(self, name: str) -> bool:
        """Whether a variable stands for no node, and may hold what comes next."""
        nodes = {word(n) for n in self.frame.names.values()}
        return name in self._holders and name not in nodes

    # ---------------------------------------------------------------- loops

    def _loop(self, run: Run, value: int) -> None:
        """Cells in a row: each turn hands on what the next one reads."""
        first, last = self.frame.items[run.start], self.frame.items[run.stop - 1]
        assert first.frame is not None
        index = run.stop - 1
        carried = [n for n, option in enumerate(run.pattern) if option != n]
        names: dict[int, str] = {}
        for n in carried:
            names[n] = self._state(first, n, index, set(names.values()))
        self._begin(first, names)
        arguments = [
            names.get(n, str(self._code[first.inputs[n]])) for n in range(len(first.inputs))
        ]
        stem = str(self.attributes.names[run.start]).partition("[")[0]
        call = f"{_single(stem)}({', '.join(arguments)})"
        after = [call if run.pattern[n] == NEW else arguments[run.pattern[n]] for n in carried]
        self.lines.append(f"for {_single(stem)} in self.{stem}:")
        left = ", ".join(names[n] for n in carried)
        made = value + run.stop - run.start - 1
        self.lines.append(_remarked(f"    {left} = {', '.join(after)}", self.remark(made)))
        for n in carried:
            option = run.pattern[n]
            self._bind(made if option == NEW else last.inputs[option], names[n])

    def _state(self, first: Item, n: int, index: int, taken: set[str]) -> str:
        """A variable of a loop: that of its first value where nobody needs it later."""
        assert first.frame is not None
        old = self._code[first.inputs[n]].text
        wanted = (old, word(first.frame.arguments[n]), *GENERIC, *(f"x{k}" for k in range(2, 99)))
        return next(
            name
            for name in wanted
            if name.isidentifier() and name not in taken and self._is_free(name, index)
        )

    def _begin(self, first: Item, names: dict[int, str]) -> None:
        begun = {name: str(self._code[first.inputs[n]]) for n, name in names.items()}
        new = {name: code for name, code in begun.items() if name != code}
        if new:
            self.lines.append(f"{', '.join(new)} = {', '.join(new.values())}")

    # ------------------------------------------------------------ sequences

    def _scan(self, item: Item, index: int, value: int, name: str) -> None:
        """A recurrent cell: a loop over the steps of its sequences."""
        inner = item.frame
        assert inner is not None
        shapes = self.frame.values()
        self._name_all(item, index)
        states = [
            self._named(word(a)) for a in inner.arguments[len(inner.arguments) - item.states :]
        ]
        self.states += states
        sequences = [i for i in item.inputs if shapes[i].space]
        steps = {i: self._named(f"{_stem(self._code[i].text)}_t") for i in dict.fromkeys(sequences)}
        source = self._code[sequences[0]].text
        for state, shape in zip(states, inner.shapes[-item.states :], strict=True):
            zeros = f"{source}.new_zeros({source}.shape[0], {shape.channels})"
            choice = f"{zeros} if {state} is None else {state}" if self.keeps_states else zeros
            self.lines.append(f"{state} = {choice}")
        if _remembers(inner):
            self.lines.append(f"begin_sequence({name})")
        rows = [f"{self._code[i].operand}.unbind(1)" for i in steps]
        over = rows[0] if len(rows) == 1 else f"zip({', '.join(rows)})"
        read = [steps[i] if i in steps else str(self._code[i]) for i in item.inputs]
        outputs = self._named("outputs")
        self.lines += [
            f"{outputs} = []",
            f"for {', '.join(steps.values())} in {over}:",
            f"    {', '.join(states)} = {name}({', '.join((*read, *states))})",
            f"    {outputs}.append({states[0]})",
        ]
        made = self._fresh(value, index, self._code[item.inputs[0]].text)
        line = f"{made} = torch.stack({outputs}, 1)"
        self.lines.append(_remarked(line, self.remark(value)))
        self._bind(value, made)

    def _name_all(self, item: Item, index: int) -> None:
        """Gives a variable to everything that an item reads."""
        for i in item.inputs:
            if not self._code[i].text.isidentifier():
                name = self._fresh(i, index - 1)
                self.lines.append(_remarked(f"{name} = {self._code[i]}", self.remark(i)))
                self._bind(i, name)

    def _named(self, name: str) -> str:
        """A variable that lasts to the end."""
        free, number = name, 1
        while free in self._holders:
            number += 1
            free = f"{name}{number}"
        self._holders[free] = {-1}
        self._last[-1] = len(self.frame.items)
        return free


def _remembers(frame: Frame) -> bool:
    """Whether a frame drops one mask over a whole sequence."""
    return any(
        _remembers(i.frame) if i.frame else i.step is not None and i.step.op == "sequence_dropout"
        for i in frame.items
    )


def _stem(text: str) -> str:
    return text if text.isidentifier() else "x"


def _single(name: str) -> str:
    """`layers2` as `layer2`."""
    return re.sub(r"s(\d*)$", r"\1", name) or name


def _remarked(line: str, remark: str) -> str:
    return f"{line}  # {remark}" if remark else line
