import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import kathalab
import prompts
from corpora.errors import UserError
from prompts.soft import Layout, deepened, initialise
from prompts.soft.facts import Facts
from prompts.soft.saving import save_prompt
from prompts.verbalizers import LabelWord, of_words

TEXTS = ["मीरा और राजू पक्के दोस्त थे। दोनों साथ खेलते थे।", "रवि ने सच बोला।", "a"]


def word(label, row, weight):
    return LabelWord(label, "hi", label, row, "", "", weight)


WORDS = of_words(
    ["दोस्त", "सच", "साहस"],
    ["hi"],
    [word("दोस्त", 300, 0.25), word("दोस्त", 301, 0.75), word("सच", 310, 1.0), word("साहस", 320, 1.0)],
)
FACTS = Facts(templates={"hi": "\nविषय:", "en": "\na b:"}, verbalizer=WORDS, neighbours={"k": 3})


@pytest.fixture
def classifier(answer_model):
    """A function that makes a classifier with an infix of two vectors."""

    def make(facts=FACTS, batch_size=16):
        prompt = initialise(Layout(infix=2), answer_model(), "random", seed=3)
        return prompts.ZeroShotClassifier(answer_model(), prompt, facts, batch_size)

    return make


def logits_by_hand(opened, prompt, text, template):
    """Next-token logits after text, the prompt's infix and the template, in one pass of the plain model."""
    (asked,) = opened.ask([text], template)
    parts = [opened.embed(torch.tensor(ids)) for ids in (asked.text_ids, asked.template_ids)]
    vectors = torch.cat([parts[0], prompt.vectors("infix"), parts[1]]).unsqueeze(0)
    with torch.no_grad():
        return opened.model(inputs_embeds=vectors).logits[0, -1].double()


def test_answers_as_the_pipeline_does_and_as_by_hand(classifier):
    classify = classifier()
    results = classify(TEXTS)
    assert [result["sequence"] for result in results] == TEXTS
    for text, result in zip(TEXTS, results, strict=True):
        logits = logits_by_hand(classify.answer_model, classify.prompt, text, "\nविषय:")
        scores = torch.stack([0.25 * logits[300] + 0.75 * logits[301], logits[310], logits[320]])
        shares = dict(zip(WORDS.classes, scores.softmax(0).tolist(), strict=True))
        assert result["labels"] == sorted(shares, key=shares.get, reverse=True)
        assert result["scores"] == pytest.approx(sorted(shares.values(), reverse=True), abs=1e-5)
        assert sum(result["scores"]) == pytest.approx(1)
    assert classify(TEXTS[0])["labels"] == results[0]["labels"]


def test_the_prompt_and_the_template_matter_and_the_batches_do_not(classifier, answer_model):
    scores = classifier().class_scores(TEXTS)[1]
    np.testing.assert_allclose(classifier(batch_size=1).class_scores(TEXTS)[1], scores, atol=1e-4)
    without = prompts.ZeroShotClassifier(answer_model(), None, FACTS).class_scores(TEXTS)[1]
    assert np.abs(without - scores).max() > 0.01
    assert np.abs(classifier().class_scores(TEXTS, language="en")[1] - scores).max() > 0.01


def test_new_labels_speak_through_their_neighbours(classifier):
    classify = classifier()
    result = classify(TEXTS[0], ["मीरा", "उसने", "चिड़िया"])
    assert sorted(result["labels"]) == sorted(["मीरा", "उसने", "चिड़िया"])
    verbalizer = classify.verbalizer(["मीरा", "उसने", "चिड़िया"])
    assert all(len([w for w in verbalizer.words if w.label == label]) == 3 for label in verbalizer.classes)
    torch.testing.assert_close(verbalizer.weights.sum(1), torch.ones(3))


def test_known_classes_keep_their_words_beside_new_ones(classifier):
    mixed = classifier().verbalizer(["मीरा", "दोस्त"])
    assert mixed.classes == ["मीरा", "दोस्त"]
    of_known = {w.row: w.weight for w in mixed.words if w.label == "दोस्त"}
    assert of_known == {300: 0.25, 301: 0.75}
    assert classifier().verbalizer(["साहस", "सच"]).classes == ["साहस", "सच"]


def test_several_names_for_a_class(classifier):
    result = classifier()(TEXTS[0], {"people": ["मीरा", "राजू"], "birds": ["चिड़िया"]})
    assert sorted(result["labels"]) == ["birds", "people"]


def test_content_free_calibration_and_stacking_by_hand(classifier):
    plain = classifier().class_scores(TEXTS)[1]
    neutral = classifier().class_scores(["", "कुछ"])[1]
    facts = replace(FACTS, calibration="content-free", content_free={"hi": ("", "कुछ")}, gamma=0.5, seen=("सच",))
    classes, scores = classifier(facts).class_scores(TEXTS)
    np.testing.assert_allclose(scores, plain - neutral.mean(axis=0) - np.array([0, 0.5, 0]), atol=1e-4)
    assert classes == WORDS.classes
    batch = classifier(replace(FACTS, calibration="batch")).class_scores(TEXTS)[1]
    np.testing.assert_allclose(batch, plain - plain.mean(axis=0), atol=1e-4)


@pytest.mark.parametrize(
    ("texts", "labels", "language", "told"),
    [
        (["a"], ["सच"], None, "two or more"),
        (["a"], "सच", None, "two or more"),
        (["a"], ["मीरा", ""], None, "two or more"),
        (["a"], None, "bn", "no template in 'bn', only in hi, en"),
        ([1], None, None, "only texts"),
    ],
)
def test_impossible_questions(classifier, texts, labels, language, told):
    with pytest.raises(UserError, match=told):
        classifier()(texts, labels, language)


def test_no_text_no_result_and_no_classes_no_default(classifier):
    assert classifier()([]) == []
    with pytest.raises(UserError, match="give the labels"):
        classifier(replace(FACTS, verbalizer=None))(TEXTS)
    assert len(classifier(replace(FACTS, verbalizer=None))(TEXTS, ["मीरा", "राजू"])) == 3


@pytest.mark.parametrize("deep", [False, True])
def test_from_a_folder(answer_model, tmp_path, deep):
    opened = answer_model()
    prompt = initialise(Layout(prefix=2), opened, "random", seed=3)
    direct = prompts.ZeroShotClassifier(opened, prompt, FACTS).class_scores(TEXTS)[1]
    save_prompt(tmp_path / "p", deepened(prompt, opened) if deep else prompt, opened, FACTS)
    classify = prompts.ZeroShotClassifier.from_pretrained(tmp_path / "p", opened)
    np.testing.assert_allclose(classify.class_scores(TEXTS)[1], direct, atol=1e-4)
    with pytest.raises(UserError, match="names no model; give"):
        prompts.ZeroShotClassifier.from_pretrained(tmp_path / "p")


def test_the_model_may_be_given_as_a_folder(answer_model, tokenizer, tmp_path):
    opened = answer_model()
    save_prompt(tmp_path / "p", initialise(Layout(infix=2), opened, "random", seed=3), opened, FACTS)
    opened.model.save_pretrained(tmp_path / "model")
    tokenizer.save_pretrained(tmp_path / "model")
    from_files = prompts.ZeroShotClassifier.from_pretrained(str(tmp_path / "p"), tmp_path / "model")(TEXTS)
    from_memory = prompts.ZeroShotClassifier.from_pretrained(tmp_path / "p", opened)(TEXTS)
    for one, other in zip(from_files, from_memory, strict=True):
        assert one["labels"] == other["labels"] and one["scores"] == pytest.approx(other["scores"], abs=1e-5)


def test_an_encoder_decoder_classifies_too(answer_model):
    prompt = initialise(Layout(prefix=1, suffix=1), answer_model("mt5"), "random", seed=3)
    classify = prompts.ZeroShotClassifier(answer_model("mt5"), prompt, FACTS)
    scores = classify.class_scores(TEXTS)[1]
    one_by_one = np.concatenate([classify.class_scores([text])[1] for text in TEXTS])
    np.testing.assert_allclose(scores, one_by_one, atol=1e-4)


def test_the_package_alone_imports_no_torch():
    code = "import sys, prompts; assert 'torch' not in sys.modules; prompts.Absent"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=Path(kathalab.__file__).parent
    )
    assert done.stderr.strip().endswith("AttributeError: module 'prompts' has no attribute 'Absent'")


def test_no_such_folder(tmp_path):
    with pytest.raises(UserError, match="is not a finished prompt folder"):
        prompts.ZeroShotClassifier.from_pretrained(tmp_path / "absent")


def test_prompts_that_answer_together(answer_model, tmp_path):
    opened, folders, alone = answer_model(), [tmp_path / name for name in "abc"], []
    for seed, folder in enumerate(folders):
        prompt = initialise(Layout(infix=2), opened, "random", seed=seed)
        alone.append(prompts.ZeroShotClassifier(opened, prompt, FACTS)(TEXTS))
        save_prompt(folder, prompt, opened, FACTS)
    together = prompts.ZeroShotClassifier.from_pretrained(folders, opened)
    for number, result in enumerate(together(TEXTS)):
        shares = [dict(zip(one[number]["labels"], one[number]["scores"], strict=True)) for one in alone]
        geometric = {label: np.prod([share[label] for share in shares]) ** (1 / 3) for label in WORDS.classes}
        expected = {label: value / sum(geometric.values()) for label, value in geometric.items()}
        assert dict(zip(result["labels"], result["scores"], strict=True)) == pytest.approx(expected, abs=1e-5)
        assert result["scores"] == sorted(result["scores"], reverse=True)
    fewer = replace(FACTS, verbalizer=WORDS.only(["सच", "दोस्त"]))
    save_prompt(tmp_path / "d", initialise(Layout(infix=2), opened, "random"), opened, fewer)
    other = prompts.ZeroShotClassifier.from_pretrained([folders[0], tmp_path / "d"], opened)
    with pytest.raises(UserError, match="made for different classes; give the labels"):
        other(TEXTS)
    assert set(other(TEXTS, labels=["सच", "दोस्त"])[0]["labels"]) == {"सच", "दोस्त"}
    with pytest.raises(UserError, match="no prompt to open"):
        prompts.ZeroShotClassifier.from_pretrained([], opened)
