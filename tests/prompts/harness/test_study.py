"""A study with stand-in methods: what is run, what is kept, what is run again, and what the tables say."""

import json

import numpy as np
import pytest

from corpora.errors import UserError
from corpora.folders import read_json
from evaluation.intervals import crossed_interval, crossed_test
from prompts.harness.plan import read_plan
from prompts.harness.study import run_study, unfinished
from prompts.harness.tasks import draw, load_task


@pytest.fixture
def plan(content, write_plan, data):
    return read_plan(write_plan(content), str(data))


@pytest.fixture
def results(finished):
    return read_json(finished / "results.json")


def rows(results, part):
    return {row["method"]: row for row in next(p for p in results["parts"] if p["name"] == part)["rows"]}


def records(folder, method):
    found = []
    for path in sorted((folder / "runs" / "sib200" / method).glob("*.jsonl")):
        found += [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return found


def test_every_run_keeps_a_record_of_every_item(finished, results):
    folder = finished
    good = [record for record in records(folder, "good") if record["seen"]]
    assert unfinished(results) == 0
    assert set(good[0]) == {"method", "draw", "seed", "language", "id", "group", "label", "seen", "scores"}
    assert {(r["draw"], r["seed"]) for r in good} == {(d, s) for d in range(3) for s in range(2)}
    # six runs of transfer on 21 items in four languages, four (2 draws × 2 rotations) on 21 in two
    assert len(records(folder, "good")) == 6 * 21 * 4 + 4 * 21 * 2
    assert sum(not record["seen"] for record in records(folder, "good")) > 0
    # What does not learn is run once for each set of languages, whatever the draws and rotations.
    assert len(list((folder / "runs/sib200/hint").glob("*.jsonl"))) == 2
    assert len(list((folder / "runs/sib200/commonest").glob("*.jsonl"))) == 3  # depends on the draw, not on the seed


def test_no_draw_holds_an_evaluated_text_and_draws_are_of_seen_classes_only(finished):
    evaluated = {record["group"] for record in records(finished, "good")}
    summaries = [json.loads(path.read_text()) for path in (finished / "runs/sib200/good").glob("*.json")]
    assert len(evaluated) == 21
    drawn = [set(summary["training"]) for summary in summaries]
    assert not evaluated & set.union(*drawn)
    assert {len(ids) for ids in drawn} == {2 * 7, 2 * 4}
    assert len(set(map(frozenset, drawn))) == 3 + 4


def test_the_same_study_again_runs_nothing_and_says_the_same(plan, results, study_folder, told):
    assert json.loads(json.dumps(run_study(plan, study_folder))) == results
    assert told.fitted == []


def test_what_was_cut_off_is_run_again_and_nothing_else(plan, results, study_folder, told):
    sorted((study_folder / "runs/sib200/good").glob("*.jsonl"))[0].unlink()
    again = run_study(plan, study_folder)
    assert len(told.fitted) == 1
    for part in ("transfer", "generalized"):
        assert {m: r["measures"] for m, r in rows(again, part).items()} == {
            m: r["measures"] for m, r in rows(results, part).items()
        }


def test_a_change_of_configuration_or_data_is_a_new_run(content, write_plan, sib200_folder, study_folder, told):
    content["methods"]["good"]["skill"] = 0.8
    run_study(read_plan(write_plan(content), str(sib200_folder.parent)), study_folder)
    assert len(told.fitted) == 6 + 4
    file = sib200_folder / "eng_Latn" / "dev.tsv"
    file.write_text(file.read_text().replace("river", "lake"))
    told.fitted.clear()
    run_study(read_plan(write_plan(content), str(sib200_folder.parent)), study_folder, methods=["bad"])
    assert len(told.fitted) == 6


def test_accuracy_and_its_paired_difference_are_those_of_the_records(finished, results):
    folder = finished
    items = {(r["language"], r["id"]): None for r in records(folder, "good") if r["language"] != "en"}
    place = {key: number for number, key in enumerate(items)}
    classes = results["parts"][0]["classes"]

    def right(method, draws=3):
        found = np.zeros((draws, len(place)))
        counted = np.zeros_like(found)
        for path in (folder / "runs/sib200" / method).glob("*.jsonl"):
            if "seen" in path.name:
                continue  # of the generalized part
            for line in path.read_text().splitlines():
                record = json.loads(line)
                if record["language"] != "en":
                    at = record["draw"], place[record["language"], record["id"]]
                    found[at] += classes[int(np.argmax(record["scores"]))] == record["label"]
                    counted[at] += 1
        return found / counted

    good, commonest = right("good"), right("commonest")
    groups = [key[1] for key in place]
    expected = crossed_interval(good, np.ones(len(place)), clusters=groups)
    found = rows(results, "transfer")["good"]["measures"]["accuracy"]["mean"]
    assert found["value"] == pytest.approx(expected.value)
    assert (found["low"], found["high"]) == pytest.approx((expected.low, expected.high), abs=0.01)
    test = crossed_test(good - commonest, np.ones(len(place)), clusters=groups)
    difference = rows(results, "transfer")["good"]["differences"]["commonest"]
    assert difference["value"] == pytest.approx(test.difference.value)
    assert (difference["low"], difference["high"]) == pytest.approx(
        (test.difference.low, test.difference.high), abs=0.02
    )


def test_the_best_untrained_prompt_is_what_all_are_compared_with_and_chance_is_said(results):
    part = results["parts"][0]
    assert part["best_untrained"] == "hint" and part["against"] == ["hint", "commonest"]
    found = rows(results, "transfer")
    assert found["good"]["differences"]["hint"]["low"] > 0 and found["good"]["differences"]["hint"]["p_holm"] < 0.01
    assert "hint" not in found["hint"]["differences"]
    assert found["bad"]["at_chance"]["mean"] and not found["good"]["at_chance"]["mean"]
    assert found["good"]["facts"] == {"parameters": 7}


def test_generalized_measures_are_over_the_full_label_space(results):
    part = results["parts"][1]
    assert len(part["splits"]) == 2 and all(len(split) == 4 for split in part["splits"])
    found = rows(results, "generalized")
    # The bonus for seen classes costs the trained stand-in some unseen items and no seen ones.
    assert (
        found["good"]["measures"]["accuracy_unseen"]["mean"]["value"]
        < found["good"]["measures"]["accuracy_seen"]["mean"]["value"]
    )
    assert found["good"]["measures"]["ausuc"]["mean"]["value"] > found["hint"]["measures"]["ausuc"]["mean"]["value"]
    heights = [y for _, y in found["good"]["curve"]]
    assert heights == sorted(heights, reverse=True) and len(heights) == 51
    area = np.trapezoid(heights, [x for x, _ in found["good"]["curve"]])
    assert area == pytest.approx(found["good"]["measures"]["ausuc"]["mean"]["value"], abs=0.03)
    for matrix in found["good"]["confusions"].values():
        assert np.sum(matrix, axis=1) == pytest.approx(np.ones(7))


def test_a_part_of_a_study_leaves_the_rest_unfinished(plan, tmp_path):
    results = run_study(plan, tmp_path / "study", methods=["hint"], parts=["transfer"])
    assert list(rows(results, "transfer")) == ["hint"]
    assert results["parts"][0]["unfinished"]["good"] == {"done": 0, "runs": 6}
    assert unfinished(results) == 3 + 6 + 6 + 1 + 4


def test_a_method_that_gives_no_numbers_stops_the_study_with_a_sentence(content, write_plan, data, tmp_path):
    content["methods"]["good"]["refuses"] = True
    content["methods"]["bad"]["method"] = "majority"
    del content["methods"]["bad"]["skill"], content["parts"]["generalized"]
    with pytest.raises(UserError, match="good.*not one number for each"):
        run_study(read_plan(write_plan(content), str(data)), tmp_path / "study")
    content["methods"]["good"]["optional"] = True
    results = run_study(read_plan(write_plan(content), str(data)), tmp_path / "study")
    assert "not one number" in results["skipped"]["good"] and "good" not in rows(results, "transfer")
    assert unfinished(results) == 0


def test_a_part_whose_texts_are_not_there_waits_unless_it_is_asked_for(
    content, write_plan, data, study_folder, tmp_path
):
    content["tasks"]["stories"] = {"source": "themes", "folder": str(tmp_path / "none"), "labels": "themes"}
    content["parts"]["stories"] = {**content["parts"]["transfer"], "task": "stories"}
    plan = read_plan(write_plan(content), str(data))
    results = run_study(plan, study_folder, parts=["transfer", "generalized"])
    assert list(results["absent"]) == ["stories"] and len(results["parts"]) == 2 and unfinished(results) == 1
    with pytest.raises(UserError, match="none"):
        run_study(plan, study_folder)


def test_masked_texts_hold_no_class_name(content, write_plan, data):
    content["tasks"]["sib200"]["masked"] = True
    plan = read_plan(write_plan(content), str(data))
    task = load_task("sib200", plan.tasks["sib200"], "en", ["en"])
    texts = [item.text for item in [*task.pool, *task.evaluation["en"]] if item.label == "sports"]
    assert texts and not any("sports" in text for text in texts) and all("river" in text for text in texts)


def test_a_real_test_split_is_used_where_it_is(content, write_plan, sib200_folder):
    plan = read_plan(write_plan(content), str(sib200_folder.parent))
    for place in ("eng_Latn", "hin_Deva"):
        text = (sib200_folder / place / "dev.tsv").read_text().replace("dev", "test")
        (sib200_folder / place / "test.tsv").write_text(text)
    task = load_task("sib200", plan.tasks["sib200"], "en", ["en", "hi"])
    assert task.note == "Evaluated are the texts of the test split."
    assert len(task.evaluation["hi"]) == 28 and len(task.pool) == 84
    with pytest.raises(UserError, match="in some of the languages only"):
        load_task("sib200", plan.tasks["sib200"], "en", ["en", "mr"])


def test_sets_kept_for_evaluation_share_no_text_in_any_language(content, write_plan, data):
    kept = []
    for number in range(4):
        content["tasks"]["sib200"]["held_out_set"] = number
        task = load_task("sib200", read_plan(write_plan(content), str(data)).tasks["sib200"], "en", ["en", "hi"])
        groups = {item.group for item in task.evaluation["en"]}
        assert groups == {item.group for item in task.evaluation["hi"]} and len(groups) == 21
        assert not groups & {item.group for item in task.pool} and len(task.pool) == 63
        kept.append(groups)
    assert len(set.union(*kept)) == 84


def test_a_class_has_the_same_draw_whichever_others_are_seen(plan):
    task = load_task("sib200", plan.tasks["sib200"], "en", ["hi"])
    whole, development = draw(task, 2, 1)
    some, its_development = draw(task, 2, 1, ["sports", "travel"])
    assert [item for item in whole if item.label in ("sports", "travel")] == some and len(some) == 4
    assert {item.label for item in its_development} == {"sports", "travel"} and len(development) == 28
    assert draw(task, 2, 2)[0] != whole


def test_an_ensemble_is_the_weighted_mean_of_its_members_log_probabilities(content, write_plan, data, tmp_path, told):
    content["methods"]["both"] = {"method": "ensemble", "title": "Both", "of": ["good", "bad"], "weights": [3, 1]}
    del content["parts"]["generalized"]
    methods = content["parts"]["transfer"]["methods"]
    methods.remove("bad")  # an ensemble brings its members with it
    methods.append("both")
    folder = tmp_path / "out"
    results = run_study(read_plan(write_plan(content), str(data)), folder, methods=["both"])
    assert len(told.fitted) == 2 * 6 and set(rows(results, "transfer")) == {"good", "both"}

    def of(method):
        found = {(r["draw"], r["seed"], r["language"], r["id"]): r["scores"] for r in records(folder, method)}
        return found.keys(), np.array(list(found.values()))

    (keys, good), (same, bad), (also, both) = map(of, ("good", "bad", "both"))
    assert keys == same == also and len(keys) == 6 * 21 * 4
    share = [np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True) for scores in (good, bad)]
    assert both == pytest.approx(np.log(share[0] ** 3 * share[1]) / 4, abs=1e-6)
    told.fitted.clear()
    content["methods"]["good"]["skill"] = 0.7
    run_study(read_plan(write_plan(content), str(data)), folder, methods=["both"])
    assert len(told.fitted) == 6 and len(list((folder / "runs/sib200/both").glob("*.jsonl"))) == 12


@pytest.mark.parametrize("of", [["good"], "good", ["good", "nobody"], ["good", "both"]])
def test_an_ensemble_of_nothing_that_can_be_joined_is_refused(of, content, write_plan, data):
    content["methods"]["both"] = {"method": "ensemble", "of": of}
    with pytest.raises(UserError, match="ensemble"):
        read_plan(write_plan(content), str(data))


def test_a_member_that_knows_some_classes_takes_nothing_from_the_others(content, write_plan, data, tmp_path):
    content["methods"]["bayes"] = {"method": "naive_bayes"}
    content["methods"]["both"] = {"method": "ensemble", "of": ["good", "bayes"], "weights": [2, 1]}
    content["parts"] = {"generalized": {**content["parts"]["generalized"], "methods": ["both"], "draws": 1}}
    content["parts"]["generalized"] |= {"rotations": 1, "against": [], "confusions": []}
    folder = tmp_path / "out"
    run_study(read_plan(write_plan(content), str(data)), folder)

    def of(method):
        rows = sorted(records(folder, method), key=lambda r: (r["language"], r["id"]))
        return np.array([[-np.inf if value is None else value for value in row["scores"]] for row in rows])

    found = map(of, ("good", "bayes", "both"))
    good, bayes, both = (np.exp(scores - np.logaddexp.reduce(scores, axis=1, keepdims=True)) for scores in found)
    seen = bayes[0] > 0
    assert seen.sum() == 4 and both[:, ~seen] == pytest.approx(good[:, ~seen], abs=1e-6)
    inside = good[:, seen] * np.sqrt(bayes[:, seen])
    assert both[:, seen] == pytest.approx(
        inside / inside.sum(axis=1, keepdims=True) * good[:, seen].sum(axis=1, keepdims=True), abs=1e-6
    )


@pytest.mark.parametrize("weights", [[1], [1, 0], "1 2", [1, "2"]])
def test_weights_that_weigh_nothing_are_refused(weights, content, write_plan, data):
    content["methods"]["both"] = {"method": "ensemble", "of": ["good", "bad"], "weights": weights}
    with pytest.raises(UserError, match="positive numbers, one for each"):
        read_plan(write_plan(content), str(data))


def test_workers_side_by_side_find_what_one_finds(content, write_plan, data, tmp_path):
    """With methods that are in the package: processes of their own know of no stand-ins."""
    del content["parts"]["generalized"]
    content["methods"] = {
        "commonest": {"method": "majority"},
        "bayes": {"method": "naive_bayes"},
        "encoder": {"method": "encoder", "optional": True, "nonsense": 1},
    }
    content["parts"]["transfer"] |= {"methods": list(content["methods"]), "against": [], "confusions": []}
    plan = read_plan(write_plan(content), str(data))
    one, two = run_study(plan, tmp_path / "one"), run_study(plan, tmp_path / "two", workers=2)
    assert list(two["skipped"]) == ["encoder"] and one["skipped"] == two["skipped"]
    for results in (one, two):
        for row in results["parts"][0]["rows"]:
            del row["seconds"]
    assert one == two


def test_chosen_draws_are_runs_of_their_own(content, write_plan, data, tmp_path, told, monkeypatch):
    from prompts.harness import choosing
    from prompts.harness.tasks import draw

    monkeypatch.setattr(choosing, "chosen", lambda task, k, number, seen, model: draw(task, k, number + 100, seen))
    content["parts"] = {"transfer": content["parts"]["transfer"]}
    content["parts"]["chosen"] = {**content["parts"]["transfer"], "selection": "some-model"}
    results = run_study(read_plan(write_plan(content), str(data)), tmp_path / "out", methods=["good", "hint"])
    assert len(told.fitted) == 2 * 6  # and what does not learn is shared
    summaries = [json.loads(path.read_text()) for path in (tmp_path / "out/runs/sib200/good").glob("*.json")]
    drawn = {name: {tuple(s["training"]) for s in summaries if s["selection"] == name} for name in (None, "some-model")}
    assert len(drawn[None]) == len(drawn["some-model"]) == 3 and not drawn[None] & drawn["some-model"]
    assert [part["selection"] for part in results["parts"]] == [None, "some-model"]
