"""Opening a model of ours with its tokenizer, and refusing a pair that does not belong together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from corpora.errors import UserError
from corpora.folders import MANIFEST, read_manifest, sha256
from evaluation.models import open_model


def open_story_model(name: str) -> tuple[Any, Any]:
    """The model (evaluation mode) and tokenizer of a model folder or of USER/NAME on the Hub.

    Raises:
        UserError: there is no such model, a file of it is damaged, or the tokenizer is not the model's.
    """
    from transformers.utils import logging

    logging.disable_progress_bar()
    folder = Path(name)
    if (folder / MANIFEST).is_file():
        listed = read_manifest(folder, "model")["files"].get("tokenizer.json")
        if listed is not None and listed != sha256(folder / "tokenizer.json"):
            raise UserError(
                f"the tokenizer in {str(folder)!r} is not the one the model was exported with; export it again."
            )
    model, tokenizer = open_model(name)
    vocabulary = model.config.vocab_size
    if len(tokenizer) != vocabulary:
        raise UserError(
            f"the tokenizer of {name!r} has {len(tokenizer):,} pieces and the model {vocabulary:,}; "
            "they do not belong together, so export the model again."
        )
    return model, tokenizer
