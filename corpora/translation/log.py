"""The translations made so far, as JSON lines in the order of the stories: what a killed run goes on from."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from corpora.errors import UserError
from corpora.folders import cut_torn_line, read_json, write_json
from corpora.stories import Story


def digest(story: Story) -> str:
    """What of a story decides its translation."""
    return hashlib.sha256(f"{story.id}\n{story.title}\n{story.text}".encode()).hexdigest()[:32]


class TranslationLog:
    """`stories.jsonl` and, for those with flags, `flagged.jsonl`, read again in step with the source, then appended to.

    Memory holds one record of each file. A last line torn by a kill is cut off.
    """

    def __init__(self, folder: str | os.PathLike[str], settings: dict[str, Any]):
        """Open the log; UserError if the folder holds translations made with other settings."""
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        mark = self.folder / "settings.json"
        if not mark.exists():
            if any((self.folder / name).exists() for name in _NAMES):
                raise UserError(
                    f"{str(self.folder)!r} holds translations without settings.json; choose another --source.work."
                )
            write_json(mark, settings)
        elif (found := read_json(mark)) != json.loads(json.dumps(settings)):
            other = ", ".join(sorted(key for key in {**settings, **found} if settings.get(key) != found.get(key)))
            raise UserError(
                f"{str(self.folder)!r} holds translations made with other settings ({other}); choose another "
                "--source.work, or remove it to translate again."
            )
        self._files: dict[str, IO[bytes]] = {name: _open(self.folder / name) for name in _NAMES}
        self._next = {name: _record(file) for name, file in self._files.items()}

    def __enter__(self) -> TranslationLog:
        return self

    def __exit__(self, kind: type | None, value: BaseException | None, trace: TracebackType | None) -> None:
        for file in self._files.values():
            file.close()

    def read(self, keys: list[tuple[str, str]]) -> list[dict[str, Any]]:
        """The records of the first of these (story's digest, language), up to the first that is not there."""
        records = []
        for key in keys:
            name = next((n for n, one in self._next.items() if one and (one["of"], one["language"]) == key), None)
            if name is None:
                break
            records.append(self._next[name])
            self._next[name] = _record(self._files[name])
        if len(records) < len(keys):
            self.check_finished(False)
        return [record for record in records if record is not None]

    def check_finished(self, more_is_fine: bool) -> None:
        """UserError if the log holds records of other stories than the source's."""
        left = next((record for record in self._next.values() if record), None)
        if left and not more_is_fine:
            raise UserError(
                f"{str(self.folder)!r} goes on with the story {left['id']!r}, which the source does not have there; "
                "choose another --source.work, or remove it to translate again."
            )

    def write(self, record: dict[str, Any]) -> dict[str, Any]:
        """Append a record to the file it belongs to."""
        file = self._files["flagged.jsonl" if record.get("flags") else "stories.jsonl"]
        file.write((json.dumps(record, ensure_ascii=False) + "\n").encode())
        file.flush()
        return record


_NAMES = ("stories.jsonl", "flagged.jsonl")


def _open(path: Path) -> IO[bytes]:
    """A file to read and then to append to, without a torn last line."""
    file = open(path, "a+b")  # noqa: SIM115 - closed by the log
    cut_torn_line(path)
    file.seek(0)
    return file


def _record(file: IO[bytes]) -> dict[str, Any] | None:
    line = file.readline()
    return json.loads(line) if line else None
