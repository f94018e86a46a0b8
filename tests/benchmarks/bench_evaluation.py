"""Speed of scoring and of the n-gram floor: `python tests/benchmarks/bench_evaluation.py`.

One core, medians of three runs: `score_documents` against one document at a time (100 stories of about 900 characters,
a random Llama of about a million parameters, short documents too), and the order-5 character model in NumPy against the
same formula with dictionaries (300,000 characters of training text).
"""

import math
import random
import statistics
import time
from collections import Counter, defaultdict

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from tokenizers.trainers import BpeTrainer
from transformers import AutoModelForCausalLM, LlamaConfig, PreTrainedTokenizerFast

from corpora.stories import Story
from evaluation.floors import END_OF_DOCUMENT, CharacterNgram
from evaluation.likelihood import score_documents

RUNS = 3
ORDER = 5


def make_stories(count, words):
    drawn = random.Random(0)
    syllables = ["का", "मी", "रा", "सु", "ने", "पा", "नी", "हो", "ती", "गे", "बा", "लू"]
    lexicon = ["".join(drawn.choices(syllables, k=drawn.randint(1, 3))) for _ in range(2000)]
    weights = [1 / rank for rank in range(1, 2001)]
    texts = [" ".join(drawn.choices(lexicon, weights, k=drawn.randint(words // 2, words))) for _ in range(count)]
    return [Story(str(number), "hi", text, "salad") for number, text in enumerate(texts)]


def make_model(stories):
    bpe = Tokenizer(models.BPE(unk_token="<unk>"))
    bpe.pre_tokenizer, bpe.decoder = pre_tokenizers.Metaspace(), decoders.Metaspace()
    specials = ["<unk>", "<s>", "</s>", "<pad>"]
    bpe.train_from_iterator(
        (story.text for story in stories), BpeTrainer(vocab_size=2048, special_tokens=specials, show_progress=False)
    )
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=bpe, unk_token="<unk>", bos_token="<s>", eos_token="</s>")
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=128,
        intermediate_size=352,
        num_hidden_layers=4,
        num_attention_heads=4,
        max_position_embeddings=1024,
        tie_word_embeddings=True,
    )
    return AutoModelForCausalLM.from_config(config).eval(), tokenizer


def one_at_a_time(model, tokenizer, stories):
    nats = []
    with torch.no_grad():
        for story in stories:
            ids = torch.tensor([[1, *tokenizer.encode(story.text, add_special_tokens=False), 2]])
            costs = -torch.log_softmax(model(input_ids=ids[:, :-1]).logits.float(), -1)
            nats.append(costs.gather(-1, ids[:, 1:, None]).double().sum().item())
    return nats


def plain_ngram(training, test):
    follow = defaultdict(Counter)
    for text in training:
        padded = "^" * (ORDER - 1) + text + END_OF_DOCUMENT
        for position in range(ORDER - 1, len(padded)):
            for length in range(ORDER):
                follow[padded[position - length : position]][padded[position]] += 1
    totals = {history: sum(seen.values()) for history, seen in follow.items()}
    uniform = 1 / (len({character for text in training for character in text}) + 2)
    nats = []
    for text in test:
        padded = "^" * (ORDER - 1) + text + END_OF_DOCUMENT
        cost = 0.0
        for position in range(ORDER - 1, len(padded)):
            probability = uniform
            for length in range(ORDER):
                seen = follow.get(padded[position - length : position])
                if seen:
                    total = totals[padded[position - length : position]]
                    probability = (seen[padded[position]] + len(seen) * probability) / (total + len(seen))
            cost -= math.log(probability)
        nats.append(cost)
    return nats


def timed(work, *arguments):
    seconds, result = [], None
    for _ in range(RUNS):
        start = time.perf_counter()
        result = work(*arguments)
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds), result


def main():
    torch.set_num_threads(1)
    for name, count, words in (("stories of 900 characters", 100, 260), ("sentences of 60 characters", 1000, 18)):
        stories = make_stories(count, words)
        model, tokenizer = make_model(stories)
        slow, expected = timed(one_at_a_time, model, tokenizer, stories)
        fast, scores = timed(score_documents, model, tokenizer, stories)
        assert all(math.isclose(s.nats, e, rel_tol=1e-5) for s, e in zip(scores, expected, strict=True))
        tokens = sum(score.tokens for score in scores)
        print(
            f"{name}: {fast:.2f} s, {tokens / fast:,.0f} tokens/s; one at a time {slow:.2f} s, {slow / fast:.2f} times"
        )
    texts = [story.text for story in make_stories(500, 260)]
    training, test = texts[:450], texts[450:]
    slow, expected = timed(plain_ngram, training, test)
    fast, nats = timed(lambda: CharacterNgram(training, ORDER).nats(test)[ORDER - 1])
    assert all(math.isclose(a, b, rel_tol=1e-9) for a, b in zip(nats, expected, strict=True))
    size = sum(map(len, training))
    print(
        f"order-{ORDER} n-grams of {size:,} characters: {fast:.2f} s; "
        f"plain Python {slow:.2f} s, {slow / fast:.1f} times"
    )


if __name__ == "__main__":
    main()
