"""Tokenizer folders with their manifests, one or a sweep over vocabulary sizes."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from corpora.errors import UserError
from corpora.folders import MANIFEST, fingerprint, new_folder, read_json, read_manifest, write_json, write_manifest
from corpora.stories import Story
from tokenization.folder import TrainedTokenizer
from tokenization.opening.formats import open_tokenizer
from tokenization.opening.tokenizer import FastTokenizer
from tokenization.training.pruning import count_cut_alike, prune
from tokenization.training.sampling import TrainingText
from tokenization.training.sizes import TooLargeError, TooSmallError
from tokenization.training.trainers import Kind, train_tokenizer


def make_tokenizer(
    corpus: Path, text: TrainingText, kind: Kind, size: int | None, output: Path, or_largest: bool = False
) -> TrainedTokenizer:
    """Train a tokenizer on a corpus's text and write its folder. UserError as `train_tokenizer` says.

    `or_largest`: where the text cannot give a vocabulary of that size, take the largest that it gives.
    """
    start = time.perf_counter()
    try:
        trained = train_tokenizer(kind, text.texts, size)
    except TooLargeError as error:
        if not or_largest:
            raise
        trained = train_tokenizer(kind, text.texts, error.largest)
    seconds = round(time.perf_counter() - start, 3)
    with new_folder(output) as folder:
        trained.save(folder)
        write_manifest(
            folder,
            "tokenizer",
            {
                "kind": kind,
                "vocabulary_size": trained.vocabulary_size,
                **text.facts(),
                "lossless": trained.lossless,
                "deterministic": trained.deterministic,
            },
            inputs={"corpus": fingerprint(corpus, "corpus")},
            licenses=text.licenses,
            training_seconds=seconds,
        )
    return trained


def make_pruned(source: str, corpus: Path, stories: Sequence[Story], size: int | None, output: Path) -> dict[str, Any]:
    """Prune a tokenizer to a corpus's stories, write its folder and return the facts of its manifest.

    UserError if `source` is no tokenizer of Hugging Face's make, or the size is out of reach.
    """
    full = open_tokenizer(source)
    if not isinstance(full, FastTokenizer):
        raise UserError(f"{source!r} is a {full.kind} tokenizer, not one of Hugging Face's; it cannot be pruned.")
    texts = [story.text for story in stories]
    pruned = prune(full.backend, texts, size, f"pruned-{full.kind}")
    facts = {
        "kind": pruned.kind,
        "vocabulary_size": pruned.vocabulary_size,
        "languages": sorted({story.language for story in stories}),
        "lossless": pruned.lossless,
        "deterministic": pruned.deterministic,
        "source": full.name,
        "source_vocabulary_size": full.vocabulary_size,
        "stories": len(stories),
        "stories_cut_alike": count_cut_alike(pruned.tokenizer, full.backend, texts),
    }
    with new_folder(output) as folder:
        pruned.save(folder)
        write_manifest(
            folder,
            "tokenizer",
            facts,
            inputs={"corpus": fingerprint(corpus, "corpus"), "tokenizer": full.fingerprint},
            licenses=[full.license] if full.license else [],
        )
    return facts


def sweep_sizes(corpus: Path, text: TrainingText, kind: Kind, sizes: Sequence[int], output: Path) -> dict[str, Any]:
    """Make `output`/KIND-SIZE for each size in ascending order, keeping those already made of the same text.

    Stops at the first size that the text cannot give, and passes over those too small for it. Returns what it writes to
    `sweep.json` under the kind, beside the other kinds swept there: {"corpus": fingerprint, the facts of the text,
    "made": [{"vocabulary_size", "folder", "fingerprint"}], "not_made": [{"vocabulary_size", "reason"}]}.
    """
    if not sizes:
        raise UserError("there is no size to train; give at least one, e.g. '[1024,2048]'.")
    made: list[dict[str, Any]] = []
    not_made: list[dict[str, Any]] = []
    too_large = ""
    for size in sorted(set(sizes)):
        folder = output / f"{kind}-{size}"
        reason = too_large
        if not reason and not _is_made(folder, corpus, text, kind, size):
            print(f"training {kind} of {size} ids …", file=sys.stderr)
            try:
                make_tokenizer(corpus, text, kind, size, folder)
            except TooLargeError as error:
                reason = too_large = str(error)
                print(f"{kind} of {size} ids: {reason}", file=sys.stderr)
            except TooSmallError as error:
                reason = str(error)
                print(f"{kind} of {size} ids: {reason}", file=sys.stderr)
        if reason:
            not_made.append({"vocabulary_size": size, "reason": reason})
        else:
            made.append({"vocabulary_size": size, "folder": folder.name, "fingerprint": fingerprint(folder)})
    result = {
        "corpus": fingerprint(corpus, "corpus"),
        **text.facts(),
        "made": made,
        "not_made": not_made,
    }
    record = output / "sweep.json"
    write_json(record, (read_json(record) if record.is_file() else {}) | {kind: result})
    return result


def _is_made(folder: Path, corpus: Path, text: TrainingText, kind: Kind, size: int) -> bool:
    """Whether this tokenizer stands there, trained on this text."""
    if not (folder / MANIFEST).is_file():
        return False
    manifest = read_manifest(folder, "tokenizer")
    facts = {"kind": kind, "vocabulary_size": size, **text.facts()}
    same = all(manifest["configuration"].get(name) == value for name, value in facts.items())
    return same and manifest["inputs"] == {"corpus": fingerprint(corpus, "corpus")}
