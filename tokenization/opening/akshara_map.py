"""akshara-tokenizer 1.2: every akshara of a text becomes one private-use letter, and SentencePiece cuts what comes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import regex

from corpora.errors import UserError
from tokenization.opening.sentencepiece_model import SentencePieceTokenizer, open_sentencepiece
from tokenization.opening.tokenizer import Encoded

_SCRIPTS = {
    # first consonant … last, first independent vowel … last, marks, whether a virama joins consonants
    "Devanagari": ("\u0915-\u093b\u093d", "\u0904-\u0914", "\u0901-\u0903\u093c\u093e-\u094e", True),
    "Gurmukhi": ("\u0a15-\u0a3b\u0a3d", "\u0a04-\u0a14", "\u0a01\u0a02\u0a3c\u0a3e-\u0a4e\u0a70\u0a71", False),
    "Tamil": ("\u0b95-\u0bb9", "\u0b85-\u0b94", "\u0b82\u0bbe-\u0bcf", False),
    "Telugu": ("\u0c15-\u0c3d", "\u0c04-\u0c14", "\u0c01-\u0c03\u0c3e-\u0c4e", True),
    "Bengali": ("\u0995-\u09bb\u09bd", "\u0985-\u0994", "\u0981-\u0983\u09bc\u09be-\u09ce", True),
    "Kannada": ("\u0c95-\u0cbd", "\u0c85-\u0c94", "\u0c81-\u0c83\u0cbe-\u0cce", True),
}
"""The tables of akshara_tokenizer 1.2.0 (Apache-2.0), errors and all: ৎ is a mark, ZWJ and the digits stand alone."""

_MARKS = "".join(marks for _, _, marks, _ in _SCRIPTS.values())
_VIRAMAS = "\u094d\u0a4d\u0bcd\u0c4d\u09cd\u0ccd"


def _unit(consonants: str, vowels: str, marks: str, joins: bool) -> str:
    more = f"[{_MARKS}]" + (f"|(?<=[{_VIRAMAS}])[{consonants}]" if joins else "")
    return f"[{consonants}{vowels}{marks}](?:{more})*"


AKSHARA = regex.compile("|".join([*(_unit(*script) for script in _SCRIPTS.values()), "."]), regex.DOTALL)


@dataclass(frozen=True, kw_only=True)
class AksharaMapTokenizer(SentencePieceTokenizer):
    """A SentencePiece model over letters that stand for aksharas."""

    letters: Mapping[str, str] = field(repr=False)
    """Akshara -> private-use letter."""

    def encode_batch(self, texts: Sequence[str]) -> list[Encoded]:
        written = [self._write(text) for text in texts]
        found = super().encode_batch(["".join(letters) for letters, _ in written])
        return [self._place_back(encoded, edges) for encoded, (_, edges) in zip(found, written, strict=True)]

    def decode(self, ids: Sequence[int]) -> str:
        return "".join(self._aksharas.get(letter, letter) for letter in super().decode(ids))

    def pieces(self) -> list[bytes]:
        return [
            piece if number in self.byte_ids else self._read(piece.decode()).encode()
            for number, piece in enumerate(super().pieces())
        ]

    @cached_property
    def _aksharas(self) -> dict[str, str]:
        return {letter: akshara for akshara, letter in self.letters.items()}

    def _read(self, letters: str) -> str:
        return "".join(self._aksharas.get(letter, letter) for letter in letters)

    def _write(self, text: str) -> tuple[list[str], np.ndarray]:
        """The letters of a text, and the code point at which each begins and the last ends, shape (letters + 1,)."""
        letters, lengths = [], []
        for match in AKSHARA.finditer(text):
            akshara = match[0]
            known = self.letters.get(akshara)
            letters += [known] if known else list(akshara)
            lengths += [len(akshara)] if known else [1] * len(akshara)
        return letters, np.concatenate([[0], np.cumsum(lengths, dtype=np.int32)]).astype(np.int32)

    @staticmethod
    def _place_back(encoded: Encoded, edges: np.ndarray) -> Encoded:
        return Encoded(encoded.ids, edges[encoded.starts], edges[encoded.ends])


def open_akshara_map(path: Path, letters: Path, name: str) -> AksharaMapTokenizer:
    """Open a `.model` with the `.map.json` beside it; UserError if one is damaged or they do not belong together."""
    model = open_sentencepiece(path, name)
    try:
        facts = json.loads(letters.read_text(encoding="utf-8"))
        mapping = {akshara: chr(int(letter)) for akshara, letter in facts["aksharas"].items()}
        belongs = facts.get("model_sha256", model.fingerprint) == model.fingerprint
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"{str(letters)!r} is no map of aksharas to letters ({error}); get it again.") from None
    if not belongs:
        raise UserError(f"{str(letters)!r} belongs to another model than {str(path)!r}; get both from one package.")
    fields = {key: value for key, value in vars(model).items() if key in model.__dataclass_fields__}
    return AksharaMapTokenizer(**fields | {"kind": model.kind.replace("sentencepiece", "akshara")}, letters=mapping)
