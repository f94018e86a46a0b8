"""The description of corpora as one self-contained HTML page, with the JSON of everything it shows beside it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from corpora.describing.charts import distributions
from corpora.languages import LANGUAGES
from corpora.page import write_page
from corpora.publishing.licenses import address
from corpora.stories import SPLITS

FLAG = "flag: "
"""How the counts of a normaliser's flags begin: places that it does not change."""
TEMPLATE = Path(__file__).parent / "templates" / "description.html.j2"


def write_description(described: Mapping[str, Any], output: str) -> Path:
    """Write the page of what `corpora.describing.description.describe` gives, and its JSON; returns the page's path.

    UserError if the name does not end in .html.
    """
    from markupsafe import Markup

    page = Path(output)
    write_page(
        page,
        TEMPLATE,
        described,
        {"count": _count, "percent": _percent},
        command="corpora describe",
        title=_title(list(described["corpora"])),
        splits=SPLITS,
        endonyms={code: LANGUAGES[code].endonym for code in described["languages"]},
        figures={code: Markup(_figure(described, code)) for code in described["languages"]},
        address=address,
        cleaned={name: _cleaned(corpus) for name, corpus in described["corpora"].items()},
    )
    return page


def _title(names: list[str]) -> str:
    return f"Corpus {names[0]}" if len(names) == 1 else f"Corpora side by side: {', '.join(names)}"


def _cleaned(corpus: Mapping[str, Any]) -> list[tuple[str, list[str], list[tuple[str, list[int]]]]]:
    """Tables of what cleaning did: caption, languages, and rows of a name with its counts, the largest first."""
    rules = corpus["cleaning"]
    parts = {
        "Changed by the rule": {
            code: {n: c for n, c in found.items() if FLAG not in n} for code, found in rules.items()
        },
        "Left as it is, but looks wrong": {
            code: {n.removeprefix(FLAG): c for n, c in found.items() if FLAG in n} for code, found in rules.items()
        },
        "Stories left out because of": corpus["rejected"],
    }
    tables = []
    for caption, counts in parts.items():
        languages = [code for code in corpus["languages"] if code in counts]
        names = sorted({name for found in counts.values() for name in found})
        rows = [(name, [counts[code].get(name, 0) for code in languages]) for name in names]
        if rows:
            tables.append((caption, languages, sorted(rows, key=lambda row: -sum(row[1]))))
    return tables


def _figure(described: Mapping[str, Any], code: str) -> str:
    languages = [corpus["languages"].get(code) for corpus in described["corpora"].values()]
    lengths = [{int(k): v for k, v in found["lengths"].items()} if found else {} for found in languages]
    return distributions(lengths, "words in a story")


def _count(value: float) -> str:
    return f"{value:,.0f}".replace(",", "\u202f")


def _percent(share: float) -> str:
    """A share in per cent, never rounded to 0 or 100 unless it is."""
    digits = 1 if 0.001 <= share <= 0.999 or share in (0, 1) else 3
    return f"{100 * share:.{digits}f}\u202f%"
