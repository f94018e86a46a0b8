"""The model card: facts from the model's manifest, every number of its results from the scores file."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from corpora.errors import UserError
from corpora.folders import MANIFEST, new_folder, read_json, read_manifest, write_manifest, write_text
from corpora.languages import get_language

TEMPLATE = Path(__file__).with_name("card.md.j2")
SCORE_FILES = ("scores.json", "documents.jsonl", "generations.jsonl", "katha72.jsonl")
UNITS = {
    "bits_per_character": "bits per character",
    "bits_per_akshara": "bits per akshara",
    "bits_per_byte": "bits per byte",
}
FLOORS = {
    "compressor": "bits per character of a compressor that has read the training text",
    "character_ngram": "bits per character of a character n-gram model",
}
OPENINGS = {"hi": "एक बार", "mr": "एकदा", "bn": "একদিন", "en": "Once upon a time"}
FACTS = (
    "name",
    "languages",
    "parameters",
    "non_embedding_parameters",
    "vocabulary_size",
    "context",
    "steps",
    "tokens",
    "validation",
    "sources",
)
"""What `export` puts into the manifest for the card."""


def add_scores(model: Path, scores: Path, dataset: str = "kathalab-stories") -> None:
    """Write the card, `eval/` and `.eval_results/` of a model folder from a scores folder of that model.

    Raises:
        UserError: either folder is not what it should be, or the scores are of another model.
    """
    manifest = read_manifest(model, "model")
    scored = _read_scores(scores)
    exported = manifest.get("exported_fingerprint", manifest["fingerprint"])
    of_model = scored.get("fingerprints", {}).get("model")
    if of_model not in (None, exported, manifest["fingerprint"]):
        raise UserError(
            f"the scores in {str(scores)!r} are of another model than {str(model)!r}; score this one with "
            "`kathalab evaluation score` first."
        )
    facts = {name: manifest[name] for name in FACTS if name in manifest}
    with new_folder(model) as folder:
        shutil.copytree(model, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns(MANIFEST))
        (folder / "eval").mkdir(exist_ok=True)
        for name in SCORE_FILES:
            if (scores / name).is_file():
                shutil.copyfile(scores / name, folder / "eval" / name)
        write_text(folder / ".eval_results" / "stories.yaml", _eval_results(scored, dataset))
        write_card(folder, facts | {"inputs": manifest["inputs"]}, scored, manifest["licenses"], dataset)
        write_manifest(
            folder,
            "model",
            manifest["configuration"],
            manifest["inputs"],
            manifest["licenses"],
            **facts,
            exported_fingerprint=exported,
        )
        # the model is as old as it was: what was made from it (its scores, say) is not out of date
        old = (model / MANIFEST).stat()
        os.utime(folder / MANIFEST, ns=(old.st_atime_ns, old.st_mtime_ns))


def write_card(
    folder: Path,
    facts: Mapping[str, Any],
    scores: Mapping[str, Any] | None,
    licenses: list[str],
    dataset: str = "kathalab-stories",
) -> None:
    """Write `README.md` into a model folder; without scores its results section says so."""
    import jinja2

    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, keep_trailing_newline=True, autoescape=False)
    template = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
    languages = facts["languages"]
    text = template.render(
        **{name: facts[name] for name in FACTS if name != "languages"},
        languages=[get_language(code).name for code in languages],
        opening=OPENINGS.get(languages[0], "") if languages else "",
        fingerprints=facts["inputs"],
        licenses=licenses,
        card_data=_card_data(facts, scores, dataset),
        results=_results(scores or {}),
        documents=(scores or {}).get("documents", ""),
        split=(scores or {}).get("split", ""),
        stories=(scores or {}).get("generation", {}).get("stories", ""),
        reference=bool((scores or {}).get("generation", {}).get("reference")),
        statistics=_statistics(scores or {}),
        katha=_katha(scores or {}),
    )
    write_text(folder / "README.md", text)


def _read_scores(folder: Path) -> dict[str, Any]:
    read_manifest(folder, "scores")
    scores = read_json(folder / "scores.json")
    if not isinstance(scores, dict) or not isinstance(scores.get("bits_per_character"), dict):
        raise UserError(f"the scores in {str(folder)!r} hold no bits per character; score the model again.")
    return scores


def _card_data(facts: Mapping[str, Any], scores: Mapping[str, Any] | None, dataset: str) -> str:
    """The card's YAML head, with the Hub's `model-index`."""
    from huggingface_hub import EvalResult, ModelCardData

    results = None
    if scores:
        results = [
            EvalResult(
                task_type="text-generation",
                task_name="Story likelihood",
                dataset_type=dataset,
                dataset_name=f"Stories ({', '.join(facts['languages'])})",
                dataset_split=scores.get("split"),
                metric_type=key,
                metric_name=name,
                metric_value=scores[key]["value"],
            )
            for key, name in UNITS.items()
            if key in scores
        ]
    data = ModelCardData(
        language=list(facts["languages"]),
        license="apache-2.0",
        library_name="transformers",
        pipeline_tag="text-generation",
        tags=["kathalab", "stories", "tiny-language-model"],
        model_name=facts["name"] if results else None,
        eval_results=results,
        widget=[{"text": OPENINGS[code]} for code in facts["languages"] if code in OPENINGS],
    )
    return data.to_yaml()


def _eval_results(scores: Mapping[str, Any], dataset: str) -> str:
    """The same results for the Hub's `.eval_results/`."""
    import yaml
    from huggingface_hub import EvalResultEntry, eval_result_entries_to_yaml

    notes = f"{scores.get('documents', '?')} whole documents, {scores.get('split', 'test')} split; lower is better"
    entries = [
        EvalResultEntry(dataset_id=dataset, task_id=key, value=scores[key]["value"], notes=notes)
        for key in UNITS
        if key in scores
    ]
    return yaml.safe_dump(eval_result_entries_to_yaml(entries), allow_unicode=True, sort_keys=False)


def _results(scores: Mapping[str, Any]) -> list[dict[str, str]]:
    """Rows of the likelihood table: the model, then its floors."""
    rows = [_row(name, scores[key]) for key, name in UNITS.items() if key in scores]
    floors = scores.get("floors", {})
    known = [(name, floors[key].get("bits_per_character")) for key, name in FLOORS.items() if key in floors]
    return rows + [_row(name, value) for name, value in known if value]


def _statistics(scores: Mapping[str, Any]) -> list[dict[str, str]]:
    generation = scores.get("generation", {})
    reference = generation.get("reference", {})
    rows = []
    for key, value in generation.get("statistics", {}).items():
        row = _row(key.replace("_", " "), value)
        row["reference"] = _number(reference[key]["value"]) if key in reference else "–"
        rows.append(row)
    return rows


def _katha(scores: Mapping[str, Any]) -> list[dict[str, str]]:
    """Rows of the Katha-72 table, for each language that was scored."""
    from corpora.languages import get_language

    rows = []
    for code, found in scores.get("katha72", {}).get("languages", {}).items():
        name, cloze, pairs = get_language(code).name, found["cloze"], found["minimal_pairs"]
        rows.append(_row(f"{name}: bits per character", found["bits_per_character"]))
        rows.append(_row(f"{name}: right ending of two ({cloze['items']} stories)", cloze["accuracy"]))
        rows.append(_row(f"{name}: right sentence of a minimal pair ({pairs['items']} pairs)", pairs["accuracy"]))
        rows += [_row(f"{name}: … {kind}", values["accuracy"]) for kind, values in pairs["phenomena"].items()]
    return rows


def _row(name: str, value: Mapping[str, float | None]) -> dict[str, str]:
    low, high = value.get("low"), value.get("high")
    interval = f"{_number(low)} – {_number(high)}" if low is not None and high is not None else "–"
    return {"name": name, "value": _number(value["value"]), "interval": interval}


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4g}"
