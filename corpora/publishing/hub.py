"""Uploading a finished folder to the Hugging Face Hub: one helper for corpora, tokenizers and models.

    upload(folder, repo, repo_type, private, allow_patterns) -> url

The token comes from the environment (`HF_TOKEN`) or the cached login (`hf auth login`) and from nowhere else; it is
never an argument, so that it stays out of shell histories and manifests.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Literal

from corpora.errors import UserError


def upload(
    folder: str | os.PathLike[str],
    repo: str,
    repo_type: Literal["model", "dataset"] = "model",
    private: bool = False,
    allow_patterns: Sequence[str] | None = None,
    message: str = "Upload with kathalab",
) -> str:
    """Create the repository if it is missing, upload the folder's files in one commit, and return the page's address.

    Args:
        folder: a finished folder.
        repo: `USER/NAME`.
        repo_type: what kind of repository to create.
        private: whether a repository created now is private (an existing one keeps its visibility).
        allow_patterns: names of files to upload, as glob patterns; everything if None.
        message: the commit's message.

    Raises:
        UserError: the name is malformed, there is no token, or the Hub refuses or cannot be reached.
    """
    import httpx2
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalTokenNotFoundError, OfflineModeIsEnabled

    if repo.count("/") != 1 or not all(repo.split("/")):
        raise UserError(f"{repo!r} is not a repository's name; give it as USER/NAME.")
    api = HfApi()
    patterns = None if allow_patterns is None else list(allow_patterns)
    try:
        if not api.token and not _logged_in():
            raise LocalTokenNotFoundError
        api.create_repo(repo, repo_type=repo_type, private=private, exist_ok=True)
        api.upload_folder(
            repo_id=repo,
            folder_path=os.fspath(folder),
            repo_type=repo_type,
            allow_patterns=patterns,
            commit_message=message,
        )
    except LocalTokenNotFoundError:
        raise UserError("there is no Hub token; set HF_TOKEN or run `hf auth login`, then publish again.") from None
    except HFValidationError:
        raise UserError(f"{repo!r} is not a name the Hub accepts; use letters, digits, '-', '_' and '.'.") from None
    except OfflineModeIsEnabled:
        raise UserError("HF_HUB_OFFLINE is set, so nothing can be uploaded; unset it and publish again.") from None
    except HfHubHTTPError as error:
        raise UserError(_refusal(error, repo)) from None
    except httpx2.HTTPError as error:
        raise UserError(
            f"the Hub at {api.endpoint} cannot be reached ({type(error).__name__}); check the connection and try again."
        ) from None
    return f"{api.endpoint}/{'datasets/' if repo_type == 'dataset' else ''}{repo}"


def _logged_in() -> bool:
    from huggingface_hub import get_token

    return get_token() is not None


def _refusal(error: Exception, repo: str) -> str:
    """One sentence for an answer of the Hub that is not success."""
    response = getattr(error, "response", None)
    status = getattr(response, "status_code", 0)
    said = (getattr(error, "server_message", None) or "").strip().splitlines()
    because = f": {said[0].rstrip('.')}" if said else ""
    if status == 401:
        return f"the Hub does not accept the token (401{because}); make a new one with write access and set HF_TOKEN."
    if status == 403:
        return f"the token may not write to {repo!r} (403{because}); use one with write access to that account."
    if status == 404:
        return f"the Hub knows no account or repository for {repo!r} (404{because}); check the name."
    return f"the Hub refused the upload to {repo!r} ({status}{because}); try again later."
