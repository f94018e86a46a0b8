"""How tokens are drawn: the truncations against numbers by hand and transformers, frequencies against the softmax."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from transformers import (
    AutoModelForCausalLM,
    Gemma3TextConfig,
    GPT2Config,
    LlamaConfig,
    MinPLogitsWarper,
    RepetitionPenaltyLogitsProcessor,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from corpora.errors import UserError
from evaluation.generation import Prompt, Sampling, draw, generate_stories, penalised, smallest_kept

BY_HAND = torch.tensor([[0.05, 0.4, 0.1, 0.3, 0.15]])


@pytest.mark.parametrize(
    ("sampling", "kept"),
    [
        (Sampling(), {0, 1, 2, 3, 4}),
        (Sampling(top_k=2), {1, 3}),
        (Sampling(top_k=9), {0, 1, 2, 3, 4}),
        (Sampling(top_p=0.69), {1, 3}),
        (Sampling(top_p=0.71), {1, 3, 4}),
        (Sampling(top_p=0.0), {1}),
        (Sampling(min_p=0.3), {1, 3, 4}),
        (Sampling(min_p=1.0), {1}),
        (Sampling(top_k=3, top_p=0.8), {1, 3}),  # of 0.85 that top-k leaves, 0.7 are more than 0.8
        (Sampling(top_p=0.9, min_p=0.5), {1, 3}),
    ],
)
def test_what_is_kept_by_hand(sampling, kept):
    floor = smallest_kept(BY_HAND, sampling)
    assert {number for number, p in enumerate(BY_HAND[0]) if p >= floor} == kept


@pytest.mark.parametrize("top_k", [0, 7, 700])
@pytest.mark.parametrize("top_p", [0.3, 0.95, 1.0])
@pytest.mark.parametrize("min_p", [0.0, 0.05])
def test_what_is_kept_is_what_transformers_keeps(top_k, top_p, min_p):
    """Sharp rows, and flat ones whose nucleus is larger than the head of the order that is looked at first."""
    logits = torch.randn(6, 1500, generator=torch.manual_seed(1)) * torch.tensor([0.1, 0.5, 1, 2, 4, 8])[:, None]
    expected = TopKLogitsWarper(top_k)(None, logits) if top_k else logits
    expected = MinPLogitsWarper(min_p)(None, TopPLogitsWarper(top_p)(None, expected))
    probabilities = logits.softmax(-1)
    kept = probabilities >= smallest_kept(probabilities, Sampling(top_k=top_k, top_p=top_p, min_p=min_p))
    assert torch.equal(kept, expected > -torch.inf)


def test_the_repetition_penalty_is_that_of_transformers():
    logits = torch.randn(2, 30, generator=torch.manual_seed(2))
    ids = torch.tensor([[3, 4, 4, 9], [0, 29, 3, 1]])
    assert torch.equal(penalised(logits, ids.tolist(), 1.3), RepetitionPenaltyLogitsProcessor(1.3)(ids, logits))


@pytest.mark.parametrize("temperature", [0.5, 1.0])
def test_frequencies_follow_the_softmax(temperature):
    """Pearson's chi-square with 11 degrees of freedom; 31.3 is its 99.9th percentile."""
    logits = torch.randn(12, generator=torch.manual_seed(3))
    generators = [np.random.default_rng([5, number]) for number in range(20_000)]
    drawn = draw(logits.expand(20_000, 12), Sampling(temperature=temperature), generators)
    expected = 20_000 * (logits / temperature).softmax(-1).numpy()
    chi_square = ((np.bincount(drawn, minlength=12) - expected) ** 2 / expected).sum()
    assert chi_square < 31.3
    other = 20_000 * (logits / (1.1 * temperature)).softmax(-1).numpy()
    assert ((np.bincount(drawn, minlength=12) - other) ** 2 / other).sum() > 31.3  # it would be seen


@pytest.mark.parametrize(
    "options",
    [
        {"temperature": -1.0},
        {"temperature": 0.0, "top_k": 5},
        {"top_p": 1.5},
        {"top_k": -1},
        {"repetition_penalty": 0.0},
    ],
)
def test_settings_that_mean_nothing_are_refused(options):
    with pytest.raises(UserError):
        Sampling(**options)


SHAPE = {"vocab_size": 64, "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 3}
FAMILIES = {
    "llama": LlamaConfig(
        **SHAPE,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=64,
        initializer_range=0.3,
    ),
    "gpt2": GPT2Config(**SHAPE, n_embd=32, n_layer=2, n_head=2, n_positions=64, initializer_range=0.3),
    "gemma3": Gemma3TextConfig(
        **SHAPE,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=3,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=16,
        sliding_window=6,
        layer_types=["sliding_attention", "full_attention", "sliding_attention"],
        max_position_embeddings=64,
        initializer_range=0.3,
    ),
}


@pytest.fixture(scope="module", params=FAMILIES)
def family(request):
    torch.manual_seed(1)
    return AutoModelForCausalLM.from_config(FAMILIES[request.param]).eval()


def test_greedy_is_transformers_greedy_on_left_padded_batches(family, tokenizer):
    """Stories of many lengths and ends, longer than Gemma's window, and fewer tokens than the model has rows."""
    texts = ["एक दिन राजा", "", "माँ", "और वह खुशी से घर", "राजा ने"]
    ids = [[1, *tokenizer.encode(text, add_special_tokens=False)] for text in texts]
    width = max(map(len, ids))
    output = family.generate(
        torch.tensor([[3] * (width - len(row)) + row for row in ids]),
        attention_mask=torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in ids]),
        do_sample=False,
        max_new_tokens=30,
        suppress_tokens=list(range(len(tokenizer), 64)),
    )
    written = generate_stories(
        family, tokenizer, [Prompt(text, "hi") for text in texts], max_new_tokens=30, temperature=0, batch_size=4
    )
    for row, expected, story in zip(ids, output[:, width:].tolist(), written, strict=True):
        end = expected.index(2) if 2 in expected else len(expected)
        assert story.text == tokenizer.decode(row + expected[:end], skip_special_tokens=True)
        assert story.finished == (2 in expected)


def test_the_batch_size_does_not_matter(family, tokenizer):
    prompts = [Prompt(text, "hi") for text in ("", "एक दिन राजा ने जंगल", "माँ", "")] * 3
    written = [
        generate_stories(
            family,
            tokenizer,
            prompts,
            max_new_tokens=20,
            temperature=2.0,
            repetition_penalty=1.1,
            seed=7,
            batch_size=batch_size,
        )
        for batch_size in (1, 3, 64)
    ]
    assert written[0] == written[1] == written[2]
    assert len({story.text for story in written[0]}) > 8 and len({story.tokens for story in written[0]}) > 2


def test_other_stories_do_not_matter(model, tokenizer):
    few = generate_stories(model, tokenizer, [Prompt("", "hi")] * 3, max_new_tokens=20)
    many = generate_stories(
        model, tokenizer, [Prompt("", "hi")] * 3 + [Prompt("एक दिन", "hi")] * 5, max_new_tokens=20, batch_size=2
    )
    assert many[:3] == few


def test_a_broken_model_is_named(make_model, tokenizer):
    broken = make_model(len(tokenizer))
    broken.model.norm.weight.data[:] = float("nan")
    with pytest.raises(UserError, match="finite"):
        generate_stories(broken, tokenizer, [Prompt("", "hi")])
