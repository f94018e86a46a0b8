"""A tokenizer's card, and its way to the Hugging Face Hub."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from corpora.folders import read_manifest, write_text


def publish_tokenizer(folder: Path, repo: str, private: bool) -> str:
    """Upload a tokenizer folder with its card; the address. UserError if it is no tokenizer folder."""
    from corpora.publishing.hub import upload

    card = model_card(read_manifest(folder, "tokenizer"), repo)
    with tempfile.TemporaryDirectory() as temporary:
        whole = Path(shutil.copytree(folder, Path(temporary) / "tokenizer"))
        write_text(whole / "README.md", card)
        return upload(whole, repo, private=private, message="Tokenizer made with kathalab")


def model_card(manifest: Mapping[str, Any], repo: str) -> str:
    """What the tokenizer is, what it was made from, and how it is opened."""
    facts = manifest["configuration"]
    languages = "".join(f"- {language}\n" for language in facts["languages"])
    licenses = ", ".join(manifest["licenses"]) or "none stated"
    corpus = f"the corpus with fingerprint `{manifest['inputs']['corpus']}`"
    if "source" in facts:
        made = (
            f"{facts['source']} ({facts['source_vocabulary_size']:,} ids, SHA-256 `{manifest['inputs']['tokenizer']}`) "
            f"pruned with kathalab to {facts['vocabulary_size']:,} ids that {corpus} uses. Its licence: {licenses}."
        )
    else:
        made = (
            f"A {facts['kind']} tokenizer of {facts['vocabulary_size']} ids, made with kathalab from {corpus} "
            f"(licences of its text: {licenses})."
        )
    lossless = facts.get("lossless", True)
    read_back = "any Unicode text is read back exactly" if lossless else "not every text is read back exactly"
    return (
        f"---\nlanguage:\n{languages}tags:\n- tokenizer\n---\n\n# {repo.split('/')[-1]}\n\n{made}\n"
        f"`<s>` begins a text, `</s>` ends a story; {read_back}.\n\n"
        "```python\nfrom transformers import AutoTokenizer\n\n"
        f'tokenizer = AutoTokenizer.from_pretrained("{repo}")\n```\n'
    )
