"""A lesson's loss and a module's updates on a tiny random Llama, against sums written out here."""

import pytest
import torch

from corpora.errors import UserError
from prompts.data import Item
from prompts.models import AnswerModel
from prompts.soft import Layout, initialise
from prompts.training.datamodule import ItemBatches
from prompts.training.lesson import Objective
from prompts.training.module import PromptTuning, Rates, embedding_scale
from prompts.training.tuning import prepare, train_prompt
from prompts.verbalizers import LabelSet, Names

CLASSES = ("friendship", "courage", "honesty", "sharing")


@pytest.fixture(scope="module")
def answering(build_model, tokenizer):
    return AnswerModel(build_model(), tokenizer)


@pytest.fixture
def label_set(themes):
    return LabelSet({"hi": Names("hi", themes.template, themes.names, themes.content_free)})


@pytest.fixture
def items(sentences):
    made = [
        Item(f"{label}{number}", "hi", text * (1 + number), label, f"{label}{number}")
        for label, text in zip(CLASSES, sentences, strict=True)
        for number in range(2)
    ]
    return [item for item in made if item.label != "sharing"]  # sharing is met for the first time later


def prepared(answering, label_set, items, **options):
    module = PromptTuning(**({"infix": 2} | options))
    prepare(module, answering, label_set, "hi", ItemBatches(items, items))
    return module


def full_logits(answering, module, items, prompted=True):
    """Logits at the answer of one item at a time, the input put together here."""
    template = module.lesson.training.asked[0].template_ids
    rows = []
    for item in items:
        text = answering.tokenizer(item.text)["input_ids"]
        parts = [answering.embed(torch.tensor(text)), answering.embed(torch.tensor(template))]
        if prompted:
            parts.insert(1, module.soft.vectors("infix"))
        rows.append(answering.model(inputs_embeds=torch.cat(parts).unsqueeze(0)).logits[0, -1])
    return torch.stack(rows)


def class_scores(module, logits):
    verbalizer = module.lesson.verbalizer
    return logits[:, verbalizer.rows] @ verbalizer.weights.T


def test_the_loss_among_classes(answering, label_set, items):
    objective = Objective(smoothing="class_uniform", epsilon=0.3, temperature=2.0)
    module = prepared(answering, label_set, items, objective=objective)
    classes = ["courage", "friendship", "honesty"]
    assert module.lesson.verbalizer.classes == classes
    numbers = [5, 0, 3]
    terms = module.lesson.terms(module.soft, numbers)
    logits = full_logits(answering, module, [items[number] for number in numbers])
    log_p = (class_scores(module, logits) / 2).log_softmax(dim=1)
    expected = 0.0
    for row, number in enumerate(numbers):
        for column, label in enumerate(classes):
            expected -= (0.1 + 0.7 * (label == items[number].label)) * log_p[row, column].item() / 3
    assert terms["cross_entropy"].item() == pytest.approx(expected, abs=1e-4)
    assert torch.equal(terms["loss"], terms["cross_entropy"])


def test_the_loss_over_the_vocabulary_and_the_penalties(answering, label_set, items):
    objective = Objective(
        space="vocabulary", smoothing="exclude_negatives", epsilon=0.2, kl_to_base=0.5, seen_bias=2.0, norm=0.1
    )
    module = prepared(answering, label_set, items, objective=objective)
    lesson = module.lesson
    with torch.no_grad():
        module.soft.matrix += 0.5
    numbers = [0, 2]
    terms = lesson.terms(module.soft, numbers)
    chosen = [items[number] for number in numbers]
    log_p = full_logits(answering, module, chosen).log_softmax(dim=1)
    base = full_logits(answering, module, chosen, prompted=False).log_softmax(dim=1)
    targets = lesson.targets[lesson.training.labels[numbers]]
    assert terms["cross_entropy"].item() == pytest.approx(-(targets * log_p).sum(dim=1).mean().item(), abs=1e-4)
    expected = torch.nn.functional.kl_div(log_p, base, log_target=True, reduction="batchmean").item()
    assert expected > 1e-3 and terms["kl_to_base"].item() == pytest.approx(expected, abs=1e-4)
    neutral = [Item("", "hi", text, "courage", "") for text in label_set["hi"].content_free]
    rows = lesson.verbalizer.rows
    added = [
        (full_logits(answering, module, neutral, prompted).softmax(dim=1)[:, rows].sum(dim=1)) for prompted in (1, 0)
    ]
    assert terms["seen_bias"].item() == pytest.approx((added[0] - added[1]).clamp(min=0).mean().item(), abs=1e-5)
    assert terms["norm"].item() == pytest.approx(0.25 * 2 * 32, rel=1e-5)
    weighted = terms["cross_entropy"] + 0.5 * terms["kl_to_base"] + 2 * terms["seen_bias"] + 0.1 * terms["norm"]
    assert terms["loss"].item() == pytest.approx(weighted.item(), rel=1e-5)


def test_the_cache_of_texts_changes_neither_loss_nor_gradient(answering, label_set, items):
    module = prepared(answering, label_set, items, objective=Objective(space="vocabulary"))
    lesson = module.lesson
    assert lesson._cache is not None
    found = []
    for cache in (lesson._cache, None):
        lesson._cache = cache
        loss = lesson.terms(module.soft, range(len(items)))["loss"]
        (gradient,) = torch.autograd.grad(loss, module.soft.matrix)
        found.append((loss.item(), gradient))
    assert found[0][0] == pytest.approx(found[1][0], abs=1e-5)
    assert torch.allclose(found[0][1], found[1][1], atol=1e-5) and found[0][1].abs().max() > 1e-3
    assert prepared(answering, label_set, items, prefix=1, infix=1).lesson._cache is None  # the text sees the prefix


def test_words_of_classes_that_are_left_out_keep_their_share(answering, label_set, items):
    objective = Objective(space="vocabulary", smoothing="exclude_negatives", epsilon=0.2)
    lesson = prepared(answering, label_set, items, objective=objective).lesson
    targets, verbalizer = lesson.targets, lesson.verbalizer
    assert targets.shape == (3, len(answering.head)) and torch.allclose(targets.sum(dim=1), torch.ones(3))
    unseen = torch.ones(len(answering.head), dtype=torch.bool)
    unseen[verbalizer.rows] = False
    assert (targets[:, unseen] > 0).all()
    for number, weights in enumerate(verbalizer.weights):
        others = [row for row, weight in zip(verbalizer.rows.tolist(), weights.tolist(), strict=True) if weight == 0]
        assert targets[number, others].abs().max() == 0


@pytest.mark.parametrize(
    "options",
    [
        {"infix": 0, "suffix": 2},
        {"infix": 0, "prefix": 2, "start": "mean"},
        {"infix": 2, "kind": "reparameterised", "start": "labels", "hidden": 4},
        {"infix": 0, "prefix": 2, "kind": "deep"},
        {"infix": 1, "start": "frequent", "objective": Objective(space="vocabulary", smoothing="similarity")},
    ],
)
def test_every_kind_and_place_learns_and_the_model_stays(answering, label_set, items, options):
    before = {name: value.clone() for name, value in answering.model.state_dict().items()}
    module = PromptTuning(rates=Rates(0.02, 0.02, 0.02), **options)
    soft = train_prompt(module, answering, label_set, "hi", items, items, epochs=6, batch_size=6)
    trained = module.lesson.validate(soft, range(len(items)))[0].mean()
    other = prepared(answering, label_set, items, **options)
    started = other.lesson.validate(other.soft, range(len(items)))[0].mean()
    assert trained < started
    assert all(torch.equal(value, before[name]) for name, value in answering.model.state_dict().items())
    assert not any(parameter.requires_grad for parameter in answering.model.parameters())
    assert type(soft).__name__ != "ReparameterisedPrompt"


def test_each_place_moves_at_its_own_rate(answering, label_set, items):
    """The first update of Adam moves every number by the rate, whatever its gradient."""
    rates = Rates(prefix=0.01, infix=0.3, suffix=0.05)
    options = {"prefix": 1, "infix": 2, "suffix": 1, "rates": rates, "warmup": 0.0}
    module = PromptTuning(**options)
    soft = train_prompt(module, answering, label_set, "hi", items, items, epochs=1, batch_size=6)
    moved = (soft.all_vectors() - module.lesson.start).abs().amax(dim=1)
    assert moved.tolist() == pytest.approx([0.01, 0.3, 0.3, 0.05], rel=1e-3)


def test_rates_in_the_unit_of_the_embeddings(answering, label_set, items):
    table = answering.model.get_input_embeddings().weight
    assert embedding_scale(answering) == pytest.approx(table.square().mean().sqrt().item(), rel=1e-5)
    module = prepared(answering, label_set, items, rate_unit="embedding", rates=Rates(infix=0.5))
    assert module.row_rates.tolist() == pytest.approx([0.5 * embedding_scale(answering)] * 2)


def test_a_label_that_is_not_trained_on_is_refused(answering, label_set, items):
    extra = [Item("x", "hi", "वह हँसा।", "sharing", "x")]
    with pytest.raises(UserError, match="sharing"):
        prepare(PromptTuning(infix=1), answering, label_set, "hi", ItemBatches(items, extra))


def test_the_prompt_starts_where_it_was_told(answering, label_set, items):
    module = prepared(answering, label_set, items, start_text="यह कहानी")
    assert torch.equal(module.soft.matrix, initialise(Layout(infix=2), answering, "text", text="यह कहानी").matrix)
