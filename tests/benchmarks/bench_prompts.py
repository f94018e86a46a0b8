"""Time of zero-shot classification: `python tests/benchmarks/bench_prompts.py [SIB-200 folder]`.

200 items, 8 themes (14 names in Hindi), one core, a random Llama of about a million parameters; the folder's Hindi
sentences where it is given, else word salad of the same length and of the length of stories.
"""

import random
import sys
import time

import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from tokenizers.trainers import BpeTrainer
from transformers import AutoModelForCausalLM, LlamaConfig, PreTrainedTokenizerFast

from prompts.data import sample, sib200_items
from prompts.verbalizers import load_verbalizer
from prompts.zero_shot import NameScorer

ITEMS = 200


def word_salad(words):
    names = load_verbalizer("themes", "hi").names.values()
    syllables = ["का", "मी", "रा", "सु", "ने", "पा", "नी", *sorted({letter for words in names for letter in str(words)})]
    drawn = random.Random(0)
    return [
        " ".join(
            "".join(drawn.choices(syllables, k=drawn.randint(1, 4))) for _ in range(drawn.randint(words // 2, words))
        )
        for _ in range(ITEMS)
    ]


def train_tokenizer(texts):
    bpe = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True))
    bpe.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="never")
    specials = ["<unk>", "<s>", *(f"<0x{byte:02X}>" for byte in range(256))]
    bpe.train_from_iterator(texts, BpeTrainer(vocab_size=2048, special_tokens=specials, show_progress=False))
    bpe.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    return PreTrainedTokenizerFast(tokenizer_object=bpe, unk_token="<unk>", bos_token="<s>")


def main():
    torch.set_num_threads(1)
    data = {"word salad, 25 words": word_salad(25), "word salad, 150 words": word_salad(150)}
    if len(sys.argv) > 1:
        data["SIB-200 Hindi"] = [item.text for item in sample(sib200_items(sys.argv[1], "train", "hi"), ITEMS)]
    for name, texts in data.items():
        tokenizer = train_tokenizer(texts)
        config = LlamaConfig(
            vocab_size=2048,
            hidden_size=128,
            intermediate_size=352,
            num_hidden_layers=4,
            num_attention_heads=4,
            max_position_embeddings=1024,
            tie_word_embeddings=True,
        )
        model = AutoModelForCausalLM.from_config(config).eval()
        classifier = NameScorer(model, tokenizer, load_verbalizer("themes", "hi"))
        start = time.process_time()
        classifier.class_scores(texts)
        seconds = time.process_time() - start
        tokens = sum(len(classifier.question(text).prompt) for text in texts) / len(texts)
        print(
            f"{name}: {len(texts)} items of {tokens:.0f} tokens, 8 classes, {model.num_parameters():,} parameters: "
            f"{seconds:.1f} s of one core"
        )


if __name__ == "__main__":
    main()
