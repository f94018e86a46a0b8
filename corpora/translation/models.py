"""Seq2seq translation models of transformers, opened safely and told the languages in their own way of tagging."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from corpora.errors import UserError
from corpora.folders import sha256
from corpora.languages import Language, get_language

Tags = Literal["auto", "indictrans2", "none"]
_MBART = {"hi": "hi_IN", "mr": "mr_IN", "bn": "bn_IN", "en": "en_XX"}


@dataclass(frozen=True)
class Translated:
    """What a model made of one sentence."""

    text: str
    flags: tuple[str, ...] = ()
    """`too long` (the model cannot read so much), `cut off` (no end was reached), `unknown` (it or its source holds
    `<unk>`)."""


@dataclass(frozen=True)
class Tagging:
    """How a direction is told to a model."""

    prefix: str = ""
    """Put before the source sentence."""
    source: str = ""
    """The tokenizer's `src_lang`."""
    first: int | None = None
    """The token that the decoder is made to begin with."""
    devanagari: bool = False
    """Whether Bengali goes in and out in Devanagari letters, as IndicTrans2 has it."""


class TranslationModel:
    """A model that translates lists of sentences."""

    def __init__(
        self,
        name: str,
        revision: str = "",
        tags: Tags = "auto",
        beams: int = 1,
        batch_tokens: int = 4096,
        device: str = "auto",
    ):
        """Open a model from the Hub or a folder; the arguments are those of `corpora.sources.Translation`.

        Raises:
            UserError: it needs code of its own, has only pickled weights, is no seq2seq model, or is not there.
        """
        import torch

        self.name, self.tags, self.beams, self.batch_tokens = name, tags, beams, batch_tokens
        self.device = ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device
        self.model, self.tokenizer = _load(name, revision)
        half = self.device.startswith("cuda") and torch.cuda.is_bf16_supported()
        self.model = self.model.to(self.device, torch.bfloat16 if half else torch.float32).eval()
        self.longest = int(getattr(self.model.config, "max_position_embeddings", 0) or 512)

    @classmethod
    def of(cls, model: Any, tokenizer: Any) -> TranslationModel:
        """Translate with a model that is in memory, greedily and on the CPU."""
        self = cls.__new__(cls)
        self.name, self.tags, self.beams, self.batch_tokens, self.device = "", "auto", 1, 4096, "cpu"
        self.model, self.tokenizer = model.eval(), tokenizer
        self.longest = model.config.max_position_embeddings
        return self

    def fingerprint(self) -> str:
        """What was opened: the SHA-256 of a folder's weights, the Hub's commit of a downloaded model."""
        folder = Path(self.name)
        if not folder.is_dir():
            return str(getattr(self.model.config, "_commit_hash", "") or "")
        digests = [sha256(file) for file in sorted(folder.glob("*.safetensors"))]
        return digests[0] if len(digests) == 1 else "+".join(digests)

    def tagging(self, source: Language, target: Language) -> Tagging:
        """How to tell this model the direction; UserError if it does not know one of the languages."""
        if self.tags == "none":
            return Tagging()
        if self.tags == "indictrans2":
            return Tagging(prefix=f"{source.flores} {target.flores} ", devanagari=True)
        for tag, code in (
            (lambda one: one.flores, lambda one: one.flores),  # NLLB-200
            (lambda one: f"__{one.code}__", lambda one: one.code),  # M2M100
            (lambda one: _MBART[one.code], lambda one: _MBART[one.code]),  # mBART-50
        ):
            if self._knows(tag(source)) and self._knows(tag(target)):
                return Tagging(source=code(source), first=self.tokenizer.convert_tokens_to_ids(tag(target)))
        marian = self.model.config.model_type == "marian"
        tagged = [token for token in self.tokenizer.get_vocab() if token.startswith((">>", "<2"))]
        for name in (target.code, target.iso3, target.flores):
            if f">>{name}<<" in tagged:
                self._check_direction(source, target, tagged=True)
                return Tagging(prefix=f">>{name}<< ")
            if f"<2{name}>" in tagged:  # MADLAD-400
                return Tagging(prefix=f"<2{name}> ")
        if marian and not tagged:  # of one direction only
            self._check_direction(source, target, tagged=False)
            return Tagging()
        raise UserError(
            f"the model {self.name!r} has no language tags for {source.name} to {target.name} (looked for "
            f"{target.flores}, __{target.code}__, {_MBART[target.code]}, >>{target.code}<<, <2{target.code}>); take a "
            "model that knows both, or pass --source.tags if it is tagged like IndicTrans2 or not at all."
        )

    def translate(self, sentences: Sequence[str], source: str, target: str) -> list[Translated]:
        """Translations of sentences, in their order; sentences of like length are translated together."""
        import torch

        tagging = self.tagging(get_language(source), get_language(target))
        if tagging.source:
            self.tokenizer.src_lang = tagging.source
        texts = [tagging.prefix + (_devanagari(text, source) if tagging.devanagari else text) for text in sentences]
        ids = self.tokenizer(texts)["input_ids"] if texts else []
        unreadable = [self.tokenizer.unk_token_id in row for row in ids]
        results = [Translated("", ("too long",))] * len(texts)
        for batch in _batches([len(row) for row in ids], self.batch_tokens, self.longest):
            inputs = self.tokenizer.pad({"input_ids": [ids[index] for index in batch]}, return_tensors="pt")
            room = min(self.longest - 1, 2 * inputs["input_ids"].shape[1] + 16)
            with torch.inference_mode():
                outputs = self.model.generate(
                    input_ids=inputs["input_ids"].to(self.device),
                    attention_mask=inputs["attention_mask"].to(self.device),
                    num_beams=self.beams,
                    do_sample=False,
                    max_new_tokens=room,
                    max_length=None,
                    **({} if tagging.first is None else {"forced_bos_token_id": tagging.first}),
                )
            for index, row in zip(batch, outputs.tolist(), strict=True):
                text, flags = self._read(row[1:], tagging.first)  # behind the decoder's start
                if unreadable[index] and "unknown" not in flags:
                    flags = (*flags, "unknown")
                results[index] = Translated(_bengali(text, target) if tagging.devanagari else text, flags)
        return results

    def _read(self, row: list[int], tag: int | None) -> tuple[str, tuple[str, ...]]:
        """The text of output tokens, and what is wrong with them."""
        end, unknown = self.tokenizer.eos_token_id, self.tokenizer.unk_token_id
        flags = [] if end in row else ["cut off"]
        body = row[: row.index(end)] if end in row else row
        body = body[1:] if body[:1] == [tag] else body  # M2M100's tokenizer would write the tag out
        if unknown in body:
            flags.append("unknown")
        return self.tokenizer.decode(body, skip_special_tokens=True).strip(), tuple(flags)

    def _knows(self, token: str) -> bool:
        return self.tokenizer.convert_tokens_to_ids(token) not in (None, self.tokenizer.unk_token_id)

    def _check_direction(self, source: Language, target: Language, tagged: bool) -> None:
        """UserError where a Marian tokenizer says that it reads or writes another language."""
        reads, writes = (getattr(self.tokenizer, name, None) or "" for name in ("source_lang", "target_lang"))
        wrong = _is_another(reads, source) or (not tagged and _is_another(writes, target))
        if wrong:
            raise UserError(
                f"the model {self.name!r} translates {reads} to {writes or 'several languages'}, not {source.code} to "
                f"{target.code}; take one for that direction."
            )


def _is_another(code: str, language: Language) -> bool:
    """Whether a tokenizer's code of two or three letters names another language (groups like `inc` or `mul` pass)."""
    groups = ("mul", "inc", "ine", "iir")
    return len(code) in (2, 3) and code not in groups and code not in (language.code, language.iso3)


def _load(name: str, revision: str) -> tuple[Any, Any]:
    """Model and tokenizer, from safetensors only and without code of theirs."""
    from transformers import AutoModelForSeq2SeqLM, AutoTokenizer
    from transformers.utils import logging

    os.environ.setdefault("DISABLE_SAFETENSORS_CONVERSION", "1")  # asks nobody to convert pickled weights
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    options: dict[str, Any] = {"trust_remote_code": False, **({"revision": revision} if revision else {})}
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Recommended: pip install sacremoses")
            tokenizer = AutoTokenizer.from_pretrained(name, **options)
        return AutoModelForSeq2SeqLM.from_pretrained(name, use_safetensors=True, **options), tokenizer
    except (OSError, ValueError, KeyError) as error:
        raise UserError(_refusal(name, str(error))) from None


def _refusal(name: str, error: str) -> str:
    """One sentence for why a model was not opened."""
    text = " ".join(error.split())
    if "trust_remote_code" in text or "custom code" in text:
        return (
            f"the model {name!r} brings program code of its own, which is never run here (the original IndicTrans2 is "
            "such a model); take one whose architecture is part of transformers (NLLB-200, M2M100, MarianMT), or "
            "IndicTrans2 converted to one, with --source.tags indictrans2."
        )
    if "safetensors" in text:
        return (
            f"the model {name!r} has no safetensors weights, only pickled ones, which are never opened here; take a "
            "revision that has them (on the Hub often --source.revision refs/pr/N), or convert it elsewhere first."
        )
    if "Unrecognized configuration class" in text:
        return f"the model {name!r} is no sequence-to-sequence model; take NLLB-200, M2M100, MarianMT or the like."
    return f"the translation model {name!r} cannot be opened ({text[:200]}); check the name or folder."


def _batches(lengths: Sequence[int], tokens: int, longest: int) -> Iterator[list[int]]:
    """Indices of rows by length, the longest first, as many together as fit into `tokens` with padding.

    Rows of more than `longest` tokens are left out.
    """
    order = sorted((i for i, length in enumerate(lengths) if length <= longest), key=lambda i: (-lengths[i], i))
    while order:
        size = max(1, tokens // max(1, lengths[order[0]]))
        yield order[:size]
        order = order[size:]


def _devanagari(text: str, language: str) -> str:
    """Bengali in Devanagari letters, as IndicTrans2 reads it; other languages as they are."""
    if language != "bn":
        return text
    from indicnlp.transliterate.unicode_transliterate import UnicodeIndicTransliterator

    return UnicodeIndicTransliterator.transliterate(text, "bn", "hi")


def _bengali(text: str, language: str) -> str:
    """The way back; Bengali has no letter for Devanagari's va but ব."""
    if language != "bn":
        return text
    from indicnlp.transliterate.unicode_transliterate import UnicodeIndicTransliterator

    return UnicodeIndicTransliterator.transliterate(text, "hi", "bn").replace("\u09b5", "ব")
