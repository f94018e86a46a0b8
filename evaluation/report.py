"""One self-contained HTML page of a study, and the JSON of everything it shows."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from corpora.errors import UserError
from corpora.folders import MANIFEST, read_json, read_manifest
from corpora.languages import LANGUAGES
from corpora.page import write_page
from corpora.stories import SPLITS, Story, read_corpus
from evaluation.figures import Bar, Line, interval_plot, line_chart

TEMPLATE = Path(__file__).parent / "templates" / "report.html.j2"
SHOWN_STORIES = 6
_EXAMPLE_CHARACTERS = 500
_PERCENT = "\u202f%"

STATISTICS = {
    "finished": ("Finished by the model itself", "percent"),
    "words": ("Words per story", "one"),
    "aksharas": ("Aksharas per story", "one"),
    "sentences": ("Sentences per story", "one"),
    "rep_4": ("Repeated 4-grams inside a story (rep-4)", "percent"),
    "distinct_1": ("Different words (distinct-1)", "percent"),
    "distinct_2": ("Different word pairs (distinct-2)", "percent"),
    "distinct_3": ("Different word triples (distinct-3)", "percent"),
    "own_script": ("Letters in the language’s script", "percent"),
    "stray_words": ("Words with a letter of another script", "percent"),
    "impossible_sequences": ("Impossible sequences per 1,000 aksharas", "thousandth"),
    "copied_runs": ("8-word runs that stand in a training story", "percent"),
    "longest_copy": ("Longest run copied from a training story, words", "one"),
    "exact_copies": ("Stories copied whole", "percent"),
}
"""The text statistics in the order of the table: label, how the number is written."""

TOKENIZER_MEASURES = {
    "fertility": ("Tokens per word", "two"),
    "characters_per_token": ("Characters per token", "two"),
    "akshara_splitting_rate": ("Aksharas split", "percent"),
}

CLASSIFICATION_BASELINES = {
    "majority": "Most frequent class",
    "name_in_text": "Class name in the text",
    "random_weights": "Same model, random weights",
    "naive_bayes": "Naive Bayes, with labels",
}


def write_report(study: str, output: str | None = None, title: str | None = None) -> tuple[Path, str]:
    """Write the page and its JSON; returns the page's path and the languages in words.

    UserError if the study folder is missing or empty, or one of its files is damaged.
    """
    from markupsafe import Markup

    data = collect(study, title)
    page = Path(output) if output else Path(study) / "report.html"
    write_page(
        page,
        TEMPLATE,
        data,
        {
            "written": written,
            "bounds": bounds,
            "significance": significance,
            "count": lambda value: f"{value:,}".replace(",", "\u202f"),
        },
        command="evaluation report",
        figures={name: {code: Markup(svg) for code, svg in found.items()} for name, found in _figures(data).items()},
        statistics=STATISTICS,
        katha={code: score["katha72"] for code, score in data["scores"].items() if score["katha72"]},
        tokenizer_measures=TOKENIZER_MEASURES,
        comparison_pages=_comparison_pages(Path(study), page, data["comparisons"]),
        classification_baselines=CLASSIFICATION_BASELINES,
    )
    names = [language["name"] for language in data["languages"].values()]
    return page, ", ".join(names[:-1]) + (" and " if len(names) > 1 else "") + "".join(names[-1:])


def collect(study: str, title: str | None = None) -> dict[str, Any]:
    """Everything the page shows, as plain JSON values; absent parts are empty and named in `missing`."""
    folder = Path(study)
    if not folder.is_dir():
        raise UserError(f"there is no study folder {study!r}; run the study first or check the path.")
    corpus = _corpus(folder)
    parts: dict[str, tuple[str, Callable[[Path], Any]]] = {
        "scores": ("scores.json", _scores),
        "comparisons": ("comparison.json", _comparison),
        "runs": ("metrics.csv", _curve),
        "classification": ("scores.json", _classification),
    }
    found: dict[str, dict[str, Any]] = {name: {} for name in parts}
    for name, (file, read) in parts.items():
        for code in LANGUAGES:
            path = folder / name / code / file
            if path.is_file() and (part := read(path)):
                found[name][code] = part
    known = {code for section in (corpus.get("languages", {}), *found.values()) for code in section}
    if not known:
        raise UserError(f"{study!r} has neither corpus nor scores nor runs, so there is nothing to report.")
    order = [code for code in LANGUAGES if code in known]
    languages = {code: {"name": LANGUAGES[code].name, "endonym": LANGUAGES[code].endonym} for code in order}
    labels = {"scores": "scores", "comparisons": "tokenizer comparison", "runs": "learning curve"}
    missing = {
        code: [label for name, label in labels.items() if code not in found[name]]
        + ([] if code in corpus.get("languages", {}) else ["corpus"])
        for code in order
    }
    return {
        "title": title or f"{folder.resolve().name.replace('-', ' ').replace('_', ' ').capitalize()}: story models",
        "languages": languages,
        "corpus": corpus,
        **found,
        "manifests": _manifests(folder),
        "missing": {code: what for code, what in missing.items() if what},
    }


def _corpus(study: Path) -> dict[str, Any]:
    folder = study / "corpus"
    if not (folder / MANIFEST).is_file():
        return {}
    manifest = read_manifest(folder, "corpus")
    languages: dict[str, Any] = {}
    sources: set[str] = set()
    for split in SPLITS:
        if not any(folder.glob(f"{split}-*.parquet")):
            continue
        by_language: dict[str, list[Story]] = {}
        for story in read_corpus(folder, split):
            by_language.setdefault(story.language, []).append(story)
        for code, stories in by_language.items():
            facts = languages.setdefault(code, {"splits": {}, "example": None})
            characters = sum(len(story.text) for story in stories)
            facts["splits"][split] = {"stories": len(stories), "characters": characters}
            sources |= {story.source for story in stories}
            if facts["example"] is None:
                first = stories[0]
                facts["example"] = {
                    "id": first.id,
                    "title": first.title,
                    "text": _shortened(first.text),
                    "attribution": first.attribution,
                }
    return {
        "licenses": manifest.get("licenses", []),
        "sources": sorted(source for source in sources if source),
        "duplicates": _duplicates(folder, manifest),
        "languages": {code: languages[code] for code in LANGUAGES if code in languages},
    }


def _duplicates(folder: Path, manifest: Mapping[str, Any]) -> dict[str, dict[str, int]]:
    """Exact copies and near-duplicates that were removed, by language, where the manifest tells."""
    with _wanting(folder / MANIFEST):
        return {
            str(code): {kind: int(counts[kind]) for kind in ("exact", "near")}
            for code, counts in (manifest.get("duplicates") or {}).items()
        }


def _scores(path: Path) -> dict[str, Any]:
    scores = read_json(path)
    generations = []
    lines = path.with_name("generations.jsonl")
    if lines.is_file():
        for number, line in enumerate(lines.read_text(encoding="utf-8").splitlines()[:SHOWN_STORIES], start=1):
            try:
                generations.append(json.loads(line))
            except json.JSONDecodeError as error:
                raise UserError(f"line {number} of {str(lines)!r} is not valid JSON ({error}); score again.") from None
    with _wanting(path):
        for part in ("bits_per_character", "bits_per_akshara", "bits_per_byte"):
            _interval(scores[part])
        for floor in ("character_ngram", "compressor"):
            _interval(scores["floors"][floor]["bits_per_character"])
        for part in ("statistics", "reference"):
            for interval in scores["generation"][part].values():
                _interval(interval)
        katha = scores.get("katha72", {"languages": {}})["languages"].get(path.parent.name)
        return {
            **scores,
            "katha72": katha and _katha(katha),
            "parameters": {name: int(scores["parameters"][name]) for name in ("total", "non_embedding")},
            "documents": int(scores["documents"]),
            "split": str(scores.get("split", "test")),
            "unknown_tokens": int(scores.get("unknown_tokens", 0)),
            "shown": [_shown(generation) for generation in generations],
        }


def _katha(found: Mapping[str, Any]) -> dict[str, Any]:
    """Katha-72 in one language, with whether an accuracy lies above chance."""

    def choice(values: Mapping[str, Any]) -> dict[str, Any]:
        given = {name: _interval(values[name]) for name in ("accuracy", "without_story", "unigram") if name in values}
        low = given["accuracy"]["low"]
        return {**given, "items": int(values["items"]), "above_chance": low is not None and low > 0.5}

    pairs = found["minimal_pairs"]
    return {
        "stories": int(found["stories"]),
        "bits_per_character": _interval(found["bits_per_character"]),
        "character_ngram": _interval(found["character_ngram"]) if "character_ngram" in found else None,
        "cloze": choice(found["cloze"]),
        "minimal_pairs": choice(pairs),
        "phenomena": {name: choice(values) for name, values in pairs["phenomena"].items()},
    }


def _shown(generation: Mapping[str, Any]) -> dict[str, Any]:
    prompt, text = str(generation["prompt"]), str(generation["text"])
    marked = text.startswith(prompt)
    return {
        "prompt": prompt if marked else "",
        "continuation": text[len(prompt) :] if marked else text,
        "finished": bool(generation["finished"]),
        "tokens": int(generation["tokens"]),
    }


def _comparison(path: Path) -> dict[str, Any]:
    """The verdict on the tokenizers, and of each what the table shows; bits and differences on the ranking's text."""
    comparison = read_json(path)
    with _wanting(path):
        unranked = {"text": "", "best": None, "sentence": "No tokenizer was probed, so none can be recommended."}
        ranking = comparison["ranking"] or unranked
        text = str(ranking["text"])
        tokenizers = []
        for row in comparison["tokenizers"]:
            probe = row["probe"]
            scored = probe.get("texts", {}).get(text)
            difference = (probe.get("difference") or {}).get(text)
            tokenizers.append(
                {
                    "name": str(row["name"]),
                    "kind": str(row["kind"]),
                    "published": bool(row["published"]),
                    "vocabulary_size": int(row["vocabulary_size"]),
                    "measures": {
                        name: _interval(row["measures"][name])
                        for name in TOKENIZER_MEASURES
                        if row["measures"].get(name, {"value": None})["value"] is not None
                    },
                    "bits_per_character": _interval(scored["bits_per_character"]) if scored else None,
                    "skipped": str(probe["skipped"]) if "skipped" in probe else None,
                    "difference": _interval(difference) if difference else None,
                    "p": float(difference["p_holm"]) if difference else None,
                }
            )
        return {
            "sentence": str(ranking["sentence"]),
            "text": text,
            "best": ranking["best"],
            "reference": str(comparison["setup"]["reference"]),
            "tokenizers": tokenizers,
        }


def _comparison_pages(study: Path, page: Path, codes: Iterable[str]) -> dict[str, str]:
    """Links from the page to the tokenizer comparisons that have a page of their own."""
    files = {code: study / "comparisons" / code / "comparison.html" for code in codes}
    made = {code: file for code, file in files.items() if file.is_file()}
    return {code: quote(Path(os.path.relpath(file, page.parent)).as_posix()) for code, file in made.items()}


def _curve(path: Path) -> dict[str, Any]:
    """Columns of `metrics.csv` that the figure needs: (step, value) where the row has a value."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    try:
        curves = {
            name: [[float(row["step"]), float(row[name])] for row in rows if (row.get(name) or "").strip()]
            for name in ("train_loss", "validation_loss", "validation_bits_per_character")
        }
        tokens = [float(row["tokens"]) for row in rows if (row.get("tokens") or "").strip()]
    except (KeyError, ValueError) as error:
        raise UserError(f"{str(path)!r} is not a table of training metrics ({error}); train again.") from None
    return {**curves, "tokens": int(tokens[-1]) if tokens else None}


def _classification(path: Path) -> list[dict[str, Any]]:
    """One row per task: accuracy and macro-F1 of the model, accuracy of its baselines."""
    scores = read_json(path)
    with _wanting(path):
        rows = []
        for task in scores["tasks"]:
            baselines = task.get("baselines", {})
            accuracies = {name: baselines.get(name, {}).get("accuracy") for name in CLASSIFICATION_BASELINES}
            rows.append(
                {
                    "task": str(task["task"]),
                    "items": int(task["items"]),
                    "classes": int(task["classes"]),
                    "accuracy": _interval(task["accuracy"]),
                    "macro_f1": _interval(task["macro_f1"]) if "macro_f1" in task else None,
                    "baselines": {name: value and _interval(value) for name, value in accuracies.items()},
                    "at_chance": bool(task.get("at_chance", False)),
                }
            )
        return rows


def _manifests(study: Path) -> list[dict[str, Any]]:
    found = []
    for path in sorted(study.rglob(MANIFEST)):
        if any("." in part for part in path.relative_to(study).parent.parts):
            continue  # half-made, replaced or set aside
        manifest = read_manifest(path.parent)
        found.append(
            {
                "folder": path.parent.relative_to(study).as_posix(),
                "kind": str(manifest.get("kind", "")),
                "fingerprint": str(manifest.get("fingerprint", "")),
                "licenses": list(manifest.get("licenses") or []),
                "configuration": manifest.get("configuration", {}),
                "versions": manifest.get("versions", {}),
            }
        )
    return found


def _figures(data: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    curves, intervals = {}, {}
    for code, run in data["runs"].items():
        points = [(x, y) for x, y in run["validation_bits_per_character"]]
        scores = data["scores"].get(code)
        levels = {}
        if scores:
            floors = scores["floors"]
            levels = {
                "character n-grams": ("ngram", floors["character_ngram"]["bits_per_character"]["value"]),
                "compressor": ("compressor", floors["compressor"]["bits_per_character"]["value"]),
            }
        if points:
            curves[code] = line_chart([Line("model", "model", points)], levels, "step", "bits per character")
    for code, scores in data["scores"].items():
        rows = {
            "model": ("model", scores["bits_per_character"]),
            "character n-grams": ("ngram", scores["floors"]["character_ngram"]["bits_per_character"]),
            "compressor": ("compressor", scores["floors"]["compressor"]["bits_per_character"]),
        }
        bars = [Bar(name, style, row["value"], row.get("low"), row.get("high")) for name, (style, row) in rows.items()]
        intervals[code] = interval_plot(bars, "bits per character")
    return {"curves": curves, "intervals": intervals}


def written(interval: Any, style: str = "two") -> str:
    """The value of an interval (or a bare number) as the page writes it."""
    if interval is None or (isinstance(interval, Mapping) and interval["value"] is None):
        return "–"
    return _styled(interval["value"] if isinstance(interval, Mapping) else interval, style)


def bounds(interval: Any, style: str = "two") -> str:
    """`low – high` of an interval, or nothing where it has none."""
    if not isinstance(interval, Mapping) or interval.get("low") is None or interval.get("high") is None:
        return ""
    low, high = _styled(interval["low"], style), _styled(interval["high"], style)
    between = " to " if low.startswith(("−", "+")) else "–"
    return "" if low == high else f"{low.removesuffix(_PERCENT)}{between}{high}"


def significance(p: float | None) -> str:
    """`p = 0.012`, or nothing where there is none."""
    return "" if p is None else "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def _styled(value: float, style: str) -> str:
    if style == "percent":
        text = f"{100 * value:.1f}{_PERCENT}"
    elif style == "thousandth":
        text = f"{1000 * value:.2f}"
    elif style == "signed":
        text = f"{value:+.3f}"
    else:
        size = abs(value)
        fitting = 3 if size < 10 else 2 if size < 100 else 1 if size < 1000 else 0
        digits = {"whole": 0, "one": 1, "two": 2, "three": 3, "number": fitting}[style]
        text = f"{value:,.{digits}f}".replace(",", "\u202f")
    return text.replace("-", "−")


def _interval(value: Any) -> dict[str, float | None]:
    """A number or `{"value", "low", "high"}` as the latter; TypeError or KeyError if it is neither."""
    if isinstance(value, Mapping):
        low, high = value.get("low"), value.get("high")
        return {
            "value": float(value["value"]),
            "low": None if low is None else float(low),
            "high": None if high is None else float(high),
        }
    return {"value": float(value), "low": None, "high": None}


class _wanting:  # noqa: N801 - reads as a phrase
    """Turns a missing or misshapen field of a file into one sentence."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, (KeyError, TypeError, ValueError, AttributeError)):
            raise UserError(f"{str(self.path)!r} lacks or misshapes a field ({error}); make it again.") from None


def _shortened(text: str) -> str:
    return text if len(text) <= _EXAMPLE_CHARACTERS else text[:_EXAMPLE_CHARACTERS].rsplit(" ", 1)[0] + " …"
