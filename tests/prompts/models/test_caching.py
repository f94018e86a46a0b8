from dataclasses import replace

import pytest
import torch

from corpora.errors import UserError
from prompts.models import AnswerModel, Asked
from prompts.models.caching import TextCache

CAUSAL = ["gpt2", "llama", "xglm", "bloom", "gemma3", "qwen3"]
BEHIND = [{"infix": 2}, {"suffix": 3}, {"infix": 2, "suffix": 1}]


def states_and_gradients(answer_model, asked, soft, cache=None):
    """Answer states, and the gradients of a loss over all of them with respect to the prompt."""
    states = answer_model.answer_states(asked, soft, cache=cache)
    weights = torch.linspace(-1, 1, states.numel()).view_as(states)
    leaves = [vectors for vectors in soft.given.values() if len(vectors)]
    return states.detach(), torch.cat(torch.autograd.grad((states * weights).sum(), leaves))


def relative(first, second):
    """Largest difference, as a share of the largest value."""
    return float((first - second).detach().abs().max() / second.detach().abs().max())


@pytest.mark.parametrize("kind", CAUSAL)
@pytest.mark.parametrize("placement", BEHIND, ids="+".join)
def test_cached_texts_give_the_states_and_gradients_of_the_full_pass(kind, placement, answer_models, vectors, mixed):
    answer_model, soft = answer_models(kind), vectors(32, **placement)
    cache = answer_model.cache_texts(mixed)
    full, full_gradient = states_and_gradients(answer_model, mixed, soft)
    cached, gradient = states_and_gradients(answer_model, mixed, soft, cache)
    assert relative(cached, full) < 2e-5 and relative(gradient, full_gradient) < 2e-4

    texts = [tuple(item.text_ids) for item in mixed]
    turned = dict(zip(texts, texts[1:] + texts[:1], strict=True))
    others = [replace(item, text_ids=list(turned[text])) for item, text in zip(mixed, texts, strict=True)]
    wrong, wrong_gradient = states_and_gradients(answer_model, others, soft, cache)
    assert relative(wrong, full) > 0.05 and relative(wrong_gradient, full_gradient) > 0.05


@pytest.mark.parametrize("kind", CAUSAL)
def test_another_texts_cache_of_equal_length_moves_the_answer(kind, answer_models, vectors, mixed):
    answer_model, soft = answer_models(kind), vectors(32, infix=2)
    first, second = mixed[1], mixed[4]  # texts of 18 tokens
    cache = answer_model.cache_texts([first, second])
    one, other = tuple(first.text_ids), tuple(second.text_ids)
    exchanged = TextCache({one: cache.states[other], other: cache.states[one]})
    full, full_gradient = states_and_gradients(answer_model, [first, second], soft)
    wrong, wrong_gradient = states_and_gradients(answer_model, [first, second], soft, exchanged)
    assert relative(wrong, full) > 0.05 and relative(wrong_gradient, full_gradient) > 0.03


@pytest.mark.parametrize("kind", ["gpt2", "xglm"])
def test_positions_after_padding_would_be_wrong(kind, answer_models, vectors, mixed, monkeypatch):
    """The control of the control: positions counted on from the longest text of the batch give other answers."""
    answer_model, soft = answer_models(kind), vectors(32, infix=2)
    cache = answer_model.cache_texts(mixed)
    full = answer_model.answer_states(mixed, soft)
    read = answer_model._read

    def naive(rows, lengths, positions, **more):
        return read(rows, lengths, positions.max(dim=0).values.expand_as(positions), **more)

    monkeypatch.setattr(answer_model, "_read", naive)
    off = answer_model.answer_states(mixed, soft, cache=cache)
    assert relative(off[1], full[1]) < 2e-5  # the longest text
    assert relative(off[0], full[0]) > 0.01


def test_text_that_fills_the_context_beside_a_longer_template(answer_models, vectors):
    answer_model = answer_models("gpt2")  # 64 positions
    asked = [Asked([1] * 61, [5]), Asked([1, 9], [5, 6, 7, 8])]
    soft = vectors(32, suffix=2)
    cached = answer_model.answer_states(asked, soft, cache=answer_model.cache_texts(asked))
    assert relative(cached, answer_model.answer_states(asked, soft)) < 2e-5


def test_empty_text(answer_models, vectors):
    answer_model, soft = answer_models("llama"), vectors(32, suffix=1)
    for asked in ([Asked([], [5, 6])], [Asked([], [5, 6]), Asked([7, 8, 9], [5, 6])]):
        cached = answer_model.answer_states(asked, soft, cache=answer_model.cache_texts(asked))
        assert relative(cached, answer_model.answer_states(asked, soft)) < 2e-5


def test_cache_serves_many_questions_on_one_text(answer_models, vectors, mixed):
    answer_model = answer_models("gemma3")
    cache = answer_model.cache_texts(mixed, batch_tokens=20)
    assert len(cache.states) == len(mixed) + 1  # and the text without any token
    longer = [replace(item, template_ids=[5, 6, 7, 8, 9]) for item in mixed]
    soft = vectors(32, infix=1)
    assert relative(answer_model.answer_states(longer, soft, cache), answer_model.answer_states(longer, soft)) < 2e-5


def test_text_that_was_not_read(answer_models, mixed):
    answer_model = answer_models("llama")
    with pytest.raises(KeyError):
        answer_model.answer_states(mixed, cache=answer_model.cache_texts(mixed[:2]))


def test_prompt_before_the_text_and_no_words_after_it_are_refused(answer_models, vectors, mixed):
    answer_model = answer_models("llama")
    cache = answer_model.cache_texts(mixed)
    with pytest.raises(UserError, match="before the text changes how it is read"):
        answer_model.answer_states(mixed, vectors(32, prefix=1), cache)
    with pytest.raises(UserError, match="nothing to read after the text"):
        answer_model.answer_states([replace(mixed[0], template_ids=[])], None, cache)


def test_seq2seq_models_have_no_cache_of_texts(answer_models, mixed):
    assert not answer_models("mt5").can_cache(None)
    with pytest.raises(UserError, match="keeps no key-value cache"):
        answer_models("mt5").cache_texts(mixed)


def test_kept_texts_are_read_once_and_change_no_answer(answer_models, vectors, mixed, monkeypatch):
    bare = answer_models("llama")
    soft = vectors(32, infix=2)
    read, sizes = AnswerModel._read, []

    def counted(self, rows, lengths, positions, **more):
        sizes.append(int(lengths.sum()))
        return read(self, rows, lengths, positions, **more)

    monkeypatch.setattr(AnswerModel, "_read", counted)
    for room in (10**9, 3000):  # of the second only some texts are kept
        keeping = AnswerModel(bare.model, bare.tokenizer, keep_bytes=room)
        sizes.clear()
        first = keeping.read_once(mixed, soft)
        cost = sum(sizes)
        sizes.clear()
        again = keeping.read_once(mixed, soft)
        assert relative(first, bare.answer_states(mixed, soft)) < 2e-5 and torch.equal(first, again)
        behind = sum(2 + len(item.template_ids) for item in mixed)
        sizes.clear()
        keeping.read_once(mixed, soft)
        assert sum(sizes) == behind if room > 3000 else behind < sum(sizes) < cost
    before = vectors(32, prefix=2)
    assert relative(keeping.read_once(mixed, before), bare.answer_states(mixed, before)) < 2e-5


@pytest.mark.parametrize("kind", CAUSAL)
def test_states_of_any_block_are_those_of_the_plain_model_cached_or_not(kind, answer_models, vectors, mixed):
    answer_model, soft = answer_models(kind), vectors(32, infix=2)
    blocks = answer_model.model.config.num_hidden_layers
    for layer in range(blocks + 1):
        full = answer_model.answer_states(mixed, soft, layer=layer)
        cached = answer_model.answer_states(mixed, soft, answer_model.cache_texts(mixed), layer)
        assert relative(cached, full) < 2e-5
        for item, state in zip(mixed, full, strict=True):
            parts = [answer_model.embed(torch.tensor(ids)) for ids in (item.text_ids, item.template_ids)]
            read = torch.cat([parts[0], soft.vectors("infix"), parts[1]]).unsqueeze(0)
            plain = answer_model.model(inputs_embeds=read, output_hidden_states=True).hidden_states[layer]
            assert relative(state, plain[0, -1]) < 2e-5
    with pytest.raises(UserError, match=f"no states after block {blocks + 1} .*choose 0 to {blocks}"):
        answer_model.answer_states(mixed, layer=blocks + 1)


def test_an_encoder_decoder_gives_its_last_states_only(answer_models, mixed):
    with pytest.raises(UserError, match="choose the last ones"):
        answer_models("mt5").answer_states(mixed, layer=1)
