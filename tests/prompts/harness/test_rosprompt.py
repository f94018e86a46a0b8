"""The study that comes with the package: its plan is whole, and each of its methods can be made."""

from pathlib import Path

import pytest
import yaml

from prompts.harness import asking
from prompts.harness.kinds import KINDS
from prompts.harness.methods import Setting, build
from prompts.harness.plan import read_plan
from prompts.models import AnswerModel
from prompts.verbalizers import labels_path

STUDY = Path(__file__).parents[3] / "studies" / "rosprompt.yaml"


def test_every_method_is_of_a_known_kind_and_part_of_some_table():
    plan = read_plan(STUDY, "data")
    assert {method.method for method in plan.methods.values()} <= set(KINDS)
    assert set().union(*(part.methods for part in plan.parts.values())) == set(plan.methods)
    assert {part.task for part in plan.parts.values()} == set(plan.tasks)
    assert all(labels_path(task.labels).is_file() for task in plan.tasks.values())
    folder = f"results/{STUDY.stem}/models/{yaml.safe_load(STUDY.read_text(encoding='utf-8'))['languages'][0]}"
    assert {method.configuration.get("model") for method in plan.methods.values()} == {None, "gemma-3-270m", folder}


def test_the_ablations_differ_from_their_base_in_what_they_name():
    methods = {name: method.configuration for name, method in read_plan(STUDY, "data").methods.items()}

    def changed(name, base):
        assert methods[name].keys() <= methods[base].keys() | {"prefix", "suffix", "infix"}
        return {key for key in methods[base] if methods[name][key] != methods[base][key]}

    for base, kinds in (
        ("soft", {"multilingual": {"asking"}, "contrastive": {"objective"}, "penalty": {"objective"}}),
        ("classes", {"multilingual": {"asking"}, "penalty": {"objective"}}),
    ):
        assert {kind: changed(f"{base}-{kind}", base) for kind in kinds} == kinds
    assert changed("soft-together", "soft") == changed("single", "classes") == {"asking", "objective"}
    assert methods["single"]["asking"] == methods["classes-multilingual"]["asking"]
    assert methods["single"]["objective"] == methods["classes-penalty"]["objective"]
    assert {kind: changed(kind, "single") for kind in ("prefix", "suffix", "both-sides")} == {
        kind: {"infix"} for kind in ("prefix", "suffix", "both-sides")
    }
    for control in ("shuffled-names", "random-weights", "empty-texts"):
        spoiled = dict(methods[control]["asking"])
        assert spoiled.pop("spoiled") and {**methods[control], "asking": spoiled} == methods["single"]


def test_an_ensemble_joins_one_method_in_different_wordings():
    methods = {name: method.configuration for name, method in read_plan(STUDY, "data").methods.items()}
    members = [dict(methods[name]) for name in methods["wordings"]["of"]]
    asked = [dict(member.pop("asking")) for member in members]
    wordings = [asking.pop("wording", None) for asking in asked]
    assert len(set(wordings)) == len(members) == 2
    assert set(methods["rosprompt"]["of"]) == {*methods["wordings"]["of"], "middle-probe"}
    assert members[1:] == members[:-1] and asked[1:] == asked[:-1]


def test_every_prompt_can_be_made(monkeypatch, build_model, tokenizer):
    asking.opened.cache_clear()
    monkeypatch.setattr(asking, "open_answer_model", lambda source, **_: AnswerModel(build_model(), tokenizer))
    plan = read_plan(STUDY, "data")
    setting = Setting("sib200", ("health", "sports"), ("health",), "en", ("en", "hi"), (), 0, 0)
    for method in plan.methods.values():
        if method.method in ("names", "words", "prompt", "stacked", "linear_probe"):
            build(method.method, setting, method.configuration)
    asking.opened.cache_clear()


@pytest.mark.parametrize("key", ["objective", "rates"])
def test_a_misspelt_option_is_refused(key, monkeypatch, build_model, tokenizer):
    from corpora.errors import UserError

    asking.opened.cache_clear()
    monkeypatch.setattr(asking, "open_answer_model", lambda source, **_: AnswerModel(build_model(), tokenizer))
    setting = Setting("sib200", ("health", "sports"), ("health",), "en", ("en",), (), 0, 0)
    with pytest.raises(UserError, match="cannot be made of"):
        build("prompt", setting, {"model": "any", "infix": 1, key: {"smothing": 1}})
    asking.opened.cache_clear()
