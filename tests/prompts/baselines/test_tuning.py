from dataclasses import dataclass

import numpy as np
import pytest
import torch

from corpora.errors import UserError
from prompts.baselines import PET, FineTuning, all_weights, low_rank, verbalized
from prompts.data import Item
from prompts.models import AnswerModel

CLASSES = ["friendship", "courage", "never"]
TEMPLATES = {"hi": "\nविषय:", "mr": "\nविषय:"}


@dataclass
class Verbalizer:
    rows: torch.Tensor

    def scores_of_rows(self, logits):
        return logits


@pytest.fixture
def model(build_model, tokenizer):
    return AnswerModel(build_model(), tokenizer)


@pytest.fixture
def pattern(model):
    return verbalized(model, TEMPLATES, dict.fromkeys(TEMPLATES, Verbalizer(torch.tensor([300, 301, 302]))))


def labelled(sentences, language="hi"):
    return [
        Item(f"{label}{i}", language, sentence + " a" * i, label, f"{label}{i}")
        for i in range(3)
        for label, sentence in zip(CLASSES[:2], sentences, strict=False)
    ]


def weights(model):
    return [parameter.detach().clone() for parameter in model.model.parameters()]


def adaptation(name):
    if name == "all":
        return all_weights
    pytest.importorskip("peft")
    return low_rank(rank=2, seed=1)


@pytest.mark.parametrize(("name", "rate"), [("all", 1e-3), ("low rank", 3e-2)])
def test_learns_and_gives_the_model_back_as_it_was(name, rate, model, pattern, sentences):
    items, before = labelled(sentences), weights(model)
    untrained = pattern(items, "hi")
    method = FineTuning(CLASSES, model.model, pattern, adaptation(name), passes=6, learning_rate=rate, batch=2)
    with pytest.raises(UserError, match="fit it first"):
        method.scores(items, "hi")
    method.fit(items)
    scores = method.scores(items, "hi")
    assert scores.shape == (6, 3) and scores.dtype == np.float64 and np.isfinite(scores).all()
    assert [CLASSES[place] for place in scores[:, :2].argmax(axis=1)] == [item.label for item in items]
    for old, new in zip(before, weights(model), strict=True):
        assert torch.equal(old, new)
    assert not any(parameter.requires_grad for parameter in model.model.parameters())
    assert torch.equal(pattern(items, "hi"), untrained)
    again = FineTuning(CLASSES, model.model, pattern, adaptation(name), passes=6, learning_rate=rate, batch=2)
    again.fit(items)
    assert np.array_equal(again.scores(items, "hi"), scores)  # the same seeds, the same numbers


def test_low_rank_begins_at_the_model_and_trains_attention_only(model, pattern, sentences):
    pytest.importorskip("peft")
    items = labelled(sentences)
    untrained = pattern(items, "hi")
    with low_rank(rank=2)(model.model) as parameters:
        assert torch.allclose(pattern(items, "hi"), untrained, atol=1e-6)
        # q, k, v, o of two layers: 32 × 32 each, A (2 × 32) and B (32 × 2)
        assert sum(parameter.numel() for parameter in parameters) == 2 * 4 * (2 * 32 + 32 * 2)
        assert all(parameter.requires_grad for parameter in parameters)


@pytest.mark.parametrize("kind", ["gpt2", "bloom", "xglm"])
def test_low_rank_finds_the_attention_of_other_models(kind, build_model):
    pytest.importorskip("peft")
    model = build_model(kind)
    before, names = {name: value.clone() for name, value in model.state_dict().items()}, []
    with low_rank(rank=2)(model) as parameters:
        names = [name for name, value in model.named_parameters() if any(value is other for other in parameters)]
        assert names and all("attn" in name or "attention" in name for name in names)
        assert not any("mlp" in name for name in names)
        parameters[1].data += 1
    after = model.state_dict()
    assert list(after) == list(before) and all(torch.equal(after[name], before[name]) for name in before)


def test_unseen_classes_are_not_pushed_down(model, pattern, sentences):
    items = labelled(sentences)
    row = model.model.get_output_embeddings().weight[302]
    method = FineTuning(CLASSES, model.model, pattern, passes=1, learning_rate=1e-3)
    with all_weights(model.model):
        loss = method._loss(items, [0, 1])
        loss.backward()
        gradient = model.model.get_output_embeddings().weight.grad
        assert gradient[302].abs().max() == 0 < gradient[301].abs().max()
    assert torch.equal(model.model.get_output_embeddings().weight[302], row)


def test_the_best_pass_by_development_is_kept(model, pattern, sentences):
    items = labelled(sentences)
    contrary = [Item("d", "hi", item.text, CLASSES[item.label == CLASSES[0]], "d") for item in items[:2]]
    method = FineTuning(CLASSES, model.model, pattern, development=contrary, passes=4, learning_rate=1e-3, batch=2)
    method.fit(items)
    assert method.facts["pass"] == 1  # every further pass goes away from the contrary labels
    method.development = []
    method.fit(items)
    assert method.facts["pass"] == 4
    assert method.facts["parameters"] == sum(parameter.numel() for parameter in model.model.parameters())


def test_divergence_is_one_sentence(model, pattern, sentences):
    method = FineTuning(CLASSES, model.model, pattern, passes=3, learning_rate=1e30, batch=2)
    before = weights(model)
    with pytest.raises(UserError, match="diverged in pass 1; lower the learning rate"):
        method.fit(labelled(sentences))
    assert all(torch.equal(old, new) for old, new in zip(before, weights(model), strict=True))


def test_pet_averages_its_patterns(model, pattern, sentences):
    items = labelled(sentences)
    other = verbalized(model, {"hi": "\nसाहस:"}, {"hi": Verbalizer(torch.tensor([300, 301, 302]))})
    options = {"passes": 2, "learning_rate": 1e-3, "order_seed": 3}
    pet = PET(CLASSES, model.model, [pattern, other], **options)
    pet.fit(items)
    alone = []
    for one in (pattern, other):
        method = FineTuning(CLASSES, model.model, one, **options)
        method.fit(items)
        alone.append(method.scores(items, "hi"))
    assert np.allclose(pet.scores(items, "hi"), (alone[0] + alone[1]) / 2)
    assert not np.allclose(alone[0], alone[1])
    with pytest.raises(UserError, match="two or more patterns"):
        PET(CLASSES, model.model, [pattern])


def test_a_language_that_has_no_words_is_refused(pattern, sentences):
    with pytest.raises(UserError, match="no verbalizer in 'bn'"):
        pattern(labelled(sentences), "bn")


def test_model_without_attention_is_refused():
    pytest.importorskip("peft")
    with pytest.raises(UserError, match="no linear maps"), low_rank()(torch.nn.Sequential(torch.nn.Linear(2, 2))):
        pass
