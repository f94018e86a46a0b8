"""Speeds are of this machine: only their shape can be tested."""

from tokenization.measures.speed import DEFINITIONS, measure_speed


def test_median_between_the_slowest_and_the_fastest(scripted):
    tokenizer = scripted({"कमल": [("कमल", 0, 3)]})
    found = measure_speed(tokenizer, ["कमल"] * 20, rounds=3)
    assert set(found) == set(DEFINITIONS)
    for one in found.values():
        assert 0 < one["low"] <= one["value"] <= one["high"]
    assert {one["value"] for one in measure_speed(tokenizer, []).values()} == {None}
