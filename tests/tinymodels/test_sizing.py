"""Sizes are counted as the real model counts them, and budgets are met or refused."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpora.errors import UserError
from tinymodels.sizing import ModelSize, size_for


@pytest.mark.parametrize(
    "size",
    [ModelSize(340, 64, 2, 2, 2, 160), ModelSize(512, 64, 5, 8, 4, 172), ModelSize(2048, 128, 4, 2, 2, 320)],
)
def test_counts_are_those_of_the_real_model(size):
    import torch
    from transformers import LlamaForCausalLM

    from tinymodels.architecture import llama_config

    with torch.device("meta"):
        model = LlamaForCausalLM(llama_config(size, 128))
    model.tie_weights()
    assert size.total == sum(parameter.numel() for parameter in model.parameters())
    assert size.embedding == model.get_input_embeddings().weight.numel()
    assert size.non_embedding == size.total - size.embedding


def test_a_size_counted_by_hand():
    # 2 blocks of (4·64·64 attention + 3·64·160 feed-forward + 2·64 norms), a final norm of 64, 1000·64 embeddings
    size = ModelSize(vocabulary_size=1000, width=64, layers=2, heads=2, kv_heads=2, feed_forward=160)
    assert size.non_embedding == 2 * (16_384 + 30_720 + 128) + 64
    assert size.total == size.non_embedding + 64_000


def test_shared_key_value_heads_are_counted():
    # keys and values shrink from 64 to 16 columns: two matrices of 64 x 48 less
    full, shared = ModelSize(100, 64, 1, 4, 4, 64), ModelSize(100, 64, 1, 4, 1, 64)
    assert full.total - shared.total == 2 * 64 * 48


@settings(deadline=None)
@given(st.integers(300_000, 10_000_000), st.sampled_from([512, 1024, 2048, 4096, 8192, 16_000]))
def test_budgets_are_met_within_five_percent(parameters, vocabulary):
    if vocabulary * 64 > 0.8 * parameters:
        return  # hardly anything would be left for the blocks
    size = size_for(parameters, vocabulary)
    assert abs(size.total - parameters) <= 0.05 * parameters
    assert size.width % 64 == 0 and size.feed_forward % 32 == 0
    assert size.head_size in (32, 64)
    assert size.vocabulary_size == vocabulary


@pytest.mark.parametrize("vocabulary", [1024, 2048, 4096, 8192, 16_384])
def test_larger_budgets_give_larger_models_of_sensible_proportions(vocabulary):
    budgets = [budget for budget in (1_000_000, 2_000_000, 5_000_000, 10_000_000) if budget >= 2 * 64 * vocabulary]
    sizes = [size_for(budget, vocabulary) for budget in budgets]
    for budget, size in zip(budgets, sizes, strict=True):
        assert abs(size.total - budget) <= 0.02 * budget
        if size.embedding <= budget / 2:
            assert 1.9 <= size.feed_forward / size.width <= 4
            assert 16 <= size.width / size.layers <= 64 and size.layers >= 3
    for smaller, larger in zip(sizes, sizes[1:], strict=False):
        assert smaller.non_embedding < larger.non_embedding and smaller.width <= larger.width


@settings(deadline=None)
@given(st.integers(1_000_000, 10_000_000), st.sampled_from([1024, 2048, 4096, 8192, 16_384]))
def test_budgets_of_a_million_and_more_are_met_within_three_percent(parameters, vocabulary):
    if vocabulary * 64 <= 0.5 * parameters:
        assert abs(size_for(parameters, vocabulary).total - parameters) <= 0.03 * parameters


def test_what_is_given_of_a_shape_stays_and_the_rest_meets_the_budget():
    size = size_for(1_000_000, 2048, width=64, layers=12)
    assert (size.width, size.layers) == (64, 12) and abs(size.total - 1_000_000) <= 0.02 * 1_000_000
    assert size_for(1_000_000, 2048, layers=6).layers == 6
    assert size_for(1_000_000, 2048, heads=4, kv_heads=2).kv_heads == 2
    # the budget has no say where nothing is left to it
    assert size_for(1, 68_096, width=64, layers=2, heads=8, feed_forward=171) == ModelSize(68_096, 64, 2, 8, 8, 171)


def test_a_given_shape_that_cannot_meet_the_budget_is_refused():
    with pytest.raises(UserError, match="1,000,000 parameters do not make a model of width 64 and 2 layers"):
        size_for(1_000_000, 2048, width=64, layers=2)


def test_the_quick_start_size():
    size = size_for(1_000_000, 2048)
    assert (size.width, size.layers, size.feed_forward) == (128, 4, 320)


def test_a_vocabulary_too_large_for_the_budget_is_refused():
    with pytest.raises(UserError, match=r"16,000.*1,024,000.*embedding table.*exceeds the budget of 1,000,000"):
        size_for(1_000_000, 16_000)


def test_a_budget_without_room_for_a_block_is_refused():
    with pytest.raises(UserError, match="too little for even one block"):
        size_for(140_000, 2048)


def test_heads_that_do_not_divide_the_width_are_refused():
    with pytest.raises(UserError, match="does not split into 3 heads"):
        ModelSize(100, 64, 1, 3, 3, 64)
    with pytest.raises(UserError, match="cannot share"):
        ModelSize(100, 64, 1, 4, 3, 64)
