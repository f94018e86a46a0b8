"""The folder of answers: `answers.jsonl`, `failures.jsonl`, `prompts.json`, `report.json`."""

from __future__ import annotations

import fcntl
import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from corpora.errors import UserError
from corpora.folders import cut_torn_line, read_json, sha256, write_json

ANSWERS, FAILURES = "answers.jsonl", "failures.jsonl"
UNANSWERED = "unanswered"
"""The reason of a failure that is no answer: it is asked again in the next run."""


class Records:
    """Records by prompt, one JSON object a line, in the order in which the answers came.

    A line is appended and flushed when its answer is there, so a kill loses only what was on its way. A last line that
    a kill tore is dropped on reading, and cut off before the next one is written.
    """

    def __init__(self, folder: str | os.PathLike[str]):
        self.folder = Path(folder)

    @contextmanager
    def writing(self) -> Iterator[Writer]:
        """Append records; UserError if another process does so in the same folder at the same time."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with open(self.folder / ANSWERS, "ab") as answers, open(self.folder / FAILURES, "ab") as failures:
            try:
                fcntl.flock(answers, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise UserError(
                    f"another process is writing to {str(self.folder)!r}; give each its own folder."
                ) from None
            for file in (answers, failures):
                cut_torn_line(file.name)
            yield Writer(answers, failures)

    def read(self, name: str) -> Iterator[dict[str, Any]]:
        """The records of one file, without a torn last line."""
        for _, record in self.places(name):
            yield record

    def places(self, name: str) -> Iterator[tuple[int, dict[str, Any]]]:
        """Byte offset and content of each record of one file."""
        path = self.folder / name
        if not path.is_file():
            return
        with open(path, "rb") as file:
            place = 0
            for number, line in enumerate(file, 1):
                if not line.endswith(b"\n"):
                    return
                try:
                    yield place, json.loads(line)
                except ValueError as error:
                    raise UserError(f"line {number} of {str(path)!r} is not valid JSON ({error}); remove it.") from None
                place += len(line)

    def done(self) -> set[str]:
        """Ids of the prompts that have an answer, good or bad."""
        found = {record["id"] for record in self.read(ANSWERS)}
        return found | {record["id"] for record in self.read(FAILURES) if record["reason"] != UNANSWERED}

    def spent(self) -> tuple[int, float]:
        """Tokens and money that all records together have cost."""
        tokens, money = 0, 0.0
        for name in (ANSWERS, FAILURES):
            for record in self.read(name):
                tokens += record["input_tokens"] + record["output_tokens"] + record["lost_tokens"]
                money += record["cost"]
        return tokens, money

    def claim(self, fingerprint: Mapping[str, str], facts: Mapping[str, Any]) -> None:
        """Tie the folder to a set of prompts (language -> fingerprint); UserError if it belongs to another."""
        path = self.folder / "prompts.json"
        known = read_json(path)["fingerprint"] if path.is_file() else {}
        for language, value in fingerprint.items():
            if known.get(language, value) != value:
                raise UserError(
                    f"{str(self.folder)!r} holds answers to other {language!r} prompts (another seed, profile, levels "
                    "or word lists); choose another folder."
                )
        if any(language not in known for language in fingerprint):
            write_json(path, {"fingerprint": {**known, **fingerprint}, **facts})

    def report(self) -> dict[str, Any]:
        """How many answers stayed and why the others did not, by language; tokens and cost by model."""
        answers: Counter[str] = Counter()
        failures: dict[str, Counter[str]] = {}
        models: dict[str, Counter[str]] = {}
        stayed: set[str] = set()
        for record in self.read(ANSWERS):
            stayed.add(record["id"])
            answers[record["language"]] += 1
            _add(models, record)
        last = {record["id"]: record for record in self.read(FAILURES)}
        for record in self.read(FAILURES):
            _add(models, record)
        for record in last.values():
            if record["id"] not in stayed:
                failures.setdefault(record["language"], Counter())[record["reason"]] += 1
        return {
            "answers": dict(sorted(answers.items())),
            "failures": {language: dict(counts.most_common()) for language, counts in sorted(failures.items())},
            "models": {model: dict(sorted(counts.items())) for model, counts in sorted(models.items())},
        }

    def write_report(self) -> dict[str, Any]:
        """Write `report.json` and return what it says."""
        report = self.report()
        write_json(self.folder / "report.json", report)
        return report

    def inputs(self) -> dict[str, str]:
        """SHA-256 of the files of records."""
        return {name: sha256(self.folder / name) for name in (ANSWERS, FAILURES) if (self.folder / name).is_file()}


class Writer:
    """Appends records to the two files."""

    def __init__(self, answers: IO[bytes], failures: IO[bytes]):
        self._files = {True: answers, False: failures}

    def write(self, record: Mapping[str, Any]) -> None:
        """One line, on its way to the disk when this returns; a record with a `reason` is a failure."""
        file = self._files["reason" not in record]
        file.write(json.dumps(record, ensure_ascii=False).encode() + b"\n")
        file.flush()


def _add(models: dict[str, Counter[str]], record: Mapping[str, Any]) -> None:
    counts = models.setdefault(record["model"], Counter())
    for key in ("input_tokens", "output_tokens", "lost_tokens", "cost"):
        counts[key] += record[key]
