import pytest
import torch

from corpora.errors import UserError
from prompts.models import AnswerModel, Asked

KINDS = ["gpt2", "llama", "xglm", "bloom", "gemma3", "qwen3", "t5", "mt5"]
PLACEMENTS = [{}, {"prefix": 3}, {"infix": 2}, {"suffix": 2}, {"prefix": 1, "infix": 2, "suffix": 3}]


def alone(answer_model, item, soft):
    """The model's own logits for one item: no padding, no explicit positions, no cache."""
    model = answer_model.model

    def embed(ids):
        return model.get_input_embeddings()(torch.tensor(ids, dtype=torch.long))

    rows = [
        soft.vectors("prefix"),
        embed(item.text_ids),
        soft.vectors("infix"),
        embed(item.template_ids),
        soft.vectors("suffix"),
    ]
    inputs = torch.cat(rows).unsqueeze(0)
    if answer_model.seq2seq:
        return model(inputs_embeds=inputs, decoder_input_ids=torch.tensor([[3]])).logits[0, 0]
    return model(inputs_embeds=inputs).logits[0, -1]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("placement", PLACEMENTS, ids=lambda placement: "+".join(placement) or "none")
def test_batch_equals_each_item_alone(kind, placement, answer_models, vectors, mixed):
    answer_model = answer_models(kind)
    soft = vectors(32, **placement)
    together = answer_model.scores(answer_model.answer_states(mixed, soft))
    expected = torch.stack([alone(answer_model, item, soft) for item in mixed])
    torch.testing.assert_close(together, expected, atol=2e-4 * float(expected.detach().abs().max()), rtol=0)
    assert together.std(dim=0).max() > 1e-3 * together.abs().max()


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_go_to_the_prompt_and_to_nothing_else(kind, answer_models, vectors, mixed):
    answer_model = answer_models(kind)
    soft = vectors(32, prefix=2, suffix=1)
    answer_model.answer_states(mixed, soft).pow(2).sum().backward()
    assert soft.vectors("prefix").grad.abs().min() > 0 and soft.vectors("suffix").grad.abs().min() > 0
    assert not any(parameter.requires_grad for parameter in answer_model.model.parameters())
    assert not answer_model.answer_states(mixed).requires_grad


@pytest.mark.parametrize("kind", KINDS)
def test_vectors_of_words_act_as_the_words(kind, answer_models, vectors, mixed):
    """Embedding scale: a prompt made of embedded tokens is those tokens, wherever it stands."""
    answer_model = answer_models(kind)
    soft = vectors(32)
    words = {"prefix": [5, 6], "infix": [7], "suffix": [8, 9]}
    soft.given = {place: answer_model.embed(torch.tensor(ids)) for place, ids in words.items()}
    written = [Asked([5, 6, *item.text_ids], [7, *item.template_ids, 8, 9]) for item in mixed]
    states = answer_model.answer_states(written)
    torch.testing.assert_close(answer_model.answer_states(mixed, soft), states, rtol=1e-4, atol=1e-4)


def test_text_matters(answer_models, mixed):
    """The control of every equality here: these models' answers depend on the text."""
    for kind in KINDS:
        answer_model = answer_models(kind)
        other = [Asked([1, *(id - 1 for id in item.text_ids[1:])], item.template_ids) for item in mixed]
        states = answer_model.answer_states(mixed)
        moved = (answer_model.answer_states(other) - states)[:3].abs().max(dim=1).values  # the fourth has one token
        assert (moved > (0.003 if answer_model.seq2seq else 0.05) * states.abs().max()).all(), kind


@pytest.mark.parametrize("kind", ["gpt2", "llama", "xglm", "bloom", "gemma3", "qwen3"])
def test_deep_prompt_of_words_acts_as_the_words(kind, answer_models, vectors, mixed):
    """Keys and values of real tokens, as a deep prompt, are those tokens before the text."""
    answer_model = answer_models(kind)
    cache = answer_model.cache_texts([Asked([5, 6, 7], [])])
    deep = torch.stack([torch.stack(layer) for layer in cache.states[5, 6, 7]]).requires_grad_()
    assert deep.shape[:2] == (2, 2) and deep.shape[3] == 3
    soft = vectors(32, infix=1, deep=deep)
    written = [Asked([5, 6, 7, *item.text_ids], item.template_ids) for item in mixed]
    states = answer_model.answer_states(mixed, soft)
    expected = answer_model.answer_states(written, vectors(32, infix=1))
    torch.testing.assert_close(states, expected, rtol=1e-4, atol=1e-4)
    states.pow(3).sum().backward()
    assert deep.grad.abs().amax(dim=(2, 3, 4)).min() > 0  # every layer's keys and values


def test_deep_prompts_of_seq2seq_models_are_refused(answer_models, vectors, mixed):
    with pytest.raises(UserError, match="deep prompts are for causal models"):
        answer_models("t5").answer_states(mixed, vectors(32, deep=torch.zeros(2, 2, 2, 1, 16)))


@pytest.mark.parametrize("kind", ["gpt2", "mt5"])
def test_read_once_keeps_the_order_whatever_the_batches(kind, answer_models, vectors, mixed):
    answer_model, soft = answer_models(kind), vectors(32, infix=2)
    states = answer_model.answer_states(mixed, soft)
    for batch_tokens in (1, 25, 8192):
        read = answer_model.read_once(mixed, soft, batch_tokens=batch_tokens)
        torch.testing.assert_close(read, states, rtol=1e-4, atol=1e-4)
        assert not read.requires_grad
    assert answer_model.read_once([], soft).shape == (0, 32)


def test_brain_floats_answer_nearly_alike(network, tokenizer, vectors, mixed):
    exact = AnswerModel(network("llama"), tokenizer)
    rough = AnswerModel(network("llama").bfloat16(), tokenizer)
    soft = vectors(32, infix=2)
    states = rough.answer_states(mixed, soft)
    assert states.dtype == torch.float32
    assert torch.cosine_similarity(states, exact.answer_states(mixed, soft)).min() > 0.97
    cached = rough.answer_states(mixed, soft, rough.cache_texts(mixed))
    assert torch.cosine_similarity(cached, states).min() > 0.97
