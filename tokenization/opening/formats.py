"""Opening a tokenizer by its path or name, whatever its make."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from corpora.errors import UserError
from corpora.folders import MANIFEST, read_manifest
from tokenization.opening.backends import open_tokenizer_json
from tokenization.opening.greedy import looks_like_rwkv, open_rwkv
from tokenization.opening.ranks import is_tekken, looks_like_ranks, open_tekken, open_tiktoken
from tokenization.opening.sentencepiece_model import open_sentencepiece
from tokenization.opening.tokenizer import Tokenizer

FILES = ("tokenizer.json", "tokenizer.model")
"""What makes a folder a tokenizer's, best first."""


def open_tokenizer(source: str | Path) -> Tokenizer:
    """Open a tokenizer.

    Args:
        source: a tokenizer folder of ours; any folder with a `tokenizer.json` or `tokenizer.model`; such a file; a
            SentencePiece `.model`; a `.tiktoken` file; Mistral's `tekken*.json`; RWKV's `rwkv_vocab*.txt`.

    Raises:
        UserError: there is nothing at `source`, or nothing that is a tokenizer.
    """
    path = Path(source)
    if path.is_dir():
        return _open_folder(path)
    if path.is_file():
        return _open_file(path)
    raise UserError(f"there is no tokenizer at {str(source)!r}; give a folder or a file.")


def _open_folder(folder: Path) -> Tokenizer:
    files = [folder / name for name in FILES if (folder / name).is_file()]
    if not files:
        raise UserError(f"{str(folder)!r} is no tokenizer folder (no {' or '.join(FILES)}); check the path.")
    opened = replace(_open_file(files[0]), name=folder.resolve().name)
    if not (folder / MANIFEST).is_file():
        return opened
    manifest = read_manifest(folder)
    license = ", ".join(manifest.get("licenses", []))
    if manifest.get("kind") != "tokenizer":
        return replace(opened, license=license, published=False)
    return replace(
        opened,
        kind=manifest["configuration"]["kind"],
        license=license,
        fingerprint=manifest["fingerprint"],
        published=False,
    )


def _open_file(path: Path) -> Tokenizer:
    """Open a file by what its first line is, not by its name: Llama 3's `tokenizer.model` is a `.tiktoken` file."""
    name = path.resolve().parent.name if path.stem == "tokenizer" else path.stem
    if path.suffix == ".json":
        return replace(open_tekken(path), name=name) if is_tekken(path) else open_tokenizer_json(path, name)
    if looks_like_ranks(path):
        return replace(open_tiktoken(path), name=name)
    if looks_like_rwkv(path):
        return replace(open_rwkv(path), name=name)
    return open_sentencepiece(path, name)
