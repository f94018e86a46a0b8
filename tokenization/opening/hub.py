"""Tokenizers of the Hugging Face Hub: only the tokenizer's own file is fetched, and nothing of it is run."""

from __future__ import annotations

from pathlib import Path

from corpora.errors import UserError

HUB_FILES = ("tokenizer.json", "tokenizer.model", "tekken.json", "spiece.model", "sentencepiece.bpe.model")
"""What may hold a tokenizer, best first."""


def fetch_from_hub(repo: str, revision: str | None = None) -> tuple[Path, str, str]:
    """A model repository's tokenizer file in the Hub's cache, the commit it is of, and the licence its card states.

    Raises:
        UserError: the name is malformed, there is no such repository or revision, it is gated, it holds no tokenizer,
            or, offline, none of it is in the cache.
    """
    import httpx2
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import (
        EntryNotFoundError,
        GatedRepoError,
        HfHubHTTPError,
        HFValidationError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    unreachable = False
    try:
        for name in HUB_FILES:
            try:
                path = Path(hf_hub_download(repo, name, revision=revision))
            except LocalEntryNotFoundError:
                unreachable = True
                continue
            except EntryNotFoundError:
                continue
            commit = path.parent.name
            return path, commit, _license(repo, commit)
    except GatedRepoError:
        raise UserError(f"{repo!r} is gated; accept its terms on its page and set HF_TOKEN.") from None
    except (RepositoryNotFoundError, HFValidationError):
        raise UserError(f"the Hub shows no model {repo!r}; check the name, or set HF_TOKEN if it is private.") from None
    except RevisionNotFoundError:
        raise UserError(f"{repo!r} has no revision {revision!r}; check the branch, tag or commit.") from None
    except (httpx2.HTTPError, HfHubHTTPError, OSError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
        raise UserError(f"{repo!r} cannot be read from the Hub ({reason}); try again later.") from None
    if unreachable:
        raise UserError(
            f"the tokenizer of {repo!r} is not in the Hub's cache and the Hub cannot be reached; "
            f"check the connection, or fetch it where there is one (hf download {repo} tokenizer.json)."
        )
    raise UserError(f"{repo!r} holds no tokenizer that is known here (none of {', '.join(HUB_FILES)}); give another.")


def _license(repo: str, commit: str) -> str:
    """The licence in the front matter of the repository's card; empty if it cannot be had."""
    from huggingface_hub import ModelCard, hf_hub_download

    try:
        return str(ModelCard.load(hf_hub_download(repo, "README.md", revision=commit)).data.license or "")
    except Exception:  # a card is a courtesy: whatever is wrong with it, the tokenizer opens
        return ""
