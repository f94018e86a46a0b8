"""Folders and files that are whole or absent: written beside their place, renamed when finished, with a manifest."""

from __future__ import annotations

import hashlib
import io
import json
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from corpora.errors import UserError

MANIFEST = "manifest.json"
_PACKAGES = (
    *("kathalab", "torch", "transformers", "tokenizers", "sentencepiece", "datasets", "lightning", "numpy"),
    *("pyarrow", "regex", "rensa", "morfessor"),
)


@contextmanager
def new_folder(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield an empty folder beside `path`; when the block ends well it takes `path`'s place, else it is removed.

    What stood at `path` stays untouched until the new folder is whole. A path that holds something not made by
    Kathalab (a file, or a non-empty folder without a manifest) is refused with a UserError rather than replaced.
    """
    target = Path(path)
    check_replaceable(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".partial", dir=target.parent))
    os.chmod(partial, 0o755)
    try:
        yield partial
        for file in partial.rglob("*"):
            _fsync(file)
        old = None
        if target.exists():
            old = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".old", dir=target.parent))
            os.rename(target, old / "folder")
        try:
            os.rename(partial, target)
        except BaseException:
            if old is not None and not target.exists():
                os.rename(old / "folder", target)
                old.rmdir()
            raise
        _fsync(target.parent)
        if old is not None:
            shutil.rmtree(old)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def check_replaceable(target: Path) -> None:
    """UserError if something stands at a path that Kathalab did not make."""
    if target.exists() and (target.is_file() or (any(target.iterdir()) and not _is_ours(target))):
        raise UserError(f"{str(target)!r} exists and was not made by kathalab; choose another place or remove it.")


def write_bytes(path: str | os.PathLike[str], content: bytes | memoryview) -> None:
    """Write a file beside its place, wait for the disk, and rename it there."""
    write_pieces(path, [content])


def write_pieces(path: str | os.PathLike[str], pieces: Iterable[bytes | memoryview]) -> None:
    """Write a file of many pieces as they come, whole or not at all (see `write_bytes`)."""
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".partial", dir=target.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.writelines(pieces)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, 0o644)
        os.replace(name, target)
        _fsync(target.parent)
    finally:
        Path(name).unlink(missing_ok=True)


def write_array(path: str | os.PathLike[str], array: np.ndarray) -> None:
    """Write a NumPy array as `.npy` whole (see `write_bytes`)."""
    file = io.BytesIO()
    np.save(file, array, allow_pickle=False)
    write_bytes(path, file.getbuffer())


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write a UTF-8 file whole (see `write_bytes`)."""
    write_bytes(path, text.encode())


def write_json_lines(path: str | os.PathLike[str], records: Iterable[Mapping[str, Any]]) -> None:
    """Write one JSON object a line (UTF-8) whole (see `write_bytes`)."""
    write_pieces(path, (json_lines([record]).encode() for record in records))


def json_lines(records: Iterable[Mapping[str, Any]]) -> str:
    """One JSON object a line."""
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)


def cut_torn_line(path: str | os.PathLike[str]) -> None:
    """Cut off what a kill left behind the last line feed of a file that is appended to; it is read from its end."""
    with open(path, "rb+") as file:
        end = keep = file.seek(0, os.SEEK_END)
        while keep > 0:
            start = max(0, keep - 65_536)
            file.seek(start)
            found = file.read(keep - start).rfind(b"\n")
            keep = start + found + 1
            if found >= 0:
                break
        if keep < end:
            file.truncate(keep)


def write_json(path: str | os.PathLike[str], value: Any) -> None:
    """Write JSON (UTF-8, indented, no NaN) beside its place and rename it there."""
    write_text(path, json.dumps(value, ensure_ascii=False, indent=1, allow_nan=False) + "\n")


def read_json(path: str | os.PathLike[str]) -> Any:
    """Read a JSON file; UserError if it is damaged."""
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{os.fspath(path)!r} is not valid JSON ({error}); make it again.") from None


def write_manifest(
    folder: Path,
    kind: str,
    configuration: Mapping[str, Any],
    inputs: Mapping[str, str] = {},
    licenses: list[str] | None = None,
    **facts: Any,
) -> None:
    """Describe a folder in `manifest.json`: what it is, from which inputs (name -> SHA-256), how, with which versions.

    `files` lists the SHA-256 of every file that lies in the folder at this moment. The command line is not recorded,
    for it can hold a token; `configuration` is.
    """
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != MANIFEST]
    files = {path.relative_to(folder).as_posix(): sha256(path) for path in paths}
    write_json(
        folder / MANIFEST,
        {
            "kind": kind,
            "fingerprint": _digest(files),
            "configuration": dict(configuration),
            "inputs": dict(inputs),
            "licenses": licenses or [],
            **facts,
            "versions": versions(),
            "files": files,
        },
    )


def read_manifest(folder: str | os.PathLike[str], kind: str | None = None) -> dict[str, Any]:
    """The manifest of a folder; UserError if there is none, or if the folder is of another kind."""
    path = Path(folder)
    if not (path / MANIFEST).is_file():
        what = f"a finished {kind} folder" if kind else "a folder made by kathalab"
        raise UserError(f"{str(path)!r} is not {what} (no {MANIFEST}); check the path or make it first.")
    manifest = read_json(path / MANIFEST)
    if kind and manifest.get("kind") != kind:
        raise UserError(f"{str(path)!r} is a {manifest.get('kind')} folder, but a {kind} folder is wanted here.")
    return manifest


def fingerprint(folder: str | os.PathLike[str], kind: str | None = None) -> str:
    """One SHA-256 for the content of a finished folder, as its manifest has it (equal content, equal fingerprint)."""
    return read_manifest(folder, kind)["fingerprint"]


def sha256(path: str | os.PathLike[str]) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def versions() -> dict[str, str]:
    """Versions of Python and of the libraries that decide what comes out."""
    found = {"python": platform.python_version(), "platform": f"{sys.platform}-{platform.machine()}"}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def _is_ours(folder: Path) -> bool:
    """Whether a folder has a manifest of Kathalab's, and not one of a web page or a browser extension."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(manifest, dict) and {"kind", "fingerprint"} <= manifest.keys()


def _digest(files: Mapping[str, str]) -> str:
    return hashlib.sha256(json.dumps(dict(files), sort_keys=True).encode()).hexdigest()


def _fsync(path: Path) -> None:
    if path.is_file() or path.is_dir():
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
