"""What Katha-72 gives away to who knows nothing: `python tests/benchmarks/bench_katha.py results/quickstart/models/*`.

For each model folder, named by its language: the share of right endings and of right sentences that five random models
choose with its tokenizer, that a word unigram chooses, and that the shorter text is. Chance is 50 %.
"""

import sys
from pathlib import Path

import numpy as np
import torch
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

from corpora.katha import PHENOMENA, read_katha
from evaluation.intervals import proportion
from evaluation.katha import choice_nats, hits, unigram_nats

SEEDS = 5


def random_model(vocabulary_size, seed):
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=vocabulary_size,
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=256,
        tie_word_embeddings=True,
    )
    return LlamaForCausalLM(config).eval()


def share(runs, chosen=slice(None)):
    found = proportion(np.mean([hits(costs) for costs in runs], 0)[chosen])
    return f"{found.value:.3f} [{found.low:.3f}, {found.high:.3f}]"


def main(folders):
    for folder in folders:
        language = Path(folder).name
        tokenizer, stories = AutoTokenizer.from_pretrained(folder), read_katha([language])
        endings = [(story.ending, story.wrong_ending) for story in stories]
        pairs = [pair for story in stories for pair in story.pairs]
        sentences = [(pair.right, pair.wrong) for pair in pairs]
        models = [random_model(len(tokenizer), seed) for seed in range(SEEDS)]
        befores = [story.story for story in stories]
        given = [choice_nats(model, tokenizer, endings, befores, end=True) for model in models]
        costs = [choice_nats(model, tokenizer, sentences) for model in models]
        unigram = [np.array([cost for (cost,) in unigram_nats(stories, [[ending] for ending in endings])])]
        lengths = [[np.array([[len(text) for text in choice] for choice in task])] for task in (endings, sentences)]
        print(
            f"{language}: endings  random models {share(given)}, unigram {share(unigram)}, shorter {share(lengths[0])}"
        )
        print(f"{language}: pairs    random models {share(costs)}, shorter {share(lengths[1])}")
        for phenomenon in PHENOMENA[language]:
            mine = [number for number, pair in enumerate(pairs) if pair.phenomenon == phenomenon]
            print(f"{language}:   {phenomenon:10}  random models {share(costs, mine)}", flush=True)


if __name__ == "__main__":
    main(
        sys.argv[1:] or ["results/quickstart/models/hi", "results/quickstart/models/mr", "results/quickstart/models/bn"]
    )
