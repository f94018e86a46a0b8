"""Few labelled examples of one language as a LightningDataModule: drawn, ordered, and the classes they leave out."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence

import lightning.pytorch as pl
from jsonargparse.typing import NonNegativeInt, PositiveInt
from torch.utils.data import DataLoader

from corpora.errors import UserError
from prompts.data import Item, read_items
from prompts.data.reading import Dataset
from prompts.data.selection import by_class, enough, shuffled
from prompts.training.schedule import TrainingBatches


class ItemBatches(pl.LightningDataModule):
    """Numbers of training and validation items in batches; the module knows the items themselves."""

    def __init__(
        self, training: Sequence[Item], validation: Sequence[Item], batch_size: int = 8, order_seed: int = 0
    ) -> None:
        super().__init__()
        self.training, self.validation = list(training), list(validation)
        self.batch_size, self.order_seed = batch_size, order_seed

    @property
    def batches_per_epoch(self) -> int:
        return math.ceil(len(self.training) / self.batch_size)

    @property
    def classes(self) -> list[str]:
        """The classes that are trained on, in alphabetical order."""
        return sorted({item.label for item in self.training})

    def train_dataloader(self) -> TrainingBatches:
        assert self.trainer is not None
        return TrainingBatches(len(self.training), self.batch_size, self.trainer.max_steps, self.order_seed)

    def val_dataloader(self) -> DataLoader[int]:
        return DataLoader(range(len(self.validation)), self.batch_size, collate_fn=list)  # type: ignore[arg-type]


class FewShotData(ItemBatches):
    """`shots` items per class to train on, and items of another split, in the same language, to validate on."""

    def __init__(
        self,
        folder: str | None = None,
        dataset: Dataset = "sib200",
        language: str = "en",
        training_split: str = "train",
        validation_split: str = "dev",
        shots: PositiveInt = 8,
        validation_shots: PositiveInt | None = None,
        unseen: list[str] | None = None,
        labels: str | None = None,
        wording: str | None = None,
        sampling_seed: NonNegativeInt = 0,
        order_seed: NonNegativeInt = 0,
        batch_size: PositiveInt = 8,
    ) -> None:
        """
        Args:
            folder: where the data set lies, as its publishers have it; for themes a corpus folder, for katha72 nothing.
            dataset: which data set lies there.
            language: the one language that is trained on and validated in.
            training_split: split that the examples are drawn from.
            validation_split: split that the best checkpoint is chosen by.
            shots: examples per class.
            validation_shots: validation items per class, drawn like the examples; all if null.
            unseen: classes to leave out of training and validation, so that they can be met for the first time later.
            labels: YAML file of class names and templates, or the name of a built-in one; that of the data set if null.
            wording: hard template in the place of the labels file's.
            sampling_seed: of the draw of the examples.
            order_seed: of the order in which each pass goes through them.
            batch_size: examples per update.
        """
        super().__init__([], [], int(batch_size), int(order_seed))
        self.folder, self.dataset, self.language = folder, dataset, language
        self.splits = training_split, validation_split
        self.shots = int(shots)
        self.validation_shots = None if validation_shots is None else int(validation_shots)
        self.unseen = list(unseen or [])
        self.labels, self.wording = labels or dataset, wording
        self.sampling_seed = int(sampling_seed)

    @property
    def inputs(self) -> dict[str, str]:
        """What was read, by name, as SHA-256."""
        parts = zip(self.splits, (self.training, self.validation), strict=True)
        return {f"{self.dataset} {self.language} {split}": digest(items) for split, items in parts}

    def read(self) -> None:
        """Read and draw the items. UserError if a class has too few, or training and validation share some."""
        pools = [read_items(self.dataset, self.folder, split, self.language, self.labels) for split in self.splits]
        known = {item.label for item in pools[0]}
        if missing := sorted(set(self.unseen) - known):
            raise UserError(f"`data.unseen` names classes that the data has not ({', '.join(missing)}); check them.")
        training, validation = ([item for item in pool if item.label not in self.unseen] for pool in pools)
        self.training = draw(training, self.shots, self.sampling_seed)
        self.validation = draw(validation, self.validation_shots, self.sampling_seed)
        shared = {item.group for item in self.training} & {item.group for item in self.validation}
        if shared and self.splits[0] == self.splits[1]:
            raise UserError("training and validation would share items; give two splits.")


def draw(items: Sequence[Item], shots: int | None, seed: int) -> list[Item]:
    """So many items of every class, drawn by the seed like `few_shot`'s; all if `shots` is None.

    UserError if a class has too few.
    """
    if shots is None:
        return list(items)
    chosen = []
    for label, members in by_class(items).items():
        enough(label, members, shots)
        chosen += shuffled(members, seed, label)[:shots]
    return chosen


def digest(items: Sequence[Item]) -> str:
    """SHA-256 of items' identifiers, texts and labels, in their order."""
    lines = "\n".join(repr((item.id, item.language, item.text, item.label)) for item in items)
    return hashlib.sha256(lines.encode()).hexdigest()
