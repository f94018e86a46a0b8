"""The LightningDataModule: batches in an order that is a pure function of (seed, epoch, step)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch
from jsonargparse.typing import NonNegativeInt, PositiveInt
from torch import Tensor

from corpora.errors import UserError
from corpora.folders import fingerprint
from tinymodels.best_fit import BestFit
from tinymodels.distributed import refuse_uneven
from tinymodels.fast import IGNORED
from tinymodels.mixture import Mixture, Packing, Part, Stage
from tinymodels.packing import Pieces, Tokens, Windows, pack, whole_documents


class TrainingBatches:
    """Batches [batch_size, sequence_length + 1] from a position on; Lightning saves and restores the position.

    A pass (one `iter`) runs to the next multiple of `length` batches. There are no workers, so their number cannot
    change the order: a batch is a copy out of a memory map and costs microseconds.

    Of several processes each takes its share of every batch's windows, so that together they read what one would.
    """

    def __init__(
        self,
        windows: Windows | BestFit | Mixture,
        length: int,
        first: int = 0,
        process: int = 0,
        processes: int = 1,
    ) -> None:
        """`first` is the number of the first batch: a branch goes on where its trunk stopped."""
        self.windows = windows
        self.length = length
        self.first = first
        self.process, self.processes = process, processes
        self.position = 0
        self.skipped = 0
        """Batches left out so far; `spikes.py` keeps it."""

    def __len__(self) -> int:
        return self.length

    def __iter__(self) -> Iterator[Tensor]:
        for _ in range(self.length - self.position % self.length):
            batch = self.windows.batch(self.first + self.position + self.skipped)
            refuse_uneven(len(batch), self.processes)
            share = len(batch) // self.processes
            mine = torch.from_numpy(batch[self.process * share : (self.process + 1) * share].copy())
            self.position += 1
            yield mine

    def tokens_before(self, position: int) -> int:
        """Targets in this run's batches before a position, padding aside, as if none had been left out."""
        return self.windows.tokens_before(self.first + position) - self.windows.tokens_before(self.first)

    def epochs_before(self, position: int) -> float:
        """Passes over the stories before a position, those of a branch's trunk included."""
        return self.windows.epochs_before(self.first + position + self.skipped)

    def state_dict(self) -> dict[str, int]:
        return {"position": self.position}

    def load_state_dict(self, state: dict[str, int]) -> None:
        self.position = state["position"]


class DocumentBatches:
    """Padded pieces of whole documents; a document's characters are counted with the first of its pieces.

    Of several processes each takes its share of every batch's pieces, and the first counts the characters. A share is
    never empty, for processes that gather weights must make equally many passes: it may be a piece with no targets.
    """

    def __init__(self, tokens: Tokens, pieces: list[Pieces], process: int = 0, processes: int = 1) -> None:
        self.tokens = tokens
        self.pieces = pieces
        self.process = process
        self.processes = processes

    def __len__(self) -> int:
        return len(self.pieces)

    def __iter__(self) -> Iterator[dict[str, Tensor]]:
        seen: set[int] = set()
        for batch in self.pieces:
            new = sorted(set(batch.documents.tolist()) - seen)
            seen.update(new)
            none = self.process >= len(batch.documents)
            share = slice(0, 1) if none else slice(self.process, None, self.processes)
            targets = torch.from_numpy(batch.targets[share])
            characters = int(self.tokens.characters[new].sum()) if self.process == 0 else 0
            yield {
                "inputs": torch.from_numpy(batch.inputs[share]),
                "targets": torch.full_like(targets, IGNORED) if none else targets,
                "documents": torch.from_numpy(batch.documents[share]),
                "characters": torch.tensor(characters),
            }


class StoryData(pl.LightningDataModule):
    """Stories of a corpus folder, tokenized once and read in windows (training) or whole (validation, test)."""

    def __init__(
        self,
        corpus: str,
        tokenizer: str,
        languages: list[str] | None = None,
        sequence_length: PositiveInt = 256,
        batch_size: PositiveInt = 8,
        seed: NonNegativeInt = 1,
        validation_stories: PositiveInt | None = 100,
        packing: Packing = "stream",
        stages: list[Stage] | None = None,
        cache: str | None = None,
    ) -> None:
        """
        Args:
            corpus: a corpus folder.
            tokenizer: a tokenizer folder.
            languages: ISO 639-1 codes of the languages to read; all of the corpus if not given.
            sequence_length: tokens of a training window, which becomes the model's context.
            batch_size: windows per batch.
            seed: of the order of the stories.
            validation_stories: how many stories to validate on (evenly spread over the split); all if null.
            packing: `stream` lays stories end to end and cuts them into windows; `best-fit` puts whole stories into
                windows and pads the rest.
            stages: parts of the run with their own mixture of languages and sources and their own batch size; if not
                given, stories come as the corpus has them.
            cache: where encoded tokens are kept; `tokens` beside the corpus if not given.
        """
        super().__init__()
        self.corpus = corpus
        self.tokenizer = tokenizer
        self.languages = languages
        self.sequence_length = sequence_length
        self.batch_size = batch_size
        self.seed = seed
        self.validation_stories = validation_stories
        self.packing: Packing = packing
        self.stages = stages
        self.cache = cache
        self.before: list[Part] = []
        """What a branch's trunk has read of the same corpus."""

    @property
    def vocabulary_size(self) -> int:
        """Pieces of the tokenizer, special ones included."""
        from tokenization import load_tokenizer

        return len(load_tokenizer(self.tokenizer))

    @property
    def inputs(self) -> dict[str, str]:
        """Fingerprints of corpus and tokenizer."""
        return {
            "corpus": fingerprint(self.corpus, "corpus"),
            "tokenizer": fingerprint(self.tokenizer, "tokenizer"),
        }

    @property
    def identity(self) -> dict[str, Any]:
        """What a checkpoint must agree with to be resumed; plain values."""
        return {
            "the corpus": self.inputs["corpus"],
            "the tokenizer": self.inputs["tokenizer"],
            "data.languages": sorted(self.languages) if self.languages else None,
            "data.sequence_length": self.sequence_length,
            "data.batch_size": self.batch_size,
            "data.seed": self.seed,
            "data.validation_stories": self.validation_stories,
            "data.packing": self.packing,
            "data.stages": None if self.stages is None else [stage.plain for stage in self.stages],
        }

    def tokens(self, split: str) -> Tokens:
        """The encoded stories of a split."""
        cache = self.cache or os.fspath(Path(self.corpus).absolute().parent / "tokens")
        return pack(self.corpus, self.tokenizer, split, self.languages, cache)

    def windows(self, batches: int = 0) -> Windows | BestFit | Mixture:
        """The training stories in the order of training; stages need to know of how many batches the run is."""
        tokens = self.tokens("train")
        if self.stages is not None:
            if not batches:
                raise UserError("`data.stages` are shares of a run of known length; give `--trainer.max_steps`.")
            parts = [*self.before, Part(self.stages, batches, batches)]
            return Mixture(tokens, self.sequence_length, self.batch_size, self.seed, self.packing, parts)
        kind = BestFit if self.packing == "best-fit" else Windows
        return kind(tokens, self.sequence_length, self.batch_size, self.seed)

    @property
    def batches_per_epoch(self) -> int:
        """Batches of one pass over the training stories."""
        windows = self.windows()
        assert not isinstance(windows, Mixture)
        return windows.per_epoch

    def train_dataloader(self) -> TrainingBatches:
        trainer = self.trainer
        if trainer is None or trainer.max_steps < 0:
            return TrainingBatches(self.windows(), self.batches_per_epoch, 0, *self._process())
        # a run that is limited by steps is one pass of the loop, so that progress and validation count in steps
        length = max(1, trainer.max_steps * trainer.accumulate_grad_batches)
        first = sum(part.used for part in self.before)
        return TrainingBatches(self.windows(length), length, first, *self._process())

    def _process(self) -> tuple[int, int]:
        """The number of this process, and how many there are."""
        return (self.trainer.global_rank, self.trainer.world_size) if self.trainer else (0, 1)

    def val_dataloader(self) -> DocumentBatches:
        return self._whole("validation", self.validation_stories)

    def test_dataloader(self) -> DocumentBatches:
        return self._whole("test", None)

    predict_dataloader = test_dataloader

    def _whole(self, split: str, limit: int | None) -> DocumentBatches:
        tokens = self.tokens(split)
        pieces = whole_documents(tokens, self.sequence_length, self.batch_size, limit)
        return DocumentBatches(tokens, pieces, *self._process())
