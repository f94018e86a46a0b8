"""Tiny models, tokenizers, stories and corpora, made on the spot."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from corpora.folders import new_folder, write_manifest
from corpora.stories import Story, write_split

HINDI_SENTENCE = "एक दिन राजा ने जंगल में छोटी चिड़िया को देखा और वह खुशी से घर गया फिर माँ बोली बेटा पानी लाओ"
HINDI_WORDS = HINDI_SENTENCE.split()


def _hindi_stories(count: int, seed: int = 0, sentences: int = 4, prefix: str = "hi") -> list[Story]:
    """Word salad with Hindi sentence marks; grouped two by two."""
    generator = random.Random(seed)
    stories = []
    for number in range(count):
        text = " ".join(
            " ".join(generator.choices(HINDI_WORDS, k=generator.randint(4, 8))) + "।" for _ in range(sentences)
        )
        stories.append(Story(f"{prefix}-{seed}-{number}", "hi", text, "salad", group=f"{seed}-{number // 2}"))
    return stories


@pytest.fixture(scope="session")
def hindi_stories():
    """The function that makes word salad: (count, seed, sentences, prefix) -> stories."""
    return _hindi_stories


@pytest.fixture(scope="session")
def make_model():
    """The function that makes a random Llama: (rows, context, seed, spread) -> model."""
    return _make_model


@pytest.fixture(scope="session")
def stories() -> list[Story]:
    return _hindi_stories(9, seed=1)


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus folder of Hindi word salad: 30 training, 6 validation, 9 test stories."""
    target = tmp_path_factory.mktemp("study") / "corpus"
    with new_folder(target) as folder:
        for seed, (split, count) in enumerate({"train": 30, "test": 9, "validation": 6}.items()):
            write_split(folder, split, _hindi_stories(count, seed, prefix=split))
        write_manifest(folder, "corpus", {"made": "in a test"}, licenses=["CC0-1.0"])
    return target


@pytest.fixture(scope="session")
def tokenizer():
    """Characters, with the project's four special tokens; BOS is prepended, EOS never appended."""
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    pieces = ["<unk>", "<s>", "</s>", "<pad>", *sorted(set(HINDI_SENTENCE + "।?! .,abc"))]
    bare = Tokenizer(models.WordLevel({piece: number for number, piece in enumerate(pieces)}, unk_token="<unk>"))
    bare.pre_tokenizer = pre_tokenizers.Split(Regex("."), "isolated")
    bare.decoder = decoders.Fuse()
    bare.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    return PreTrainedTokenizerFast(
        tokenizer_object=bare, unk_token="<unk>", bos_token="<s>", eos_token="</s>", pad_token="<pad>"
    )


def _make_model(rows: int, context: int = 512, seed: int = 0, spread: float = 0.3):
    """A random two-layer Llama of 32 dimensions; `spread`: the standard deviation of its weights."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=rows,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=context,
        tie_word_embeddings=True,
        initializer_range=spread,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=3,
    )
    return LlamaForCausalLM(config).eval()


@pytest.fixture(scope="session")
def model(tokenizer):
    return _make_model(len(tokenizer))


@pytest.fixture(scope="session")
def model_folder(model, tokenizer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "tiny"
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
