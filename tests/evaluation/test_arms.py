"""The comparison of arms: bits per character by hand, and refusal of arms that cannot be compared."""

import json
import math

import pytest

from corpora.errors import UserError
from corpora.folders import write_manifest
from evaluation.arms import compare_arms


def write(folder, arm, nats, names=("a", "b", "c", "d"), seed=1):
    place = folder / arm / "scores" / f"hi-{seed}"
    place.mkdir(parents=True, exist_ok=True)
    rows = [{"id": name, "nats": cost, "characters": 10} for name, cost in zip(names, nats, strict=True)]
    (place / "documents.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / arm / "runs" / f"hi-{seed}").mkdir(parents=True, exist_ok=True)
    (folder / arm / "corpus").mkdir(exist_ok=True)
    text = {"hi": {"train": {"stories": 7, "characters": 1234}}}
    write_manifest(folder / arm / "corpus", "corpus", {}, statistics=text)
    write_manifest(folder / arm / "runs" / f"hi-{seed}", "run", {}, parameters=99, tokens=1024)
    rows = [{**row, "task": "text"} for row in rows] + [{"id": "a", "task": "endings"}]
    (place / "katha72.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def test_bits_per_character_and_paired_differences(tmp_path):
    two = math.log(2)
    write(tmp_path, "grammar", [10 * two, 20 * two, 30 * two, 40 * two])
    write(tmp_path, "human", [5 * two, 15 * two, 25 * two, 35 * two])
    page = compare_arms(tmp_path, ["grammar", "human"], ["hi"], [1], tmp_path / "arms.json")
    found = json.loads((tmp_path / "arms.json").read_text())["hi"]
    for one in (found["held_out"], found["katha72"]):
        assert one["stories"] == 4
        assert one["bits_per_character"]["grammar"]["value"] == pytest.approx(2.5)
        # the stories differ, the difference does not: its interval has no width
        assert one["differences"]["grammar - human"] == pytest.approx({"value": 0.5, "low": 0.5, "high": 0.5})
    human = found["katha72"]["bits_per_character"]["human"]
    assert human["value"] == pytest.approx(2) and human["low"] < 2 < human["high"]
    assert "| Hindi | (trained on) | 7 stories, 1,234 characters |" in page
    assert "| Hindi | 4 held-out stories | 2.500 [" in page and "| Hindi | Katha-72 | 2.500 [" in page


def test_arms_measured_on_other_stories_are_refused(tmp_path):
    write(tmp_path, "grammar", [1, 2, 3, 4])
    write(tmp_path, "human", [1, 2, 3, 4], names="abce")
    with pytest.raises(UserError, match="different held_out stories in hi"):
        compare_arms(tmp_path, ["grammar", "human"], ["hi"], [1], tmp_path / "arms.json")


def test_seeds_are_paired_and_widen_the_interval(tmp_path):
    """Story by story the difference is 0.5 with seed 1 and 0.7 with seed 2: 0.6 ± t(1) · 0.1 = 12.706 · 0.1."""
    two = math.log(2)
    for seed, better in ((1, 5), (2, 7)):
        costs = [10 * two, 20 * two, 30 * two, 40 * two]
        write(tmp_path, "grammar", costs, seed=seed)
        write(tmp_path, "human", [cost - better * two for cost in costs], seed=seed)
    compare_arms(tmp_path, ["grammar", "human"], ["hi"], [1, 2], tmp_path / "arms.json")
    found = json.loads((tmp_path / "arms.json").read_text())["hi"]["held_out"]
    assert found["by_seed"]["human"] == pytest.approx([2.0, 1.8])
    difference = {"value": 0.6, "low": 0.6 - 1.2706, "high": 0.6 + 1.2706}
    assert found["differences"]["grammar - human"] == pytest.approx(difference, abs=1e-4)
