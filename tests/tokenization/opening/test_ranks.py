"""`.tiktoken` and Tekken files against tiktoken's own rule, written out below, and against small known answers."""

import base64
import json
import os
from itertools import pairwise
from pathlib import Path

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from corpora.errors import UserError
from tokenization.opening.formats import open_tokenizer
from tokenization.opening.ranks import ENCODINGS

JOINED = [
    "aa",
    "aaa",
    "aaaa",
    "ab",
    "aba",
    " a",
    " ab",
    "  ",
    "   ",
    "राज",
    "ा",
    " र",
    " राजा",
    "राजा",
    "'s",
    "12",
    "\n\n",
]
TEXTS = st.text(st.sampled_from("aaab  12'sराजा्कক্ষ\u200dé🙂\n\r\t<|endoftext|>"), max_size=40)


def tokens_of(text):
    """Bytes first, then every prefix of what is wanted, so that merges exist."""
    content = text.encode()
    return [content[:end] for end in range(2, len(content) + 1)]


@pytest.fixture(scope="module")
def ranks():
    found = {bytes([byte]): byte for byte in range(256)}
    for word in JOINED:
        for token in [*tokens_of(word), word.encode()[1:]]:
            found.setdefault(token, len(found))
    return found


def write(path, ranks):
    path.write_bytes(b"".join(base64.b64encode(token) + b" %d\n" % rank for token, rank in ranks.items()))
    return path


def tiktoken_ids(text, ranks, pattern):
    """tiktoken's educational `bpe_encode`: join the neighbours that rank lowest, leftmost first."""
    ids = []
    for match in regex.finditer(pattern, text):
        word = match[0].encode()
        parts = [word] if word in ranks else [bytes([byte]) for byte in word]
        while len(parts) > 1:
            joined = [(ranks.get(left + right, 1 << 30), at) for at, (left, right) in enumerate(pairwise(parts))]
            rank, at = min(joined)
            if rank == 1 << 30:
                break
            parts[at : at + 2] = [parts[at] + parts[at + 1]]
        ids += [ranks[part] for part in parts]
    return ids


PATTERNS = ["o200k", "cl100k", "r50k", "llama-3"]


@pytest.fixture(scope="module")
def opened(ranks, tmp_path_factory):
    folder = tmp_path_factory.mktemp("ranks")
    found = {name: open_tokenizer(write(folder / f"{name}.tiktoken", ranks)) for name in PATTERNS}
    return {name: (tokenizer, tokenizer.pieces()) for name, tokenizer in found.items()}


@pytest.mark.parametrize("name", PATTERNS)
@settings(deadline=None)
@given(text=TEXTS)
def test_ids_are_tiktokens(ranks, opened, name, text):
    tokenizer, names = opened[name]
    [encoded] = tokenizer.encode_batch([text])
    assert encoded.ids.tolist() == tiktoken_ids(text, ranks, ENCODINGS[name].pattern)
    assert tokenizer.decode(encoded.ids.tolist()) == text
    pieces = [names[number] for number in encoded.ids]
    assert b"".join(pieces) == text.encode()
    owner = [number for number, letter in enumerate(text) for _ in letter.encode()]
    at = 0
    for piece, start, end in zip(pieces, encoded.starts, encoded.ends, strict=True):
        assert (start, end) == (owner[at], owner[at + len(piece) - 1] + 1)
        at += len(piece)


def test_marks_are_cut_off_by_the_old_pattern_and_kept_by_the_new_one(ranks, tmp_path):
    whole = {**ranks, " राजा".encode(): ranks[" राजा".encode()]}
    new = open_tokenizer(write(tmp_path / "o200k_base.tiktoken", whole))
    old = open_tokenizer(write(tmp_path / "cl100k_base.tiktoken", whole))
    assert new.encode_batch(["ab राजा"])[0].ids.tolist() == [ranks[b"ab"], ranks[" राजा".encode()]]
    assert len(old.encode_batch(["ab राजा"])[0].ids) > 2


def test_a_file_is_described(ranks, tmp_path):
    found = open_tokenizer(write(tmp_path / "my-o200k.tiktoken", ranks))
    assert (found.name, found.kind, found.byte_level, found.published) == ("my-o200k", "bytelevel-bpe", True, True)
    assert found.vocabulary_size == 200019 == len(found.pieces())
    assert found.pieces()[200018] == b"<|endofprompt|>" and found.pieces()[100_000] == b""
    assert found.encode_batch(["<|endoftext|>"])[0].ids.max() < len(ranks)


def test_a_model_file_may_hold_ranks_as_llama_3s_does(ranks, tmp_path):
    folder = tmp_path / "Llama-3.2-1B"
    folder.mkdir()
    with pytest.raises(UserError, match="rename it so that its name holds one of o200k"):
        open_tokenizer(write(tmp_path / "unknown.model", ranks))
    write(folder / "llama-3.model", ranks)
    assert open_tokenizer(folder / "llama-3.model").vocabulary_size == 128256


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda lines: lines[:-1] + [b"YQ== x"], "line 5 of .* is not base64"),
        (lambda lines: lines, "has no token for byte 5"),
        (lambda lines: [*lines, b"!!! 7"], "is not base64"),
    ],
)
def test_a_damaged_file_is_one_sentence(tmp_path, change, said):
    lines = [base64.b64encode(bytes([byte])) + b" %d" % byte for byte in range(5)]
    path = tmp_path / "o200k.tiktoken"
    path.write_bytes(b"\n".join(change(lines)))
    with pytest.raises(UserError, match=said):
        open_tokenizer(path)


def test_equal_ranks_are_refused(ranks, tmp_path):
    with pytest.raises(UserError, match="one rank to two tokens"):
        open_tokenizer(write(tmp_path / "o200k.tiktoken", {**ranks, b"zz": 3}))


def tekken(path, ranks, **changes):
    facts = {
        "config": {
            "pattern": ENCODINGS["o200k"].pattern,
            "num_vocab_tokens": len(ranks) + 5,
            "default_vocab_size": len(ranks) + 10,
            "default_num_special_tokens": 10,
            "version": "v3",
        },
        "vocab": [
            *({"rank": rank, "token_bytes": base64.b64encode(token).decode()} for token, rank in ranks.items()),
            {"rank": len(ranks), "token_bytes": "enp6", "token_str": "zzz"},
        ],
        "special_tokens": [{"rank": 1, "token_str": "<s>", "is_control": True}],
    }
    path.write_text(json.dumps(facts | changes))
    return path


def test_tekken_moves_ids_up_and_leaves_out_what_is_over_its_size(ranks, tmp_path):
    found = open_tokenizer(tekken(tmp_path / "tekken_1.json", ranks))
    plain = tiktoken_ids("राजा ab zzz<s>", ranks, ENCODINGS["o200k"].pattern)
    assert found.encode_batch(["राजा ab zzz<s>"])[0].ids.tolist() == [number + 10 for number in plain]
    assert (found.vocabulary_size, found.name) == (len(ranks) + 10, "tekken_1")
    assert found.pieces()[:3] == [b"<SPECIAL_0>", b"<s>", b"<SPECIAL_2>"] and found.pieces()[10] == b"\0"


def test_a_damaged_tekken_is_one_sentence(ranks, tmp_path):
    with pytest.raises(UserError, match="damaged Tekken file"):
        open_tokenizer(tekken(tmp_path / "t.json", ranks, vocab=[{"rank": 0, "token_bytes": "AA=="}]))
    with pytest.raises(UserError, match="damaged Tekken file"):
        open_tokenizer(tekken(tmp_path / "t.json", ranks, vocab=[{}]))


@pytest.mark.real
@pytest.mark.skipif("KATHALAB_VOCABULARIES" not in os.environ, reason="no vocabularies unpacked")
def test_the_published_o200k_knows_its_own_words():
    folder = Path(os.environ["KATHALAB_VOCABULARIES"])
    o200k = open_tokenizer(folder / "o200k" / "o200k_base.tiktoken")
    # tiktoken 0.14: get_encoding("o200k_base").encode("hello world") == [24912, 2375]
    assert o200k.encode_batch(["hello world"])[0].ids.tolist() == [24912, 2375]
