"""One data set repository at one commit: on the Hub, in the Hub's cache, or a local folder."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path

from corpora.errors import UserError
from corpora.publishing.licenses import spdx

_NOT_CACHED = (
    "{repo!r} is not in the Hub's cache and cannot be reached; unset HF_HUB_OFFLINE, or check the connection, or fetch "
    "it where there is one (hf download {repo} --repo-type dataset)."
)


_SETTINGS = ("config.json", "infos.json", "info.json", "tokenizer.json", "vocab.json", "index.json", "map.json")


@dataclass(frozen=True)
class Repository:
    """A data set whose files do not change while it is read."""

    repo: str
    """ORGANISATION/NAME, or the path of a local folder."""
    commit: str
    """The commit's SHA-1; empty for a local folder."""
    folder: Path | None
    """Where the files lie, for a local folder and for a cached data set used offline."""

    @classmethod
    def find(cls, repo: str, revision: str = "") -> Repository:
        """The local folder of this name, or the Hub's data set at the commit of the revision.

        UserError if there is neither, or it may not be read, or, offline, is not in the cache.
        """
        from huggingface_hub import HfApi, constants

        if Path(repo).expanduser().is_dir():
            return cls(repo, "", Path(repo).expanduser())
        if repo.count("/") != 1 or repo.startswith((".", "/", "~")):
            raise UserError(f"there is no folder {repo!r}, and a data set's name is ORGANISATION/NAME; check it.")
        with in_one_sentence(repo):
            if constants.HF_HUB_OFFLINE:
                cached = _cached(repo, revision)
                return cls(repo, cached.name, cached)
            return cls(repo, HfApi().dataset_info(repo, revision=revision or None).sha or "", None)

    @cached_property
    def files(self) -> list[str]:
        """The names of its files, sorted, without hidden ones."""
        from huggingface_hub import HfApi

        if self.folder:
            paths = [path.relative_to(self.folder) for path in self.folder.rglob("*") if path.is_file()]
            names = [path.as_posix() for path in paths if not any(part.startswith(".") for part in path.parts)]
            return sorted(names)
        with in_one_sentence(self.repo):
            found = HfApi().list_repo_files(self.repo, repo_type="dataset", revision=self.commit)
        return sorted(name for name in found if not name.startswith("."))

    def named(self, patterns: Sequence[str]) -> list[str]:
        """The files of these names; a `*` stands for anything but a slash, and not for settings of models."""
        found: list[str] = []
        for pattern in patterns:
            matching = [file for file in self.files if _matches(file, pattern)]
            found += [file for file in matching if file not in found]
            if not matching and ("*" not in pattern or (pattern == patterns[-1] and not found)):
                held = ", ".join(self.files[:8]) or "none"
                raise UserError(f"{self.repo!r} has no file {pattern!r}; its files are: {held} …")
        return found

    def fetch(self, file: str) -> Path:
        """The path of a file, fetched into the Hub's cache if it is not there; a fetch cut short is resumed."""
        from huggingface_hub import hf_hub_download

        if self.folder:
            return self.folder / file
        with in_one_sentence(self.repo):
            return Path(hf_hub_download(self.repo, file, repo_type="dataset", revision=self.commit))

    @property
    def streamed(self) -> tuple[str, str | None]:
        """What `datasets.load_dataset` takes: name and revision, or a folder."""
        return (os.fspath(self.folder), None) if self.folder else (self.repo, self.commit)

    @property
    def page(self) -> str:
        """Its page on the Hub; empty for a local folder."""
        return f"https://huggingface.co/datasets/{self.repo}" if self.commit else ""

    @cached_property
    def license(self) -> str:
        """The SPDX identifier of the one licence that its card states; empty if it states none, several or another."""
        from huggingface_hub import DatasetCard

        if "README.md" not in self.files:
            return ""
        stated = DatasetCard.load(self.fetch("README.md")).data.to_dict().get("license")
        stated = stated[0] if isinstance(stated, list) and len(stated) == 1 else stated
        try:
            return spdx(stated) if isinstance(stated, str) else ""
        except UserError:
            return ""


def _matches(file: str, pattern: str) -> bool:
    settings = "*" in pattern and file.endswith(_SETTINGS)
    return file.count("/") == pattern.count("/") and fnmatchcase(file, pattern) and not settings


def _cached(repo: str, revision: str) -> Path:
    """The cached snapshot of a revision; without one, that of the main branch or else the one fetched last."""
    from huggingface_hub import constants, snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError
    from huggingface_hub.file_download import repo_folder_name

    try:
        return Path(snapshot_download(repo, repo_type="dataset", revision=revision or None, local_files_only=True))
    except LocalEntryNotFoundError:
        folder = Path(constants.HF_HUB_CACHE) / repo_folder_name(repo_id=repo, repo_type="dataset") / "snapshots"
        found = sorted(folder.glob("*"), key=lambda path: path.stat().st_mtime)
        if revision or not found:
            raise
        return found[-1]


@contextmanager
def in_one_sentence(repo: str) -> Iterator[None]:
    """Turn what the Hub's libraries raise into one sentence."""
    import httpx2
    import pyarrow as pa
    from datasets.exceptions import DataFilesNotFoundError, DatasetNotFoundError, DatasetsError
    from huggingface_hub import constants
    from huggingface_hub.errors import (
        GatedRepoError,
        HfHubHTTPError,
        HFValidationError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    try:
        yield
    except LocalEntryNotFoundError:
        raise UserError(_NOT_CACHED.format(repo=repo)) from None
    except GatedRepoError:
        raise UserError(f"{repo!r} is gated; accept its terms on its page and set HF_TOKEN.") from None
    except (RepositoryNotFoundError, DatasetNotFoundError, HFValidationError):
        raise UserError(
            f"the Hub shows no data set {repo!r}; check the name, or set HF_TOKEN if it is private."
        ) from None
    except RevisionNotFoundError:
        raise UserError(f"{repo!r} has no such revision; check the branch, tag or commit.") from None
    except (httpx2.HTTPError, HfHubHTTPError) as error:
        raise UserError(f"{repo!r} cannot be read from the Hub ({_first_line(error)}); try again later.") from None
    except (DataFilesNotFoundError, FileNotFoundError) as error:
        if constants.HF_HUB_OFFLINE and not Path(repo).is_dir():
            raise UserError(_NOT_CACHED.format(repo=repo)) from None
        raise UserError(f"{repo!r} has no data that can be read ({_first_line(error)}); check its page.") from None
    except (DatasetsError, ValueError, RuntimeError, OSError, TypeError, pa.ArrowException) as error:
        raise UserError(
            f"{repo!r} cannot be read as a data set ({_first_line(error)}); name its files with --source.files."
        ) from None


def _first_line(error: Exception) -> str:
    lines = str(error.__cause__ or error).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__
