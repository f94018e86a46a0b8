"""Times of prompting, on one core: `python tests/benchmarks/bench_prompts.py [SIB-200 folder]`.

1. Zero-shot classification of 200 items, 8 themes (14 names in Hindi), with a random Llama of about a million
   parameters; the folder's Hindi sentences where it is given, else word salad of that length and of that of stories.
2. A training step of a prompt of five vectors on 8 texts, against PEFT's prompt tuning (a prefix; needs `peft`), and
   the reading of the texts that comes before the first step. Medians of interleaved steps, a random Llama of width 256.
3. NPPrompt's neighbours of 14 names among 32,000 rows, against the loop over classes and rows of its published code.
"""

import random
import statistics
import sys
import time

import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from tokenizers.trainers import BpeTrainer
from transformers import AutoModelForCausalLM, LlamaConfig, PreTrainedTokenizerFast

from prompts.data import sample, sib200_items
from prompts.models import AnswerModel
from prompts.soft import Layout, initialise
from prompts.verbalizers import load_verbalizer
from prompts.verbalizers.neighbours import cosines
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


def timed(function, *given):
    start = time.perf_counter()
    function(*given)
    return time.perf_counter() - start


def training_steps():
    """Seconds of a step, median of 15 of each kind, taken in turn."""
    texts = word_salad(40)[:8]
    tokenizer = train_tokenizer(texts)
    shape = {"hidden_size": 256, "intermediate_size": 704, "num_hidden_layers": 6, "num_attention_heads": 4}
    network = AutoModelForCausalLM.from_config(LlamaConfig(vocab_size=2048, tie_word_embeddings=True, **shape))
    model = AnswerModel(network, tokenizer)
    labels = torch.tensor([5 + number for number in range(len(texts))])
    asked = model.ask(texts, "\nविषय: ")

    def ours(layout, cache):
        soft = initialise(layout, model, "random")
        adam = torch.optim.AdamW(soft.parameters(), lr=0.01)

        def step():
            logits = model.scores(model.answer_states(asked, soft, cache))
            adam.zero_grad()
            torch.nn.functional.cross_entropy(logits, labels).backward()
            adam.step()

        return step

    cache = model.cache_texts(asked)
    steps = {
        "infix, texts read once": ours(Layout(infix=5), cache),
        "infix, texts read at every step": ours(Layout(infix=5), None),
        "prefix": ours(Layout(prefix=5), None),
    }
    try:
        from peft import PromptTuningConfig, get_peft_model

        wrapped = get_peft_model(network, PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=5))
        adam = torch.optim.AdamW([weight for weight in wrapped.parameters() if weight.requires_grad], lr=0.01)
        rows = [item.text_ids + item.template_ids for item in asked]
        longest = max(map(len, rows))
        ids = torch.tensor([row + [0] * (longest - len(row)) for row in rows])
        mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in rows])
        last = torch.tensor([5 + len(row) - 1 for row in rows])

        def peft_step():
            logits = wrapped(input_ids=ids, attention_mask=mask).logits[torch.arange(len(rows)), last]
            adam.zero_grad()
            torch.nn.functional.cross_entropy(logits, labels).backward()
            adam.step()

        steps["PEFT prompt tuning"] = peft_step
    except ImportError:
        print("peft is not installed; left out")
    found = {name: [] for name in steps}
    for _ in range(15):
        for name, step in steps.items():
            found[name].append(timed(step))
    medians = {name: statistics.median(times) for name, times in found.items()}
    slowest = max(medians, key=medians.get)
    tokens = sum(item.length for item in asked) / len(asked)
    print(f"a step on {len(asked)} texts of {tokens:.0f} tokens, {network.num_parameters():,} parameters:")
    for name, seconds in medians.items():
        print(f"  {name}: {1000 * seconds:.0f} ms, {medians[slowest] / seconds:.1f} times as fast as {slowest}")
    reading = statistics.median(timed(model.cache_texts, asked) for _ in range(5))
    print(f"  reading the texts, once for all steps: {1000 * reading:.0f} ms")


def neighbour_search():
    """The 12 rows nearest to each of 14 names by one product, and by a loop over all pairs."""
    table = torch.randn(32_000, 256, generator=torch.Generator().manual_seed(0))
    anchors = table[:14] + 0.1

    def one_product():
        return cosines(anchors, table).topk(12, dim=1).indices

    def loop(rows=2_000):  # of the published code's kind; a share of the rows, for it is slow
        similar = torch.nn.functional.cosine_similarity
        return [[float(similar(anchor, row, dim=0)) for row in table[:rows]] for anchor in anchors]

    ours, theirs = statistics.median(timed(one_product) for _ in range(5)), timed(loop) * 32_000 / 2_000
    print(
        f"neighbours: {1000 * ours:.0f} ms; the loop over pairs would take {theirs:.0f} s, {theirs / ours:,.0f} times"
    )


def main():
    torch.set_num_threads(1)
    training_steps()
    neighbour_search()
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
