"""Comparing tokenizers on one language: every measure, the probes that decide, and the report."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from corpora.errors import UserError
from corpora.folders import (
    check_replaceable,
    fingerprint,
    new_folder,
    read_manifest,
    sha256,
    write_json,
    write_json_lines,
    write_manifest,
    write_text,
)
from corpora.katha import LANGUAGES as KATHA
from corpora.katha import read_katha
from corpora.languages import get_language
from corpora.stories import Story, read_corpus
from tokenization.comparing.curve import vocabulary_curve
from tokenization.comparing.explorer import choose_sentences, explore
from tokenization.comparing.extrinsic import Runs, bits, clusters, compare_with, judge_generation, summarise_runs
from tokenization.comparing.intrinsic import Texts, measure_all
from tokenization.comparing.markdown import render
from tokenization.comparing.page import write_comparison_page
from tokenization.comparing.prediction import predict
from tokenization.comparing.ranking import rank
from tokenization.folder import is_ours
from tokenization.measures.definitions import Measured, point
from tokenization.measures.noise import noisy
from tokenization.opening.formats import open_tokenizer
from tokenization.opening.tokenizer import Tokenizer
from tokenization.probe.runs import Probed, run_probes
from tokenization.probe.settings import ProbeSettings
from tokenization.probe.sizes import Size, least_parameters, solve_sizes
from tokenization.probe.windows import choose_text

REFERENCE_KIND = "sentencepiece-bpe"


@dataclass(frozen=True)
class Beside:
    """What is measured on beside the corpus."""

    also: dict[str, Path] = field(default_factory=dict)
    """Further corpora whose test split the probes are scored on: name -> corpus folder."""
    parallel: dict[str, Path] = field(default_factory=dict)
    """Further parallel text for parity with English, beside Katha-72: name -> folder with LANGUAGE.txt, a line each."""
    gold: Path | None = None
    """Folder of morphology gold (`unimorph/`, `ud/`, `regional-tinystories/morphscore/`)."""


def open_all(sources: Sequence[str | Path]) -> list[tuple[Tokenizer, Path | None]]:
    """The tokenizers, each with its folder if the lab made it; UserError if none is given or two share a name."""
    if not sources:
        raise UserError("no tokenizer to compare; give at least one with --tokenizers.")
    opened = [(open_tokenizer(source), Path(source) if is_ours(Path(source)) else None) for source in sources]
    names = [tokenizer.name for tokenizer, _ in opened]
    if len(set(names)) < len(names):
        raise UserError(f"two tokenizers share a name ({', '.join(sorted(names))}); rename one of the folders.")
    return opened


def compare(
    corpus: Path,
    language: str | None,
    sources: Sequence[str | Path],
    output: Path,
    split: str,
    seeds: int,
    settings: ProbeSettings,
    beside: Beside,
    keep: Path,
    title: str | None = None,
) -> dict[str, Any]:
    """Measure and probe the tokenizers on the corpus's held-out split, write the comparison and return its numbers.

    `keep`: where each probe is kept as soon as it is done.
    """
    if split == "train":
        raise UserError("tokenizers are compared on text they were not trained on; choose validation or test.")
    if seeds < 2:
        raise UserError(f"--seeds is {seeds}, but an interval over seeds needs at least 2.")
    check_replaceable(output)
    opened = open_all(sources)
    held_out = read_corpus(corpus, split, [language] if language else None)
    spoken = sorted({story.language for story in held_out})
    if len(spoken) > 1:
        raise UserError(f"the corpus holds {', '.join(spoken)}; compare on one of them, for example --language hi.")
    code = spoken[0]
    training = choose_text(read_corpus(corpus, "train", [code]), settings.characters)
    scored = {split: choose_text(held_out, settings.held_out_characters)}
    if code in KATHA:
        scored["katha72"] = [story.as_story() for story in read_katha([code])]
    misspelt = [replace(story, text=noisy(story.text, code)) for story in scored[split]]
    if misspelt != scored[split]:
        scored[f"{split}_misspelt"] = misspelt
    for name, folder in beside.also.items():
        scored[name] = choose_text(read_corpus(folder, "test", [code]), settings.held_out_characters)

    tokenizers = [tokenizer for tokenizer, _ in opened]
    texts = Texts.read(code, split, held_out, beside.parallel, beside.gold)
    intrinsic = measure_all(tokenizers, texts)
    probed, skipped = choose_probed(opened, settings)
    reference = next((p.tokenizer.name for p in probed if p.tokenizer.kind == REFERENCE_KIND), "")
    reference = reference or (probed[0].tokenizer.name if probed else tokenizers[0].name)
    runs = run_probes(probed, reference, training, scored, settings, seeds, keep)

    result: dict[str, Any] = {
        "title": title or f"Tokenizers for {get_language(code).name}",
        "setup": {
            "languages": spoken,
            "corpus": fingerprint(corpus, "corpus"),
            "split": split,
            "documents": len(held_out),
            "characters": sum(len(story.text) for story in held_out),
            "texts": [*_scored_facts(scored), *(row for row in texts.facts() if row["name"] not in scored)],
            "reference": reference,
            "probe": {
                **asdict(settings),
                "parameters": probed[0].size.parameters if probed else None,
                "seeds": list(range(seeds)),
                "training_documents": len(training),
                "training_characters": sum(len(story.text) for story in training),
            },
        },
        "definitions": {name: asdict(definition) for name, definition in texts.definitions().items()},
        "tokenizers": [
            {
                "name": tokenizer.name,
                "kind": tokenizer.kind,
                "vocabulary_size": tokenizer.vocabulary_size,
                "published": tokenizer.published,
                "byte_level": tokenizer.byte_level,
                "license": tokenizer.license,
                "fingerprint": tokenizer.fingerprint,
                "measures": {**intrinsic[tokenizer.name].measures, **training_speed(folder)},
                "scripts": intrinsic[tokenizer.name].scripts,
                "probe": {"skipped": skipped.get(tokenizer.name, "")},
            }
            for tokenizer, folder in opened
        ],
        "ranking": None,
        "curve": None,
        "prediction": [],
        "explorer": explore(tokenizers, choose_sentences([story.text for story in held_out], code)),
    }
    if runs:
        _add_probes(result, probed, runs, training, scored, reference)
    with new_folder(output) as place:
        write_json(place / "comparison.json", result)
        write_text(place / "comparison.md", render(result))
        write_json_lines(place / "probe_documents.jsonl", _documents(runs, scored))
        write_json_lines(place / "probe_stories.jsonl", _stories(runs))
        write_comparison_page([result], place / "comparison.html")
        write_manifest(
            place,
            "comparison",
            {"languages": spoken, "split": split, "seeds": seeds, "probe": asdict(settings)},
            inputs={"corpus": fingerprint(corpus, "corpus")}
            | {f"tokenizer {tokenizer.name}": tokenizer.fingerprint for tokenizer in tokenizers}
            | {f"corpus {name}": fingerprint(folder, "corpus") for name, folder in beside.also.items()}
            | {
                f"parallel {name} {file.name}": sha256(file)
                for name, folder in beside.parallel.items()
                for file in sorted(folder.glob("*.txt"))
            },
            licenses=sorted({story.license for story in held_out if story.license}),
        )
    return result


def training_speed(folder: Path | None) -> dict[str, Measured]:
    """How long the lab took to train a tokenizer, as its manifest tells."""
    return {"training_seconds": point(read_manifest(folder).get("training_seconds") if folder else None)}


def choose_probed(
    opened: Sequence[tuple[Tokenizer, Path | None]], settings: ProbeSettings
) -> tuple[list[Probed], dict[str, str]]:
    """The tokenizers that can serve the small model, with its size for each; of the others, why not."""
    skipped: dict[str, str] = {}
    fitting: list[tuple[Tokenizer, Path]] = []
    for tokenizer, folder in opened:
        if folder is None:
            skipped[tokenizer.name] = (
                f"It is not one of the lab's folders; kathalab tokenization prune makes one of its "
                f"{tokenizer.vocabulary_size:,} ids that a small model has room for."
            )
        elif settings.parameters and settings.parameters < least_parameters(tokenizer.vocabulary_size, settings):
            skipped[tokenizer.name] = (
                f"Its table of {tokenizer.vocabulary_size:,} × {settings.width} leaves no room for blocks within "
                f"{settings.parameters:,} parameters."
            )
        else:
            fitting.append((tokenizer, folder))
    if not fitting:
        return [], skipped
    sizes = solve_sizes([tokenizer.vocabulary_size for tokenizer, _ in fitting], settings)
    return [Probed(tokenizer, folder, size) for (tokenizer, folder), size in zip(fitting, sizes, strict=True)], skipped


def _add_probes(
    result: dict[str, Any],
    probed: Sequence[Probed],
    runs: Runs,
    training: Sequence[Story],
    scored: Mapping[str, Sequence[Story]],
    reference: str,
) -> None:
    """Put what the probes say into the comparison."""
    entries = {entry["name"]: entry for entry in result["tokenizers"]}
    decisive = next(iter(scored))
    stories = scored[decisive]
    differences = {text: compare_with(runs, reference, text, chosen) for text, chosen in scored.items()}
    written = judge_generation(runs, training)
    sizes: dict[str, Size] = {candidate.tokenizer.name: candidate.size for candidate in probed}
    for name, done in runs.items():
        entries[name]["probe"] = {
            **summarise_runs(done, sizes[name], scored),
            "difference": None if name == reference else {text: found[name] for text, found in differences.items()},
            "generation": written.get(name, {}),
        }
    intervals = {name: entries[name]["probe"]["texts"][decisive]["bits_per_character"] for name in runs}
    lossy = [name for name in runs if entries[name]["measures"]["round_trip_rate"]["value"] != 1]
    ranked = {name: intervals[name]["value"] for name in runs if name not in lossy}
    if ranked:
        best = min(ranked, key=lambda name: ranked[name])
        exact = {name: runs[name] for name in ranked}
        language = get_language(result["setup"]["languages"][0]).name
        result["ranking"] = rank(
            language, decisive, intervals, compare_with(exact, best, decisive, stories), lossy=lossy
        )
    kinds = {name: entries[name]["kind"] for name in ranked}
    curves = [
        vocabulary_curve(
            kind,
            {name: sizes[name].vocabulary for name in same},
            {name: sizes[name].embedding_parameters / sizes[name].parameters for name in same},
            intervals,
            {name: bits(runs[name], decisive) for name in same},
            [len(story.text) for story in stories],
            clusters(stories),
        )
        for kind in dict.fromkeys(kinds.values())
        for same in [[name for name in kinds if kinds[name] == kind]]
    ]
    result["curve"] = max((curve for curve in curves if curve), key=lambda curve: len(curve["points"]), default=None)
    result["prediction"] = predict({name: entries[name]["measures"] for name in ranked}, ranked)


def _scored_facts(scored: Mapping[str, Sequence[Story]]) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "what": "stories that the small models are scored on",
            "documents": len(stories),
            "characters": sum(len(story.text) for story in stories),
        }
        for name, stories in scored.items()
    ]


def _documents(runs: Runs, scored: Mapping[str, Sequence[Story]]) -> Iterator[dict[str, Any]]:
    """One record per tokenizer, seed, text and story: enough to compute every probe number again."""
    for name, seed, run in _each(runs):
        for text, stories in scored.items():
            for story, nats in zip(stories, run.nats[text], strict=True):
                yield {
                    "tokenizer": name,
                    "seed": seed,
                    "text": text,
                    "id": story.id,
                    "group": story.group,
                    "language": story.language,
                    "characters": len(story.text),
                    "nats": nats,
                }


def _stories(runs: Runs) -> Iterator[dict[str, Any]]:
    for name, seed, run in _each(runs):
        for story in run.stories:
            yield {"tokenizer": name, "seed": seed, **story}


def _each(runs: Runs) -> Iterable[tuple[str, int, Any]]:
    return ((name, seed, run) for name, done in runs.items() for seed, run in enumerate(done))
