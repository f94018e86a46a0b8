"""What the training commands need around LightningCLI: mistakes as one sentence."""

from __future__ import annotations

import re
from typing import Any

from jsonargparse import Namespace

from corpora.errors import UserError


def refuse_secrets(options: Any) -> None:
    """UserError if a logger is given a key or token, which would stand in `config.yaml` for anyone to read."""
    if isinstance(options, list):
        for each in options:
            refuse_secrets(each)
    for name, value in options.items() if isinstance(options, (dict, Namespace)) else ():
        key = name.rsplit(".", 1)[-1]
        if value and any(word in key.lower() for word in ("api_key", "token", "password", "secret")):
            raise UserError(
                f"the logger's `{key}` would be written into config.yaml; leave it out and give it in the environment "
                "(WANDB_API_KEY, COMET_API_KEY, …) or by the logger's own login command."
            )
        refuse_secrets(value)


def missing_packages(error: BaseException | None) -> str:
    """What to install, if a missing package is behind an error; else empty."""
    while error is not None and not isinstance(error, ModuleNotFoundError):
        error = error.__cause__ or error.__context__
    if error is None:
        return ""
    return " or ".join(re.findall(r"pip install -U '(.+?)'", str(error))) or str(error.name)
