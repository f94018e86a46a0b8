"""kathalab corpora build | describe | publish"""

from __future__ import annotations

import os
from pathlib import Path

from corpora.commands import run_verb
from corpora.deduplicate import Duplicates
from corpora.sources import Source
from corpora.split import Split

_DUPLICATES, _SPLIT = Duplicates(), Split()


def build(
    source: Source,
    output: str,
    normalize: bool = True,
    deduplicate: bool = True,
    duplicates: Duplicates = _DUPLICATES,
    split: Split = _SPLIT,
    seed: int = 0,
) -> None:
    """Build a corpus from a source of stories.

    Reads stories, brings their text into one form, removes duplicates, and shares them out over train, validation and
    test so that the same story, in whatever language, lies in one split. Writes a folder of Parquet shards that
    `datasets.load_dataset` opens, with README.md (dataset card), statistics.json and manifest.json.

    Example:
      kathalab corpora build --source Markdown --source.path pratham --source.languages [hi,mr,bn] --output corpus

    Args:
        source: where the stories come from; `--source.help CLASS` lists a source's options.
        output: the folder to write.
        normalize: bring the text into one form (NFC, joiners, spaces, dandas).
        deduplicate: look for exact and near-duplicates.
        duplicates: what counts as a duplicate.
        split: how the stories are shared out.
        seed: decides which groups go to which split.
    """
    from corpora.build import build_corpus

    statistics = build_corpus(source, output, normalize, duplicates if deduplicate else None, split, seed)
    stories = sum(counts["stories"] for parts in statistics.values() for counts in parts.values())
    skipped = f" ({len(source.skipped):,} files or rows left out, see manifest.json)" if source.skipped else ""
    print(f"A corpus of {stories:,} stories in {', '.join(statistics)} is in {output}{skipped}.")


def describe(folder: str, /, stories: int = 1, split: str = "", output: str = "") -> None:
    """Show what a corpus holds.

    Reads a corpus folder. Prints a table of its counts and a few stories of each language; the same counts lie in its
    statistics.json, and are written to a second place on request.

    Example:
      kathalab corpora describe corpus --stories 2

    Args:
        folder: a corpus folder.
        stories: how many stories to print of each language.
        split: the split whose first stories are printed; the first that the corpus has if not given.
        output: a JSON file to write the counts to, besides the folder's statistics.json.
    """
    from corpora.folders import read_json, read_manifest, write_json
    from corpora.statistics import table
    from corpora.stories import SPLITS, read_corpus

    manifest = read_manifest(folder, "corpus")
    statistics = read_json(Path(folder) / "statistics.json")
    split = split or next(name for name in SPLITS if any(parts[name]["stories"] for parts in statistics.values()))
    print(table(statistics))
    for language, parts in statistics.items():
        licenses = sorted({license for counts in parts.values() for license in counts["licenses"]})
        print(f"\n{language}: {', '.join(licenses)}")
        for story in read_corpus(folder, split, [language])[:stories] if stories else []:
            print(f"\n[{story.id}] {story.title}\n\n{story.text}".rstrip())
    if output:
        write_json(output, statistics)
    removed = len(manifest.get("removed", []))
    where = output or os.path.join(folder, "statistics.json")
    print(f"\nThe counts of {folder} ({removed:,} duplicates had been removed) are in {where}.")


def publish(folder: str, /, repo: str, private: bool = False) -> None:
    """Publish a corpus on the Hugging Face Hub.

    Reads a corpus folder and creates or updates a dataset repository. The token comes from HF_TOKEN or `hf auth login`.

    Example:
      kathalab corpora publish corpus --repo USER/stories --private true

    Args:
        folder: a corpus folder.
        repo: the repository, USER/NAME.
        private: create it as a private repository.
    """
    from corpora.folders import read_manifest
    from corpora.hub import upload

    manifest = read_manifest(folder, "corpus")
    url = upload(folder, repo, "dataset", private, [*manifest["files"], "manifest.json"], "Upload corpus with kathalab")
    print(f"The corpus {folder} is published at {url}.")


def main(arguments: list[str]) -> None:
    """Run `kathalab corpora VERB …`."""
    purpose = "Stories: where they come from, how they are cleaned, split and described."
    run_verb("corpora", purpose, [build, describe, publish], arguments)
