"""The shared bootstrap is the one of `evaluation.intervals`."""

import numpy as np
import pytest

from evaluation.intervals import bootstrap_ratio
from tokenization.measures.resampling import bootstrap_ratios


@pytest.mark.parametrize("clusters", [None, [number // 3 for number in range(40)]])
def test_each_ratio_has_the_interval_of_bootstrap_ratio(clusters):
    generator = np.random.default_rng(1)
    first, second = generator.integers(0, 9, size=(2, 40)), generator.integers(1, 9, size=(2, 40))
    found = bootstrap_ratios({"a": tuple(first), "b": tuple(second)}, clusters)
    for name, (top, bottom) in {"a": first, "b": second}.items():
        assert found[name] == pytest.approx(bootstrap_ratio(top, bottom, clusters=clusters).as_dict())


def test_ratios_without_a_value():
    zeros, ones = np.zeros(3), np.ones(3)
    found = bootstrap_ratios({"none": (ones, zeros), "some": (ones, np.array([0, 0, 2]))})
    assert found["none"] == {"value": None, "low": None, "high": None}
    assert found["some"]["value"] == 1.5
    assert bootstrap_ratios({"empty": (np.empty(0), np.empty(0))})["empty"]["value"] is None
