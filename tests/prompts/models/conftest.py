import pytest
import torch
from transformers import (
    AutoModelForCausalLM,
    AutoModelForSeq2SeqLM,
    BloomConfig,
    Gemma3TextConfig,
    GPT2Config,
    LlamaConfig,
    MT5Config,
    Qwen3Config,
    T5Config,
    XGLMConfig,
)

from prompts.models import AnswerModel

SIZE = {"vocab_size": 420, "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 3}
GROUPED = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "max_position_embeddings": 64}
HEADS = {"num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 16}
T5_SIZE = {**SIZE, "d_model": 32, "d_kv": 16, "d_ff": 64, "num_layers": 2, "num_heads": 2, "decoder_start_token_id": 3}
CONFIGURATIONS = {
    "gpt2": lambda: GPT2Config(n_embd=32, n_layer=2, n_head=2, n_positions=64, **SIZE),
    "llama": lambda: LlamaConfig(**GROUPED, **HEADS, **SIZE),
    "xglm": lambda: XGLMConfig(
        d_model=32, ffn_dim=64, num_layers=2, attention_heads=2, max_position_embeddings=64, **SIZE
    ),
    "bloom": lambda: BloomConfig(hidden_size=32, n_layer=2, n_head=2, **SIZE),
    # texts longer than the window of the first layer
    "gemma3": lambda: Gemma3TextConfig(
        **GROUPED, **HEADS, **SIZE, sliding_window=8, layer_types=["sliding_attention", "full_attention"]
    ),
    "qwen3": lambda: Qwen3Config(**GROUPED, **HEADS, **SIZE),
    "t5": lambda: T5Config(**T5_SIZE),
    "mt5": lambda: MT5Config(**T5_SIZE),
}
SEQ2SEQ = ("t5", "mt5")
SCALES = {"bloom": 10, "t5": 1, "mt5": 1}  # BLOOM's embeddings are normalised; T5's weights start larger


@pytest.fixture(scope="session")
def network():
    """A function that makes a tiny random model; its weights are scaled so that attention depends on the text."""

    def build(kind, seed=0, **changes):
        configuration = CONFIGURATIONS[kind]()
        for name, value in changes.items():
            setattr(configuration, name, value)
        torch.manual_seed(seed)
        auto = AutoModelForSeq2SeqLM if kind in SEQ2SEQ else AutoModelForCausalLM
        model = auto.from_config(configuration).eval()
        with torch.no_grad():
            for parameter in model.parameters():
                parameter *= SCALES.get(kind, 4) if parameter.ndim > 1 else 1
        return model

    return build


@pytest.fixture(scope="session")
def answer_models(network, tokenizer):
    made = {}

    def build(kind):
        if kind not in made:
            made[kind] = AnswerModel(network(kind), tokenizer)
        return made[kind]

    return build


class Vectors:
    """The simplest soft prompt: leaf tensors."""

    def __init__(self, width, prefix=0, infix=0, suffix=0, deep=None, seed=1, scale=0.2):
        generator = torch.Generator().manual_seed(seed)
        self.given = {
            place: (scale * torch.randn(length, width, generator=generator)).requires_grad_()
            for place, length in (("prefix", prefix), ("infix", infix), ("suffix", suffix))
        }
        self.deep = deep

    def vectors(self, place):
        return self.given[place]

    def deep_states(self):
        return self.deep


@pytest.fixture(scope="session")
def vectors():
    return Vectors


@pytest.fixture(scope="session")
def mixed():
    """Questions of unequal lengths."""
    from prompts.models import Asked

    generator = torch.Generator().manual_seed(7)

    def draw(count):
        return torch.randint(4, 420, (count,), generator=generator).tolist()

    return [Asked([1, *draw(text)], draw(template)) for text, template in ((5, 3), (17, 3), (11, 4), (1, 3), (17, 2))]
