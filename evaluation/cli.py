"""`kathalab evaluation score | report`."""

from __future__ import annotations

from corpora.commands import run_verb


def score(
    model: str,
    /,
    corpus: str,
    languages: list[str],
    output: str,
    split: str = "test",
    stories: int = 64,
    documents: int | None = None,
    max_new_tokens: int = 300,
    temperature: float = 0.8,
    top_p: float = 0.95,
    context: int | None = None,
    stride: int | None = None,
    seed: int = 0,
) -> None:
    """Measure a causal language model on held-out stories, beside two floors, and the stories it writes.

    Reads a model (a folder or a Hub name) and a corpus folder. Writes a scores folder: `scores.json` (bits per
    character, akshara and byte, floors, text statistics, all with 95 % intervals), `documents.jsonl` (one record per
    held-out story), `generations.jsonl` (one per story written) and `manifest.json`.

    Example: kathalab evaluation score results/quickstart/models/hi --corpus results/quickstart/corpus
    --languages [hi] --output results/quickstart/scores/hi

    Args:
        model: Folder that AutoModelForCausalLM and AutoTokenizer open, or a Hub name USER/MODEL.
        corpus: Corpus folder; its train split feeds the floors and the search for copies.
        languages: ISO 639-1 codes of the stories to score on, for example [hi].
        output: Scores folder to write.
        split: test or validation.
        stories: How many stories the model writes.
        documents: Score at most this many held-out stories, a seeded choice; all if not given.
        max_new_tokens: Longest continuation that the model may write, in tokens.
        temperature: Sampling temperature; 0 takes the likeliest token each time.
        top_p: Sample from the likeliest tokens that together have this probability.
        context: Tokens that the model may see at once; what its configuration says if not given.
        stride: Advance of the window over longer documents; half the context if not given.
        seed: Seed of every random choice.
    """
    from evaluation.scoring import score_model

    found = score_model(
        model,
        corpus,
        languages,
        output,
        split=split,
        stories=stories,
        documents=documents,
        max_new_tokens=max_new_tokens,
        temperature=temperature,
        top_p=top_p,
        context=context,
        stride=stride,
        seed=seed,
    )
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
