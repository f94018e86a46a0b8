"""Tokens per second of story writing: ours, transformers' `generate`, and a sampler without cache, on the same model.

    python tests/benchmarks/bench_generation.py [--model FOLDER] [--stories 64] [--tokens 200] [--repeats 5]

The end of the story is disabled in all three, temperature and top-p are the same, and every story begins with <s>
alone. transformers writes all stories in one batch, once with a dynamic and once with a static cache; the sampler
without cache is nanoGPT's `generate` for one story, without top-p, which it does not have. Rounds alternate; medians
are reported, and ratios of each round's speeds; the last line is JSON.
"""

from __future__ import annotations

import argparse
import copy
import json
import os
import platform
import statistics
import time
from collections.abc import Callable
from typing import Any

import torch
from torch.nn import functional
from transformers import GenerationConfig, PreTrainedTokenizerFast
from transformers.utils import logging

from evaluation.generation import Prompt, generate_stories
from evaluation.models import open_model

TEMPERATURE, TOP_P, VOCABULARY, CONTEXT = 0.8, 0.95, 2048, 256


def fresh(parameters: int) -> tuple[Any, Any]:
    """An untrained model of ours, its logits sharpened to the spread of a trained one, and letters for a tokenizer."""
    from tokenizers import Tokenizer, decoders, models

    from tinymodels.module import StoryModel

    torch.manual_seed(0)
    model: Any = StoryModel(parameters, VOCABULARY, CONTEXT).model.eval()
    model.model.norm.weight.data *= 20
    pieces = ["<unk>", "<s>", "</s>", "<pad>", *(chr(0x4E00 + number) for number in range(VOCABULARY - 4))]
    bare = Tokenizer(models.WordLevel({piece: number for number, piece in enumerate(pieces)}, unk_token="<unk>"))
    bare.decoder = decoders.Fuse()
    return model, PreTrainedTokenizerFast(
        tokenizer_object=bare, unk_token="<unk>", bos_token="<s>", eos_token="</s>", pad_token="<pad>"
    )


def without_end(model: Any, end: int) -> Any:
    """The model with an end-of-story logit so low that it is never drawn."""
    forward = model.forward

    def closed(*arguments: Any, **options: Any) -> Any:
        output = forward(*arguments, **options)
        output.logits[..., end] = -1e4
        return output

    model.forward = closed
    return model


def ours(model: Any, tokenizer: Any, stories: int, tokens: int, seed: int) -> int:
    written = generate_stories(
        model,
        tokenizer,
        [Prompt("", "hi")] * stories,
        max_new_tokens=tokens,
        temperature=TEMPERATURE,
        top_p=TOP_P,
        seed=seed,
        batch_size=stories,
    )
    return sum(story.tokens for story in written)


def transformers(model: Any, begin: int, stories: int, tokens: int, seed: int, cache: str) -> int:
    torch.manual_seed(seed)
    start = torch.full((stories, 1), begin)
    settings = GenerationConfig(
        do_sample=True,
        temperature=TEMPERATURE,
        top_p=TOP_P,
        top_k=0,
        max_new_tokens=tokens,
        pad_token_id=3,
        cache_implementation=cache,
    )
    with torch.inference_mode():
        return model.generate(start, attention_mask=torch.ones_like(start), generation_config=settings)[:, 1:].numel()


@torch.no_grad()
def nanogpt(model: Any, begin: int, tokens: int, seed: int) -> int:
    """nanoGPT's `GPT.generate` (model.py), which runs the whole text through the model for each token."""
    torch.manual_seed(seed)
    idx = torch.tensor([[begin]])
    for _ in range(tokens):
        idx_cond = idx if idx.size(1) <= CONTEXT else idx[:, -CONTEXT:]
        logits = model(input_ids=idx_cond, use_cache=False).logits[:, -1, :] / TEMPERATURE
        idx_next = torch.multinomial(functional.softmax(logits, dim=-1), num_samples=1)
        idx = torch.cat((idx, idx_next), dim=1)
    return idx.size(1) - 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", help="model folder; an untrained one of --parameters if not given")
    parser.add_argument("--parameters", type=int, default=1_000_000)
    parser.add_argument("--stories", type=int, default=64)
    parser.add_argument("--tokens", type=int, default=200)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    model, tokenizer = open_model(options.model, "cpu") if options.model else fresh(options.parameters)
    model.set_attn_implementation("sdpa")
    begin, end = tokenizer.bos_token_id, tokenizer.eos_token_id
    model = without_end(model, end)
    endless = copy.copy(model)
    endless.generation_config = GenerationConfig()
    runs: dict[str, Callable[[int], int]] = {
        "kathalab": lambda seed: ours(model, tokenizer, options.stories, options.tokens, seed),
        **{
            f"transformers, {cache}": lambda seed, cache=cache: transformers(
                endless, begin, options.stories, options.tokens, seed, cache
            )
            for cache in ("dynamic", "static")
        },
        "nanoGPT, no cache": lambda seed: nanogpt(model, begin, options.tokens, seed),
    }
    speeds: dict[str, list[float]] = {name: [] for name in runs}
    for number in range(options.repeats + 1):
        for name, run in runs.items():
            started = time.perf_counter()
            count = run(number)
            if number:  # The first round warms up.
                speeds[name].append(count / (time.perf_counter() - started))
    own, ratios = speeds["kathalab"], {}
    for name, values in speeds.items():
        ratios[name] = statistics.median(mine / other for mine, other in zip(own, values, strict=True))
        print(f"{name:<22} {statistics.median(values):9,.0f} tokens/s; kathalab is {ratios[name]:6.2f} x as fast")
    machine = f"{platform.processor() or platform.machine()}, {options.threads} threads, torch {torch.__version__}"
    print(f"{options.stories} stories of {options.tokens} tokens, {options.repeats} rounds; {machine}")
    print(json.dumps({"tokens_per_second": speeds, "ratios": ratios, "machine": machine, "model": options.model}))


if __name__ == "__main__":
    main()
