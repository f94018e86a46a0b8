"""A run folder to a model folder that plain transformers opens: weights, configuration, tokenizer, licence, card."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

from corpora.errors import UserError
from corpora.folders import MANIFEST, fingerprint, new_folder, read_manifest, sha256, write_json, write_manifest

TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "tokenizer.model")


def export_run(run: str | os.PathLike[str], output: str | os.PathLike[str], corpus: str | None = None) -> Path:
    """Write the model folder of a run's newest checkpoint.

    Args:
        run: a run folder, finished or not.
        output: the model folder.
        corpus: the corpus folder, for the sources that the card names; the run's own path if not given.

    Raises:
        UserError: the run has no readable checkpoint, or its tokenizer is not the one it was trained with.
    """
    import yaml
    from transformers.utils import logging

    from tinymodels.architecture import llama_config
    from tinymodels.branching import lineage_of
    from tinymodels.cards import write_card
    from tinymodels.checkpoints import last_checkpoint, load
    from tinymodels.sizing import ModelSize

    logging.disable_progress_bar()
    run = Path(run)
    checkpoint_path = last_checkpoint(run) if run.is_dir() else None
    if checkpoint_path is None:
        raise UserError(f"there is no checkpoint in {str(run)!r}; train with `kathalab tinymodels fit` first.")
    checkpoint = load(checkpoint_path)
    identity, lineage = checkpoint["kathalab"]["identity"], lineage_of(checkpoint, checkpoint_path)
    tokenizer = run / "tokenizer"
    tokenizer_fingerprint = read_manifest(tokenizer, "tokenizer")["fingerprint"]
    if tokenizer_fingerprint != identity["the tokenizer"]:
        raise UserError(f"the tokenizer in {str(tokenizer)!r} is not the one this run was trained with; restore it.")
    size = ModelSize(**{name: identity[f"model.{name}"] for name in ModelSize.__dataclass_fields__})
    model = _model(llama_config(size, identity["model.context"]), checkpoint["state_dict"])
    options = yaml.safe_load((run / "config.yaml").read_text(encoding="utf-8"))
    languages = identity["data.languages"]
    finished = read_manifest(run, "run") if (run / MANIFEST).is_file() else {}

    with new_folder(output) as folder:
        model.save_pretrained(folder)  # float32, as trained
        (folder / "model.safetensors").chmod(0o644)
        write_json(folder / "generation_config.json", generation_config(identity["model.context"]))
        for name in TOKENIZER_FILES:
            if (tokenizer / name).is_file():
                shutil.copyfile(tokenizer / name, folder / name)
        (folder / "LICENSE").write_text(license_text(), encoding="utf-8")
        facts: dict[str, Any] = {
            "name": Path(output).resolve().name,
            "languages": languages or _languages(corpus or options["data"]["corpus"]),
            "parameters": size.total,
            "non_embedding_parameters": size.non_embedding,
            "vocabulary_size": size.vocabulary_size,
            "context": identity["model.context"],
            "steps": lineage["steps"],
            "tokens": lineage["tokens"],
            "validation": finished.get("validation", {}),
            "sources": _sources([*lineage["corpora"][:-1], (corpus or options["data"]["corpus"], languages)]),
        }
        inputs = {
            "corpus": identity["the corpus"],
            "tokenizer": tokenizer_fingerprint,
            "checkpoint": sha256(checkpoint_path),
        }
        licenses = sorted({source["license"] for source in facts["sources"] if source["license"]})
        configuration = {"model": options["model"], "data": options["data"]}
        write_card(folder, facts | {"inputs": inputs}, scores=None, licenses=licenses)
        write_manifest(folder, "model", configuration, inputs, licenses, **facts)
    return Path(output)


def generation_config(context: int) -> dict[str, Any]:
    """Sampling that tiny story models do well with, and where a story ends."""
    from tinymodels.architecture import BEGIN, END, PADDING

    return {
        "do_sample": True,
        "temperature": 0.8,
        "top_p": 0.95,
        "top_k": 0,
        "max_new_tokens": context - 1,
        "bos_token_id": BEGIN,
        "eos_token_id": END,
        "pad_token_id": PADDING,
    }


def license_text() -> str:
    """The Apache License 2.0, as it lies in the distribution."""
    beside = Path(__file__).parent.parent / "LICENSE"
    if beside.is_file():
        return beside.read_text(encoding="utf-8")
    try:
        text = distribution("kathalab").read_text("licenses/LICENSE")
    except PackageNotFoundError:
        text = None
    return text or "Apache License, Version 2.0: https://www.apache.org/licenses/LICENSE-2.0\n"


def _model(config: Any, weights: dict[str, Any]) -> Any:
    import torch
    from transformers import LlamaForCausalLM

    with torch.random.fork_rng():
        model = LlamaForCausalLM(config)
    model.load_state_dict({name.removeprefix("model."): value for name, value in weights.items()})
    return model.eval()


def _languages(corpus: str) -> list[str]:
    """The languages of a corpus's training split, from the names of its shards; empty if the corpus is gone."""
    return sorted({path.name.split("-")[1] for path in Path(corpus).glob("train-*.parquet")})


def _sources(corpora: Iterable[tuple[str, list[str] | None]]) -> list[dict[str, Any]]:
    """Where the training stories came from, one entry per source and licence; a corpus that is gone tells nothing."""
    from corpora.stories import read_corpus

    found: dict[tuple[str, str], dict[str, Any]] = {}
    read = {
        fingerprint(corpus): (corpus, languages) for corpus, languages in corpora if Path(corpus, MANIFEST).is_file()
    }
    for story in (story for corpus, languages in read.values() for story in read_corpus(corpus, "train", languages)):
        entry = found.setdefault(
            (story.source, story.license),
            {"source": story.source, "license": story.license, "stories": 0, "attributions": set()},
        )
        entry["stories"] += 1
        entry["attributions"] |= {story.attribution} - {""}
    return [entry | {"attributions": sorted(entry["attributions"])} for _, entry in sorted(found.items())]
