import pytest
import torch
from transformers import AutoModelForSeq2SeqLM, MT5Config

from prompts.models import AnswerModel


@pytest.fixture(scope="session")
def make_model(build_model, tokenizer):
    """A function that makes a tiny random model, of an encoder-decoder family too."""

    def make(kind="llama", seed=0):
        if kind != "mt5":
            return build_model(kind, seed=seed)
        sizes = {"d_model": 32, "d_ff": 64, "num_layers": 2, "num_heads": 2, "d_kv": 16}
        torch.manual_seed(seed)
        return AutoModelForSeq2SeqLM.from_config(MT5Config(vocab_size=len(tokenizer), **sizes)).eval()

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
