"""Opening a tokenizer by its path or name, whatever its make."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from corpora.errors import UserError
from corpora.folders import MANIFEST, read_manifest
from tokenization.opening.backends import open_tokenizer_json
from tokenization.opening.tokenizer import Tokenizer


def open_tokenizer(source: str | Path) -> Tokenizer:
    """Open a tokenizer.

    Args:
        source: a tokenizer folder of ours, any folder with a `tokenizer.json`, or such a file.

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
    file = folder / "tokenizer.json"
    if not file.is_file():
        raise UserError(f"{str(folder)!r} is no tokenizer folder (no tokenizer.json); check the path.")
    opened = open_tokenizer_json(file, folder.resolve().name)
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
    if path.suffix == ".json":
        return open_tokenizer_json(path, path.resolve().parent.name if path.stem == "tokenizer" else path.stem)
    raise UserError(f"{str(path)!r} is in no format that is known here; give a tokenizer.json.")
