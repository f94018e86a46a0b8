"""Open any Hugging Face causal language model and its tokenizer, from a folder or the Hub, without running its code."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from corpora.errors import UserError
from corpora.folders import MANIFEST, fingerprint, sha256

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


def open_model(
    name: str | os.PathLike[str], device: str | None = None, opener: Any = None
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """A causal model in evaluation mode (float32) and its tokenizer.

    `name`: a folder, or a Hub name `USER/MODEL`. `device`: default the GPU where there is one. `opener`: transformers'
    class for another sort of model, default AutoModelForCausalLM. Only safetensors are read, and no code of the model's
    is run. UserError if there is no such model or if the tokenizer does not match it.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils import logging

    name = os.fspath(name)
    if Path(name).exists():
        logging.disable_progress_bar()
        if not (Path(name) / "config.json").is_file():
            raise UserError(f"{name!r} is not a model folder (no config.json); give the folder of an exported model.")
    elif not is_hub_name(name):
        raise UserError(f"there is no model folder {name!r}; check the path.")
    try:
        tokenizer = AutoTokenizer.from_pretrained(name, trust_remote_code=False)
        model, loading = cast(Any, opener or AutoModelForCausalLM).from_pretrained(
            name, dtype=torch.float32, use_safetensors=True, output_loading_info=True, trust_remote_code=False
        )
    except Exception as error:  # what a damaged file raises differs by library, and some raise bare Exception
        reason = str(error).strip().split("\n")[0].rstrip(".")
        raise UserError(f"the model {name!r} cannot be opened ({reason}).") from None
    if absent := sorted(loading["missing_keys"]):
        raise UserError(
            f"the model {name!r} lacks {len(absent)} of its weights (the first: {absent[0]}); "
            "its config.json belongs to another model, or the file is incomplete."
        )
    check_match(model, len(tokenizer), name)
    model.eval().to(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    return model, tokenizer


def is_hub_name(name: str) -> bool:
    """Whether a name that is no folder can be `USER/MODEL` on the Hub, and not a path that does not exist."""
    return name.count("/") == 1 and not name.startswith((".", "/", "~"))


def embedding_table(model: PreTrainedModel) -> torch.Tensor:
    """The input embeddings, shape (rows, width)."""
    return cast("torch.Tensor", model.get_input_embeddings().weight)


def check_match(model: PreTrainedModel, identifiers: int, name: str = "the model") -> None:
    """UserError if token identifiers 0 … `identifiers` − 1 do not all have a row in the embedding table."""
    rows = embedding_table(model).shape[0]
    if identifiers > rows:
        raise UserError(
            f"the tokenizer and the model {name!r} do not match: token identifiers go up to {identifiers - 1}, "
            f"but the embedding table has {rows} rows; use the tokenizer the model was trained with."
        )


def boundary_tokens(tokenizer: PreTrainedTokenizerBase) -> tuple[int, int]:
    """The identifiers of beginning and end of a document; a tokenizer with only an end (GPT-2) begins with it too."""
    end: Any = tokenizer.eos_token_id
    begin: Any = tokenizer.bos_token_id if tokenizer.bos_token_id is not None else end
    if end is None or begin is None:
        raise UserError(
            "the tokenizer has no end-of-sequence token, so whole documents cannot be scored; set eos_token."
        )
    return begin, end


def context_length(model: PreTrainedModel) -> int | None:
    """The longest input the model was made for, in tokens; None if its configuration sets none."""
    length = getattr(model.config.get_text_config(), "max_position_embeddings", None)
    return int(length) if length else None


def count_parameters(model: PreTrainedModel) -> dict[str, int]:
    """`total` parameters (tied weights once) and `non_embedding`: all but the token tables at entrance and exit."""
    seen = {id(parameter): parameter.numel() for parameter in model.parameters()}
    total = sum(seen.values())
    for table in (model.get_input_embeddings(), model.get_output_embeddings()):
        if table is not None:
            seen.pop(id(table.weight), None)
    return {"total": total, "non_embedding": sum(seen.values())}


def model_fingerprint(name: str, network: Any) -> str:
    """What the model's folder says of itself, else the SHA-256 of its weights, else (from the Hub) its commit."""
    folder = Path(name)
    if (folder / MANIFEST).is_file():
        return fingerprint(folder)
    weights = sorted(folder.glob("*.safetensors")) if folder.is_dir() else []
    if weights:
        return "+".join(sha256(path) for path in weights)
    return str(getattr(network.config, "_commit_hash", None) or "")
