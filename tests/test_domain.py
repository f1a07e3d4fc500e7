"""The pick arithmetic of a domain against the standard library's walks."""

from __future__ import annotations

from math import comb
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spelled_out import picks_of
from strategies import domains

from enasdsl.ir.domain import enumerate_domain, rank, size, unrank, valid
from enasdsl.ir.space import Domain, Kind


@given(domains())
def test_domain_in_closed_form_is_the_domain_walked(domain: Domain) -> None:
    walked = sorted(picks_of(domain), key=lambda picks: (len(picks), picks))
    assert list(enumerate_domain(domain)) == walked
    assert size(domain) == len(walked)
    assert [rank(domain, picks) for picks in walked] == list(range(len(walked)))


@given(domains(), st.lists(st.integers(-1, 4), max_size=4).map(tuple))
def test_domain_knows_its_picks(domain: Domain, picks: tuple[int, ...]) -> None:
    assert valid(domain, picks) == (picks in set(picks_of(domain)))


@pytest.mark.parametrize("kind", [Kind.SET, Kind.MULTISET, Kind.ARRANGEMENT, Kind.SEQUENCE])
def test_domain_arithmetic_does_not_walk(kind: Kind) -> None:
    domain = Domain(kind, 400, 150, 150)
    index = size(domain) * 2 // 3
    assert rank(domain, unrank(domain, index)) == index
    with pytest.raises(ValueError, match="index"):
        unrank(domain, size(domain))


def test_choose_13_from_26_takes_well_under_a_millisecond() -> None:
    domain = Domain(Kind.SET, 26, 13, 13)
    unrank(domain, 0)
    began = process_time()
    for index in range(0, comb(26, 13), 100_000):
        assert rank(domain, unrank(domain, index)) == index
    assert process_time() - began < 105 * 1e-3


def test_any_of_nothing_is_one_pick() -> None:
    assert list(enumerate_domain(Domain(Kind.SET, 0, 0, 0))) == [()]
