"""Opening a tokenizer by its path or name, whatever its make."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from corpora.errors import UserError
from corpora.folders import MANIFEST, read_manifest
from tokenization.opening.akshara_map import open_akshara_map
from tokenization.opening.backends import open_tokenizer_json
from tokenization.opening.greedy import looks_like_rwkv, open_rwkv
from tokenization.opening.hub import fetch_from_hub
from tokenization.opening.published import KIND, PUBLISHED, unpacked, vocabularies_folder
from tokenization.opening.ranks import is_tekken, looks_like_ranks, open_encoding, open_tekken, open_tiktoken
from tokenization.opening.sentencepiece_model import open_sentencepiece
from tokenization.opening.tokenizer import Tokenizer

FILES = ("tokenizer.json", "tokenizer.model")
"""What makes a folder a tokenizer's, best first."""


def open_tokenizer(source: str | Path) -> Tokenizer:
    """Open a tokenizer.

    Args:
        source: a tokenizer folder of ours; any folder with a `tokenizer.json` or `tokenizer.model`; such a file; a
            SentencePiece `.model`; a `.tiktoken` file; Mistral's `tekken*.json`; RWKV's `rwkv_vocab*.txt`; an unpacked
            published vocabulary (`published:gemma-3`, see `published.py`); a tiktoken encoding (`tiktoken:o200k_base`);
            a model on the Hub (`sarvamai/sarvam-1`, at a commit as `sarvamai/sarvam-1@COMMIT`).

    Raises:
        UserError: there is nothing at `source`, or nothing that is a tokenizer.
    """
    path = Path(source)
    if path.is_dir():
        return _open_folder(path)
    if path.is_file():
        return _open_file(path)
    maker, _, name = str(source).partition(":")
    if maker == "published" and name:
        return _open_published(name)
    if maker == "tiktoken" and name:
        return _open_encoding(name)
    if match := re.fullmatch(r"(?P<repo>[\w][\w.-]*/[\w.-]+)(?:@(?P<revision>[\w./-]+))?", str(source)):
        return _open_hub(match["repo"], match["revision"])
    raise UserError(
        f"there is no tokenizer at {str(source)!r}; give a folder, a file, published:NAME, tiktoken:NAME or USER/NAME."
    )


def _open_folder(folder: Path) -> Tokenizer:
    manifest = read_manifest(folder) if (folder / MANIFEST).is_file() else {}
    if not {"kind", "fingerprint", "configuration"} <= manifest.keys():  # another program's manifest.json
        manifest = {}
    vocabulary = manifest.get("kind") == KIND
    names = [manifest["configuration"]["file"]] if vocabulary else FILES
    files = [folder / name for name in names if (folder / name).is_file()]
    if not files:
        raise UserError(f"{str(folder)!r} is no tokenizer folder (no {' or '.join(names)}); check the path.")
    opened = replace(_open_file(files[0]), name=folder.resolve().name)
    if not manifest:
        return opened
    opened = replace(opened, license=", ".join(manifest.get("licenses", [])), published=vocabulary)
    if manifest.get("kind") != "tokenizer":
        return opened
    return replace(opened, kind=manifest["configuration"]["kind"], fingerprint=manifest["fingerprint"])


def _open_published(name: str) -> Tokenizer:
    folder = vocabularies_folder()
    if name not in PUBLISHED:
        raise UserError(f"there is no published vocabulary {name!r}; choose from {', '.join(PUBLISHED)}.")
    if name not in unpacked(folder):
        raise UserError(
            f"the vocabulary {name!r} is not in {str(folder)!r}; "
            f"fetch it with: kathalab tokenization unpack --names '[{name}]'"
        )
    return _open_folder(folder / name)


def _open_encoding(name: str) -> Tokenizer:
    """A tiktoken encoding: unpacked, or by the tiktoken package, which fetches it when first asked."""
    short = name.removesuffix("_base")
    if short in unpacked(vocabularies_folder()):
        return replace(_open_published(short), name=name)
    return open_encoding(name)


def _open_hub(repo: str, revision: str | None) -> Tokenizer:
    path, commit, license = fetch_from_hub(repo, revision)
    opened = _open_file(path)
    return replace(
        opened, name=repo.split("/")[1], license=license, fingerprint=f"{opened.fingerprint}@{commit}", published=True
    )


def _open_file(path: Path) -> Tokenizer:
    """Open a file by what its first line is, not by its name: Llama 3's `tokenizer.model` is a `.tiktoken` file."""
    name = path.absolute().parent.name if path.stem == "tokenizer" else path.stem
    if path.suffix == ".json":
        return replace(open_tekken(path), name=name) if is_tekken(path) else open_tokenizer_json(path, name)
    if looks_like_ranks(path):
        return replace(open_tiktoken(path), name=name)
    if looks_like_rwkv(path):
        return replace(open_rwkv(path), name=name)
    if (letters := path.with_suffix(".map.json")).is_file():
        return open_akshara_map(path, letters, name)
    return open_sentencepiece(path, name)
