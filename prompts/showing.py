"""`kathalab prompts verbalizer show`: which rows of a vocabulary speak for a class, to be read and vetoed."""

from __future__ import annotations

from typing import Any, Literal

from corpora.errors import UserError
from corpora.folders import write_json


def verbalizer(
    action: Literal["show"],
    labels: str,
    /,
    *,
    languages: list[str],
    tokenizer: str | None = None,
    model: str | None = None,
    kind: Literal["names", "contextual"] = "names",
    neighbours: int = 12,
    temperature: float = 1.0,
    space: Literal["input", "output"] = "input",
    shared: Literal["nearest", "delete", "keep"] = "nearest",
    subtokens: Literal["mean", "first"] = "mean",
    word_start: bool = False,
    stop_list: bool = True,
    veto: str | None = None,
    output: str = "verbalizer.json",
) -> None:
    """Show the rows of a vocabulary that speak for the classes of a labels file, for a reader to veto.

    Reads a labels file, and with --model a model folder, with --tokenizer a tokenizer folder alone. Prints one line per
    row and writes the same as JSON: with a model every name's neighbours (NPPrompt) with cosine and weight in a
    verbalizer of all the languages, with a tokenizer the pieces of the names, else the names. A row that does not
    belong is struck out by a line in a YAML file given by --veto, e.g. "- {piece: ▁game, class: sports, language: en}"
    (class and language may be left out).

    Example: kathalab prompts verbalizer show sib200 --languages [hi,en] --model results/quickstart/models/hi

    Args:
        action: What to do: show.
        labels: YAML file of class names, or the name of a built-in one (e.g. themes, sib200).
        languages: Languages to show, e.g. [hi,mr].
        tokenizer: Tokenizer or model folder, or USER/MODEL on the Hub, to show pieces of names.
        model: To show neighbours: a model folder, USER/MODEL on the Hub, a .gguf file, or gemma-3-270m.
        kind: Neighbours of the names' own rows, or of what the model foretells after a text that is only the name (then
            always among the rows of the output head).
        neighbours: How many rows speak for each name.
        temperature: Of the softmax over cosines that makes the weights.
        space: Find neighbours among the input embeddings or the rows of the output head.
        shared: A row near several classes goes to the nearest, is deleted from all, or kept by all.
        subtokens: A name's place is the mean of its pieces' rows, or the first piece's row.
        word_start: Only rows with a space before them.
        stop_list: Leave out the languages' function words.
        veto: YAML file of rows to leave out.
        output: JSON file to write.
    """
    from prompts.verbalizers import contextual, load_labels, load_vetoes, nonparametric, search_table, stop_words
    from prompts.verbalizers.pieces import name_pieces

    label_set = load_labels(labels, languages)
    vetoes = load_vetoes(veto) if veto is not None else []
    rows: list[dict[str, Any]]
    if model is not None:
        from prompts.models.opening import open_answer_model

        options: dict[str, Any] = {
            "k": neighbours,
            "temperature": temperature,
            "subtokens": subtokens,
            "shared": shared,
            "stop": stop_words(languages) if stop_list else (),
            "word_start": word_start,
            "veto": vetoes,
        }
        answering = open_answer_model(model, "cpu")
        if kind == "contextual":
            built = contextual(label_set, languages, answering, **options)
        else:
            table = search_table(answering, space)
            built = nonparametric(label_set, languages, answering.tokenizer, table, **options)
        rows = built.describe()
    else:
        if vetoes:
            raise UserError("a veto is of neighbours, which only a model has; give --model too.")
        rows = [
            {"class": label, "language": language, "name": name}
            for language in languages
            for label, names in label_set[language].names.items()
            for name in names
        ]
        if tokenizer is not None:
            from prompts.models import load_tokenizer

            made_by = load_tokenizer(tokenizer)
            pieces = {language: name_pieces(made_by, label_set[language]) for language in languages}
            for row in rows:
                row["rows"] = pieces[row["language"]][row["class"]][row["name"]]
                row["pieces"] = made_by.convert_ids_to_tokens(row["rows"])
    for row in rows:
        print("\t".join(_shown(value) for value in row.values()))
    settings: dict[str, Any] = {
        "kind": kind,
        "neighbours": neighbours,
        "temperature": temperature,
        "space": space,
        "shared": shared,
    }
    settings |= {"subtokens": subtokens, "word_start": word_start, "stop_list": stop_list, "veto": veto}
    content = {"labels": labels, "languages": languages, "tokenizer": tokenizer, "model": model}
    write_json(output, {**content, **(settings if model is not None else {}), "words": rows})
    what = "rows" if model is not None else "names"
    print(f"Listed {len(rows)} {what} in {len(languages)} languages; they are in {output}.")


def _shown(value: Any) -> str:
    """A value of a printed line."""
    if isinstance(value, float):
        return f"{value:.4f}"
    return " | ".join(map(str, value)) if isinstance(value, list) else str(value)
