import pytest
import torch
from transformers import DynamicCache

from corpora.errors import UserError
from prompts.soft import DeepPrompt, Layout, ReparameterisedPrompt, ShallowPrompt, deepened, initialise


def test_each_place_has_its_rows():
    prompt = ShallowPrompt(Layout(prefix=1, infix=0, suffix=2), torch.tensor([[1.0, 2], [3, 4], [5, 6]]))
    assert prompt.vectors("prefix").tolist() == [[1, 2]]
    assert prompt.vectors("infix").shape == (0, 2)
    assert prompt.vectors("suffix").tolist() == [[3, 4], [5, 6]]
    assert [name for name, _ in prompt.named_parameters()] == ["matrix"]


@pytest.mark.parametrize("lengths", [(0, 0, 0), (3, -1, 0)])
def test_impossible_layouts(lengths):
    with pytest.raises(UserError):
        Layout(*lengths)


def test_vectors_must_fit_the_layout():
    with pytest.raises(ValueError, match="layout of 3"):
        ShallowPrompt(Layout(infix=3), torch.zeros(2, 4))


def test_the_prompt_is_a_copy_of_what_it_starts_from():
    start = torch.zeros(2, 4)
    ShallowPrompt(Layout(infix=2), start).matrix.data.fill_(1)
    assert start.sum() == 0


def test_reparameterised_by_hand():
    prompt = ReparameterisedPrompt(Layout(infix=1), torch.tensor([[3.0, 1.0]]), hidden=1)
    assert prompt.all_vectors().tolist() == [[3, 1]]  # it starts as its vectors
    # LayerNorm makes (1, -1) of (3, 1): mean 2, deviation 1
    prompt.down.weight.data, prompt.down.bias.data = torch.tensor([[1.0, 0.0]]), torch.tensor([0.5])
    prompt.up.weight.data, prompt.up.bias.data = torch.tensor([[2.0], [0.0]]), torch.tensor([0.0, 10.0])
    torch.testing.assert_close(prompt.vectors("infix"), torch.tensor([[3 + 2 * 1.5, 1 + 10.0]]), atol=1e-4, rtol=0)
    prompt.down.weight.data *= -1  # ReLU cuts -1 + 0.5
    torch.testing.assert_close(prompt.vectors("infix"), torch.tensor([[3.0, 11.0]]), atol=1e-4, rtol=0)


def test_reparameterised_trains_its_network_and_folds_it_away():
    layout = Layout(prefix=2, suffix=1)
    prompt = ReparameterisedPrompt(layout, torch.randn(3, 8, generator=torch.Generator().manual_seed(0)), hidden=32)
    optimizer = torch.optim.SGD(prompt.parameters(), lr=0.1)
    for _ in range(2):  # in the first step only the upper half moves, for it starts at 0
        optimizer.zero_grad()
        prompt.vectors("suffix").square().sum().backward()
        optimizer.step()
    assert prompt.down.weight.grad.abs().sum() > 0
    folded = prompt.folded()
    assert type(folded) is ShallowPrompt and folded.layout == layout
    assert sum(parameter.numel() for parameter in folded.parameters()) == 3 * 8
    torch.testing.assert_close(folded.all_vectors(), prompt.all_vectors(), rtol=0, atol=0)
    assert not torch.equal(folded.matrix, prompt.matrix)


def test_the_seed_of_the_network_is_its_own():
    before = torch.random.get_rng_state()
    first, same, other = (
        ReparameterisedPrompt(Layout(infix=1), torch.ones(1, 4), seed=seed).down.weight for seed in (1, 1, 2)
    )
    assert torch.equal(first, same) and not torch.equal(first, other)
    assert torch.equal(torch.random.get_rng_state(), before)


def last_logits(model, **inputs):
    with torch.no_grad():
        return model(**inputs).logits[:, -1]


@pytest.mark.parametrize("kind", ["gpt2", "llama", "xglm", "bloom", "gemma3"])
def test_a_deep_prompt_starts_as_the_prefix_it_was_made_from(answer_model, kind):
    opened = answer_model(kind)
    prefix = initialise(Layout(prefix=3), opened, "random", seed=1)
    deep = deepened(prefix, opened)
    assert deep.layout == Layout(prefix=3) and deep.vectors("prefix").shape == (0, 32)
    assert deep.deep_states().shape == (2, 2, 1 if kind == "gemma3" else 2, 3, 16)

    ids = torch.tensor([[1, 300, 310, 320]])
    embedded = torch.cat([prefix.vectors("prefix"), opened.embed(ids)[0]]).unsqueeze(0)
    shallow = last_logits(opened.model, inputs_embeds=embedded)

    def with_states(states):
        cache = DynamicCache()
        for layer, (keys, values) in enumerate(states.detach()):
            cache.update(keys.unsqueeze(0), values.unsqueeze(0), layer)
        return last_logits(opened.model, input_ids=ids, past_key_values=cache)

    torch.testing.assert_close(with_states(deep.deep_states()), shallow, rtol=0, atol=1e-4)
    assert (with_states(deep.deep_states().flip(1)) - shallow).abs().max() > 1e-2


def test_only_a_prefix_of_a_causal_model_can_be_deep(answer_model):
    with pytest.raises(UserError, match="only a prefix"):
        deepened(initialise(Layout(infix=2), answer_model(), "mean"), answer_model())
    with pytest.raises(UserError, match="only causal models"):
        deepened(initialise(Layout(prefix=2), answer_model("mt5"), "mean"), answer_model("mt5"))
    with pytest.raises(UserError, match="does not keep keys and values of 9 positions"):
        deepened(initialise(Layout(prefix=9), answer_model("gemma3"), "mean"), answer_model("gemma3"))
    with pytest.raises(ValueError, match="no keys and values"):
        DeepPrompt(torch.zeros(2, 2, 3, 4), 32)
