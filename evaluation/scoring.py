"""Score one model on Katha-72 and on a corpus: likelihood beside its floors, written stories beside held-out ones."""

from __future__ import annotations

import random
import sys
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Literal

from corpora.errors import UserError
from corpora.folders import fingerprint, new_folder, write_json, write_json_lines, write_manifest
from corpora.katha import LANGUAGES as KATHA
from corpora.katha import read_katha
from corpora.languages import get_language
from corpora.stories import Story, read_corpus
from evaluation.floors import compressor_floor, ngram_floor
from evaluation.generation import generate_stories, openings
from evaluation.intervals import Interval, bootstrap_mean, bootstrap_ratio, paired_difference
from evaluation.katha import score_katha
from evaluation.katha import summarise as summarise_katha
from evaluation.likelihood import score_documents
from evaluation.likelihood import summarise as summarise_likelihood
from evaluation.models import context_length, count_parameters, model_fingerprint, open_model
from evaluation.overlap import TrainingIndex
from evaluation.text_statistics import equal_pools, measure
from evaluation.text_statistics import summarise as summarise_texts
from evaluation.words import words

KathaSplit = Literal["all", "validation", "test", "none"]

_BITS = 1.4426950408889634
"""Bits in a nat."""


def score_model(
    model: str,
    output: str,
    *,
    corpus: str | None = None,
    languages: list[str] | None = None,
    split: str = "test",
    katha: KathaSplit = "all",
    stories: int = 64,
    documents: int | None = None,
    max_new_tokens: int = 300,
    temperature: float = 0.8,
    top_p: float = 0.95,
    context: int | None = None,
    stride: int | None = None,
    seed: int = 0,
) -> dict[str, Any]:
    """Write a scores folder at `output` and return its summary (`scores.json`).

    Without a corpus the model is measured on Katha-72 alone, in all its languages if none are named. `documents` bounds
    how many held-out stories are scored (a seeded choice; default all), `stories` is how many the model writes.
    UserError on anything that cannot be scored.
    """
    configuration = {name: value for name, value in locals().items() if name != "output"}
    _check(corpus, languages, split, katha, stories, documents)
    parallel = [
        story
        for story in (read_katha([code for code in languages or KATHA if code in KATHA]) if katha != "none" else [])
        if katha in ("all", story.split)
    ]
    held_out: list[Story] = []
    if corpus is not None and languages:
        parts = ("train", "validation", split)
        training, validation, held_out = (read_corpus(corpus, part, languages) for part in parts)
        if documents is not None and documents < len(held_out):
            chosen = set(random.Random(seed).sample(range(len(held_out)), documents))
            held_out = [story for number, story in enumerate(held_out) if number in chosen]
    network, tokenizer = open_model(model)
    window = context or context_length(network)
    fingerprints = {"model": model_fingerprint(model, network)}
    summary: dict[str, Any] = {
        "model": model,
        "languages": languages or list(dict.fromkeys(story.language for story in parallel)),
        "context": window,
        "stride": stride or (window // 2 if window else None),
        "parameters": count_parameters(network),
        "fingerprints": fingerprints,
    }

    records: list[dict[str, Any]] = []
    with new_folder(output) as folder:
        if parallel:
            _say(f"Katha-72, {len(parallel)} stories")
            records = score_katha(network, tokenizer, parallel, context=context, stride=stride, progress=True)
        if corpus is not None:
            fingerprints["corpus"] = fingerprint(corpus, "corpus")
            _say(f"scoring {len(held_out)} documents")
            scores = score_documents(network, tokenizer, held_out, context=context, stride=stride, progress=True)
            _say(f"floors from {len(training)} training stories")
            texts, test_texts = [story.text for story in training], [story.text for story in held_out]
            ngram = ngram_floor(
                texts, [story.text for story in validation], [*test_texts, *(story.text for story in parallel)]
            )
            ngram_nats = ngram.nats[: len(held_out)]
            for record, cost in zip(records, ngram.nats[len(held_out) :], strict=False):  # the texts come first
                record["ngram_nats"] = float(cost)
            compressor = compressor_floor(texts, test_texts)
            _say(f"writing {stories} stories")
            settings: dict[str, Any] = {
                "max_new_tokens": max_new_tokens,
                "temperature": temperature,
                "top_p": top_p,
                "seed": seed,
            }
            written = generate_stories(network, tokenizer, openings(held_out, stories, seed), **settings, progress=True)
            _say("text statistics")
            index = TrainingIndex([words(story.text, story.language) for story in training])
            ours = [measure(story.text, story.language, index) for story in written]
            theirs = [measure(story.text, story.language, index) for story in held_out]
            pool_words = equal_pools(ours, theirs)
            statistics = summarise_texts(ours, pool_words=pool_words, seed=seed)
            statistics["finished"] = bootstrap_mean([story.finished for story in written], seed=seed)
            groups = [score.group for score in scores]
            reference = summarise_texts(theirs, pool_words=pool_words, clusters=groups, seed=seed)

            characters = [score.characters for score in scores]
            bits, ngram_bits = [score.nats * _BITS for score in scores], ngram_nats * _BITS
            summary |= {
                "corpus": corpus,
                "split": split,
                "documents": len(scores),
                "characters": sum(characters),
                "unknown_tokens": sum(score.unknown for score in scores),
                **_dicts(summarise_likelihood(scores, seed)),
                "floors": {
                    "compressor": {
                        # One number for the whole text: a compressor gives no cost per document to resample.
                        "bits_per_character": {"value": compressor.given_training, "low": None, "high": None},
                        "alone": {"value": compressor.alone, "low": None, "high": None},
                        "training_bytes": compressor.training_bytes,
                    },
                    "character_ngram": {
                        "bits_per_character": bootstrap_ratio(
                            ngram_bits, characters, clusters=groups, seed=seed
                        ).as_dict(),
                        "above_model": paired_difference(
                            ngram_bits, bits, characters, clusters=groups, seed=seed
                        ).as_dict(),
                        "order": ngram.order,
                        "validation_bits_per_character": ngram.validation_bits_per_character,
                    },
                },
                "generation": {
                    "stories": len(written),
                    "settings": {
                        "max_new_tokens": max_new_tokens,
                        "temperature": temperature,
                        "top_p": top_p,
                        "seed": seed,
                        "pool_words": pool_words,
                    },
                    "statistics": _dicts(statistics),
                    "reference": _dicts(reference),
                },
            }
            write_json_lines(
                folder / "documents.jsonl",
                (
                    {**asdict(score), "language": story.language, "ngram_nats": float(nats)}
                    for score, story, nats in zip(scores, held_out, ngram_nats, strict=True)
                ),
            )
            write_json_lines(
                folder / "generations.jsonl",
                ({**asdict(story), **measures.record()} for story, measures in zip(written, ours, strict=True)),
            )
        if parallel:
            summary["katha72"] = {"split": katha, "languages": summarise_katha(records, seed)}
            write_json_lines(folder / "katha72.jsonl", records)
        write_json(folder / "scores.json", summary)
        licenses = sorted({story.license for story in held_out if story.license} | ({"CC0-1.0"} if parallel else set()))
        write_manifest(folder, "scores", configuration, fingerprints, licenses)
    return summary


def _check(
    corpus: str | None, languages: list[str] | None, split: str, katha: str, stories: int, documents: int | None
) -> None:
    if stories < 1 or (documents is not None and documents < 1):
        raise UserError("the numbers of stories to write and of documents to score must be at least 1.")
    if languages is not None and not languages or (corpus is not None and languages is None):
        raise UserError("no language was given; name at least one, for example --languages [hi].")
    if len({get_language(code).code for code in languages or ()}) < len(languages or ()):
        raise UserError(f"a language was given twice in {languages}; name each once.")
    if split == "train":
        raise UserError("a model is scored on held-out stories; choose the split test or validation.")
    if corpus is None and katha == "none":
        raise UserError("there is nothing to score on; give --corpus, or leave --katha out.")
    if corpus is None and languages and not set(languages) & set(KATHA):
        raise UserError(f"Katha-72 is told in {', '.join(KATHA)} only; give --corpus for other languages.")


def _dicts(intervals: Mapping[str, Interval]) -> dict[str, dict[str, float]]:
    return {name: interval.as_dict() for name, interval in intervals.items()}


def _say(what: str) -> None:
    print(f"evaluation: {what} …", file=sys.stderr, flush=True)
