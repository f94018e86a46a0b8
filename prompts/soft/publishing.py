"""Prompts leave with a model's name, licence and accuracy on their card, for the Hub; and come from there."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import replace
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from corpora.errors import UserError
from corpora.folders import MANIFEST, new_folder, read_json, read_manifest, sha256, write_json
from corpora.publishing.hub import upload
from evaluation.models import is_hub_name
from prompts.soft.facts import facts_as_json, facts_from_json
from prompts.soft.probe import PROBE
from prompts.soft.saving import ADAPTER, ADAPTER_CONFIG, FACTS, KIND, VECTORS, finish, read_content

FILES = (ADAPTER, ADAPTER_CONFIG, VECTORS, PROBE, FACTS, "README.md", "LICENSE", MANIFEST)
"""What a prompt consists of; nothing else is uploaded or downloaded."""


def export_prompt(folder: Path, output: Path, **told: Any) -> dict[str, Any]:
    """Copy a prompt with more facts on its card (see `Facts`: base_model, license, accuracy, …); their new content.

    The vectors are the same bytes. UserError if the folder is no prompt, or a fact is not possible.
    """
    check_whole(folder)
    content = read_content(folder)
    try:
        facts = replace(facts_from_json(content), **told)
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"the prompt in {str(folder)!r} is damaged ({error}); save or download it again.") from None
    if told.get("base_model") and not facts_as_json(facts)["base_model"]:
        raise UserError(f"{told['base_model']!r} is a folder of this machine; give the model's name on the Hub.")
    content |= facts_as_json(facts)
    with new_folder(output) as partial:
        for name in (ADAPTER, VECTORS, PROBE, "LICENSE"):
            if (folder / name).is_file():
                shutil.copyfile(folder / name, partial / name)
        if (folder / ADAPTER_CONFIG).is_file():
            config = read_json(folder / ADAPTER_CONFIG) | {"base_model_name_or_path": content["base_model"] or None}
            write_json(partial / ADAPTER_CONFIG, config)
        write_json(partial / FACTS, content)
        finish(partial, content)
    return content


def publish_prompt(folder: Path, repo: str, private: bool = False, dry_run: bool = False) -> str:
    """Upload a prompt folder, or list what would be uploaded; the sentence to end with.

    UserError if the folder is no prompt, a file was changed or lost since it was written, or the Hub refuses.
    """
    check_whole(folder)
    read_content(folder)
    chosen = sorted(path.name for path in folder.iterdir() if any(fnmatch(path.name, name) for name in FILES))
    for name in chosen:
        print(f"{'would upload' if dry_run else 'uploading'} {name}", file=sys.stderr)
    if dry_run:
        return f"Nothing was uploaded: {len(chosen)} files of {str(folder)!r} would go to {repo!r}."
    url = upload(folder, repo, "model", private, FILES, message="Upload the prompt with kathalab")
    return f"{len(chosen)} files were uploaded; the prompt is at {url}."


def check_whole(folder: Path) -> None:
    """UserError if a folder is no prompt, or its files are not those that its manifest lists."""
    for name, digest in read_manifest(folder, KIND)["files"].items():
        path = folder / name
        if not path.is_file() or sha256(path) != digest:
            raise UserError(f"{str(path)!r} is not as it was written; save, export or download the prompt again.")


def local_folder(source: str | os.PathLike[str]) -> Path:
    """The folder of a prompt; one USER/NAME on the Hub is downloaded first. UserError if there is no such prompt."""
    name = os.fspath(source)
    if Path(name).is_dir() or not is_hub_name(name):
        return Path(name)
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(name, allow_patterns=list(FILES)))
    except Exception as error:  # refusals, time-outs and absence come as many kinds
        reason = str(error).strip().split("\n")[0].rstrip(".") or type(error).__name__
        raise UserError(f"the prompt {name!r} cannot be had ({reason}); check the name and the connection.") from None
