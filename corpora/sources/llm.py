r"""Stories asked of a language model at any OpenAI-compatible endpoint, as a source.

What to install: `pip install 'kathalab[llm]'`. What to start, for example, and its `--source.endpoint.url`:

    vllm serve google/gemma-3-4b-it               http://localhost:8000/v1
    llama-server -m MODEL.gguf --parallel 4       http://localhost:8080/v1
    ollama serve                                  http://localhost:11434/v1
    transformers serve MODEL                      http://localhost:8000/v1
    nothing: a commercial one                     its URL (OpenAI's if none is given), its key in OPENAI_API_KEY

(`transformers serve` heeds a temperature only where the model's generation_config.json says `"do_sample": true`.)

What to type:

    kathalab corpora build --source Llm --source.folder answers --source.languages [hi,mr,bn] --source.prompts 1000 \
      --source.endpoint.url http://localhost:8000/v1 --source.endpoint.model google/gemma-3-4b-it \
      --source.endpoint.concurrency 32 --source.endpoint.settings '{"temperature": 1.0, "max_tokens": 2000}' \
      --source.budget.tokens 5000000 --output corpus

The prompts of Regional TinyStories' kind, from its word lists:

      --source.profile regional-tinystories --source.words PATH/words --source.levels "['2+']"

Each prompt asks for one noun, verb, adjective and mood, drawn from all their combinations without replacement. Prompt N
is the same whoever computes it, so machines may share the work by `first`, each with a folder of its own; `cat` joins
their answers.jsonl and failures.jsonl afterwards. The folder holds

    answers.jsonl     what may stay: prompt, text, model, settings, tokens, cost, attempts, seconds
    failures.jsonl    the same for what may not, with `reason` (see `corpora.llm.checks`) and what it was `found` by
    prompts.json      whose answers these are
    report.json       counts by language and reason, tokens and cost by model

A killed run goes on where it was. A prompt that got no answer is asked again in the next run, a rejected answer is not.
A budget is never overrun: a request is sent if what it may cost at most still fits; the corpus is made of what is
there. The key stands in the environment only and is written nowhere.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from corpora.errors import UserError
from corpora.llm.asking import ask_missing
from corpora.llm.budget import Budget
from corpora.llm.checks import REASONS, Checks
from corpora.llm.endpoint import Endpoint
from corpora.llm.prompts import Prompts
from corpora.llm.records import ANSWERS, UNANSWERED, Records
from corpora.sources.base import Source
from corpora.stories import Story

_BUDGET, _CHECKS = Budget(), Checks()


class Llm(Source):
    """Stories asked of a language model, kept in a folder of answers that is never asked twice."""

    def __init__(
        self,
        folder: str,
        languages: list[str],
        prompts: int,
        endpoint: Endpoint,
        first: int = 0,
        seed: int = 0,
        profile: Literal["kathalab", "regional-tinystories"] = "kathalab",
        levels: list[str] | None = None,
        words: str = "",
        checks: Checks = _CHECKS,
        budget: Budget = _BUDGET,
        name: str = "llm",
        license: str = "",
        attribution: str = "",
    ):
        """Ask for stories and take those that pass the checks; what the folder holds already is not asked again.

        Args:
            folder: where the answers are kept.
            languages: ISO 639-1 codes; with the word lists that come along, prompt N is the same idea in each.
            prompts: how many prompts to ask in each language; fewer stories remain, as some answers fail the checks.
            endpoint: whom to ask, and how.
            first: the number of the first prompt.
            seed: another seed, another order of prompts.
            profile: levels of difficulty of this lab, or after the ideas of Regional TinyStories' prompts.
            levels: levels of the profile to ask for in turn; all if not given.
            words: a folder of word lists, `hindi/hindi-nouns.txt` … as Regional TinyStories published them, or
                `hi/nouns.txt` …; by default those that come along.
            checks: how strict the checks of the answers are.
            budget: what may be spent on this folder.
            name: the value of the `source` column.
            license: SPDX identifier of the licence that the model's terms allow for its output.
            attribution: whom the licence asks to name.
        """
        self.folder = folder
        self.languages = languages
        self.prompts = prompts
        self.endpoint = endpoint
        self.first = first
        self.seed = seed
        self.profile = profile
        self.levels = levels
        self.words = words
        self.checks = checks
        self.budget = budget
        self.name = name
        self.license = license
        self.attribution = attribution
        self._asked = Prompts(languages, seed, profile, levels or (), words)
        if prompts < 1 or first < 0 or first + prompts > len(self._asked):
            raise UserError(
                f"prompts {first:,} to {first + prompts - 1:,} are asked for, but the word lists make 0 to "
                f"{len(self._asked) - 1:,}."
            )
        self._records = Records(folder)

    def __iter__(self) -> Iterator[Story]:
        self._records.claim(
            self._asked.fingerprint,
            {"seed": self.seed, "profile": self.profile, "levels": self.levels, "words": self.words},
        )
        indices = range(self.first, self.first + self.prompts)
        try:
            enough = ask_missing(self._asked, indices, self._records, self.endpoint, self.budget, self.checks)
        finally:
            self._records.write_report()
        if not enough:
            print("The budget is reached; the corpus is made of the answers so far.", file=sys.stderr)
        places = {}
        for place, record in self._records.places(ANSWERS):
            if record["language"] in self.languages and record["index"] in indices:
                places[record["index"], self.languages.index(record["language"])] = place
        if not places:
            raise UserError(f"not one answer may stay; report.json and failures.jsonl in {self.folder!r} say why.")
        with open(Path(self.folder) / ANSWERS, "rb") as file:
            for key in sorted(places):
                file.seek(places[key])
                yield self._story(json.loads(file.readline()))

    def _story(self, record: dict[str, Any]) -> Story:
        asked = {field: record[field] for field in ("words", "feature", "level", "prompt")}
        return Story(
            id=f"{self.name}-{record['id']}",
            language=record["language"],
            text=record["text"],
            source=self.name,
            title=record["title"],
            group=f"{self.name}-{record['group']}",
            license=self.license,
            attribution=self.attribution,
            generator=record["model"],
            prompt=json.dumps(asked, ensure_ascii=False),
        )

    @property
    def about(self) -> str:  # type: ignore[override]
        """How the stories were made, with the counts of answers that may not stay."""
        report = self._records.report()
        kept, failures = report["answers"], report["failures"]
        if not kept and not failures:
            return ""
        reasons = [reason for reason in [*REASONS, UNANSWERED] if any(reason in counts for counts in failures.values())]
        rows = [
            _row(code, kept.get(code, 0), *(failures.get(code, {}).get(reason, 0) for reason in reasons))
            for code in sorted({*kept, *failures})
        ]
        made = (
            f"A language model ({', '.join(report['models'])}) wrote these stories. Each prompt asked for a noun, a "
            "verb, an adjective and a mood, drawn without replacement, and for a length and a form. An answer was kept "
            "if it is in the language and its script, of about the length asked for, finished, uses at least "
            f"{3 - self.checks.missing_words} of the three words in some form, and holds no instructions, advertising "
            "or refusal."
        )
        return "\n".join([made, "", _row("language", "kept", *reasons), _row(*["---"] * (2 + len(reasons))), *rows])

    def inputs(self) -> dict[str, str]:
        return self._records.inputs()


def _row(*cells: object) -> str:
    return f"| {' | '.join(map(str, cells))} |"
