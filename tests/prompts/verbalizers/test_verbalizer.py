import json
import math

import pytest
import torch

from corpora.errors import UserError
from prompts.verbalizers import LabelWord, Verbalizer, from_record, of_words

ROWS = torch.tensor([1, 3, 4])
WEIGHTS = torch.tensor([[0.75, 0.25, 0.0], [0.0, 0.0, 1.0]])
LOGITS = torch.tensor([[9.0, 2.0, 9.0, 6.0, 1.0], [9.0, 0.0, 9.0, 4.0, 5.0]])


def by_hand(**settings):
    return Verbalizer(["a", "b"], ROWS, WEIGHTS, **settings)


def in_two_languages(combine, pool="logit"):
    weights = torch.stack([torch.tensor([[1.0, 0, 0], [0, 0, 1.0]]), torch.tensor([[0, 1.0, 0], [0, 0, 1.0]])])
    return Verbalizer(["a", "b"], ROWS, weights, combine=combine, pool=pool, languages=("hi", "en"))


def test_scores_are_weighted_logits_less_the_prior():
    # 0.75 · 2 + 0.25 · 6 = 3 and 0.75 · 0 + 0.25 · 4 = 1; class b has one row
    assert by_hand().scores(LOGITS).tolist() == [[3.0, 1.0], [1.0, 5.0]]
    assert by_hand().with_prior([1.0, -2.0]).scores(LOGITS).tolist() == [[2.0, 3.0], [0.0, 7.0]]
    assert torch.equal(by_hand().scores_of_rows(LOGITS[:, ROWS]), by_hand().scores(LOGITS))


def test_pool_of_probabilities():
    scores = by_hand(pool="probability").scores(LOGITS)
    assert scores[0].tolist() == pytest.approx([math.log(0.75 * math.exp(2) + 0.25 * math.exp(6)), 1.0])
    # differences are those of log Σ w p
    log_mass = (LOGITS.softmax(-1)[:, ROWS] @ WEIGHTS.T).log()
    assert torch.allclose(scores[:, 0] - scores[:, 1], log_mass[:, 0] - log_mass[:, 1], atol=1e-6)
    with pytest.raises(UserError, match="only sums of logits have prototypes"):
        by_hand(pool="probability").prototypes(torch.eye(5))


def test_languages_by_max_and_logmeanexp():
    assert in_two_languages("max").scores(LOGITS).tolist() == [[6.0, 1.0], [4.0, 5.0]]
    mean = math.log((math.exp(2) + math.exp(6)) / 2)
    assert in_two_languages("logmeanexp").scores(LOGITS)[0].tolist() == pytest.approx([mean, 1.0])
    both = in_two_languages("max", "probability").scores(LOGITS)
    assert torch.allclose(both, in_two_languages("max").scores(LOGITS))  # one row each: log 1 · e^z = z
    assert in_two_languages("max").mass().tolist() == [[0.5, 0.5, 0.0], [0.0, 0.0, 1.0]]


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("combine", ["union", "max", "logmeanexp"])
def test_closed_form_equals_the_long_way_round(tied, combine, build_model):
    model = build_model("llama")
    model.config.tie_word_embeddings = tied
    if tied:
        model.lm_head.weight = model.model.embed_tokens.weight
    with torch.no_grad():
        output = model(torch.tensor([[1, 300, 301, 302], [1, 310, 311, 312]]), output_hidden_states=True)
    states, logits = output.hidden_states[-1][:, -1], output.logits[:, -1]
    size = len(model.lm_head.weight)
    generator = torch.Generator().manual_seed(0)
    rows = torch.randperm(size, generator=generator)[:20]
    shape = (3, 20) if combine == "union" else (2, 3, 20)
    weights = torch.rand(shape, generator=generator).softmax(-1)
    verbalizer = Verbalizer(["a", "b", "c"], rows, weights, torch.tensor([0.5, 0.0, -0.5]), combine=combine)
    long = verbalizer.scores(logits)
    short = verbalizer.scores_of_states(states, verbalizer.prototypes(model.lm_head.weight))
    assert long.std() > 0.1  # else anything would be close
    assert torch.allclose(long, short, atol=1e-5, rtol=1e-5)
    of_inputs = verbalizer.scores_of_states(states, verbalizer.prototypes(model.model.embed_tokens.weight))
    assert torch.allclose(long, of_inputs, atol=1e-5, rtol=1e-5) == tied  # untied: only the output rows will do


def test_bias_of_the_head():
    head, bias = torch.randn(5, 4), torch.randn(5)
    states = torch.randn(3, 4)
    closed = by_hand().scores_of_states(states, by_hand().prototypes(head), bias)
    assert torch.allclose(closed, by_hand().scores(states @ head.T + bias), atol=1e-5)


def test_gradient_reaches_the_logits():
    logits = LOGITS.clone().requires_grad_()
    by_hand().scores(logits)[0, 0].backward()
    assert logits.grad.tolist() == [[0, 0.75, 0, 0.25, 0], [0, 0, 0, 0, 0]]


def word(label, row, weight, language="hi", name="n"):
    return LabelWord(label, language, name, row, f"▁{row}", f" {row}", weight)


def test_words_make_the_matrix_and_are_written_and_read_back():
    words = [word("a", 7, 0.5), word("a", 7, 0.25, name="m"), word("a", 2, 0.25), word("b", 5, 1.0)]
    verbalizer = of_words(["a", "b"], ["hi"], words, prior=[1.0, 0.0])
    assert verbalizer.rows.tolist() == [2, 5, 7]
    assert verbalizer.weights.tolist() == [[0.25, 0, 0.75], [0, 1, 0]]
    assert [(entry["class"], entry["name"], entry["row"], entry["weight"]) for entry in verbalizer.describe()] == [
        ("a", "n", 7, 0.5),
        ("a", "n", 2, 0.25),
        ("a", "m", 7, 0.25),
        ("b", "n", 5, 1.0),
    ]
    again = from_record(json.loads(json.dumps(verbalizer.record())))
    assert again.describe() == verbalizer.describe()
    assert torch.equal(again.rows, verbalizer.rows) and torch.equal(again.weights, verbalizer.weights)
    assert torch.equal(again.prior, verbalizer.prior)
    with pytest.raises(UserError, match="no row of the vocabulary speaks for 'c'"):
        of_words(["a", "c"], ["hi"], words[:1])
    with pytest.raises(UserError, match="record is damaged"):
        from_record({"classes": ["a"], "words": [{"class": "a"}]})


def test_one_matrix_per_language_unless_united():
    words = [word("a", 1, 1.0), word("a", 3, 1.0, "en"), word("b", 4, 1.0), word("b", 4, 1.0, "en")]
    verbalizer = of_words(["a", "b"], ["hi", "en"], words, combine="max")
    assert torch.equal(verbalizer.weights, in_two_languages("max").weights)


def test_some_of_the_classes():
    some = by_hand(words=(word("a", 1, 0.75), word("b", 4, 1.0)), languages=("hi",)).with_prior([1.0, 2.0]).only(["b"])
    assert some.classes == ["b"] and some.rows.tolist() == [4] and some.weights.tolist() == [[1.0]]
    assert some.scores(LOGITS).tolist() == [[-1.0], [3.0]]
    assert [entry["class"] for entry in some.describe()] == ["b"]
    with pytest.raises(UserError, match="unknown: z"):
        by_hand().only(["z"])


def test_shapes_are_checked():
    with pytest.raises(ValueError, match="do not fit"):
        Verbalizer(["a"], ROWS, WEIGHTS)
    with pytest.raises(ValueError, match="do not fit"):
        Verbalizer(["a", "b"], ROWS, WEIGHTS, combine="max")
    with pytest.raises(ValueError, match="prior"):
        by_hand(prior=torch.zeros(3))
