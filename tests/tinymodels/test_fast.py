"""The forward pass of training gives the numbers and gradients of transformers' own, whatever its shortcuts."""

import pytest
import torch
from torch.nn.functional import cross_entropy

from tinymodels.architecture import build
from tinymodels.fast import IGNORED, ChunkedCrossEntropy, attend, final_states
from tinymodels.module import StoryModel
from tinymodels.sizing import ModelSize

SIZES = {
    "as many keys as queries": ModelSize(60, 64, 2, 2, 2, 96),
    "shared keys": ModelSize(60, 64, 2, 4, 2, 96),
    "one key for all": ModelSize(60, 64, 1, 4, 1, 96),
}


def grown(size: ModelSize, context: int):
    """A model with no weight at zero or one, so that every part counts."""
    model = build(size, context, seed=1)
    generator = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for weight in model.parameters():
            weight.copy_(torch.randn(weight.shape, generator=generator) * 0.2 + (weight.ndim == 1))
    return model


def windows(rows: int, length: int, vocabulary: int) -> torch.Tensor:
    """Random ids in which stories begin (id 1) at different places of each row."""
    ids = torch.randint(4, vocabulary, (rows, length), generator=torch.Generator().manual_seed(3))
    for row in range(rows):
        ids[row, 5 + 7 * row :: 40] = 1
    return ids


def story_mask(ids: torch.Tensor) -> torch.Tensor:
    """The additive mask that transformers takes, from the definition: same story, and not later."""
    story = (ids == 1).cumsum(dim=1)
    seen = (story[:, :, None] == story[:, None, :]).tril()
    return torch.zeros(seen.shape).masked_fill(~seen, -torch.inf)[:, None]


@pytest.mark.parametrize("length", [7, 128, 200])
@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES.keys())
def test_logits_and_gradients_are_those_of_transformers(size, length):
    ids = windows(3, length + 1, size.vocabulary_size)
    inputs, targets = ids[:, :-1], ids[:, 1:]
    ours, theirs = grown(size, length), grown(size, length)
    states = final_states(ours, inputs, (inputs == 1).cumsum(dim=1), torch.float32)
    loss = ChunkedCrossEntropy.apply(
        states.flatten(0, 1), ours.model.embed_tokens.weight, targets.flatten(), 0.0, False
    )
    expected = theirs(input_ids=inputs, attention_mask=story_mask(inputs), use_cache=False).logits
    torch.testing.assert_close(states @ ours.model.embed_tokens.weight.T, expected, rtol=1e-4, atol=1e-4)
    expected_loss = cross_entropy(expected.flatten(0, 1), targets.flatten())
    torch.testing.assert_close(loss, expected_loss, rtol=1e-5, atol=1e-5)
    loss.backward()
    expected_loss.backward()
    for (name, one), other in zip(ours.named_parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad, rtol=1e-3, atol=1e-5, msg=name)


def test_a_story_is_read_as_if_it_stood_alone():
    model = grown(SIZES["shared keys"], 50)
    alone = windows(1, 20, 60)[:, 5:]
    before = torch.randint(4, 60, (1, 9))
    together = torch.cat([before, alone], dim=1)
    read = [final_states(model, ids, (ids == 1).cumsum(dim=1), torch.float32) for ids in (alone, together)]
    torch.testing.assert_close(read[0], read[1][:, 9:], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("z_loss", [0.0, 0.1])
@pytest.mark.parametrize("tokens", [3, 1024, 1500])
def test_cross_entropy_in_chunks_is_cross_entropy(tokens, z_loss):
    generator = torch.Generator().manual_seed(4)
    states = torch.randn(tokens, 8, generator=generator, requires_grad=True)
    table = torch.randn(30, 8, generator=generator, requires_grad=True)
    targets = torch.randint(0, 30, (tokens,), generator=generator)
    targets[1::5] = IGNORED
    (3 * ChunkedCrossEntropy.apply(states, table, targets, z_loss, False)).backward()
    found = states.grad.clone(), table.grad.clone()
    states.grad = table.grad = None
    logits = states @ table.T
    counted = targets != IGNORED
    z = logits[counted].logsumexp(dim=-1).square().mean()
    loss = cross_entropy(logits, targets, ignore_index=IGNORED) + z_loss * z
    (3 * loss).backward()
    torch.testing.assert_close(found, (states.grad, table.grad), rtol=1e-4, atol=1e-6)
    value = ChunkedCrossEntropy.apply(states, table, targets, z_loss, False)
    torch.testing.assert_close(value, loss, rtol=1e-5, atol=1e-6)


def test_only_padding_gives_no_loss_and_no_gradient():
    states = torch.randn(4, 8, requires_grad=True)
    table = torch.randn(30, 8, requires_grad=True)
    loss = ChunkedCrossEntropy.apply(states, table, torch.full((4,), IGNORED), 0.1, False)
    loss.backward()
    assert loss.item() == 0 and not states.grad.any() and not table.grad.any()


def test_padding_is_no_target_of_training():
    module = StoryModel(60_000, 340, 16, compile=False)
    ids = windows(2, 17, 340)
    padded = torch.cat([ids, torch.full((2, 5), 3)], dim=1)
    torch.testing.assert_close(module.training_step(ids, 0), module.training_step(padded, 0), rtol=1e-5, atol=1e-6)


def test_attention_by_blocks_is_attention():
    query, key, value = torch.randn(3, 2, 2, 300, 16, generator=torch.Generator().manual_seed(5))
    story = (torch.arange(300) // 70).expand(2, -1)
    seen = (story[:, :, None] == story[:, None, :]).tril()
    expected = torch.nn.functional.scaled_dot_product_attention(query, key, value, attn_mask=seen[:, None])
    torch.testing.assert_close(attend(query, key, value, seen), expected, rtol=1e-4, atol=1e-5)


def test_bfloat16_stays_near_float32():
    model, ids = grown(SIZES["shared keys"], 64), windows(2, 64, 60)
    story = (ids == 1).cumsum(dim=1)
    exact = final_states(model, ids, story, torch.float32)
    near = final_states(model, ids, story, torch.bfloat16)
    assert near.dtype == torch.bfloat16
    assert (near.float() - exact).abs().mean() < 0.02 * exact.abs().mean()


@pytest.mark.slow
def test_compiled_it_gives_the_same_numbers():
    ids = windows(2, 161, 60)
    found = []
    for compiled in (False, True):
        model = grown(SIZES["shared keys"], 160)
        story = (ids[:, :-1] == 1).cumsum(dim=1)
        states = final_states(model, ids[:, :-1], story, torch.float32, compiled)
        table = model.model.embed_tokens.weight
        loss = ChunkedCrossEntropy.apply(states.flatten(0, 1), table, ids[:, 1:].flatten(), 1e-4, compiled)
        loss.backward()
        found.append([loss.detach(), *(weight.grad for weight in model.parameters())])
    for one, other in zip(*found, strict=True):
        assert (one - other).norm() <= 1e-4 * one.norm()
