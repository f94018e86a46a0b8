"""From a corpus's Parquet files to token arrays on disk, a few thousand stories at a time."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from corpora.folders import new_folder, write_manifest
from corpora.stories import shards
from tinymodels.words import WordEncoder, words_are_apart

STORIES_PER_CHUNK = 2_000
LARGEST_UINT16_VOCABULARY = 65_536


def encode_split(
    corpus: str | os.PathLike[str],
    tokenizer_folder: str | os.PathLike[str],
    split: str,
    languages: Sequence[str] | None,
    folder: Path,
    configuration: Mapping[str, Any],
    inputs: Mapping[str, str],
) -> None:
    """Write the folder that `packing.pack` opens: `tokens.bin` (every document is `<s>`, the story's ids, `</s>`),
    `offsets.npy`, `characters.npy`, `origin.npy` and the manifest, in which `origins` stand."""
    from tqdm import tqdm

    from tokenization import load_tokenizer

    paths = shards(corpus, split, languages)
    tokenizer = load_tokenizer(tokenizer_folder)
    fast = tokenizer.backend_tokenizer
    fast.encode_special_tokens = True  # "</s>" spelt out in a story is text, as `load_tokenizer` has it
    encoder = WordEncoder if words_are_apart(fast) else StoryEncoder
    encode = encoder(fast, tokenizer.bos_token_id, tokenizer.eos_token_id)
    dtype = np.dtype(np.uint16 if len(tokenizer) <= LARGEST_UINT16_VOCABULARY else np.uint32)
    lengths: list[npt.NDArray[np.int64]] = []
    characters: list[npt.NDArray[np.int64]] = []
    origins: list[tuple[str, str]] = []
    stories = sum(pq.read_metadata(path).num_rows for path in paths)
    with new_folder(folder) as partial:
        with (
            open(partial / "tokens.bin", "wb") as file,
            tqdm(total=stories, desc=f"encoding {split}", unit="story", mininterval=1, delay=2) as progress,
        ):
            for chunk in _chunks(paths):
                text = chunk.column("text")
                ids, counts = encode(text)
                file.write(ids.astype(dtype).data)
                lengths.append(counts)
                characters.append(pc.utf8_length(text).to_numpy(zero_copy_only=False).astype(np.int64))
                origins += zip(chunk.column("language").to_pylist(), chunk.column("source").to_pylist(), strict=True)
                progress.update(len(counts))
        known = sorted(set(origins))
        number = {origin: index for index, origin in enumerate(known)}
        offsets = np.concatenate([[0], np.cumsum(np.concatenate(lengths))]).astype(np.int64)
        np.save(partial / "offsets.npy", offsets)
        np.save(partial / "characters.npy", np.concatenate(characters))
        np.save(partial / "origin.npy", np.array([number[origin] for origin in origins], dtype=np.int32))
        facts = {"dtype": dtype.name, "documents": stories, "tokens": int(offsets[-1]), "origins": known}
        write_manifest(partial, "tokens", configuration, inputs, **facts)


def _chunks(paths: Sequence[Path]) -> Iterator[pa.RecordBatch]:
    """Only the columns that are needed: a story's prompt is longer than its text."""
    for path in paths:
        yield from pq.ParquetFile(path).iter_batches(STORIES_PER_CHUNK, columns=["text", "language", "source"])


class StoryEncoder:
    """The ids of documents by any tokenizer of the lab (see `words.WordEncoder`, which is faster)."""

    def __init__(self, tokenizer: Any, begin: int, end: int) -> None:
        self.tokenizer = tokenizer
        self.begin, self.between = begin, [end, begin]

    def __call__(self, texts: pa.Array) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """The ids of all documents in one array, and the length of each; a document is begin, the text's ids, end."""
        # the Rust side spreads a batch over all cores
        encodings = self.tokenizer.encode_batch_fast(texts.to_pylist(), add_special_tokens=False)
        lengths = np.fromiter((len(encoding) for encoding in encodings), np.int64, len(encodings)) + 2
        flat = np.empty(int(lengths.sum()) + 1, dtype=np.int64)
        flat[0] = self.begin
        pieces = chain.from_iterable((encoding.ids, self.between) for encoding in encodings)
        flat[1:] = np.fromiter(chain.from_iterable(pieces), np.int64, len(flat) - 1)
        return flat[:-1], lengths
