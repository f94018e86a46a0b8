"""Which model and tokenizer a prompt belongs to: digests of what they hold, whatever file it was read from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch

from corpora.errors import UserError

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from prompts.models.answering import AnswerModel

INCIDENTAL = {"architectures", "dtype", "torch_dtype", "quantization_config", "transformers_version", "use_cache"}
"""Keys of a configuration that say how a model is stored or run, not what it computes."""


def identity(answer_model: AnswerModel) -> dict[str, Any]:
    """The digests of model and tokenizer as they stand in `rosprompt.json`."""
    return {
        "weights_sha256": weights_sha256(answer_model.model),
        "config": essential_config(answer_model.model),
        "tokenizer_sha256": tokenizer_sha256(answer_model.tokenizer),
    }


def check_identity(recorded: Mapping[str, Any], answer_model: AnswerModel, folder: str, name: str = "") -> None:
    """UserError if a prompt's record (see `identity`) is of another model or tokenizer than this one.

    Of the configuration those values are compared that both know: newer versions of transformers add some.
    """
    config = essential_config(answer_model.model)
    known = recorded["config"]
    wrong = [f"its {key} is {known[key]}" for key in sorted(known.keys() & config.keys()) if known[key] != config[key]]
    if not wrong and recorded["tokenizer_sha256"] != tokenizer_sha256(answer_model.tokenizer):
        wrong = ["its tokenizer differs"]
    if not wrong and recorded["weights_sha256"] != weights_sha256(answer_model.model):
        wrong = ["its weights differ"]
    if wrong:
        where = f": {name}" if name else ""
        raise UserError(
            f"the prompt in {folder!r} was made for another model ({wrong[0]}); open the one it was made for{where}."
        )


def weights_sha256(model: PreTrainedModel) -> str:
    """One SHA-256 for all parameters, in float32: it depends neither on their names, order and files, nor on the
    precision that they were widened from, nor on the device."""
    digests = []
    for parameter in model.parameters():
        values = parameter.detach().to("cpu", torch.float32).contiguous()
        digest = hashlib.sha256(str(tuple(values.shape)).encode())
        digest.update(values.view(-1).numpy().data)
        digests.append(digest.hexdigest())
    return hashlib.sha256("".join(sorted(digests)).encode()).hexdigest()


def essential_config(model: PreTrainedModel) -> dict[str, Any]:
    """What a configuration says of the computation, as JSON values; names of files are not in it."""
    return json.loads(json.dumps(_essential(model.config.to_dict()), sort_keys=True, default=str))


def _essential(values: Mapping[Any, Any]) -> dict[str, Any]:
    kept = {str(key): value for key, value in values.items() if key not in INCIDENTAL and str(key)[0] != "_"}
    return {key: _essential(value) if isinstance(value, dict) else value for key, value in kept.items()}


def tokenizer_sha256(tokenizer: PreTrainedTokenizerBase) -> str:
    """SHA-256 of a tokenizer's pieces and rules, without the padding and truncation last asked of it."""
    backend = getattr(tokenizer, "backend_tokenizer", None)
    content = json.loads(backend.to_str()) if backend is not None else dict(tokenizer.get_vocab())
    for passing in ("padding", "truncation"):
        content.pop(passing, None)
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
