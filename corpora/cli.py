"""kathalab corpora build | describe | leaks | publish | translator"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from corpora.building.deduplicate import Duplicates
from corpora.building.split import Split
from corpora.cleaning.cleaner import Cleaning
from corpora.commands import run_verb
from corpora.errors import UserError
from corpora.sources import Source
from corpora.translation.translator import Training

_CLEANING, _DUPLICATES, _SPLIT, _TRAINING = Cleaning(), Duplicates(), Split(), Training()


def build(
    source: Source,
    output: str,
    normalize: bool = True,
    cleaning: Cleaning | None = _CLEANING,
    deduplicate: bool = True,
    duplicates: Duplicates = _DUPLICATES,
    split: Split = _SPLIT,
    seed: int = 0,
    workers: int = 0,
    block: int = 10_000,
    part: str = "",
    changes: bool = False,
) -> None:
    """Build a corpus from a source of stories.

    Reads stories, brings their text into one form, leaves out what is no story, removes duplicates, and shares them out
    over train, validation and test so that the same story, in whatever language, lies in one split. Writes a folder of
    Parquet shards that `datasets.load_dataset` opens, with README.md (dataset card), statistics.json, leaks.jsonl (what
    each validation and test story shares with training stories) and manifest.json. A build that was stopped goes on
    when it is run again.

    Example:
      kathalab corpora build --source Markdown --source.path pratham --source.languages [hi,mr,bn] --output corpus

    Args:
        source: where the stories come from; `--source.help CLASS` lists a source's options.
        output: the folder to write.
        normalize: bring the text into one form (NFC, joiners, spaces, dandas).
        cleaning: how stories are normalised and which are rejected; null takes them all as they are.
        deduplicate: look for exact and near-duplicates.
        duplicates: what counts as a duplicate.
        split: how the stories are shared out.
        seed: decides which groups go to which split.
        workers: processes; 0 for as many as there are cores.
        block: stories (or files) read and cleaned at a time; a build that is killed loses at most this much a worker.
        part: NUMBER/OF, e.g. 2/8: only read and clean this part of the blocks, so that several jobs share the work; a
            build without it goes on from there.
        changes: write changes.jsonl, which says what normalising changed and how to undo it.
    """
    from corpora.building.build import build_corpus
    from corpora.building.leaks import table

    parts = _part(part)
    if cleaning and not normalize:
        cleaning = replace(cleaning, normalization=None)
    alike = duplicates if deduplicate else None
    manifest = build_corpus(source, output, cleaning, alike, split, seed, workers, block, parts, changes)
    if parts[1] > 1:
        print(f"Part {part} of the corpus {output} is read and cleaned; build it without --part when all are.")
        return
    if manifest.get("leaks"):
        print("What validation and test share with the training stories (leaks.jsonl; runs in words):")
        print(table(manifest["leaks"]))
    statistics, left_out = manifest["statistics"], len(manifest["skipped"])
    stories = sum(counts["stories"] for parts in statistics.values() for counts in parts.values())
    skipped = f" ({left_out:,} files or rows left out, see manifest.json)" if left_out else ""
    print(f"A corpus of {stories:,} stories in {', '.join(statistics)} is in {output}{skipped}.")


def _part(text: str) -> tuple[int, int]:
    """`2/8` as (1, 8)."""
    if not text:
        return 0, 1
    number, _, of = text.partition("/")
    if not (number.isdecimal() and of.isdecimal() and 1 <= int(number) <= int(of)):
        raise UserError(f"a part is NUMBER/OF, e.g. 2/8, not {text!r}.")
    return int(number) - 1, int(of)


def describe(folders: list[str], /, output: str = "", examples: int = 2) -> None:
    """Describe a corpus, or several side by side, on a page.

    Reads corpus folders. Writes one HTML page with counts, lengths, scripts, most frequent words, what cleaning changed
    and left out, duplicates, leaks, licences and example stories, and beside it the same as JSON. Prints the counts.

    Example:
      kathalab corpora describe generated translated human --output corpora.html

    Args:
        folders: one or more corpus folders.
        output: the page to write; by default description.html in the first folder.
        examples: how many stories to show of each language and corpus.
    """
    from corpora.describing.description import describe as describe_corpora
    from corpora.describing.description_page import write_description
    from corpora.describing.statistics import table

    described = describe_corpora(folders, examples)
    for name, corpus in described["corpora"].items():
        print(f"{name} ({corpus['folder']})\n{table(corpus['splits'])}\n")
    page = write_description(described, output or str(Path(folders[0]) / "description.html"))
    names = ", ".join(described["corpora"])
    print(f"The description of {names} is in {page} (the numbers in {page.with_suffix('.json')}).")


def leaks(
    folder: str, /, output: str, against: Source | None = None, split: str = "train", words: int = 3, workers: int = 0
) -> None:
    """Look for a test set's stories in a corpus.

    Reads a corpus folder and a test set from any source (by default the corpus's own validation and test). Finds for
    each story of the test set the most similar story of the corpus (Jaccard similarity of word n-grams, and the share
    of the story's n-grams it has) and the longest run of words any of them shares with it. Writes a folder with
    leaks.jsonl, one record a story, and manifest.json with a summary.

    Example:
      kathalab corpora leaks corpus --against Katha72 --output corpus-katha72

    Args:
        folder: a corpus folder.
        output: the folder to write.
        against: the test set; `--against.help CLASS` lists a source's options.
        split: the split of the corpus that is looked through.
        words: length of the word n-grams that are compared.
        workers: processes; 0 for as many as there are cores.
    """
    from corpora.building.contamination import check_contamination
    from corpora.building.leaks import table

    rows = check_contamination(folder, against, output, split, words, workers)
    print(table(rows))
    stories, found = (sum(row[name] for row in rows) for name in ("stories", "runs_of_20_words"))
    print(
        f"{found:,} of {stories:,} stories share a run of 20 words or more with the {split} stories of {folder}; "
        f"all are in {os.path.join(output, 'leaks.jsonl')}."
    )


def publish(folder: str, /, repo: str, private: bool = False) -> None:
    """Publish a corpus on the Hugging Face Hub.

    Reads a corpus folder and creates or updates a dataset repository that `load_dataset(REPO, "hi")` opens, with card
    and attributions. Refuses stories whose licences do not allow it, or whose authors are not named. The token comes
    from HF_TOKEN or `hf auth login`.

    Example:
      kathalab corpora publish corpus --repo USER/stories --private true

    Args:
        folder: a corpus folder.
        repo: the repository, USER/NAME.
        private: create it as a private repository.
    """
    from corpora.folders import read_manifest
    from corpora.publishing.hub import upload
    from corpora.publishing.ledger import check_ledger
    from corpora.publishing.licenses import check

    manifest = read_manifest(folder, "corpus")
    check(manifest["licenses"], "publish")
    check_ledger(manifest.get("ledger", []), "publish")
    url = upload(folder, repo, "dataset", private, [*manifest["files"], "manifest.json"], "Upload corpus with kathalab")
    print(f"The corpus {folder} is published at {url}.")


def translator(
    corpus: str,
    output: str,
    source_language: str = "en",
    languages: list[str] = ["hi", "mr", "bn"],  # noqa: B006 - never changed, and shown in the help
    training: Training = _TRAINING,
    test_stories: int = 60,
    seed: int = 0,
) -> None:
    """Train a small translator on the parallel stories of a corpus.

    Reads a corpus whose stories are there in several languages (as `Generator` writes them): sentences of the training
    split are aligned, those whose words correspond are learned by one small MarianMT, and the test split measures it.
    Writes a folder that transformers opens, with scores.json and translations.jsonl. Stopped, the same command goes on.

    Example:
      kathalab corpora build --source Generator --source.languages [en,hi,mr,bn] --source.stories 8000 --output parallel
      kathalab corpora translator --corpus parallel --output translator

    Args:
        corpus: a corpus folder with parallel stories.
        output: the folder to write.
        source_language: ISO 639-1 code of the language to translate from.
        languages: ISO 639-1 codes of the languages to translate into.
        training: size and training of the model.
        test_stories: how many stories of the test split to measure with.
        seed: decides the first weights and the order of the pairs.
    """
    from corpora.translation.translator import train_on_corpus

    scores = train_on_corpus(corpus, output, source_language, languages, training, test_stories, seed)
    reached = ", ".join(f"{code} {score['chrf']:.1f}" for code, score in scores.items())
    print(f"A translator from {source_language} (chrF of held-out stories: {reached}) is in {output}.")


def main(arguments: list[str]) -> None:
    """Run `kathalab corpora VERB …`."""
    purpose = "Stories: where they come from, how they are cleaned, split and described."
    run_verb("corpora", purpose, [build, describe, leaks, publish, translator], arguments)
