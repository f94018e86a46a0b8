"""From labelled items to a trained soft prompt: what `kathalab prompts fit` and a study's loops share."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
from torch import Tensor

from corpora.errors import UserError
from corpora.quiet import quiet
from prompts.data import Item
from prompts.models import AnswerModel
from prompts.soft import SoftPrompt
from prompts.soft.identity import tokenizer_sha256, weights_sha256
from prompts.training.checkpoints import LAST, PromptCheckpoints, WholeCheckpoints
from prompts.training.datamodule import ItemBatches, digest
from prompts.training.lesson import Lesson, Questions, make_questions
from prompts.training.module import PromptTuning, Words
from prompts.verbalizers import (
    LabelSet,
    Verbalizer,
    contextual,
    from_names,
    nonparametric,
    search_table,
    stop_words,
)


def train_prompt(
    module: PromptTuning,
    answering: AnswerModel,
    label_set: LabelSet,
    language: str,
    training: Sequence[Item],
    validation: Sequence[Item],
    epochs: int,
    batch_size: int = 8,
    order_seed: int = 0,
    run: Path | None = None,
    choose: bool = True,
) -> SoftPrompt:
    """The prompt with the lowest validation loss of a training on items in one language, for an open model.

    `label_set` holds that language (for its template) and those of the verbalizer's words. `run`: a folder for
    `metrics.csv` and the checkpoint, from which the training goes on if it was killed; without it nothing is kept.
    `choose`: whether there is a validation after each pass to choose by; else the prompt is the last one.
    """
    data = ItemBatches(training, validation, batch_size, order_seed)
    prepare(module, answering, label_set, language, data)
    identity = {} if run is None else run_identity(module, data, language) | {"trainer.max_epochs": epochs}
    with tempfile.TemporaryDirectory() as nowhere, quiet():
        folder = Path(nowhere) if run is None else run
        checkpoints = PromptCheckpoints(identity)
        trainer = pl.Trainer(
            accelerator=answering.model.device.type.replace("cuda", "gpu"),
            devices=1,
            default_root_dir=folder,
            callbacks=[checkpoints],
            **DEFAULTS,
            **lengths(epochs, data.batches_per_epoch, choose),
            plugins=[WholeCheckpoints()],
        )
        last = folder / LAST
        trainer.fit(module, datamodule=data, ckpt_path=last if last.is_file() else None, weights_only=True)
    return checkpoints.best_prompt(module)


DEFAULTS: dict[str, Any] = {
    "logger": False,
    "enable_checkpointing": True,
    "enable_progress_bar": False,
    "enable_model_summary": False,
    "num_sanity_val_steps": 0,
}


def lengths(epochs: int, batches: int, each: bool = True) -> dict[str, Any]:
    """A trainer's options for so many passes over so many batches, with a validation after each, or after the last.

    Counted in updates: Lightning 2.6 miscounts its passes when it resumes at the end of one, so a run is one pass of
    its loop and the data begins its passes by itself.
    """
    if epochs < 1:
        raise UserError("training needs at least one pass over the items; give `trainer.max_epochs`.")
    return {
        "max_epochs": None,
        "max_steps": epochs * batches,
        "val_check_interval": batches if each else epochs * batches,
    }


def prepare(
    module: PromptTuning, answering: AnswerModel, label_set: LabelSet, language: str, data: ItemBatches
) -> None:
    """Give a module its prompt and its lesson. The words are those of the classes in the training items alone."""
    own = label_set.only(data.classes)
    template, names = own[language].template, own[language].every_name
    texts = [item.text for item in data.training]

    def ask(items: Sequence[Item]) -> Questions:
        return make_questions(answering, items, data.classes, template, names, module.layout.length)

    content_free = answering.ask(own[language].content_free, template, names, module.layout.length)
    lesson = Lesson(
        answering,
        build_verbalizer(module.verbalizer, own, language, answering),
        module.objective,
        ask(data.training),
        ask(data.validation),
        [asked for asked in content_free if asked.text_ids],
    )
    module.prepare(lesson, template, names, texts)


def build_verbalizer(words: Words, label_set: LabelSet, language: str, answering: AnswerModel) -> Verbalizer:
    """The verbalizer that these options describe, for data in a language."""
    languages = list(words.languages or [language])
    if words.kind == "names":
        return from_names(label_set, languages, answering.tokenizer, words.subtokens, words.combine)
    options: dict[str, Any] = {
        "k": int(words.neighbours),
        "subtokens": words.subtokens,
        "combine": words.combine,
        "stop": stop_words(languages),
    }
    if words.kind == "contextual":
        return contextual(label_set, languages, answering, **options)
    return nonparametric(label_set, languages, answering.tokenizer, search_table(answering), **options)


def run_identity(module: PromptTuning, data: ItemBatches, language: str) -> dict[str, Any]:
    """Every setting that decides a byte of the prompt, and digests of what is read; plain values by name."""
    asked = [*module.lesson.training.asked, *module.lesson.validation.asked, *module.lesson.content_free]
    plain: dict[str, Any] = {
        "model.layout": list(module.layout.lengths),
        "the model": weights_sha256(module.lesson.model.model),
        "the tokenizer": tokenizer_sha256(module.lesson.model.tokenizer),
        "model.start": digest_of(module.lesson.start),
        "model.verbalizer": digest_of(module.lesson.verbalizer.weights, module.lesson.verbalizer.rows),
        "model.rate_unit": module.unit,
        "data.language": language,
        "data.training": digest(data.training),
        "data.validation": digest(data.validation),
        "data.batch_size": data.batch_size,
        "data.order_seed": data.order_seed,
        "the questions": hashlib.sha256(repr(asked).encode()).hexdigest(),
    }
    for name in ("kind", "hidden", "seed", "warmup", "weight_decay"):
        plain[f"model.{name}"] = getattr(module, name)
    for group in ("objective", "rates"):
        for name, value in asdict(getattr(module, group)).items():
            plain[f"model.{group}.{name}"] = value if isinstance(value, str) else float(value)
    return plain


def digest_of(*tensors: Tensor) -> str:
    """SHA-256 of the numbers in tensors."""
    digests = hashlib.sha256()
    for tensor in tensors:
        digests.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digests.hexdigest()
