"""kathalab corpora build | describe | publish"""

from __future__ import annotations

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
    from corpora.description import describe as describe_corpora
    from corpora.page import write_page
    from corpora.statistics import table

    described = describe_corpora(folders, examples)
    for name, corpus in described["corpora"].items():
        print(f"{name} ({corpus['folder']})\n{table(corpus['splits'])}\n")
    page = write_page(described, output or str(Path(folders[0]) / "description.html"))
    names = ", ".join(described["corpora"])
    print(f"The description of {names} is in {page} (the numbers in {page.with_suffix('.json')}).")


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
    from corpora.hub import upload
    from corpora.ledger import check_ledger
    from corpora.licenses import check

    manifest = read_manifest(folder, "corpus")
    check(manifest["licenses"], "publish")
    check_ledger(manifest.get("ledger", []), "publish")
    url = upload(folder, repo, "dataset", private, [*manifest["files"], "manifest.json"], "Upload corpus with kathalab")
    print(f"The corpus {folder} is published at {url}.")


def main(arguments: list[str]) -> None:
    """Run `kathalab corpora VERB …`."""
    purpose = "Stories: where they come from, how they are cleaned, split and described."
    run_verb("corpora", purpose, [build, describe, publish], arguments)
