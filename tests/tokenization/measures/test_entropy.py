"""Entropies by hand and by tokenization-scorer 1.1.8; their intervals against the bootstrap."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenization.measures.entropy import DEFINITIONS, measure_efficiency, renyi_entropy

# score([" ".join(WORDS)], "renyi_efficiency", power=α) and with vocab=32; Shannon: "shannon_efficiency", and
# "shannon_entropy" over 5 bits, for at power 1 the library reads its text twice and gives 0.
SCORER = {
    "shannon_efficiency": (0.9257875983547231, 2.7773627950641693 / 5),
    "renyi_efficiency_alpha_2": (0.847632813718204, 0.5085796882309224),
    "renyi_efficiency": (0.8126085786674627, 0.4875651472004776),
    "renyi_efficiency_alpha_3": (0.7819880363809291, 0.4691928218285574),
}
WORDS = ["the", "cat", "sat", "on", "the", "mat", "and", "the", "dog", "sat", "on", "the", "log"]


def ids_of(words):
    numbers = {word: number for number, word in enumerate(dict.fromkeys(words))}
    return np.array([numbers[word] for word in words])


def test_by_hand():
    # ½, ¼, ¼: Shannon ½·1 + ¼·2 + ¼·2 = 1.5 bits; α = 2: −log2(1/4 + 1/16 + 1/16) = log2(8/3).
    counts = np.array([2, 1, 1, 0])
    assert renyi_entropy(counts, 1) == pytest.approx(1.5)
    assert renyi_entropy(counts, 2) == pytest.approx(math.log2(8 / 3))
    assert renyi_entropy(counts, 3) == pytest.approx(math.log2(1 / 8 + 1 / 64 + 1 / 64) / -2)
    found = measure_efficiency(np.array([0, 0, 1, 2]), np.zeros(4, dtype=int), 4)
    assert set(found) == set(DEFINITIONS)
    assert found["shannon_efficiency"]["value"] == pytest.approx(1.5 / 2)
    assert found["shannon_efficiency_observed"]["value"] == pytest.approx(1.5 / math.log2(3))
    assert found["renyi_efficiency_alpha_2"]["value"] == pytest.approx(math.log2(8 / 3) / 2)
    assert found["renyi_efficiency"]["low"] == found["renyi_efficiency"]["value"]  # one text has no spread


def test_tokenization_scorer():
    found = measure_efficiency(ids_of(WORDS), np.zeros(len(WORDS), dtype=int), 32)
    for name, (observed, full) in SCORER.items():
        assert found[f"{name}_observed"]["value"] == pytest.approx(observed, rel=1e-9)
        assert found[name]["value"] == pytest.approx(full, rel=1e-9)


def test_nothing_to_measure():
    empty = np.empty(0, dtype=int)
    assert {one["value"] for one in measure_efficiency(empty, empty, 9).values()} == {None}
    one_id = measure_efficiency(np.array([0, 0]), np.array([0, 1]), 1)
    assert {one["value"] for one in one_id.values()} == {None}


@given(counts=st.lists(st.integers(0, 50), min_size=1, max_size=30).filter(any))
def test_entropy_falls_with_alpha_and_never_passes_the_number_of_ids(counts):
    entropies = [renyi_entropy(np.array(counts), alpha) for alpha in (1, 2, 2.5, 3)]
    assert all(first >= second - 1e-9 for first, second in zip(entropies, entropies[1:], strict=False))
    assert entropies[-1] >= -1e-9 and entropies[0] <= math.log2(np.count_nonzero(counts)) + 1e-9


def test_the_interval_is_as_wide_as_that_of_new_texts():
    # 200 sets of 60 texts from one source: the spread of their efficiencies is the standard error that a set predicts.
    generator = np.random.default_rng(0)
    bounds = np.cumsum(generator.dirichlet(np.full(40, 0.3)))[:-1]

    def draw():
        tokens = np.searchsorted(bounds, generator.random((60, 80)))
        tokens[generator.random(60) < 0.5] //= 2  # texts differ: some use the first half of the ids only
        return tokens.ravel(), np.repeat(np.arange(60), 80)

    for name in ("renyi_efficiency", "shannon_efficiency"):
        sets = [measure_efficiency(*draw(), 40)[name] for _ in range(200)]
        spread = np.std([one["value"] for one in sets])
        predicted = np.mean([(one["high"] - one["low"]) / (2 * 1.96) for one in sets])
        assert predicted == pytest.approx(spread, rel=0.15)


def test_clusters_go_together():
    ids, texts = np.array([0, 1, 0, 2, 0, 3]), np.array([0, 0, 1, 1, 2, 2])
    apart, together = measure_efficiency(ids, texts, 8), measure_efficiency(ids, texts, 8, ["a"] * 3)
    assert together["shannon_efficiency"]["low"] == together["shannon_efficiency"]["value"]
    assert apart["shannon_efficiency"]["value"] == together["shannon_efficiency"]["value"]
