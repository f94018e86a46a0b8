import pytest
import torch
from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM, Gemma3TextConfig, MT5Config

from prompts.models import AnswerModel


@pytest.fixture(scope="session")
def make_model(build_model, tokenizer):
    """A function that makes a tiny random model, of an encoder-decoder family too."""

    def make(kind="llama", seed=0):
        torch.manual_seed(seed)
        if kind == "mt5":
            sizes = {"d_model": 32, "d_ff": 64, "num_layers": 2, "num_heads": 2, "d_kv": 16}
            return AutoModelForSeq2SeqLM.from_config(MT5Config(vocab_size=len(tokenizer), **sizes)).eval()
        if kind == "gemma3":  # one layer that sees a window and one that sees all, one head of keys for two of queries
            sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "head_dim": 16}
            sizes |= {"num_attention_heads": 2, "num_key_value_heads": 1}
            layers = ["sliding_attention", "full_attention"]
            config = Gemma3TextConfig(vocab_size=len(tokenizer), layer_types=layers, sliding_window=8, **sizes)
            return AutoModelForCausalLM.from_config(config).eval()
        return build_model(kind, seed=seed)

    return make


@pytest.fixture(scope="session")
def answer_model(make_model, tokenizer):
    """A function that opens a tiny random model of a family, each once for all tests, which leave it as it is."""
    opened = {}

    def give(kind="llama", seed=0):
        if (kind, seed) not in opened:
            opened[kind, seed] = AnswerModel(make_model(kind, seed), tokenizer)
        return opened[kind, seed]

    return give
