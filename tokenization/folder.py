"""The tokenizer folder: written whole, opened by `AutoTokenizer.from_pretrained` with no code of ours."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tokenizers import AddedToken, Tokenizer, processors

from corpora.errors import UserError
from corpora.folders import MANIFEST, read_manifest, write_json
from tokenization.specials import BEGIN, END, PAD, SPECIALS, UNKNOWN

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast


@dataclass(frozen=True)
class TrainedTokenizer:
    """What a trainer gives: the tokenizer and, where SentencePiece trained it, the SentencePiece model."""

    kind: str
    tokenizer: Tokenizer
    sentencepiece: bytes | None = None
    lossless: bool = True
    """Whether `decode(encode(text))` gives any Unicode text back."""
    deterministic: bool = True
    """Whether equal texts give equal bytes; if not, the hash in the manifest tells one artefact from another."""

    @property
    def vocabulary_size(self) -> int:
        """Number of ids, special tokens and byte pieces included."""
        return self.tokenizer.get_vocab_size()

    def save(self, folder: Path) -> None:
        """Write `tokenizer.json`, `tokenizer_config.json` and, if there is one, `tokenizer.model` into `folder`.

        The tokenizer puts `<s>` before a text and nothing after it. A text that spells out a special token ("<s>") is
        text: `split_special_tokens` keeps it from becoming the control id, in transformers as well as here.
        """
        tokenizer = Tokenizer.from_str(self.tokenizer.to_str())
        tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in SPECIALS])
        tokenizer.post_processor = processors.TemplateProcessing(
            single=f"{BEGIN} $A", pair=f"{BEGIN} $A $B", special_tokens=[(BEGIN, SPECIALS.index(BEGIN))]
        )
        tokenizer.save(str(folder / "tokenizer.json"))
        write_json(
            folder / "tokenizer_config.json",
            {
                "tokenizer_class": "PreTrainedTokenizerFast",
                "unk_token": UNKNOWN,
                "bos_token": BEGIN,
                "eos_token": END,
                "pad_token": PAD,
                "clean_up_tokenization_spaces": False,
                "split_special_tokens": True,
                "model_input_names": ["input_ids", "attention_mask"],
                "model_max_length": int(1e30),
                "padding_side": "left",
            },
        )
        if self.sentencepiece is not None:
            (folder / "tokenizer.model").write_bytes(self.sentencepiece)


def load_tokenizer(folder: str | os.PathLike[str]) -> PreTrainedTokenizerFast:
    """Open a tokenizer folder (or a model folder, which holds one too).

    `tokenizer(text)` puts `<s>` first and appends nothing; `tokenizer.encode(text, add_special_tokens=False)` gives the
    bare ids. Special tokens spelt out in a text stay text (`split_special_tokens`): no story can inject a control id.
    `tokenizer.decode(ids)` gives the text back exactly.

    Raises:
        UserError: the folder holds no tokenizer, a damaged one, or one without tokens for a story's beginning and end.
    """
    from transformers import PreTrainedTokenizerFast

    path = Path(folder)
    if not (path / "tokenizer.json").is_file():
        raise UserError(f"{str(path)!r} is no tokenizer folder (no tokenizer.json); check the path or train one first.")
    try:
        tokenizer = PreTrainedTokenizerFast.from_pretrained(path, local_files_only=True)
    except Exception as error:  # the Rust library raises bare Exception on a damaged file
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(f"the tokenizer in {str(path)!r} cannot be opened ({reason}); train it again.") from None
    if tokenizer.bos_token_id is None or tokenizer.eos_token_id is None:
        raise UserError(f"the tokenizer in {str(path)!r} has no beginning or end token; train one with kathalab.")
    return tokenizer


def is_ours(folder: Path) -> bool:
    """Whether a tokenizer folder was made by the lab, with its special tokens and its manifest."""
    return (folder / MANIFEST).is_file() and read_manifest(folder).get("kind") == "tokenizer"
