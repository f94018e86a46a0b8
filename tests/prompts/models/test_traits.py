import pytest
import torch
from transformers import AutoModelForCausalLM, Gemma4TextConfig

from corpora.errors import UserError
from prompts.models import AnswerModel
from prompts.models.traits import measure_traits

ROOT = 32**0.5
EXPECTED = {  # positions, whether it can be told them, embedding norm, tied, context, embedding scale, state scale
    "gpt2": ("learned", True, False, True, 64, 1, 1),
    "llama": ("rotary", True, False, False, 64, 1, 1),
    "xglm": ("sinusoidal", True, False, True, 64, ROOT, 1),
    "bloom": ("alibi", False, True, True, None, 1, 1),
    "gemma3": ("rotary", True, False, True, 64, ROOT, 1),
    "qwen3": ("rotary", True, False, False, 64, 1, 1),
    "t5": ("relative", False, False, True, None, 1, 1 / ROOT),
    "mt5": ("relative", False, False, True, None, 1, 1),
}


@pytest.mark.parametrize("kind", EXPECTED)
def test_traits_of_each_class(kind, network):
    traits = measure_traits(network(kind))
    *plain, embedding_scale, state_scale = EXPECTED[kind]
    assert plain == [
        traits.positions,
        traits.takes_positions,
        traits.embedding_norm,
        traits.tied,
        traits.context,
    ]
    assert traits.embedding_scale == pytest.approx(embedding_scale, rel=1e-3)
    assert traits.state_scale == pytest.approx(state_scale, rel=1e-5)
    assert (traits.seq2seq, traits.caches) == ((True, False) if kind in ("t5", "mt5") else (False, True))
    assert traits.width == 32


@pytest.mark.parametrize("kind", EXPECTED)
def test_states_times_head_are_the_models_logits(kind, answer_models, mixed):
    """The closed form of verbalizers stands on this; a decoder's scale (T5) is in the states."""
    answer_model = answer_models(kind)
    states = answer_model.answer_states(mixed)
    logits = answer_model.scores(states)
    torch.testing.assert_close(states @ answer_model.head.T, logits, rtol=1e-4, atol=1e-4)
    rows = torch.tensor([7, 300, 7])
    torch.testing.assert_close(answer_model.scores(states, rows), logits[:, rows], rtol=1e-4, atol=1e-4)


def test_soft_capping_bounds_the_scores_as_the_model_does(network, tokenizer, mixed):
    answer_model = AnswerModel(network("gemma3", final_logit_softcapping=0.5), tokenizer)
    assert answer_model.traits.softcap == 0.5
    scores = answer_model.scores(answer_model.answer_states(mixed[:1]))
    ids = torch.tensor([mixed[0].text_ids + mixed[0].template_ids])
    torch.testing.assert_close(scores[0], answer_model.model(ids).logits[0, -1], rtol=1e-3, atol=1e-3)
    assert 0.4 < scores.abs().max() <= 0.5


def test_bias_of_the_head_counts(network, tokenizer, mixed):
    network = network("llama")
    network.lm_head.bias = torch.nn.Parameter(torch.linspace(-3, 3, 420))
    answer_model = AnswerModel(network, tokenizer)
    ids = torch.tensor([mixed[0].text_ids + mixed[0].template_ids])
    scores = answer_model.scores(answer_model.answer_states(mixed[:1]), torch.tensor([0, 419]))
    torch.testing.assert_close(scores[0], network(ids).logits[0, -1, [0, 419]], rtol=1e-3, atol=1e-3)


def test_untied_head_is_the_output_one(answer_models):
    answer_model = answer_models("llama")
    assert torch.equal(answer_model.head, answer_model.model.lm_head.weight)
    assert not torch.equal(answer_model.head, answer_model.model.get_input_embeddings().weight)


def test_model_whose_logits_are_not_plain_is_refused(network, monkeypatch):
    model = network("gpt2")
    forward = model.forward

    def bent(*arguments, **options):
        output = forward(*arguments, **options)
        output.logits = output.logits**2
        return output

    monkeypatch.setattr(model, "forward", bent)
    with pytest.raises(UserError, match="the logits of GPT2LMHeadModel are not those of its last hidden state"):
        measure_traits(model)


def test_model_that_looks_up_the_tokens_of_its_vectors_is_refused():
    size = {"vocab_size": 420, "vocab_size_per_layer_input": 420, "hidden_size_per_layer_input": 8, "hidden_size": 32}
    heads = {"num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 16}
    layers = ["sliding_attention", "full_attention"]
    configuration = Gemma4TextConfig(**size, **heads, intermediate_size=64, num_hidden_layers=2, layer_types=layers)
    with pytest.raises(UserError, match="Gemma4ForCausalLM does not read vectors in the place of tokens"):
        measure_traits(AutoModelForCausalLM.from_config(configuration).eval())
