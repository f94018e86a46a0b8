"""Comparing tokenizers on one corpus: measures and the probe, as numbers, a table and one record per story."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from corpora.errors import UserError
from corpora.folders import fingerprint, new_folder, read_json, write_json, write_json_lines, write_manifest, write_text
from corpora.stories import Story, read_corpus
from tokenization.folder import load_tokenizer
from tokenization.measures.by_document import DEFINITIONS, measure
from tokenization.probe.probing import Size, bits_per_character, choose_text, solve_sizes, steps, train_and_score
from tokenization.probe.settings import ProbeSettings

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

REFERENCE_KIND = "sentencepiece-bpe"

COLUMNS = {
    "fertility": "Tokens/word",
    "characters_per_token": "Characters/token",
    "akshara_splitting_rate": "Aksharas split",
    "single_token_word_rate": "One-token words",
    "renyi_efficiency": "Rényi efficiency",
    "round_trip_rate": "Round trip",
    "vocabulary_use": "Vocabulary used",
}
"""The measures that stand in the table; the others stand in `comparison.json` only."""


@dataclass(frozen=True)
class Candidate:
    """One tokenizer that takes part."""

    name: str
    kind: str
    fingerprint: str | None
    tokenizer: PreTrainedTokenizerFast

    @property
    def vocabulary_size(self) -> int:
        return len(self.tokenizer)


def open_candidates(folders: Sequence[Path]) -> list[Candidate]:
    """The tokenizers of these folders, named by folder; UserError if none is given or two share a name."""
    names = [folder.resolve().name for folder in folders]
    if not names:
        raise UserError("no tokenizer to compare; give at least one folder with --tokenizers.")
    if len(set(names)) < len(names):
        raise UserError(f"two tokenizers share a folder name ({', '.join(sorted(names))}); rename one of the folders.")
    candidates = []
    for name, folder in zip(names, folders, strict=True):
        tokenizer = load_tokenizer(folder)
        manifest = read_json(folder / "manifest.json") if (folder / "manifest.json").is_file() else {}
        kind = manifest.get("configuration", {}).get("kind", "other")
        candidates.append(Candidate(name, kind, manifest.get("fingerprint"), tokenizer))
    return candidates


def compare(
    corpus: Path,
    languages: Sequence[str] | None,
    folders: Sequence[Path],
    output: Path,
    split: str,
    seeds: int,
    settings: ProbeSettings,
) -> dict[str, Any]:
    """Measure the tokenizers on the corpus's held-out split, write the comparison folder and return its numbers."""
    if split == "train":
        raise UserError("tokenizers are compared on text they were not trained on; choose validation or test.")
    if seeds < 2:
        raise UserError(f"--seeds is {seeds}, but an interval over seeds needs at least 2.")
    candidates = open_candidates(folders)
    held_out = read_corpus(corpus, split, languages)
    training = choose_text(read_corpus(corpus, "train", languages), settings.characters)
    scored = choose_text(held_out, settings.held_out_characters)
    reference = next((c.name for c in candidates if c.kind == REFERENCE_KIND), candidates[0].name)
    sizes = solve_sizes([candidate.vocabulary_size for candidate in candidates], settings)

    texts = [story.text for story in held_out]
    measures = {c.name: measure(c.tokenizer, texts, _clusters(held_out)) for c in candidates}
    nats = _probe_all(candidates, sizes, training, scored, settings, seeds)
    probes = _summarise(nats, scored, reference)
    spoken = sorted({story.language for story in held_out})
    result: dict[str, Any] = {
        "setup": {
            "corpus": fingerprint(corpus, "corpus"),
            "languages": spoken,
            "split": split,
            "documents": len(held_out),
            "characters": sum(len(text) for text in texts),
            "probe": {
                **asdict(settings),
                "parameters": sizes[0].parameters,
                "seeds": list(range(seeds)),
                "steps": steps([story.text for story in training], settings),
                "training_documents": len(training),
                "training_characters": sum(len(story.text) for story in training),
                "held_out_documents": len(scored),
                "held_out_characters": sum(len(story.text) for story in scored),
            },
            "reference": reference,
            "definitions": DEFINITIONS,
        },
        "tokenizers": [
            {
                "name": candidate.name,
                "kind": candidate.kind,
                "vocabulary_size": candidate.vocabulary_size,
                "metrics": measures[candidate.name],
                "probe": {
                    "parameters": size.parameters,
                    "embedding_parameters": size.embedding_parameters,
                    "other_parameters": size.other_parameters,
                    "feed_forward_width": size.feed_forward,
                    **probes[candidate.name],
                },
            }
            for candidate, size in zip(candidates, sizes, strict=True)
        ],
    }
    with new_folder(output) as folder:
        write_json(folder / "comparison.json", result)
        write_text(folder / "comparison.md", render(result))
        write_json_lines(folder / "probe_documents.jsonl", _records(candidates, nats, scored))
        write_manifest(
            folder,
            "comparison",
            {"languages": spoken, "split": split, "seeds": seeds, "probe": asdict(settings)},
            inputs={"corpus": fingerprint(corpus, "corpus")}
            | {f"tokenizer {c.name}": c.fingerprint for c in candidates if c.fingerprint},
        )
    return result


def _clusters(stories: Sequence[Story]) -> list[str]:
    return [story.group or story.id for story in stories]


def _probe_all(
    candidates: Sequence[Candidate],
    sizes: Sequence[Size],
    training: Sequence[Story],
    scored: Sequence[Story],
    settings: ProbeSettings,
    seeds: int,
) -> dict[str, np.ndarray]:
    """Nats of every scored story by tokenizer, each of shape (seeds, stories)."""
    from tqdm import tqdm

    texts, held_out = [story.text for story in training], [story.text for story in scored]
    trainings = len(candidates) * seeds
    seen = sys.stderr.isatty()
    nats: dict[str, np.ndarray] = {}
    with tqdm(total=trainings * steps(texts, settings), unit="step", mininterval=0.5, disable=not seen) as bar:
        for number, (candidate, size) in enumerate(zip(candidates, sizes, strict=True)):
            runs = []
            for seed in range(seeds):
                what = f"probe {number * seeds + seed + 1} of {trainings}: {candidate.name}, seed {seed}"
                bar.set_description(what)
                if not seen:
                    print(what, file=sys.stderr, flush=True)
                runs.append(train_and_score(candidate.tokenizer, size, texts, held_out, settings, seed, bar.update))
            nats[candidate.name] = np.array(runs)
    return nats


def _summarise(nats: dict[str, np.ndarray], scored: Sequence[Story], reference: str) -> dict[str, dict[str, Any]]:
    """Bits per character with intervals over seeds and over documents, alone and against the reference."""
    from evaluation.intervals import bootstrap_ratio, seed_interval

    characters = [len(story.text) for story in scored]
    clusters = _clusters(scored)

    def both(table: np.ndarray) -> dict[str, dict[str, float]]:
        per_seed = [bits_per_character(row.tolist(), characters) for row in table]
        bits = table.mean(axis=0) / np.log(2)
        return {
            "over_seeds": seed_interval(per_seed).as_dict(),
            "over_documents": bootstrap_ratio(bits, characters, clusters=clusters).as_dict(),
        }

    return {
        name: {
            "bits_per_character": both(table),
            "bits_per_character_by_seed": [bits_per_character(row.tolist(), characters) for row in table],
            "difference_to_reference": None if name == reference else both(table - nats[reference]),
        }
        for name, table in nats.items()
    }


def _records(
    candidates: Sequence[Candidate], nats: dict[str, np.ndarray], scored: Sequence[Story]
) -> Iterator[dict[str, Any]]:
    """One record per tokenizer, seed and story: enough to compute every probe number again."""
    for candidate in candidates:
        for seed, row in enumerate(nats[candidate.name]):
            for story, value in zip(scored, row, strict=True):
                yield {
                    "tokenizer": candidate.name,
                    "seed": seed,
                    "id": story.id,
                    "group": story.group,
                    "language": story.language,
                    "characters": len(story.text),
                    "nats": float(value),
                }


def render(result: dict[str, Any]) -> str:
    """The comparison as a Markdown page: one table, one line for each column, the set-up."""
    setup = result["setup"]
    probe = setup["probe"]
    header = ["Tokenizer", "Vocabulary", *COLUMNS.values(), "Bits/character", "Against reference"]
    rows = []
    for entry in result["tokenizers"]:
        difference = entry["probe"]["difference_to_reference"]
        rows.append(
            [
                entry["name"],
                str(entry["vocabulary_size"]),
                *(_cell(entry["metrics"][name]) for name in COLUMNS),
                _cell(entry["probe"]["bits_per_character"]["over_seeds"]),
                "reference" if difference is None else _cell(difference["over_seeds"], sign="+"),
            ]
        )
    table = [header, ["---"] + ["---:"] * (len(header) - 1), *rows]
    return "\n".join(
        [
            f"# Tokenizers compared: {', '.join(setup['languages'])}",
            "",
            *("| " + " | ".join(row) + " |" for row in table),
            "",
            f"Measured on {setup['documents']} {setup['split']} stories, {setup['characters']:,} characters. "
            "In brackets: 95 % intervals, over documents for the measures and over seeds (Student's t) for the probe.",
            "",
            "- Vocabulary: number of ids, special tokens and byte pieces included.",
            *(f"- {title}: {DEFINITIONS[name]}." for name, title in COLUMNS.items()),
            "- Bits/character: cost of whole held-out stories, their end included, under a small Llama trained on the "
            "tokenizer's ids; lower is better.",
            f"- Against reference: bits/character minus those of {setup['reference']}, paired by seed.",
            "",
            f"The probe: {probe['parameters']:,} parameters in all for every tokenizer (width {probe['width']}, "
            f"{probe['layers']} blocks, tied embeddings, feed-forward width solved), {probe['training_characters']:,} "
            f"characters of training text seen {probe['passes']} time(s) in {probe['steps']:,} steps, windows of "
            f"{probe['window_characters']} characters; {len(probe['seeds'])} seeds; scored on "
            f"{probe['held_out_documents']} stories, {probe['held_out_characters']:,} characters. Equal parameters and "
            "equal text, not equal compute: more tokens cost more of it.",
            "",
        ]
    )


def _cell(measured: dict[str, float | None], sign: str = "") -> str:
    value, low, high = measured["value"], measured["low"], measured["high"]
    if value is None:
        return "–"
    if low is None or high is None or low == high:
        return f"{value:{sign}.3f}"
    return f"{value:{sign}.3f} [{low:{sign}.3f}, {high:{sign}.3f}]"
