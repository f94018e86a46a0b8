"""One question to an endpoint: sent, sent again where that can help, and given up with a reason."""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import regex

from corpora.errors import UserError
from corpora.llm.budget import Ledger, OverBudgetError
from corpora.llm.endpoint import Endpoint, check_endpoint, import_openai
from corpora.llm.limits import Gate, retry_after, until_reset

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
"""Seconds before the second attempt where the endpoint does not say; twice as long before each next one."""
_NEVER_SENT = ("ConnectError", "ConnectTimeout", "PoolTimeout")
_SECRET = regex.compile(r"\b(?:sk|key|Bearer)[-_ ][\w*.-]{6,}")


@dataclass
class Answer:
    """What came back for one prompt, and what it took."""

    text: str = ""
    finish: str = ""
    """`stop`, `length`, `content_filter`, …"""
    refused: str = ""
    """The refusal, where the endpoint marks it as one."""
    model: str = ""
    """As the endpoint names it."""
    input_tokens: int = 0
    output_tokens: int = 0
    lost_tokens: int = 0
    """What attempts without an answer may have cost at most: those that hung, or whose connection broke."""
    cost: float = 0.0
    attempts: int = 0
    seconds: float = 0.0
    error: str = ""
    """Why there is no answer, if there is none."""

    @property
    def tokens(self) -> int:
        """All that was spent on it."""
        return self.input_tokens + self.output_tokens + self.lost_tokens


class Client:
    """Asks an endpoint through the official `openai` client."""

    def __init__(self, endpoint: Endpoint, ledger: Ledger):
        openai = import_openai()
        url = endpoint.url or os.environ.get("OPENAI_BASE_URL", "")
        check_endpoint(endpoint, url)
        self._key = os.environ.get("OPENAI_API_KEY", "")
        if not (self._key or url):
            raise UserError(
                "OpenAI needs a key in the environment variable OPENAI_API_KEY; or give --source.endpoint.url."
            )
        self._endpoint = endpoint
        self._ledger = ledger
        self._gate = Gate()
        self._longest_answer = _longest_answer(endpoint.settings)
        if ledger.limited and not self._longest_answer:
            raise UserError("a budget needs a longest answer; put max_tokens into --source.endpoint.settings.")
        self._client = openai.AsyncOpenAI(
            api_key=self._key or "none", base_url=url or None, max_retries=0, timeout=endpoint.timeout
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def ask(self, message: str) -> Answer:
        """The answer to one user message, or one with an `error` when the attempts are used up.

        Raises UserError where no request can succeed (key, model, quota), OverBudgetError where none may be sent.
        """
        answer, start = Answer(model=self._endpoint.model), time.monotonic()
        longest_prompt = len(message.encode()) + 64  # a token is at least a byte; 64 for a chat template
        aside = (longest_prompt, self._longest_answer)
        pause: float | None = 0.0
        while pause is not None and answer.attempts <= self._endpoint.retries:
            await asyncio.sleep(pause)
            await self._gate.passed()
            try:
                await self._ledger.set_aside(*aside)
            except OverBudgetError:
                if not answer.attempts:
                    raise
                break
            answer.attempts += 1
            tokens, cost = answer.tokens, answer.cost
            try:
                pause = await self._attempt(message, answer, aside)
            finally:
                await self._ledger.settle(aside, answer.tokens - tokens, answer.cost - cost)
        answer.seconds = round(time.monotonic() - start, 3)
        return answer

    async def _attempt(self, message: str, answer: Answer, aside: tuple[int, int]) -> float | None:
        """Fill `answer`, with an `error` if it went wrong; seconds to pause before another attempt, None for none."""
        openai = import_openai()
        messages = [{"role": "user", "content": message}]
        try:
            async with asyncio.timeout(self._endpoint.timeout):
                response = await self._client.chat.completions.with_raw_response.create(
                    model=self._endpoint.model, messages=messages, **self._endpoint.settings
                )
            body = response.http_response.json()
            _fill(answer, body)
        except openai.APIStatusError as error:
            return self._after_status(error, answer)
        except (openai.APIConnectionError, TimeoutError) as error:
            answer.error = _reason(error)
            if type(error.__cause__).__name__ not in _NEVER_SENT:
                self._lose(answer, aside)
            return _pause(answer)
        except (ValueError, LookupError, TypeError, AttributeError, openai.APIError):
            answer.error = "malformed JSON"
            self._lose(answer, aside)
            return _pause(answer)
        answer.error = ""
        if answer.input_tokens + answer.output_tokens:
            given = body["usage"].get("cost")
            prices = self._ledger.budget.cost(answer.input_tokens, answer.output_tokens)
            answer.cost += float(given) if isinstance(given, int | float) else prices
        else:
            self._lose(answer, aside)
        self._gate.close(until_reset(response.headers, sum(aside)))
        return None

    def _after_status(self, error: Any, answer: Answer) -> float | None:
        """What an HTTP status other than 2xx means."""
        status, headers = error.status_code, error.response.headers
        answer.error = f"HTTP {status}: {self._without_key(str(error.message))[:200]}"
        if error.code in ("content_filter", "content_policy_violation"):
            answer.error, answer.refused = "", str(error.code)
            return None
        if status in (401, 403):
            raise UserError(f"the endpoint refuses the key (HTTP {status}); put a valid one into OPENAI_API_KEY.")
        if status == 404:
            raise UserError(
                f"the endpoint has no model {self._endpoint.model!r}, or its URL is wrong (HTTP 404); check "
                "--source.endpoint.model and --source.endpoint.url."
            )
        if status == 402 or error.code == "insufficient_quota":
            raise UserError(
                "the account's quota is used up; run the command again when there is more, nothing is lost."
            )
        if status not in (408, 409, 425, 429) and status < 500:
            return None
        asked = retry_after(headers)
        if asked is None and status == 429:
            asked = until_reset(headers, 1) or _pause(answer)
        if asked is None:
            return _pause(answer)
        self._gate.close(asked)
        return 0.0

    def _lose(self, answer: Answer, aside: tuple[int, int]) -> None:
        """Count what an attempt may have cost at most, where the endpoint does not say what it did."""
        answer.lost_tokens += sum(aside)
        answer.cost += self._ledger.budget.cost(*aside)

    def _without_key(self, text: str) -> str:
        if self._key:
            text = text.replace(self._key, "…")
        return _SECRET.sub("…", text)


def _fill(answer: Answer, body: Any) -> None:
    """Take over what a chat completion says; ValueError, LookupError or TypeError if it is none."""
    choice = body["choices"][0]
    message = choice["message"]
    usage = body.get("usage") or {}
    answer.text = message.get("content") or ""
    if not isinstance(answer.text, str):
        raise ValueError("the content is no text")
    answer.refused = message.get("refusal") or ""
    answer.finish = choice.get("finish_reason") or ""
    answer.model = str(body.get("model") or answer.model)
    answer.input_tokens = int(usage.get("prompt_tokens") or 0)
    answer.output_tokens = int(usage.get("completion_tokens") or 0)


def _pause(answer: Answer) -> float:
    """Seconds before the next attempt: twice as long each time, and up to a half less by chance."""
    return min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (answer.attempts - 1)) * random.uniform(0.5, 1)


def _reason(error: Exception) -> str:
    cause = error.__cause__ or error
    timed_out = isinstance(error, TimeoutError) or "Timeout" in type(error).__name__
    return "no answer in time" if timed_out else f"connection: {type(cause).__name__}"


def _longest_answer(settings: Mapping[str, Any]) -> int:
    """The limit of tokens of an answer; 0 if there is none."""
    limits = (settings.get("max_tokens"), settings.get("max_completion_tokens"))
    return next((int(limit) for limit in limits if limit), 0)
