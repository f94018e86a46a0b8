"""`kathalab prompts`: zero-shot classification from the command line."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from corpora.commands import run_verb
from corpora.errors import UserError
from corpora.folders import fingerprint, new_folder, sha256, write_json, write_json_lines, write_manifest
from prompts.harness.command import study
from prompts.showing import verbalizer

if TYPE_CHECKING:
    from prompts.data import Item
    from prompts.verbalizers import Names


def evaluate(
    model: str,
    /,
    *,
    languages: list[str],
    output: str,
    corpus: str | None = None,
    sib200: str | None = None,
    labels: str | None = None,
    base_model: str | None = None,
    split: str = "test",
    labelled_split: str = "train",
    items: int | None = None,
    score: Literal["total", "token", "character"] = "total",
    calibration: Literal["none", "content-free", "pmi", "batch"] = "content-free",
    keep: Literal["end", "start"] = "end",
    seed: int = 0,
) -> None:
    """Classify texts by the likeliest class name after each, without any training; or with a trained prompt.

    Reads a model folder (or a model's name on the Hub) or a prompt folder, and labelled texts: the stories of a
    generated corpus, whose classes are their themes (--corpus), the sentences of SIB-200, whose classes are topics
    (--sib200), or both.
    Writes a folder with scores.json (accuracy, macro-F1, chance, and the same for the most frequent class, for
    class names found in the text, for the same model with random weights, and for a naive Bayes over character n-grams
    that has learned from labelled texts) and predictions.jsonl (every item with its scores).

    Example: kathalab prompts evaluate results/quickstart/models/hi --corpus results/quickstart/corpus
    --languages [hi] --output results/quickstart/classification/hi

    Args:
        model: Folder of a causal model with its tokenizer, USER/MODEL on the Hub, or the folder of a trained prompt
            (its own words, template and calibration count; classes that it lacks speak through neighbours).
        languages: Languages to classify, each a task of its own, e.g. [hi,mr].
        output: Folder to write.
        corpus: Corpus folder of generated stories, or of Katha-72 (with --labels katha72), to classify by theme.
        sib200: Folder that holds hin_Deva/test.tsv and so on, to classify by topic.
        labels: YAML file of class names, or the name of a built-in one (default: themes for --corpus, sib200 for
            --sib200).
        base_model: The model that the trained prompt was made for (default: the one that it names).
        split: Split to classify.
        labelled_split: Split whose labels the naive Bayes baseline learns from; the model never sees it.
        items: Classify at most so many items per task, drawn by the seed (default: all).
        score: Log-probability of a class name: its total, or the mean per token or per character.
        calibration: Subtract the scores that the names have after texts that say nothing (content-free), after the
            template alone (pmi), on average over the classified texts (batch, transductive), or none.
        keep: Which end of a text longer than the model's context is kept.
        seed: Draws the items and the random weights.
    """
    if corpus is None and sib200 is None:
        raise UserError("there is nothing to classify; give --corpus, --sib200 or both.")
    if labels is not None and corpus is not None and sib200 is not None:
        raise UserError(
            "one labels file cannot serve themes and topics; give --labels with --corpus or --sib200 alone."
        )
    if split == labelled_split:
        raise UserError(f"naive Bayes would learn from the {split} texts that it classifies; choose another split.")
    if not languages:
        raise UserError("there is no language to classify; give one or more, e.g. --languages [hi].")

    trained = (Path(model) / "rosprompt.json").is_file()
    if trained and (score, calibration, keep) != ("total", "content-free", "end"):
        raise UserError("a trained prompt scores as it was made to; leave --score, --calibration and --keep out.")
    if base_model is not None and not trained:
        raise UserError(f"{model!r} is no folder of a trained prompt, so there is no --base-model to it; leave it out.")

    from evaluation.models import model_fingerprint, open_model
    from prompts.data import sample, sib200_items, sib200_path, theme_items
    from prompts.evaluate import PromptScorer, Scorer, describe, evaluate_task
    from prompts.soft.classifier import ZeroShotClassifier
    from prompts.verbalizers import labels_path, load_verbalizer
    from prompts.zero_shot import NameScorer

    inputs: dict[str, str] = {}
    tasks: list[tuple[str, Names, list[Item], list[Item]]] = []
    for language in dict.fromkeys(languages):
        if corpus is not None:
            names = load_verbalizer(file := labels or "themes", language)
            classified, labelled = (theme_items(corpus, part, language) for part in (split, labelled_split))
            tasks.append(("themes", names, classified, labelled))
            inputs |= {"corpus": fingerprint(corpus, "corpus"), f"labels {file}": sha256(labels_path(file))}
        if sib200 is not None:
            names = load_verbalizer(file := labels or "sib200", language)
            classified, labelled = (sib200_items(sib200, part, language) for part in (split, labelled_split))
            tasks.append(("sib200", names, classified, labelled))
            inputs[f"labels {file}"] = sha256(labels_path(file))
            for part in (split, labelled_split):
                inputs[f"sib200 {language} {part}"] = sha256(sib200_path(sib200, part, language))

    with new_folder(output) as folder:
        scorers: Callable[[Names], Scorer]
        if trained:
            prompt = ZeroShotClassifier.from_pretrained(model, base_model)
            inputs["prompt"] = fingerprint(model, "prompt")
            scorers = partial(PromptScorer, prompt)
        else:
            causal_model, tokenizer = open_model(model)
            inputs["model"] = model_fingerprint(model, causal_model)
            scorers = partial(NameScorer, causal_model, tokenizer, score=score, calibration=calibration, keep=keep)
        results = []
        for task, names, classified, labelled in tasks:
            results.append(evaluate_task(task, scorers(names), sample(classified, items, seed), labelled, seed))
            print(describe(results[-1].summary))
        summaries: list[dict[str, Any]] = [{"model": model, "split": split, **result.summary} for result in results]
        write_json(folder / "scores.json", {"tasks": summaries})
        records = [record for result in results for record in result.predictions]
        write_json_lines(folder / "predictions.jsonl", records)
        configuration = {
            "model": model,
            "languages": languages,
            "corpus": corpus,
            "sib200": sib200,
            "labels": labels,
            "base_model": base_model,
            "split": split,
            "labelled_split": labelled_split,
            "items": items,
            "score": score,
            "calibration": calibration,
            "keep": keep,
            "seed": seed,
        }
        write_manifest(folder, "classification", configuration, inputs)
    print(f"Classified {len(records)} texts in {len(results)} tasks; scores and predictions are in {output}.")


def export(
    prompt: str,
    /,
    *,
    output: str,
    base_model: str = "",
    base_license: str = "",
    license: str = "",
    accuracy: dict[str, float] | None = None,
    evaluated_on: str = "",
) -> None:
    """Copy a trained prompt with what others have to know of it, ready to be published.

    Reads a prompt folder. Writes another with the same vectors and with what is given here added to rosprompt.json and
    to the card; what is not given stays as it was. A prompt that is nothing but a prefix is a PEFT adapter as well.

    Example: kathalab prompts export results/prompts/sib200 --output results/prompts/to-publish
    --base-model USER/MODEL --accuracy '{hi: 0.72}' --evaluated-on 'SIB-200, test'

    Args:
        prompt: Prompt folder.
        output: Folder to write.
        base_model: Name under which others find the base model on the Hub, USER/MODEL. It must hold the very weights
            that the prompt was trained with: a prompt is refused with any others.
        base_license: Licence or terms of the base model, named on the card.
        license: Licence of the prompt itself, as the Hub names it (apache-2.0 unless another was given before).
        accuracy: Share of texts classified right by language, between 0 and 1.
        evaluated_on: The data on which that was measured.
    """
    from prompts.soft.publishing import export_prompt

    given = {
        "base_model": base_model,
        "base_license": base_license,
        "license": license,
        "accuracy": accuracy,
        "evaluated_on": evaluated_on,
    }
    content = export_prompt(Path(prompt), Path(output), **{name: value for name, value in given.items() if value})
    print(f"Exported {content['numbers']:,} trained numbers with their card; the prompt is in {output}.")


def publish(prompt: str, /, repo: str, private: bool = False, dry_run: bool = False) -> None:
    """Publish a prompt on the Hugging Face Hub.

    Reads a prompt folder and checks it against its manifest. Writes nothing here; creates the repository if it is
    missing and uploads vectors, rosprompt.json and card. The token comes from HF_TOKEN or `hf auth login`.

    Example: kathalab prompts publish results/prompts/to-publish --repo USER/NAME

    Args:
        prompt: Prompt folder.
        repo: Repository on the Hub, USER/NAME.
        private: Make a new repository private.
        dry_run: List the files instead of uploading them.
    """
    from prompts.soft.publishing import publish_prompt

    print(publish_prompt(Path(prompt), repo, private, dry_run))


def fit() -> None:
    """Train a soft prompt for a frozen model on a few labelled texts (LightningCLI; see `fit --help`)."""


def main(arguments: list[str]) -> None:
    """Run one command of the room."""
    if arguments[:1] == ["fit"]:
        from prompts.training.fit import fit as train

        train(arguments)
        return
    verbs: list[Callable[..., None]] = [evaluate, fit, study, verbalizer, export, publish]
    run_verb("prompts", "Classification with frozen models and prompts.", verbs, arguments)
