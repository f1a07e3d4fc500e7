"""Architectures as JSON and as tokens: they come back, and what was changed is refused."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from random import Random

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from spelled_out import at_least, many, one, space_of
from strategies import spaces

from enasdsl.ir.count import count
from enasdsl.ir.record import RecordError, check, from_json, parse_record, to_json, to_token
from enasdsl.ir.sample import enumerate_space, sample, unrank
from enasdsl.ir.space import Architecture, Constraint, Domain, Kind, Space
from enasdsl.semantics.symbols import Chosen, Computed

Choices = dict[str, object]


def example() -> Space:
    decisions = [
        one("cell.depth", 3),
        one("cell.op", 3, at_least(0, 2, 3)),
        many("cell.skips", Domain(Kind.SET, 4, 0, 2)),
        many("cell.bag", Domain(Kind.MULTISET, 3, 2, 2)),
        many("cell.order", Domain(Kind.ARRANGEMENT, 3, 2, 2)),
    ]
    values = (1, 2, 3)
    small = Computed("<=", (Computed("+", (Chosen(0, 0, values), Chosen(1, 0, values))), 5))
    return space_of(decisions, Constraint(small, (), "depth and op stay small"))


SPACE = example()
DEEP = Architecture(SPACE.name, SPACE.hash, ((2,), (1,), (0, 3), (1, 1), (2, 0)))


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(spaces(), st.integers(0, 10**6))
def test_records_come_back(space: Space, seed: int) -> None:
    assume(count(space) > 0)
    for architecture in sample(space, 3, Random(seed)):
        check(space, architecture)
        token = to_token(architecture)
        assert parse_record(space, token) == architecture
        assert shlex.quote(token) == token
        assert parse_record(space, json.dumps(to_json(space, architecture))) == architecture


def test_tokens_differ_where_architectures_do() -> None:
    tokens = [to_token(architecture) for architecture in enumerate_space(SPACE)]
    assert len(set(tokens)) == len(tokens) == count(SPACE)


def test_records_are_readable() -> None:
    assert to_token(DEEP) == f"example:{SPACE.hash}:2.1.0,3.1,1.2,0"
    assert to_json(SPACE, DEEP)["choices"] == {
        "cell.depth": "option2",
        "cell.op": "option1",
        "cell.skips": ["option0", "option3"],
        "cell.bag": ["option1", "option1"],
        "cell.order": ["option2", "option0"],
    }
    shallow = Architecture(SPACE.name, SPACE.hash, ((0,), None, (), (0, 2), (0, 1)))
    assert to_token(shallow) == f"example:{SPACE.hash}:0.-._.0,2.0,1"
    assert "cell.op" not in to_json(SPACE, shallow)["choices"]  # type: ignore[operator]


def test_the_order_of_a_set_does_not_matter_in_a_record() -> None:
    token = to_token(DEEP)
    assert parse_record(SPACE, f" {token.replace('0,3', '3,0')}\n") == DEEP


def with_depth(choices: Choices, label: object) -> None:
    choices["cell.depth"] = label


TAMPERED: list[tuple[Callable[[Choices], object], str]] = [
    (lambda c: c.pop("cell.depth"), "`cell.depth` is missing"),
    (lambda c: c.pop("cell.op"), "`cell.op` is missing"),
    (lambda c: with_depth(c, "option0"), "`cell.op` should not be there"),
    (lambda c: with_depth(c, "optoin1"), "no alternative `optoin1`; did you mean `option1`?"),
    (lambda c: with_depth(c, 2), "labels, which are strings, not 2"),
    (lambda c: with_depth(c, None), "labels, which are strings, not None"),
    (lambda c: c.update({"cell.skip": []}), "`cell.skip`; did you mean `cell.skips`?"),
    (lambda c: c.update({"cell.skips": "option1"}), "`cell.skips` takes a list"),
    (lambda c: c.update({"cell.skips": ["option1"] * 2}), "an alternative twice"),
    (lambda c: c.update({"cell.order": ["option1"] * 2}), "an alternative twice"),
    (lambda c: c.update({"cell.bag": ["option1"]}), "`cell.bag` picks 2, not 1"),
    (lambda c: c.update({"cell.skips": [f"option{i}" for i in range(3)]}), "picks 0 to 2, not 3"),
    (lambda c: c.update({"cell.op": "option2"}), "a requirement: depth and op stay small"),
]


@pytest.mark.parametrize(("tamper", "message"), TAMPERED)
def test_tampered_json_says_what_differs(tamper: Callable[[Choices], object], message: str) -> None:
    record = to_json(SPACE, DEEP)
    choices = record["choices"]
    assert isinstance(choices, dict)
    tamper(choices)
    with pytest.raises(RecordError) as caught:
        from_json(SPACE, record)
    assert message in str(caught.value)


HEAD = f"example:{SPACE.hash}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "three parts"),
        ("example:0.1", "three parts"),
        (f"other:{SPACE.hash}:0.-._.0,2.0,1", "space `other`, not of `example`"),
        ("example:000000000000:0.-._.0,2.0,1", f"000000000000 is not {SPACE.hash}"),
        (f"{HEAD}:", "has 0 decisions, not 5"),
        (f"{HEAD}:0.-._.0,2", "has 4 decisions, not 5"),
        (f"{HEAD}:0.-._.0,2.0,x", "`0,x` is not a pick of `cell.order`"),
        (f"{HEAD}:0.-._.0,2.0,-1", "is not a pick of `cell.order`"),
        (f"{HEAD}:-.-._.0,2.0,1", "`cell.depth` is missing"),
        (f"{HEAD}:0.1._.0,2.0,1", "`cell.op` should not be there"),
        (f"{HEAD}:0.-._.0,2.0,3", "`cell.order` has 3 alternatives, and no index 3"),
        (f"{HEAD}:0.-._.0,2.0,{'9' * 5000}", "is not a pick of `cell.order`"),
        ("{", "the record is not JSON"),
        ('{"a":' * 100_000, "the record is not JSON"),
        (f'{{"a": {"9" * 5000}}}', "the record is not JSON"),
        ("{}", "a record is an object"),
        (f'{{"space": "example", "hash": "{SPACE.hash}", "choices": {{}}, "x": 1}}', "key `x`"),
    ],
)
def test_tampered_text_says_what_differs(text: str, message: str) -> None:
    with pytest.raises(RecordError) as caught:
        parse_record(SPACE, text)
    assert message in str(caught.value)


@given(st.text(max_size=40) | st.builds(f"{HEAD}:{{}}".format, st.text("0123.,-_", max_size=12)))
def test_any_text_is_a_record_or_an_error_that_says_so(text: str) -> None:
    try:
        architecture = parse_record(SPACE, text)
    except RecordError:
        return
    assert unrank(SPACE, 0).hash == architecture.hash
    check(SPACE, architecture)
