"""The permutation that prompts are drawn by: a bijection, computable anywhere, and as good as chance."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpora.llm.permutation import Permutation


@settings(max_examples=40, deadline=None)
@given(n=st.integers(1, 400), seed=st.integers(0, 2**40))
def test_it_is_a_bijection(n, seed):
    permutation = Permutation(n, seed)
    assert sorted(permutation[index] for index in range(n)) == list(range(n))


@settings(max_examples=25, deadline=None)
@given(n=st.integers(10**6, 10**15), seed=st.integers(0, 9), start=st.integers(0, 10**6 - 300))
def test_a_piece_of_a_large_one_has_no_collisions_and_stays_inside(n, seed, start):
    permutation = Permutation(n, seed)
    drawn = [permutation[index] for index in range(start, start + 300)]
    assert len(set(drawn)) == 300
    assert all(0 <= value < n for value in drawn)


def test_every_place_is_reached_about_equally_often():
    # 6 items, 3,000 seeds: the first item falls on each place 500 times, give or take five standard deviations.
    places = Counter(Permutation(6, seed)[0] for seed in range(3000))
    assert all(abs(places[place] - 500) < 5 * (3000 / 6 * 5 / 6) ** 0.5 for place in range(6))


def test_the_same_seed_gives_the_same_order_for_ever():
    assert [Permutation(1000, 1)[index] for index in range(5)] == GOLDEN
    assert [Permutation(1000, 2)[index] for index in range(5)] != GOLDEN


def test_places_outside_are_refused():
    with pytest.raises(IndexError):
        Permutation(5)[5]
    with pytest.raises(ValueError, match="at least one"):
        Permutation(0)


GOLDEN = [173, 401, 751, 147, 973]
