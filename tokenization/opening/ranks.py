"""Vocabularies of ranked byte strings: `.tiktoken` files and Mistral's Tekken, as byte-level BPE of `tokenizers`."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from corpora.errors import UserError
from corpora.folders import read_json, sha256
from tokenization.opening.backends import fast_tokenizer
from tokenization.opening.tokenizer import FastTokenizer

if TYPE_CHECKING:
    from tokenizers import Tokenizer as Backend

END_OF_TEXT = "<|endoftext|>"
_CL100K = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_GPT2 = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
_O200K = "|".join(
    (
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
        r"\p{N}{1,3}",
        r" ?[^\s\p{L}\p{N}]+[\r\n/]*",
        r"\s*[\r\n]+|\s+(?!\S)|\s+",
    )
)


@dataclass(frozen=True)
class Encoding:
    """What a `.tiktoken` file leaves out: how a text is cut before its merges, and the special tokens."""

    pattern: str
    sha256: str = ""
    """Of the published file."""
    special: Mapping[str, int] = field(default_factory=dict)


ENCODINGS = {
    "o200k": Encoding(
        _O200K,
        "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
        {END_OF_TEXT: 199999, "<|endofprompt|>": 200018},
    ),
    "cl100k": Encoding(
        _CL100K,
        "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
        {
            END_OF_TEXT: 100257,
            "<|fim_prefix|>": 100258,
            "<|fim_middle|>": 100259,
            "<|fim_suffix|>": 100260,
            "<|endofprompt|>": 100276,
        },
    ),
    "p50k": Encoding(_GPT2, "94b5ca7dff4d00767bc256fdd1b27e5b17361d7b8a5f968547f9f23eb70d2069", {END_OF_TEXT: 50256}),
    "r50k": Encoding(_GPT2, "306cd27f03c1a714eca7108e03d66b7dc042abe8c258b44c199a7ed9838dd930", {END_OF_TEXT: 50256}),
    "llama-3": Encoding(
        _CL100K,
        "82e9d31979e92ab929cd544440f129d9ecd797b69e327f80f17e1c50d5551b55",
        {"<|begin_of_text|>": 128000, "<|end_of_text|>": 128001, "<|reserved_special_token_247|>": 128255},
    ),
}
"""The patterns and special tokens of tiktoken's `openai_public.py` and of Llama 3's `tokenizer.py`, written without
possessive quantifiers, which change nothing here and which `{1,3}+` is not in Oniguruma."""


def looks_like_ranks(path: Path) -> bool:
    """Whether a file begins with a line of `.tiktoken`: base64 and a number."""
    with open(path, "rb") as file:
        return re.fullmatch(rb"[A-Za-z0-9+/]+={0,2} \d+\r?\n?", file.readline(1000)) is not None


def open_tiktoken(path: Path) -> FastTokenizer:
    """Open a `.tiktoken` file; its pattern is known by the file's SHA-256, else by its name.

    Raises:
        UserError: the file is damaged, or nothing tells its pattern.
    """
    digest = sha256(path)
    plain = re.sub(r"[-_.]", "", path.name.lower())
    named = [name for name, encoding in ENCODINGS.items() if encoding.sha256 == digest]
    named += [name for name in ENCODINGS if name.replace("-", "") in plain]
    if not named:
        raise UserError(
            f"{str(path)!r} does not tell by which pattern a text is cut first; "
            f"rename it so that its name holds one of {', '.join(ENCODINGS)}."
        )
    return fast_tokenizer(ranks_backend(_read_ranks(path), ENCODINGS[named[0]]), path.stem, digest)


def open_encoding(name: str) -> FastTokenizer:
    """A tiktoken encoding such as `o200k_base` by the tiktoken package.

    Raises:
        UserError: the name is unknown, tiktoken is not installed, or it cannot fetch the vocabulary.
    """
    if name.removesuffix("_base") not in ENCODINGS:
        known = ", ".join(f"{short}_base" for short in ENCODINGS if short != "llama-3")
        raise UserError(f"there is no tiktoken encoding {name!r} here; choose from {known}.")
    how = f"fetch it with: kathalab tokenization unpack --names '[{name.removesuffix('_base')}]'"
    try:
        import tiktoken

        ranks = tiktoken.get_encoding(name)._mergeable_ranks
    except ImportError:
        raise UserError(f"the vocabulary of {name!r} is not unpacked and tiktoken is not installed; {how}") from None
    except (OSError, ValueError) as error:  # requests' errors are OSErrors; ValueError: unknown, or another SHA-256
        raise UserError(f"tiktoken cannot fetch {name!r} ({str(error).splitlines()[0]}); {how}") from None
    content = b"".join(base64.b64encode(token) + b" %d\n" % rank for token, rank in ranks.items())
    backend = ranks_backend(ranks, ENCODINGS[name.removesuffix("_base")])
    return fast_tokenizer(backend, name, hashlib.sha256(content).hexdigest())


def open_tekken(path: Path) -> FastTokenizer:
    """Open Mistral's `tekken_*.json`: the ids are the ranks, moved up by the number of special tokens."""
    facts = read_json(path)
    try:
        special, size = facts["config"]["default_num_special_tokens"], facts["config"]["default_vocab_size"]
        entries = facts["vocab"][: size - special]
        ranks = {base64.b64decode(entry["token_bytes"]): entry["rank"] + special for entry in entries}
        names = {f"<SPECIAL_{number}>": number for number in range(special)}
        for token in facts.get("special_tokens") or []:
            names.pop(f"<SPECIAL_{token['rank']}>", None)
            names[token["token_str"]] = token["rank"]
        backend = ranks_backend(ranks, Encoding(facts["config"]["pattern"], special=names))
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"{str(path)!r} is a damaged Tekken file ({error!r}); get the file again.") from None
    return fast_tokenizer(backend, path.stem, sha256(path))


def is_tekken(path: Path) -> bool:
    """Whether a JSON file is Tekken's: it has tiktoken's pattern where a `tokenizer.json` has none."""
    with open(path, "rb") as file:
        return re.match(rb'\s*\{\s*"config"\s*:\s*\{[^}]*"pattern"', file.read(2000)) is not None


def ranks_backend(ranks: Mapping[bytes, int], encoding: Encoding) -> Backend:
    """The byte-level BPE that gives tiktoken's ids.

    tiktoken joins, again and again, the two neighbours whose joined bytes rank lowest, wherever their border lies; so
    every cut of a token into two others is a merge, in the order of the tokens' ranks. A pre-token that is a token
    itself is taken whole (`ignore_merges`).
    """
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, pre_tokenizers
    from tokenizers.models import BPE

    from evaluation.token_bytes import byte_level_letters

    letters = {byte: letter for letter, byte in byte_level_letters().items()}
    if missing := [byte for byte in range(256) if bytes([byte]) not in ranks]:
        raise ValueError(f"no token for byte {missing[0]}")
    vocabulary = {"".join(letters[byte] for byte in token): rank for token, rank in ranks.items()}
    merges = []
    for token in sorted(vocabulary, key=vocabulary.__getitem__):
        cuts = [(token[:cut], token[cut:]) for cut in range(1, len(token))]
        known = [pair for pair in cuts if pair[0] in vocabulary and pair[1] in vocabulary]
        merges += sorted(known, key=lambda pair: (vocabulary[pair[0]], vocabulary[pair[1]]))
    # A special token stands in the vocabulary to have its number; no pattern makes its name one pre-token.
    backend = Tokenizer(BPE({**vocabulary, **encoding.special}, merges, ignore_merges=True))
    backend.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(encoding.pattern), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    backend.decoder = decoders.ByteLevel()
    backend.add_special_tokens([AddedToken(name, special=True, normalized=False) for name in encoding.special])
    return backend


def _read_ranks(path: Path) -> dict[bytes, int]:
    ranks: dict[bytes, int] = {}
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        try:
            token, rank = line.split()
            ranks[base64.b64decode(token, validate=True)] = int(rank)
        except (ValueError, binascii.Error):
            raise UserError(f"line {number} of {str(path)!r} is not base64 and a number; get the file again.") from None
    if missing := [byte for byte in range(256) if bytes([byte]) not in ranks]:
        raise UserError(f"{str(path)!r} has no token for byte {missing[0]}; get the whole file again.")
    if len(set(ranks.values())) < len(ranks):
        raise UserError(f"{str(path)!r} gives one rank to two tokens; get the file again.")
    return ranks
