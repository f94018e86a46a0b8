"""The dataset card: `README.md` with the metadata that `datasets` and the Hub read, and what a person wants to know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from corpora.cleaning.normalize import RULES
from corpora.describing.statistics import Statistics, table
from corpora.languages import get_language
from corpora.publishing.ledger import Ledger
from corpora.publishing.licenses import address, hub_name
from corpora.stories import SPLITS

_PURPOSE = " for training and measuring small language models"
_SIZES = (
    (1_000, "n<1K"),
    (10_000, "1K<n<10K"),
    (100_000, "10K<n<100K"),
    (1_000_000, "100K<n<1M"),
    (10_000_000, "1M<n<10M"),
)
_LISTED = 50
"""Up to so many attributions are listed in the card itself; `ATTRIBUTION.csv` has them all."""


def card(
    statistics: Statistics,
    cleaning: Mapping[str, Mapping[str, int]],
    duplicates: Mapping[str, Mapping[str, int]],
    skipped: int,
    about: str = "",
    tables: Mapping[str, Mapping[str, Sequence[Any]]] = {},
    rejected: Mapping[str, Mapping[str, int]] = {},
    leaks: Sequence[Mapping[str, Any]] = (),
) -> str:
    """The whole card.

    Args:
        statistics: of the stories that were written.
        cleaning: places changed, by language and rule of the normaliser; empty if it did not run.
        duplicates: `exact`, `near` and `related` by language; empty if they were not looked for.
        skipped: how many files or rows were left out.
        about: what the source says of itself, in Markdown.
        tables: further tables of the folder, by name and split.
        rejected: stories that the filters left out, by language and reason.
        leaks: what held-out stories share with training stories, as `corpora.building.leaks` sums it up.
    """
    languages = statistics.languages
    names = ", ".join(get_language(code).name for code in languages)
    sources = ", ".join(sorted({source for source, _, _ in statistics.ledger.entries}))
    name = sources if about else f"Stories in {names} ({sources})"
    front = yaml.safe_dump(metadata(name, statistics, tables), allow_unicode=True, sort_keys=False)
    stories = sum(counts.stories for counts in statistics.counts.values())
    parts = [
        f"---\n{front}---",
        f"# {name}",
        *([about] if about else []),
        f"{stories:,} stories, put together with Kathalab{'' if about else _PURPOSE}. {_origin(statistics)}",
        "## Contents\n\n" + table(statistics.summary(), markdown=True),
        "Characters are Unicode code points, words stand between white space, aksharas are extended grapheme clusters. "
        "A story and its versions in other languages, and stories that are much alike, share a `group` and lie in one "
        "split.",
        "## Loading\n\n```python\nfrom datasets import load_dataset\n\n"
        f'everything = load_dataset("PATH_OR_REPOSITORY")\n'
        f'{get_language(languages[0]).name.lower()} = load_dataset("PATH_OR_REPOSITORY", "{languages[0]}")\n'
        + "".join(f'{table} = load_dataset("PATH_OR_REPOSITORY", "{table}")\n' for table in tables)
        + "```",
        "## Fields\n\n" + _fields(),
        "## Cleaning\n\n" + _cleaning(cleaning, duplicates, skipped, rejected),
        *(["## Leaks\n\n" + _leaks(leaks)] if leaks else []),
        "## Licences and attribution\n\n" + _licenses(statistics.ledger),
    ]
    return "\n\n".join(parts) + "\n"


def metadata(
    name: str, statistics: Statistics, tables: Mapping[str, Mapping[str, Sequence[Any]]] = {}
) -> dict[str, Any]:
    """The YAML block: it makes `load_dataset(folder)` and `load_dataset(folder, "hi")` work."""
    languages = statistics.languages
    stories = sum(counts.stories for counts in statistics.counts.values())
    human = [counts.generators[""] for counts in statistics.counts.values()]

    def files(pattern: str, splits: Sequence[str]) -> list[dict[str, str]]:
        return [{"split": split, "path": pattern.format(split)} for split in splits]

    def filled(*codes: str) -> list[str]:
        return [split for split in SPLITS if any((code, split) in statistics.counts for code in codes)]

    return {
        "pretty_name": name,
        "language": languages,
        "license": sorted({hub_name(license) for license in statistics.ledger.licenses()}),
        "annotations_creators": ["no-annotation"],
        "language_creators": [
            *(["found"] if sum(human) else []),
            *(["machine-generated"] if sum(human) < stories else []),
        ],
        "multilinguality": ["multilingual" if len(languages) > 1 else "monolingual"],
        "source_datasets": ["original"],
        "task_categories": ["text-generation"],
        "task_ids": ["language-modeling"],
        "size_categories": [next((size for limit, size in _SIZES if stories < limit), "10M<n<100M")],
        "tags": ["stories", "kathalab"],
        "configs": [
            {"config_name": "default", "default": True, "data_files": files("{}-*.parquet", filled(*languages))},
            *({"config_name": code, "data_files": files(f"{{}}-{code}-*.parquet", filled(code))} for code in languages),
            *(
                {"config_name": table, "data_files": files(f"{table}-{{}}.parquet", list(parts))}
                for table, parts in tables.items()
            ),
        ],
    }


def _origin(statistics: Statistics) -> str:
    written = {who for counts in statistics.counts.values() for who, times in counts.generators.items() if times}
    generators = sorted(written - {""})
    if not generators:
        return "None is marked as written by a program."
    return f"{'Some' if '' in written else 'All'} were written by a program: {', '.join(generators)}."


def _fields() -> str:
    described = {
        "id": "unique in the corpus",
        "language": "ISO 639-1 code",
        "text": "the story; an empty line parts paragraphs",
        "source": "where it came from",
        "title": "its title, if it has one",
        "group": "what stays together in one split",
        "license": "SPDX identifier",
        "attribution": "whom the licence asks to name",
        "generator": "the program or model that wrote it; empty for human writing",
        "prompt": "what it was written from, as JSON for generated stories",
    }
    return "\n".join(f"- `{name}`: {meaning}" for name, meaning in described.items())


def _cleaning(
    cleaning: Mapping[str, Mapping[str, int]],
    duplicates: Mapping[str, Mapping[str, int]],
    skipped: int,
    rejected: Mapping[str, Mapping[str, int]],
) -> str:
    parts = []
    if skipped:
        parts.append(f"{skipped:,} files or rows were left out; `manifest.json` says which and why.")
    if cleaning:
        languages = list(cleaning)
        rows = [
            f"| {rule.name} | {rule.purpose.replace('|', chr(92) + '|')} | "
            + " | ".join(f"{cleaning[language].get(rule.name, 0):,}" for language in languages)
            + " |"
            for rule in RULES
            if any(cleaning[language].get(rule.name) for language in languages)
        ]
        header = f"| rule | what it does | {' | '.join(languages)} |\n| --- | --- |{' ---: |' * len(languages)}"
        parts.append("Places changed by the normaliser:")
        parts.append("\n".join([header, *rows]) if rows else "None: the text had its one form already.")
    flags = {name for found in cleaning.values() for name in found} - {rule.name for rule in RULES}
    if flags:
        told = "; ".join(
            f"{name.removeprefix('flag: ')} {sum(found.get(name, 0) for found in cleaning.values()):,}"
            for name in sorted(flags)
        )
        parts.append(f"Left as it is, but looks wrong: {told}.")
    if any(rejected.values()):
        rows = [
            f"| {language} | {reason} | {stories:,} |"
            for language, reasons in rejected.items()
            for reason, stories in reasons.items()
        ]
        parts.append(
            "Stories that the filters left out:\n\n| language | reason | stories |\n| --- | --- | ---: |\n"
            + "\n".join(rows)
        )
    if duplicates:
        rows = [
            f"| {language} | {found['exact']:,} | {found['near']:,} | {found['related']:,} |"
            for language, found in duplicates.items()
        ]
        parts.append(
            "Duplicates (word n-grams, Jaccard similarity; thresholds in `manifest.json`):\n\n"
            "| language | exact copies removed | near-duplicates removed | related pairs kept together |\n"
            "| --- | ---: | ---: | ---: |\n" + "\n".join(rows)
        )
    return "\n\n".join(parts) or "The text stands as the source has it."


def _leaks(leaks: Sequence[Mapping[str, Any]]) -> str:
    """The summary of the leak report as a table."""
    rows = "\n".join(
        f"| {row['language']} | {row['split']} | {row['similarity_median']:.2f} | {row['similarity_highest']:.2f} | "
        f"{row['run_longest']} | {row['runs_of_20_words']:,} of {row['stories']:,} |"
        for row in leaks
    )
    return (
        "What validation and test stories share with training stories: Jaccard similarity of word n-grams to the "
        "nearest one, and the longest run of words. `leaks.jsonl` has a line for each story.\n\n"
        "| language | split | nearest: median | highest | longest run | runs of 20 words and more |\n"
        "| --- | --- | ---: | ---: | ---: | ---: |\n" + rows
    )


def _licenses(ledger: Ledger) -> str:
    rows, lines = ledger.rows(), ledger.attributions()
    head = "| source | licence | stories | characters | attribution |\n| --- | --- | ---: | ---: | --- |\n"
    parts = [head + "\n".join(_licence_row(row) for row in rows)]
    if any(row["attributions"] > 1 for row in rows):
        if len(lines) > _LISTED:
            parts.append("`ATTRIBUTION.csv` names everybody; each story has its own line in `attribution` too.")
        else:
            parts.append("\n".join(f"- {line['languages']}: {line['attribution']} (`{line['id']}`)" for line in lines))
    if any(row["license"].startswith("CC-BY") for row in rows):
        parts.append("What was changed in the texts stands under Cleaning.")
    return "\n\n".join(parts)


def _licence_row(row: Mapping[str, Any]) -> str:
    page = address(row["license"])
    license = f"[{row['license']}]({page})" if page else row["license"] or "not stated"
    named = row["attribution"] or (f"{row['attributions']:,} different ones" if row["attributions"] else "–")
    return f"| {row['source']} | {license} | {row['stories']:,} | {row['characters']:,} | {named} |"
