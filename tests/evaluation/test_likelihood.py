"""Likelihood of documents against a naive token-by-token loop, hand calculations and invariances."""

from __future__ import annotations

import math
import shutil

import numpy as np
import pytest
import torch

from corpora.errors import UserError
from corpora.stories import Story
from evaluation.likelihood import DocumentScore, score_documents, summarise, token_nats
from evaluation.models import count_parameters, open_model
from evaluation.words import count_aksharas


def naive_nats(model, ids: list[int], position: int, start: int = 0) -> float:
    """−ln p(ids[position] | ids[start:position]) from one forward pass."""
    with torch.no_grad():
        logits = model(input_ids=torch.tensor([ids[start:position]])).logits[0, -1].double()
    return float(torch.logsumexp(logits, 0) - logits[ids[position]])


def test_equals_a_naive_loop_over_tokens(model, tokenizer, stories):
    for story, score in zip(stories[:3], score_documents(model, tokenizer, stories[:3]), strict=True):
        ids = [1, *tokenizer.encode(story.text, add_special_tokens=False), 2]
        expected = sum(naive_nats(model, ids, position) for position in range(1, len(ids)))
        assert score.nats == pytest.approx(expected, rel=1e-6)
        assert (score.id, score.group, score.tokens) == (story.id, story.group, len(ids) - 1)


def test_equals_the_loss_that_transformers_computes(model, tokenizer, stories):
    ids = torch.tensor([[1, *tokenizer.encode(stories[0].text, add_special_tokens=False), 2]])
    with torch.no_grad():
        loss = model(input_ids=ids, labels=ids).loss.item()
    [score] = score_documents(model, tokenizer, stories[:1])
    assert score.nats / score.tokens == pytest.approx(loss, rel=1e-6)


def test_uniform_model_costs_log_v_per_token(tokenizer, stories, make_model):
    flat = make_model(len(tokenizer))
    torch.nn.init.zeros_(flat.get_input_embeddings().weight)  # tied: all logits are zero
    for score in score_documents(flat, tokenizer, stories):
        assert score.nats == pytest.approx(score.tokens * math.log(len(tokenizer)))


def test_batching_and_order_change_nothing(model, tokenizer, stories):
    one_by_one = [score_documents(model, tokenizer, [story])[0] for story in stories]
    for batch_tokens in (1, 300, 10_000):
        together = score_documents(model, tokenizer, stories, batch_tokens=batch_tokens)
        assert [score.id for score in together] == [story.id for story in stories]
        assert [s.nats for s in together] == pytest.approx([s.nats for s in one_by_one], rel=1e-6)
    backwards = score_documents(model, tokenizer, stories[::-1])[::-1]
    assert [s.nats for s in backwards] == pytest.approx([s.nats for s in one_by_one], rel=1e-6)


def test_windows_equal_the_hand_calculation(model):
    # Context 6, stride 2, tokens 0..10: inputs 0-5 score 1-6, inputs 2-7 score 7-8, inputs 4-9 score 9-10.
    ids = [1, *range(4, 13), 2]
    [nats] = token_nats(model, [ids], context=6, stride=2)
    starts = {**dict.fromkeys(range(1, 7), 0), 7: 2, 8: 2, 9: 4, 10: 4}
    assert nats == pytest.approx([naive_nats(model, ids, p, starts[p]) for p in range(1, 11)], rel=1e-5)


@pytest.mark.parametrize(("context", "stride"), [(5, 5), (5, 1), (64, 32), (400, 1)])
def test_each_token_is_scored_once_whatever_the_window(tokenizer, stories, context, stride, make_model):
    flat = make_model(len(tokenizer))
    torch.nn.init.zeros_(flat.get_input_embeddings().weight)
    scores = score_documents(flat, tokenizer, stories, context=context, stride=stride)
    assert [s.nats for s in scores] == pytest.approx([s.tokens * math.log(len(tokenizer)) for s in scores])


def test_the_context_of_the_model_is_respected(tokenizer, stories, make_model):
    """A document longer than the model's context is windowed by itself, and no input is longer than the context."""
    short = make_model(len(tokenizer), context=16)
    longest = 0
    forward = short.forward

    def watched(*arguments, **options):
        nonlocal longest
        longest = max(longest, options["input_ids"].shape[1])
        return forward(*arguments, **options)

    short.forward = watched
    score_documents(short, tokenizer, stories[:2])
    assert longest == 16


def test_probability_of_all_short_documents_sums_to_less_than_one(model, tokenizer):
    """`[BOS] [EOS]` and every `[BOS] x [EOS]` are different documents: proper probabilities cannot exceed one."""
    sequences = [[1, 2], *([1, token, 2] for token in range(len(tokenizer)) if token != 2)]
    total = sum(math.exp(-nats.sum()) for nats in token_nats(model, sequences))
    assert 0 < total < 1


def test_lengths_are_those_of_the_raw_text(model, tokenizer):
    # क्षि (4 code points, 1 akshara), space, माँ (3, 1): 8 characters, 3 aksharas, 7 × 3 + 1 bytes.
    [score] = score_documents(model, tokenizer, [Story("a", "hi", "क्षि माँ", "test")])
    assert (score.characters, score.aksharas, score.bytes, score.group) == (8, 3, 22, "a")
    assert score.unknown == 2  # ् and ष are not among the pieces


def test_aksharas():
    assert [count_aksharas(text) for text in ("", "क्षत्रिय", "র‍্যাব", "abc")] == [0, 3, 2, 3]


def test_summary_by_hand():
    scores = [
        DocumentScore("a", "x", 4 * math.log(2), 2, 0, 4, 2, 8),
        DocumentScore("b", "y", 8 * math.log(2), 2, 0, 2, 1, 8),
    ]
    summary = summarise(scores)
    assert summary["bits_per_character"].value == pytest.approx(2)
    assert summary["bits_per_akshara"].value == pytest.approx(4)
    assert summary["bits_per_byte"].value == pytest.approx(0.75)
    assert summary["loss_per_token"].value == pytest.approx(3 * math.log(2))
    assert (summary["bits_per_character"].low, summary["bits_per_character"].high) == pytest.approx((1, 4))


def test_tokenizer_larger_than_the_embedding_is_refused(tokenizer, stories, make_model):
    with pytest.raises(UserError, match="do not match"):
        score_documents(make_model(20), tokenizer, stories)


def test_stride_beyond_the_context_is_refused(model):
    with pytest.raises(UserError, match="stride"):
        token_nats(model, [[1, 5, 2]], context=4, stride=5)


def test_parameters_are_counted_with_tied_weights_once(model, tokenizer):
    counted = count_parameters(model)
    # Per layer: 4 × 32² attention, 3 × 32 × 64 feed-forward, 2 × 32 norms; one final norm.
    assert counted["non_embedding"] == 2 * (4 * 32**2 + 3 * 32 * 64 + 64) + 32
    assert counted["total"] == counted["non_embedding"] + 32 * len(tokenizer)


def test_opening_a_folder_gives_the_same_scores(model_folder, model, tokenizer, stories):
    opened, its_tokenizer = open_model(model_folder)
    ours, theirs = (score_documents(m, t, stories) for m, t in ((model, tokenizer), (opened, its_tokenizer)))
    assert np.allclose([s.nats for s in ours], [s.nats for s in theirs], rtol=1e-6)


def test_what_is_no_model_is_refused(tmp_path, model, tokenizer, make_model):
    with pytest.raises(UserError, match="not a model folder"):
        open_model(tmp_path)
    with pytest.raises(UserError, match="no model folder"):
        open_model(tmp_path / "absent")
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(UserError, match="cannot be opened"):
        open_model(tmp_path)
    make_model(20).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    with pytest.raises(UserError, match="do not match"):
        open_model(tmp_path)


def test_weights_of_another_configuration_are_refused(model_folder, tmp_path):
    """transformers would fill the absent layers with random numbers and say so in a log line."""
    shutil.copytree(model_folder, tmp_path / "model")
    config = tmp_path / "model" / "config.json"
    original = config.read_text()
    config.write_text(original.replace('"num_hidden_layers": 2', '"num_hidden_layers": 3'))
    with pytest.raises(UserError, match="lacks 9 of its weights"):
        open_model(tmp_path / "model")
    config.write_text(original.replace('"intermediate_size": 64', '"intermediate_size": 96'))
    with pytest.raises(UserError, match="cannot be opened"):
        open_model(tmp_path / "model")
