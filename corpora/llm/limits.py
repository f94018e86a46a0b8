"""Rate limits as endpoints tell of them in headers, and a gate that holds everybody back until they are over."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

import regex

from corpora.errors import UserError

LONGEST_WAIT = 3600.0
"""Seconds; an endpoint that asks for more has to be asked another day."""
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = regex.compile(r"(?:(\d+(?:\.\d+)?)(ms|s|m|h|d))+")


class Gate:
    """Nothing passes before a moment that any answer may put off."""

    def __init__(self) -> None:
        self._opens = 0.0

    def close(self, seconds: float) -> None:
        """Keep shut for so long from now; UserError if that is unreasonably long."""
        if seconds > LONGEST_WAIT:
            raise UserError(
                f"the endpoint asks to wait {seconds / 3600:.1f} hours; run the command again then, nothing is lost."
            )
        self._opens = max(self._opens, time.monotonic() + seconds)

    async def passed(self) -> None:
        """Wait until the gate is open; those who waited go through one after another, not all at once."""
        while (wait := self._opens - time.monotonic()) > 0:
            await asyncio.sleep(wait + random.uniform(0, 0.25) * min(wait, 10))


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that `retry-after-ms` or `retry-after` ask for (number or date, RFC 9110 §10.2.3); None if neither."""
    if (milliseconds := _number(headers.get("retry-after-ms"))) is not None:
        return milliseconds / 1000
    value = headers.get("retry-after")
    if (seconds := _number(value)) is not None:
        return seconds
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time()) if value else None
    except ValueError:
        return None


def until_reset(headers: Mapping[str, str], tokens: int) -> float:
    """Seconds until the limits leave room for a request of so many tokens.

    By `x-ratelimit-{limit,remaining,reset}-{requests,tokens}`; a request above the whole limit waits for all of it.
    """
    waits = [0.0]
    for what, needed in (("requests", 1), ("tokens", tokens)):
        remaining = _number(headers.get(f"x-ratelimit-remaining-{what}"))
        limit = _number(headers.get(f"x-ratelimit-limit-{what}"))
        if remaining is not None and remaining < min(needed, limit or needed):
            waits.append(duration(headers.get(f"x-ratelimit-reset-{what}", "")))
    return max(waits)


def duration(text: str) -> float:
    """Seconds of `1s`, `6m0s`, `120ms`, `1h2m3.5s` or a bare number; 0 for anything else."""
    if (seconds := _number(text)) is not None:
        return seconds
    match = _DURATION.fullmatch(text.strip())
    return sum(float(n) * _UNITS[unit] for n, unit in zip(*match.allcaptures()[1:], strict=True)) if match else 0.0


def _number(text: str | None) -> float | None:
    try:
        value = float(text) if text else -1.0
    except ValueError:
        return None
    return value if 0 <= value < float("inf") else None
