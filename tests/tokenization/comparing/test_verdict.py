"""What the probes' numbers become: sums, differences, the verdict, the vocabulary curve, rank correlations."""

import math

import numpy as np
import pytest

from corpora.stories import Story
from tokenization.comparing.curve import vocabulary_curve
from tokenization.comparing.extrinsic import compare_with, judge_generation, summarise_runs
from tokenization.comparing.prediction import predict
from tokenization.comparing.ranking import rank
from tokenization.probe.sizes import Size
from tokenization.probe.training import ProbeRun

STORIES = [
    Story("a", "hi", "एक राजा था।", "hand", group="g"),
    Story("b", "hi", "एक रानी थी।", "hand", group="g"),
    Story("c", "hi", "वह घर गई।", "hand"),
]


def run(bits, written=()):
    """A training that spent so many bits on each story."""
    stories = [{"prompt": "", "text": text, "finished": ended} for text, ended in written]
    return ProbeRun({"test": [value * math.log(2) for value in bits]}, 100, 50, 1e6, 7, stories)


def test_bits_per_character_and_per_akshara_by_hand():
    found = summarise_runs([run([22, 11, 9]), run([33, 11, 9])], Size(100, 64, 1000, 640), {"test": STORIES})
    test = found["texts"]["test"]
    assert test["by_seed"] == pytest.approx([42 / 31, 53 / 31])
    assert test["bits_per_character"]["value"] == pytest.approx(47.5 / 31)
    # Aksharas: ए क ␣ रा जा ␣ था ।, the same of रानी थी, and व ह ␣ घ र ␣ ग ई ।.
    assert test["bits_per_akshara"]["value"] == pytest.approx(47.5 / (8 + 8 + 9))
    assert test["bits_per_character"]["low"] < 42 / 31 and test["bits_per_character"]["high"] > 53 / 31
    assert (found["parameters"], found["other_parameters"], found["training_tokens"]) == (1000, 360, 50)


def test_differences_are_paired_and_corrected():
    generator = np.random.default_rng(0)
    stories = [Story(str(number), "hi", "क" * 100, "hand") for number in range(40)]
    hard = generator.normal(300, 60, size=(3, 40))
    runs = {
        "a": [run(row) for row in hard],
        "worse": [run(row + generator.normal(5, 1, 40)) for row in hard],
        "same": [run(row + generator.normal(0, 1, 40)) for row in hard],
    }
    found = compare_with(runs, "a", "test", stories)
    assert set(found) == {"worse", "same"}
    assert found["worse"]["value"] == pytest.approx(0.05, abs=0.005) and found["worse"]["p_holm"] < 0.01
    assert found["worse"]["p_holm"] == pytest.approx(min(1, 2 * found["worse"]["p"]))
    assert found["same"]["low"] < 0 < found["same"]["high"] and found["same"]["p_holm"] > 0.05


def test_what_was_written_is_judged():
    training = [Story("t", "hi", "एक राजा था। वह बहुत बूढ़ा था और जंगल में अकेला रहता था।", "hand")]
    runs = {
        "good": [run([1, 1, 1], [("एक रानी थी। वह घर गई।", True)])],
        "bad": [run([1, 1, 1], [("रानी ाराजा रानी", False)])],
    }
    found = judge_generation(runs, training)
    assert found["good"]["finished"]["value"] == 1 and found["bad"]["finished"]["value"] == 0
    assert found["good"]["impossible_sequences"]["value"] == 0 < found["bad"]["impossible_sequences"]["value"]
    assert judge_generation({"silent": [run([1, 1, 1])]}, training) == {}


def interval(value):
    return {"value": value, "low": value - 0.01, "high": value + 0.01}


def against(p):
    return {"value": 0.1, "low": 0.05, "high": 0.15, "p": p, "p_holm": p}


def test_the_verdict_names_the_best_and_how_sure_that_is():
    bits = {"x": interval(1.2), "y": interval(1.1), "z": interval(1.3), "lossy": interval(0.9)}
    tied = rank("Hindi", "test", bits, {"x": against(0.2), "z": against(0.01)}, ["lossy"])
    assert (tied["order"], tied["best"], tied["tied"]) == (["y", "x", "z"], "y", ["x"])
    assert tied["sentence"] == (
        "For Hindi, use y: 1.100 bits per character [1.090, 1.110], though x is not proven worse "
        "(the other 1 is, p < 0.05 after Holm)."
    )
    sure = rank("Hindi", "test", bits, {"x": against(0.01), "z": against(0.01)}, ["lossy"])
    assert sure["tied"] == [] and "fewer than all 2 others" in sure["sentence"] and "x, is 0.100" in sure["sentence"]
    alone = rank("Hindi", "test", {"y": interval(1.1)}, {}, [])
    assert alone["sentence"] == "For Hindi, use y: 1.100 bits per character [1.090, 1.110]."


def curve(lowest, sizes=(1024, 2048, 4096, 8192), spread=0.0):
    generator = np.random.default_rng(1)
    names = {str(size): size for size in sizes}
    bits = {
        name: (1 + 0.05 * (math.log2(size) - math.log2(lowest)) ** 2) * 100 + generator.normal(0, spread, size=(3, 30))
        for name, size in names.items()
    }
    ones = dict.fromkeys(names, 0.5)
    intervals = {name: interval(float(value.mean() / 100)) for name, value in bits.items()}
    return vocabulary_curve("k", names, ones, intervals, bits, [100] * 30, [str(n) for n in range(30)])


def test_the_optimum_is_where_the_parabola_is_lowest():
    exact = curve(3000)["optimum"]["vocabulary_size"]
    assert exact["value"] == pytest.approx(3000) == exact["low"] == exact["high"]
    noisy = curve(3000, spread=4)
    optimum = noisy["optimum"]["vocabulary_size"]
    assert 1024 <= optimum["low"] < optimum["value"] < optimum["high"] <= 8192
    assert [point["vocabulary_size"] for point in noisy["points"]] == [1024, 2048, 4096, 8192]
    assert noisy["optimum"]["sentence"].startswith("Fewest bits at about ")


def test_an_optimum_at_the_edge_is_called_that():
    assert "may lie below" in curve(100)["optimum"]["sentence"]
    assert "may lie above" in curve(100_000)["optimum"]["sentence"]
    assert curve(3000, sizes=(1024, 2048)) is None


def test_rank_correlations_of_measures_with_bits():
    names = "abcdefgh"
    measures = {
        name: {
            "fertility": {"value": float(number), "low": None, "high": None},
            "vocabulary_use": {"value": 0.5, "low": None, "high": None},
            "boundary_f1": {"value": None if number else 0.1, "low": None, "high": None},
            "akshara_splitting_rate": {"value": [0.3, 0.1, 0.4, 0.2, 0.6, 0.5, 0.8, 0.7][number], "low": 0, "high": 1},
        }
        for number, name in enumerate(names)
    }
    found = predict(measures, {name: -float(number) for number, name in enumerate(names)})
    assert [row["measure"] for row in found] == ["fertility", "akshara_splitting_rate"]
    assert found[0]["spearman"]["value"] == pytest.approx(-1)
    # Σd² = 4 + 0 + 1 + 1 + … by hand: ranks 3 1 4 2 6 5 8 7 against 1 … 8 give 4+1+1+4+1+1+1+1 = 14.
    assert found[1]["spearman"]["value"] == pytest.approx(-(1 - 6 * 14 / (8 * 63)))
    assert found[1]["spearman"]["low"] < found[1]["spearman"]["value"] < found[1]["spearman"]["high"]
    assert predict({name: measures[name] for name in "abc"}, dict.fromkeys("abc", 1.0)) == []
