"""Many prompts at once: asked with bounded concurrency, checked, and recorded one by one."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from corpora.errors import UserError
from corpora.llm.budget import Budget, Ledger, OverBudgetError
from corpora.llm.checks import Checks, check
from corpora.llm.client import Answer, Client
from corpora.llm.endpoint import Endpoint
from corpora.llm.prompts import Prompt, Prompts
from corpora.llm.records import UNANSWERED, Records
from corpora.llm.tidy import tidy
from corpora.progress import progress


@dataclass(frozen=True)
class Missing:
    """The prompts of a range that have no answer yet, in order, languages in turn."""

    prompts: Prompts
    indices: range
    done: Collection[str]

    def __len__(self) -> int:
        return sum(1 for _ in self._ids())

    def __iter__(self) -> Iterator[Prompt]:
        return (self.prompts.prompt(language, index) for language, index in self._ids())

    def _ids(self) -> Iterator[tuple[str, int]]:
        for index in self.indices:
            for language in self.prompts.languages:
                if self.prompts.id(language, index) not in self.done:
                    yield language, index


def ask_missing(
    prompts: Prompts, indices: range, records: Records, endpoint: Endpoint, budget: Budget, checks: Checks
) -> bool:
    """Ask every prompt of a range that has no record yet; whether the budget was enough for all.

    Raises UserError where the endpoint does not answer any more, or answers that it never will.
    """
    if not len(Missing(prompts, indices, records.done())):
        return True
    with records.writing() as writer:
        missing = Missing(prompts, indices, records.done())
        asked = progress(missing, f"Asking {endpoint.model}", "prompts")
        return asyncio.run(_ask(asked, endpoint, Ledger(budget, *records.spent()), checks, writer.write))


async def _ask(prompts: Iterable[Prompt], endpoint: Endpoint, ledger: Ledger, checks: Checks, write: Any) -> bool:
    client = Client(endpoint, ledger)
    queue = iter(prompts)
    stopped = False
    in_vain = 0

    async def work() -> None:
        nonlocal stopped, in_vain
        while not stopped and (prompt := next(queue, None)) is not None:
            try:
                answer = await client.ask(prompt.text)
            except OverBudgetError:
                stopped = True
                return
            write(record(prompt, answer, endpoint, checks))
            in_vain = in_vain + 1 if answer.error else 0
            if in_vain >= max(3, endpoint.concurrency):
                raise UserError(
                    f"the endpoint failed {in_vain} prompts in a row, the last with: {answer.error}; run the command "
                    "again when it works, it goes on from here."
                )

    try:
        async with asyncio.TaskGroup() as tasks:
            for _ in range(endpoint.concurrency):
                tasks.create_task(work())
    except ExceptionGroup as group:
        raise group.exceptions[0] from None
    finally:
        await client.close()
    return not stopped


def record(prompt: Prompt, answer: Answer, endpoint: Endpoint, checks: Checks) -> dict[str, Any]:
    """All that is kept of one prompt and its answer; with `reason` and `found` if it may not stay."""
    title, text = tidy(answer.text)
    reason, found = judge(prompt, answer, text, checks)
    return {
        "id": prompt.id,
        "index": prompt.index,
        "language": prompt.language,
        "level": prompt.level,
        "words": [prompt.noun, prompt.verb, prompt.adjective],
        "feature": prompt.feature,
        "group": prompt.group,
        "prompt": prompt.text,
        "title": title,
        "text": text,
        **({"reason": reason, "found": found} if reason else {}),
        "model": answer.model,
        "settings": endpoint.settings,
        "finish": answer.finish,
        "input_tokens": answer.input_tokens,
        "output_tokens": answer.output_tokens,
        "lost_tokens": answer.lost_tokens,
        "cost": answer.cost,
        "attempts": answer.attempts,
        "seconds": answer.seconds,
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def judge(prompt: Prompt, answer: Answer, text: str, checks: Checks) -> tuple[str, str]:
    """("", "") if an answer may stay, else the reason and what it was found by."""
    if answer.error:
        return UNANSWERED, answer.error
    if answer.refused or answer.finish == "content_filter":
        return "refusal", answer.refused or answer.finish
    reason, found = check(text, prompt, checks)
    if answer.finish == "length" and reason not in ("refusal", "empty"):
        return "cut off", f"{answer.output_tokens} tokens"
    return reason, found
