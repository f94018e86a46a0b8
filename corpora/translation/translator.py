"""Train a small MarianMT on the parallel stories of a corpus: one model, several target languages, on a CPU.

The model is told the target language by a tag, `>>hi<<`, as the multilingual models of OPUS-MT are. The order of the
batches is a function of (seed, update), so a killed training goes on from its last checkpoint to the same weights.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import random
import shutil
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from corpora.errors import UserError
from corpora.folders import fingerprint, new_folder, write_bytes, write_json, write_manifest, write_text
from corpora.progress import progress
from corpora.stories import read_corpus
from corpora.translation.chrf import chrf
from corpora.translation.guidance import NOWHERE, align_tokens, guidance_loss
from corpora.translation.pairs import Pair, WordTable, parallel_paragraphs, sentence_pairs
from corpora.translation.tokenizer import train_tokenizer

_SECONDS_BETWEEN_CHECKPOINTS = 60.0
_MAX_TOKENS = 96
"""Longest sentence to train on, in tokens of either language."""


@dataclass(frozen=True)
class Training:
    """The translator's size and how it is trained.

    Args:
        vocabulary_size: pieces of the SentencePiece vocabulary that all languages share.
        width: of the embeddings and layers.
        layers: of the encoder, and as many of the decoder.
        updates: steps of the optimizer.
        batch_tokens: tokens of both languages in a batch, padding included.
        learning_rate: the highest, after a tenth of the updates; then it falls as a cosine. Wider and deeper models
            may need a lower one.
        least_support: pairs whose words account for less of each other are used rarely (see `chance`).
        guidance: weight of the loss by which attention is taught where to look (see `guidance`); 0 for none.
        precision: `bf16` (autocast) or `fp32`.
    """

    vocabulary_size: int = 8000
    width: int = 128
    layers: int = 2
    updates: int = 6000
    batch_tokens: int = 1024
    learning_rate: float = 2e-3
    least_support: float = 0.5
    guidance: float = 0.5
    precision: str = "bf16"


def chance(pair: Pair, least: float) -> float:
    """The chance of a pair to be kept: 1 from the wanted support on, e-fold less for each 0.1 below.

    The grammar tells the same beat in several ways, at random in each language. Where several counterparts of one
    sentence compete, the translator learns the one that is seen most, so the closest should be.
    """
    return math.exp(min(0.0, (pair.support - least) * 10))


def choose(pairs: Sequence[Pair], least: float, seed: int) -> list[Pair]:
    """A sample of the pairs by their `chance`, the same for the same seed."""
    rng = random.Random(f"{seed}/pairs")
    return [pair for pair in pairs if rng.random() < chance(pair, least)]


def train_on_corpus(
    corpus: str | os.PathLike[str],
    output: str | os.PathLike[str],
    source_language: str,
    languages: Sequence[str],
    options: Training,
    test_stories: int,
    seed: int,
) -> dict[str, Any]:
    """Train on the parallel stories of a corpus folder; returns the scores. UserError if it has none."""
    if source_language in languages or not languages:
        raise UserError(f"{source_language!r} cannot be translated into {list(languages)}; choose other languages.")
    sources = {split: read_corpus(corpus, split, [source_language]) for split in ("train", "test")}
    pairs: dict[str, list[Pair]] = {"train": [], "test": []}
    for language in languages:
        found = {}
        for split, limit in (("train", None), ("test", test_stories)):
            others = read_corpus(corpus, split, [language])
            found[split], unlike = parallel_paragraphs(sources[split][:limit], others)
            if not found[split]:
                raise UserError(
                    f"the {split} split of {os.fspath(corpus)!r} has no stories with the same paragraphs in "
                    f"{source_language} and {language} ({unlike} stories differ); build it from parallel stories."
                )
        table = WordTable(found["train"])
        for split, paragraphs in found.items():
            pairs[split] += sentence_pairs(progress(paragraphs, f"Aligning {language}", "paragraphs"), language, table)
    licenses = sorted({story.license for stories in sources.values() for story in stories if story.license})
    inputs = {"corpus": fingerprint(corpus, "corpus")}
    return train_translator(pairs["train"], pairs["test"], source_language, output, options, seed, inputs, licenses)


def train_translator(
    pairs: Sequence[Pair],
    held_out: Sequence[Pair],
    source_language: str,
    output: str | os.PathLike[str],
    options: Training,
    seed: int,
    inputs: dict[str, str],
    licenses: list[str],
) -> dict[str, Any]:
    """Train on pairs, measure on others, and write the model's folder; returns its scores.

    Args:
        pairs: what to learn, of all target languages.
        held_out: pairs of other stories.
        source_language: ISO 639-1 code of the source.
        output: the folder to write; checkpoints lie beside it in `OUTPUT.training` until it is whole.
        options: size and training.
        seed: decides the first weights, the choice of pairs and their order.
        inputs: name -> SHA-256 of what the pairs come from.
        licenses: of the stories.
    """
    import torch
    from transformers import MarianMTModel
    from transformers.utils import logging

    logging.disable_progress_bar()
    languages = sorted({pair.language for pair in pairs})
    chosen = choose(pairs, options.least_support, seed)
    if len(chosen) < 10:
        raise UserError(f"only {len(chosen)} sentence pairs correspond well enough; take a corpus with more stories.")
    work = Path(f"{os.fspath(output)}.training")
    identity = _digest({**asdict(options), "seed": seed, "inputs": inputs, "pairs": len(pairs), "languages": languages})
    state = _State(work, identity)
    size = options.vocabulary_size
    tokenizer = train_tokenizer(chosen, source_language, size, 2 * _MAX_TOKENS, work / "tokenizer", state.fresh)
    examples = _encode(chosen, tokenizer)
    torch.manual_seed(seed)
    model = MarianMTModel(_configuration(tokenizer, options))
    model.generation_config.max_length = 2 * _MAX_TOKENS
    losses = _fit(model, examples, options, seed, state)
    scores, rows = measure(model, tokenizer, source_language, held_out)
    with new_folder(output) as folder:
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        write_json(folder / "scores.json", scores)
        write_text(folder / "translations.jsonl", "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
        write_text(folder / "losses.csv", "update,loss\n" + "".join(f"{at},{loss:.4f}\n" for at, loss in losses))
        write_text(folder / "README.md", _card(source_language, languages, scores, model.num_parameters()))
        write_manifest(
            folder,
            "translator",
            configuration={"training": asdict(options), "seed": seed, "source_language": source_language},
            inputs=inputs,
            licenses=licenses,
            pairs={code: sum(pair.language == code for pair in chosen) for code in languages},
            parameters=model.num_parameters(),
            scores=scores,
        )
    shutil.rmtree(work, ignore_errors=True)
    return scores


def measure(
    model: Any, tokenizer: Any, source_language: str, pairs: Sequence[Pair]
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """chrF of greedy translations by language, of all pairs and of the half that corresponds best; and the rows."""
    from corpora.translation.models import TranslationModel

    translator = TranslationModel.of(model, tokenizer)
    scores: dict[str, Any] = {}
    rows: list[dict[str, Any]] = []
    for language in sorted({pair.language for pair in pairs}):
        own = sorted((pair for pair in pairs if pair.language == language), key=lambda pair: -pair.support)
        made = [one.text for one in translator.translate([pair.source for pair in own], source_language, language)]
        wanted = [pair.target for pair in own]
        half = (len(own) + 1) // 2
        scores[language] = {
            "pairs": len(own),
            "chrf": round(chrf(made, wanted), 2),
            "chrf_of_the_closest_half": round(chrf(made[:half], wanted[:half]), 2),
        }
        rows += [{**asdict(pair), "translation": text} for pair, text in zip(own, made, strict=True)]
    return scores, rows


def _configuration(tokenizer: Any, options: Training) -> Any:
    from transformers import MarianConfig

    side = {"layers": options.layers, "attention_heads": max(1, options.width // 64), "ffn_dim": 2 * options.width}
    both: dict[str, Any] = {f"{part}_{name}": value for part in ("encoder", "decoder") for name, value in side.items()}
    return MarianConfig(
        vocab_size=len(tokenizer),
        d_model=options.width,
        **both,
        activation_function="relu",
        dropout=0.0,
        init_std=options.width**-0.5,  # Xavier's for square matrices; embeddings of length 1 where they meet positions
        scale_embedding=True,
        share_encoder_decoder_embeddings=True,
        tie_word_embeddings=True,
        max_position_embeddings=2 * _MAX_TOKENS,
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
        forced_eos_token_id=tokenizer.eos_token_id,
        decoder_start_token_id=tokenizer.pad_token_id,
        bos_token_id=None,
    )


def _encode(pairs: Sequence[Pair], tokenizer: Any) -> list[tuple[list[int], list[int]]]:
    """Token ids of both sides, `</s>` at their ends; pairs that are too long are left out."""
    source = tokenizer([f">>{pair.language}<< {pair.source}" for pair in pairs])["input_ids"]
    target = tokenizer(text_target=[pair.target for pair in pairs])["input_ids"]
    rows = zip(source, target, strict=True)
    return [row for row in rows if max(len(side) for side in row) <= _MAX_TOKENS]


def batches(lengths: Sequence[int], tokens: int, seed: int, epoch: int) -> list[list[int]]:
    """The batches of one epoch in a shuffled order; one holds pairs of like length, at most `tokens` with padding."""
    rng = random.Random(f"{seed}/{epoch}")
    order = sorted(range(len(lengths)), key=lambda i: (lengths[i], rng.random()))
    found: list[list[int]] = []
    while order:
        size = max(1, tokens // lengths[order[-1]])
        order, batch = order[:-size], order[-size:]
        found.append(batch)
    rng.shuffle(found)
    return found


class _State:
    """The checkpoint of a training in its folder; one of another training is dropped."""

    def __init__(self, folder: Path, identity: str):
        self.folder, self.identity = folder, identity
        self.file = folder / "checkpoint.safetensors"
        mark = folder / "identity"
        self.fresh = not mark.exists() or mark.read_text() != identity
        if self.fresh:
            shutil.rmtree(folder, ignore_errors=True)
            write_text(mark, identity)

    def load(self, model: Any, optimizer: Any) -> tuple[int, list[tuple[int, float]]]:
        """Weights and moments as they were; returns the updates done and the losses so far."""
        import torch
        from safetensors import safe_open

        if not self.file.exists():
            return 0, []
        with safe_open(self.file, "pt") as held:
            done, losses = json.loads(held.metadata()["training"])
            model.load_state_dict({name: held.get_tensor(f"model.{name}") for name in model.state_dict()}, strict=True)
            for name, parameter in model.named_parameters():
                if f"exp_avg.{name}" in held.keys():  # noqa: SIM118 - the file is no dictionary
                    moments = {part: held.get_tensor(f"{part}.{name}") for part in ("exp_avg", "exp_avg_sq")}
                    optimizer.state[parameter] = {"step": torch.tensor(float(done)), **moments}
        return done, [tuple(pair) for pair in losses]

    def save(self, model: Any, optimizer: Any, done: int, losses: list[tuple[int, float]]) -> None:
        from safetensors.torch import save

        tensors = {f"model.{name}": tensor.clone() for name, tensor in model.state_dict().items()}
        for name, parameter in model.named_parameters():
            for part in ("exp_avg", "exp_avg_sq"):
                if parameter in optimizer.state:
                    tensors[f"{part}.{name}"] = optimizer.state[parameter][part]
        write_bytes(self.file, save(tensors, {"training": json.dumps([done, losses])}))


def _fit(
    model: Any, examples: list[tuple[list[int], list[int]]], options: Training, seed: int, state: _State
) -> list[tuple[int, float]]:
    """Train in place; returns (update, loss in nats per token), averaged over a hundred updates."""
    import torch

    optimizer = torch.optim.AdamW(
        model.parameters(), lr=options.learning_rate, betas=(0.9, 0.98), weight_decay=0.01, fused=True
    )
    done, losses = state.load(model, optimizer)
    lengths = [len(source) + len(target) for source, target in examples]
    order: list[list[int]] = []
    epoch = 0
    while len(order) < options.updates:
        order += batches(lengths, options.batch_tokens, seed, epoch)
        epoch += 1
    places: list[list[int]] = []
    if options.guidance:
        places = align_tokens(examples)
        model.set_attn_implementation("eager")  # the one that returns attention
    model.train()
    saved, recent = time.monotonic(), []
    for update in progress(range(done, options.updates), "Training", "updates"):
        for group in optimizer.param_groups:
            group["lr"] = options.learning_rate * _schedule(update, options.updates)
        inputs = _tensors([examples[index] for index in order[update]], model.config.pad_token_id)
        with torch.autocast("cpu", torch.bfloat16, enabled=options.precision == "bf16"):
            made = model(**inputs, output_attentions=bool(places))
        loss = made.loss
        recent.append(loss.item())
        if places:
            attention = made.cross_attentions[-1][:, 0].float()  # one head of the last layer
            loss = loss + options.guidance * guidance_loss(
                attention, _padded([places[i] for i in order[update]], NOWHERE)
            )
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        if (update + 1) % 100 == 0 or update + 1 == options.updates:
            losses.append((update + 1, sum(recent) / len(recent)))
            recent = []
            if time.monotonic() - saved > _SECONDS_BETWEEN_CHECKPOINTS:
                state.save(model, optimizer, update + 1, losses)
                saved = time.monotonic()
    return losses


def _schedule(update: int, updates: int) -> float:
    """Share of the highest learning rate: up in a tenth of the updates, then down as a cosine."""
    warm = max(1, updates // 10)
    if update < warm:
        return (update + 1) / warm
    return 0.5 * (1 + math.cos(math.pi * (update - warm) / max(1, updates - warm)))


def _tensors(rows: Sequence[tuple[list[int], list[int]]], pad: int) -> dict[str, Any]:
    """`input_ids` [pairs, source tokens], `attention_mask`, `labels` [pairs, target tokens] with -100 for padding."""
    source = _padded([row[0] for row in rows], pad)
    return {
        "input_ids": source,
        "attention_mask": (source != pad).long(),
        "labels": _padded([r[1] for r in rows], -100),
    }


def _padded(rows: Sequence[list[int]], value: int) -> Any:
    import torch

    longest = max(map(len, rows))
    return torch.tensor([row + [value] * (longest - len(row)) for row in rows])


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def _card(source: str, languages: Sequence[str], scores: dict[str, Any], parameters: int) -> str:
    lines = "\n".join(
        f"| {source} to {code} | {scores[code]['chrf']} | {scores[code]['chrf_of_the_closest_half']} |"
        for code in languages
        if code in scores
    )
    return f"""---
language: [{", ".join([source, *languages])}]
library_name: transformers
pipeline_tag: translation
---

# A small story translator, {source} to {", ".join(languages)}

MarianMT with {parameters:,} parameters, trained by `kathalab corpora translator` on parallel stories of a story
grammar. It knows the words and sentences of that grammar and no others: on any other text it is useless. Tell it the
language by a tag before the sentence, `>>{languages[0]}<< Once there was a goat.`

| direction | chrF of held-out stories | of the half whose words correspond best |
|---|---|---|
{lines}
"""
