"""The comparison of arms: bits per character by hand, and refusal of arms that cannot be compared."""

import json
import math

import pytest

from corpora.errors import UserError
from evaluation.arms import compare_arms


def write(folder, arm, nats, names=("a", "b", "c", "d")):
    place = folder / arm / "scores" / "hi"
    place.mkdir(parents=True, exist_ok=True)
    rows = [{"id": name, "nats": cost, "characters": 10} for name, cost in zip(names, nats, strict=True)]
    (place / "documents.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    rows = [{**row, "task": "text"} for row in rows] + [{"id": "a", "task": "endings"}]
    (place / "katha72.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def test_bits_per_character_and_paired_differences(tmp_path):
    two = math.log(2)
    write(tmp_path, "grammar", [10 * two, 20 * two, 30 * two, 40 * two])
    write(tmp_path, "human", [5 * two, 15 * two, 25 * two, 35 * two])
    page = compare_arms(tmp_path, ["grammar", "human"], ["hi"], tmp_path / "arms.json")
    found = json.loads((tmp_path / "arms.json").read_text())["hi"]
    for one in found.values():
        assert one["stories"] == 4
        assert one["bits_per_character"]["grammar"]["value"] == pytest.approx(2.5)
        # the stories differ, the difference does not: its interval has no width
        assert one["differences"]["grammar - human"] == pytest.approx({"value": 0.5, "low": 0.5, "high": 0.5})
    human = found["katha72"]["bits_per_character"]["human"]
    assert human["value"] == pytest.approx(2) and human["low"] < 2 < human["high"]
    assert "| Hindi | 4 held-out stories | 2.500 [" in page and "| Hindi | Katha-72 | 2.500 [" in page


def test_arms_measured_on_other_stories_are_refused(tmp_path):
    write(tmp_path, "grammar", [1, 2, 3, 4])
    write(tmp_path, "human", [1, 2, 3, 4], names="abce")
    with pytest.raises(UserError, match="different held_out stories in hi"):
        compare_arms(tmp_path, ["grammar", "human"], ["hi"], tmp_path / "arms.json")
