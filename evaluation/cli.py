"""`kathalab evaluation score | report`."""

from __future__ import annotations

from typing import Literal

from corpora.commands import run_verb


def score(
    model: str,
    /,
    output: str,
    corpus: str | None = None,
    languages: list[str] | None = None,
    split: str = "test",
    katha: Literal["all", "validation", "test", "none"] = "all",
    stories: int = 64,
    documents: int | None = None,
    max_new_tokens: int = 300,
    temperature: float = 0.8,
    top_p: float = 0.95,
    context: int | None = None,
    stride: int | None = None,
    seed: int = 0,
) -> None:
    """Measure a causal language model on Katha-72 and on held-out stories, beside floors, and the stories it writes.

    Reads a model (a folder or a Hub name), Katha-72 and, if one is given, a corpus folder. Prints bits per character,
    cloze and minimal-pair accuracy on Katha-72. Writes a scores folder: `scores.json` (all numbers with 95 %
    intervals), `katha72.jsonl` (one record per story, ending and minimal pair) and `manifest.json`; with a corpus also
    `documents.jsonl` (one record per held-out story) and `generations.jsonl` (one per story written).

    Example: kathalab evaluation score results/quickstart/models/hi --corpus results/quickstart/corpus
    --languages [hi] --output results/quickstart/scores/hi

    Args:
        model: Folder that AutoModelForCausalLM and AutoTokenizer open, or a Hub name USER/MODEL.
        output: Scores folder to write.
        corpus: Corpus folder; its train split feeds the floors and the search for copies. Katha-72 alone if not given.
        languages: ISO 639-1 codes of the stories to score on, for example [hi]; without a corpus all of Katha-72 if
            not given.
        split: test or validation, of the corpus.
        katha: Which stories of Katha-72; test for a number to publish when anything was chosen on validation.
        stories: How many stories the model writes.
        documents: Score at most this many held-out stories, a seeded choice; all if not given.
        max_new_tokens: Longest continuation that the model may write, in tokens.
        temperature: Sampling temperature; 0 takes the likeliest token each time.
        top_p: Sample from the likeliest tokens that together have this probability.
        context: Tokens that the model may see at once; what its configuration says if not given.
        stride: Advance of the window over longer documents; half the context if not given.
        seed: Seed of every random choice.
    """
    options = dict(locals())
    from evaluation.katha import table
    from evaluation.scoring import score_model

    found = score_model(**options)
    if "katha72" in found:
        print(table(found["katha72"]["languages"]))
    if corpus is None:
        print(f"Scored on Katha-72: {output}")
        return
    bits, floor = found["bits_per_character"], found["floors"]["character_ngram"]["bits_per_character"]
    print(
        f"Scored {found['documents']} stories at {bits['value']:.3f} bits per character "
        f"({bits['low']:.3f} to {bits['high']:.3f}; character n-grams {floor['value']:.3f}): {output}"
    )


def report(study: str, /, output: str | None = None, title: str | None = None) -> None:
    """Make one self-contained HTML page of a study: corpus, tokenizers, learning curves, scores, stories.

    Reads a study folder (`corpus/`, `comparisons/`, `runs/`, `models/`, `scores/`, `classification/`; what is missing
    is left out with a note). Writes the page, and beside it a JSON file of the same name with all that it shows.

    Example: kathalab evaluation report results/quickstart

    Args:
        study: Study folder.
        output: The page to write; `report.html` in the study folder if not given.
        title: The page's title; made from the folder's name if not given.
    """
    from evaluation.report import write_report

    path, languages = write_report(study, output, title)
    print(f"Report on {languages or 'no language'}: {path}")


def main(arguments: list[str]) -> None:
    """Run one verb of this room."""
    run_verb("evaluation", "The instruments: scores and report pages.", [score, report], arguments)
