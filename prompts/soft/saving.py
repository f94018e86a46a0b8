"""Prompt folders: vectors in safetensors, everything else in JSON.

A shallow prompt that is nothing but a prefix is saved as PEFT saves prompt tuning (`adapter_config.json`,
`adapter_model.safetensors`), so that `PeftModel.from_pretrained` opens it. PEFT knows no other place and no other way
to hold such keys and values, so all other prompts go to `rosprompt.safetensors`, which PEFT does not mistake for its
own. `rosprompt.json` stands beside either and is read with both.
"""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from corpora.errors import UserError
from corpora.folders import new_folder, read_json, read_manifest, write_json, write_manifest
from prompts.soft.card import write_card
from prompts.soft.facts import Facts, facts_as_json, facts_from_json
from prompts.soft.identity import check_identity, identity
from prompts.soft.layout import PLACES, Layout
from prompts.soft.probe import Probe, load_probe
from prompts.soft.prompt import DeepPrompt, ShallowPrompt, SoftPrompt

if TYPE_CHECKING:
    from prompts.models.answering import AnswerModel

FORMAT = 1
KIND = "prompt"
FACTS = "rosprompt.json"
VECTORS = "rosprompt.safetensors"
ADAPTER = "adapter_model.safetensors"
ADAPTER_CONFIG = "adapter_config.json"
ADAPTER_KEY = "prompt_embeddings"


@dataclass(frozen=True)
class SavedPrompt:
    """A prompt as it was read from a folder."""

    prompt: SoftPrompt
    facts: Facts
    probe: Probe | None = None


def save_prompt(
    folder: str | os.PathLike[str],
    prompt: SoftPrompt,
    answer_model: AnswerModel,
    facts: Facts,
    probe: Probe | None = None,
) -> None:
    """Write a prompt folder, whole or not at all; with a probe of the same model, if there is one.

    What only training needs is folded away. UserError if something stands there that Kathalab did not make, or if the
    prompt has numbers that are not finite.
    """
    prompt = prompt.folded()
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in _tensors(prompt).items()}
    if not all(tensor.isfinite().all() for tensor in tensors.values()):
        raise UserError("the prompt has numbers that are not finite, so its training failed; lower the learning rate.")
    content = {
        "format": FORMAT,
        "kind": prompt.kind,
        "layout": asdict(prompt.layout),
        "width": prompt.width,
        "numbers": sum(tensor.numel() for tensor in tensors.values()),
        **facts_as_json(facts),
        "probe": None if probe is None else probe.record(),
        "identity": identity(answer_model),
    }
    with new_folder(folder) as partial:
        if as_adapter(prompt):
            save_file(tensors, partial / ADAPTER, {"format": "pt"})
            write_json(partial / ADAPTER_CONFIG, _adapter_config(prompt, answer_model, content["base_model"]))
        else:
            # one key only: safetensors writes several in an order that changes from file to file
            save_file(tensors, partial / VECTORS, {"format": f"rosprompt {FORMAT}"})
        if probe is not None:
            probe.save(partial)
        write_json(partial / FACTS, content)
        finish(partial, content)


def finish(folder: Path, content: dict[str, Any]) -> None:
    """Write card and manifest of a folder that holds the rest; `content` is that of its `rosprompt.json`."""
    write_card(folder, content)
    shown = {name: content[name] for name in ("kind", "layout", "languages", "calibration", "training", "base_model")}
    sources = {name: content["identity"][f"{name}_sha256"] for name in ("weights", "tokenizer")}
    write_manifest(folder, KIND, shown, sources, [content["license"]])


def load_prompt(folder: str | os.PathLike[str], answer_model: AnswerModel) -> SavedPrompt:
    """Read a prompt folder for a model.

    UserError if it is no prompt folder, is damaged or of a later format, or was made for another model or tokenizer.
    """
    content = read_content(folder)
    name = os.fspath(folder)
    try:
        layout = Layout(**content["layout"])
        check_identity(content["identity"], answer_model, name, content["base_model"])
        facts = facts_from_json(content)
        prompt = _read_vectors(Path(folder), content["kind"], layout, content["width"])
        probe = None if content["probe"] is None else load_probe(Path(folder), content["probe"])
    except (KeyError, TypeError, ValueError, SafetensorError, OSError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise UserError(f"the prompt in {name!r} is damaged ({reason}); save or download it again.") from None
    return SavedPrompt(prompt.to(answer_model.model.device), facts, probe)


def read_content(folder: str | os.PathLike[str]) -> dict[str, Any]:
    """`rosprompt.json` of a prompt folder; UserError if the folder is none, or of a format that is not known here."""
    read_manifest(folder, KIND)
    path = Path(folder) / FACTS
    content = read_json(path) if path.is_file() else None
    if not isinstance(content, dict) or not isinstance(content.get("format"), int):
        raise UserError(f"the prompt in {os.fspath(folder)!r} has no sound {FACTS}; save or download it again.")
    if content["format"] != FORMAT:
        raise UserError(
            f"the prompt in {os.fspath(folder)!r} is of format {content['format']}, but this Kathalab reads format "
            f"{FORMAT}; use the version that wrote it."
        )
    return content


def as_adapter(prompt: SoftPrompt) -> bool:
    """Whether PEFT can express a prompt: plain vectors before everything else."""
    return prompt.kind == "shallow" and prompt.layout.only_prefix


def _tensors(prompt: SoftPrompt) -> dict[str, torch.Tensor]:
    """What is stored of a folded prompt."""
    states = prompt.deep_states()
    if states is not None:
        return {"states": states}
    if as_adapter(prompt):
        return {ADAPTER_KEY: prompt.vectors("prefix")}
    return {place: prompt.vectors(place) for place in PLACES if getattr(prompt.layout, place)}


def _read_vectors(folder: Path, kind: str, layout: Layout, width: int) -> SoftPrompt:
    """ValueError if the tensors are not those that kind, layout and width promise."""
    adapter = kind == "shallow" and layout.only_prefix
    found = load_file(folder / (ADAPTER if adapter else VECTORS))
    if not all(tensor.is_floating_point() and tensor.isfinite().all() for tensor in found.values()):
        raise ValueError("numbers that are not finite")
    if kind == "deep":
        prompt: SoftPrompt = DeepPrompt(found["states"], width)
        if prompt.layout != layout:
            raise ValueError("the tensors do not fit the layout")
        return prompt
    if kind != "shallow":
        raise ValueError(f"there is no kind {kind!r}")
    names = [ADAPTER_KEY] if adapter else [place for place in PLACES if getattr(layout, place)]
    lengths = [length for length in layout.lengths if length]
    if [tuple(found[name].shape) for name in names] != [(length, width) for length in lengths]:
        raise ValueError("the tensors do not fit the layout")
    return ShallowPrompt(layout, torch.cat([found[name] for name in names]))


def _adapter_config(prompt: SoftPrompt, answer_model: AnswerModel, base_model: str) -> dict[str, Any]:
    """What PEFT reads; heads and layers are given because it does not find them in every configuration (XGLM's)."""
    config = answer_model.model.config.get_text_config()
    return {
        "peft_type": "PROMPT_TUNING",
        "task_type": "SEQ_2_SEQ_LM" if answer_model.seq2seq else "CAUSAL_LM",
        "base_model_name_or_path": base_model or None,
        "inference_mode": True,
        "num_virtual_tokens": prompt.layout.prefix,
        "num_transformer_submodules": 1,
        "token_dim": prompt.width,
        "num_attention_heads": config.num_attention_heads,
        "num_layers": config.num_hidden_layers,
        "prompt_tuning_init": "RANDOM",
    }
