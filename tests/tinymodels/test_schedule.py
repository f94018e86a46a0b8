"""The learning rate's factor, by hand."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinymodels.schedule import learning_rate_factor


def factors(total: int, warmup: int, decay: float = 0.3, **options) -> list[float]:
    return [learning_rate_factor(step, total, warmup, decay, **options) for step in range(total)]


def test_warm_up_stable_decay_by_hand():
    assert factors(10, 4) == pytest.approx([0.25, 0.5, 0.75, 1, 1, 1, 1, 1, 2 / 3, 1 / 3])
    assert learning_rate_factor(9, 10, 0, 0) == 1


def test_tails_by_hand():
    """Over the last four of eight updates: a decay that has 4/4, 3/4, 2/4 and 1/4 of its way before it."""
    tails = {
        "linear": [1, 0.75, 0.5, 0.25],
        "1-sqrt": [1, 1 - math.sqrt(0.25), 1 - math.sqrt(0.5), 1 - math.sqrt(0.75)],
        # 2^0, 2^-1.25, 2^-2.5, 2^-3.75, each less the 2^-5 it would end at
        "exponential": [
            1,
            (0.42044821 - 0.03125) / 0.96875,
            (0.1767767 - 0.03125) / 0.96875,
            (0.07432544 - 0.03125) / 0.96875,
        ],
    }
    for tail, expected in tails.items():
        assert factors(8, 0, 0.5, tail=tail) == pytest.approx([1, 1, 1, 1, *expected], abs=1e-7)
    assert factors(8, 0, 0.5, final=0.2)[4:] == pytest.approx([1, 0.8, 0.6, 0.4])


def test_cosine_linear_and_constant_by_hand():
    half = math.sqrt(0.5)
    assert factors(6, 2, schedule="cosine") == pytest.approx([0.5, 1, 1, (1 + half) / 2, 0.5, (1 - half) / 2])
    assert factors(6, 2, schedule="linear") == pytest.approx([0.5, 1, 1, 0.75, 0.5, 0.25])
    assert factors(6, 2, schedule="linear", final=0.5) == pytest.approx([0.5, 1, 1, 0.875, 0.75, 0.625])
    assert factors(6, 2, schedule="constant") == [0.5, 1, 1, 1, 1, 1]


@given(
    st.integers(1, 300),
    st.integers(0, 400),
    st.floats(0, 1),
    st.sampled_from(["wsd", "cosine", "linear", "constant"]),
    st.sampled_from(["linear", "1-sqrt", "exponential"]),
    st.floats(0, 1),
)
def test_every_schedule_rises_once_falls_once_and_is_never_zero(total, warmup, decay, schedule, tail, final):
    found = factors(total, warmup, decay, schedule=schedule, tail=tail, final=final)
    assert all(0 < factor <= 1 for factor in found)
    top = found.index(max(found))
    assert found[: top + 1] == sorted(found[: top + 1])
    assert all(later <= earlier + 1e-12 for earlier, later in zip(found[top:], found[top + 1 :], strict=False))
