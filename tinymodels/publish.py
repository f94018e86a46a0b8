"""Uploading a model folder: the files a model consists of, by name, and nothing else."""

from __future__ import annotations

import sys
from fnmatch import fnmatch
from pathlib import Path

from corpora.errors import UserError
from corpora.folders import read_manifest, sha256
from corpora.publishing.hub import upload

FILES = (
    "*.safetensors",
    "config.json",
    "generation_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "tokenizer.model",
    "README.md",
    "LICENSE",
    "manifest.json",
    "eval/*.json",
    "eval/*.jsonl",
    ".eval_results/*.yaml",
)
"""What is uploaded; checkpoints and pickles are not among it."""


def publish_model(folder: Path, repo: str, private: bool = False, dry_run: bool = False) -> None:
    """Check a model folder against its manifest and upload it, or list what would be uploaded.

    Raises:
        UserError: the folder is no model, a file of it was changed or lost since it was written, or the Hub refuses.
    """
    manifest = read_manifest(folder, "model")
    for name, digest in manifest["files"].items():
        path = folder / name
        if not path.is_file() or sha256(path) != digest:
            raise UserError(
                f"{str(path)!r} is not as `kathalab tinymodels export` or `card` wrote it; export the model again."
            )
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    chosen = [name for name in names if any(fnmatch(name, pattern) for pattern in FILES)]
    for name in chosen:
        print(f"{'would upload' if dry_run else 'uploading'} {name}", file=sys.stderr)
    if dry_run:
        print(f"nothing was uploaded: {len(chosen)} files of {str(folder)!r} would go to {repo!r}.")
        return
    url = upload(folder, repo, "model", private, FILES, message="Upload the model with kathalab")
    print(f"{len(chosen)} files were uploaded; the model is at {url}.")
