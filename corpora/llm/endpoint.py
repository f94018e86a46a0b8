"""Whom to ask, and how: an OpenAI-compatible endpoint's options, and what cannot be right about them."""

from __future__ import annotations

import inspect
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from corpora.errors import UserError

_OURS = ("messages", "model", "n", "stream", "extra_headers", "extra_query")


@dataclass(frozen=True)
class Endpoint:
    """An OpenAI-compatible endpoint and how it is asked. Its key, if it needs one, stands in OPENAI_API_KEY.

    Args:
        model: the model's name there.
        url: its base URL, e.g. http://localhost:8000/v1; by default that of OPENAI_BASE_URL, else OpenAI's.
        settings: further arguments of `chat.completions.create`, e.g. {"temperature": 0.8, "max_tokens": 2000}; what
            only this endpoint knows goes into its `extra_body`.
        concurrency: how many requests are under way at once.
        timeout: seconds after which a request is given up and sent again.
        retries: how often a request is sent again.
    """

    model: str
    url: str = ""
    settings: dict[str, Any] = field(default_factory=lambda: {"temperature": 1.0, "max_tokens": 3000})
    concurrency: int = 8
    timeout: float = 300.0
    retries: int = 6


def import_openai() -> Any:
    """The `openai` package; UserError if it is not installed."""
    try:
        import openai
    except ImportError:
        raise UserError("asking a language model needs the openai package: pip install 'kathalab[llm]'.") from None
    return openai


def check_endpoint(endpoint: Endpoint, url: str) -> None:
    """UserError for options that cannot be right, or that would carry a key into a file."""
    import_openai()
    from openai.resources.chat.completions import AsyncCompletions

    parts = urlsplit(url)
    if url and parts.scheme not in ("http", "https"):
        raise UserError(f"the endpoint {url!r} is no URL; give one such as http://localhost:8000/v1.")
    if parts.username or parts.password or parts.query:
        raise UserError("the endpoint's URL holds a password or a query; put the key into OPENAI_API_KEY instead.")
    if taken := [name for name in endpoint.settings if name in _OURS]:
        raise UserError(f"--source.endpoint.settings may not hold {taken[0]!r}; it is set by the source.")
    known = inspect.signature(AsyncCompletions.create).parameters
    if unknown := [name for name in endpoint.settings if name not in known]:
        raise UserError(
            f"{unknown[0]!r} is no setting of chat completions; put what only this endpoint knows into extra_body: "
            f'{{"extra_body": {{"{unknown[0]}": …}}}}.'
        )
    if endpoint.concurrency < 1 or endpoint.retries < 0 or endpoint.timeout <= 0:
        raise UserError("concurrency is at least 1, retries at least 0, and the timeout more than 0 seconds.")
