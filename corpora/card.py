"""The dataset card: `README.md` with the metadata that `datasets` and the Hub read, and what a person wants to know."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import yaml

from corpora.languages import get_language
from corpora.normalize import RULES
from corpora.statistics import table
from corpora.stories import SPLITS, Story

_PURPOSE = " for training and measuring small language models"
_SIZES = (
    (1_000, "n<1K"),
    (10_000, "1K<n<10K"),
    (100_000, "10K<n<100K"),
    (1_000_000, "100K<n<1M"),
    (10_000_000, "1M<n<10M"),
)
_COMMONS = {
    "CC-BY": "https://creativecommons.org/licenses/by/{version}/",
    "CC-BY-SA": "https://creativecommons.org/licenses/by-sa/{version}/",
    "CC-BY-ND": "https://creativecommons.org/licenses/by-nd/{version}/",
    "CC-BY-NC": "https://creativecommons.org/licenses/by-nc/{version}/",
    "CC-BY-NC-SA": "https://creativecommons.org/licenses/by-nc-sa/{version}/",
    "CC-BY-NC-ND": "https://creativecommons.org/licenses/by-nc-nd/{version}/",
}


def card(
    splits: Mapping[str, Sequence[Story]],
    statistics: Mapping[str, Mapping[str, Mapping[str, Any]]],
    cleaning: Mapping[str, Mapping[str, int]],
    duplicates: Mapping[str, Mapping[str, int]],
    skipped: int,
    about: str = "",
    tables: Mapping[str, Mapping[str, Sequence[Any]]] = {},
) -> str:
    """The whole card.

    Args:
        splits: the stories of each split.
        statistics: counts by language and split, as `corpora.statistics.describe` gives them.
        cleaning: places changed, by language and rule of the normaliser; empty if it did not run.
        duplicates: `exact`, `near` and `related` by language; empty if they were not looked for.
        skipped: how many files or rows were left out.
        about: what the source says of itself, in Markdown.
        tables: further tables of the folder, by name and split.
    """
    stories = [story for split in SPLITS for story in splits[split]]
    languages = list(statistics)
    names = ", ".join(get_language(code).name for code in languages)
    sources = ", ".join(sorted({story.source for story in stories}))
    name = sources if about else f"Stories in {names} ({sources})"
    parts = [
        "---\n"
        + yaml.safe_dump(metadata(name, splits, languages, tables), allow_unicode=True, sort_keys=False)
        + "---",
        f"# {name}",
        *([about] if about else []),
        f"{len(stories):,} stories, put together with Kathalab{'' if about else _PURPOSE}. {_origin(stories)}",
        "## Contents\n\n" + table(statistics, markdown=True),
        "Characters are Unicode code points, words stand between white space, aksharas are extended grapheme clusters. "
        "A story and its versions in other languages, and stories that are much alike, share a `group` and lie in one "
        "split.",
        "## Loading\n\n```python\nfrom datasets import load_dataset\n\n"
        f'everything = load_dataset("PATH_OR_REPOSITORY")\n'
        f'{get_language(languages[0]).name.lower()} = load_dataset("PATH_OR_REPOSITORY", "{languages[0]}")\n'
        + "".join(f'{table} = load_dataset("PATH_OR_REPOSITORY", "{table}")\n' for table in tables)
        + "```",
        "## Fields\n\n" + _fields(),
        "## Cleaning\n\n" + _cleaning(cleaning, duplicates, skipped),
        "## Licences and attribution\n\n" + _licenses(stories),
    ]
    return "\n\n".join(parts) + "\n"


def metadata(
    name: str,
    splits: Mapping[str, Sequence[Story]],
    languages: Sequence[str],
    tables: Mapping[str, Mapping[str, Sequence[Any]]],
) -> dict[str, Any]:
    """The YAML block: it makes `load_dataset(folder)` and `load_dataset(folder, "hi")` work."""
    stories = [story for split in SPLITS for story in splits[split]]
    filled = [split for split in SPLITS if splits[split]]

    def files(pattern: str, splits: Sequence[str] = filled) -> list[dict[str, str]]:
        return [{"split": split, "path": pattern.format(split)} for split in splits]

    return {
        "pretty_name": name,
        "language": list(languages),
        "license": sorted({_hub_license(story.license) for story in stories}),
        "annotations_creators": ["no-annotation"],
        "language_creators": sorted({"machine-generated" if story.generator else "found" for story in stories}),
        "multilinguality": ["multilingual" if len(languages) > 1 else "monolingual"],
        "source_datasets": ["original"],
        "task_categories": ["text-generation"],
        "task_ids": ["language-modeling"],
        "size_categories": [next((size for limit, size in _SIZES if len(stories) < limit), "10M<n<100M")],
        "tags": ["stories", "kathalab"],
        "configs": [
            {"config_name": "default", "default": True, "data_files": files("{}-*.parquet")},
            *({"config_name": code, "data_files": files(f"{{}}-{code}-*.parquet")} for code in languages),
            *(
                {"config_name": table, "data_files": files(f"{table}-{{}}.parquet", list(parts))}
                for table, parts in tables.items()
            ),
        ],
    }


def _hub_license(license: str) -> str:
    """The Hub's name for a licence: the SPDX identifier in lower case, `other` or `unknown`."""
    if not license:
        return "unknown"
    return "other" if license.startswith("LicenseRef-") else license.lower()


def _origin(stories: Sequence[Story]) -> str:
    generators = sorted({story.generator for story in stories if story.generator})
    if not generators:
        return "They were written by people."
    human = any(not story.generator for story in stories)
    return f"{'Some' if human else 'All'} were written by a program: {', '.join(generators)}."


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
    cleaning: Mapping[str, Mapping[str, int]], duplicates: Mapping[str, Mapping[str, int]], skipped: int
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


def _licenses(stories: Sequence[Story]) -> str:
    parts = []
    for license in sorted({story.license for story in stories}):
        of_this = [story for story in stories if story.license == license]
        lines = sorted({(story.language, story.attribution, story.id) for story in of_this if story.attribution})
        heading = f"### {license or 'No licence stated'}\n\n{len(of_this):,} stories. {_terms(license)}".rstrip()
        parts.append(heading + ("\n\n" + _attributions(lines) if lines else ""))
    return "\n\n".join(parts)


def _attributions(lines: Iterable[tuple[str, str, str]]) -> str:
    """One line a story, or one for all where all have the same."""
    lines = list(lines)
    distinct = {attribution for _, attribution, _ in lines}
    if len(distinct) == 1 and len(lines) > 1:
        return f"Attribution: {distinct.pop()}"
    return "\n".join(f"- {language}: {attribution} (`{identifier}`)" for language, attribution, identifier in lines)


def _terms(license: str) -> str:
    name, _, version = license.rpartition("-")
    if name in _COMMONS:
        return f"Terms: <{_COMMONS[name].format(version=version)}>. Changes to the texts: see Cleaning."
    return ""
