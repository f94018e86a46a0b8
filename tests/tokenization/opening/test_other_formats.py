"""SentencePiece models, normalising ones too, and RWKV's greedy vocabulary."""

import io
import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sentencepiece import SentencePieceProcessor, SentencePieceTrainer

from corpora.errors import UserError
from tokenization.opening.formats import open_tokenizer

LETTERS = "राज़ा्क्षিক্ষड़\u200d\u200c ab<s>é🙂\n\tＡﬁ¨ড়"
MIXED = st.text(st.sampled_from(LETTERS), max_size=25)


@pytest.fixture(scope="module")
def models(tmp_path_factory, texts):
    places = {}
    for name, options in {
        "identity": {"normalization_rule_name": "identity", "byte_fallback": True, "remove_extra_whitespaces": False},
        "nmt_nfkc": {"normalization_rule_name": "nmt_nfkc", "byte_fallback": True, "model_type": "bpe"},
        "no_fallback": {"normalization_rule_name": "nfkc", "byte_fallback": False},
    }.items():
        model = io.BytesIO()
        SentencePieceTrainer.train(
            sentence_iterator=iter(texts),
            model_writer=model,
            vocab_size=400,
            hard_vocab_limit=False,
            character_coverage=1.0,
            minloglevel=2,
            **options,
        )
        places[name] = tmp_path_factory.mktemp("models") / f"{name}.model"
        places[name].write_bytes(model.getvalue())
    return places


@pytest.fixture(scope="module")
def opened(models):
    return {name: open_tokenizer(path) for name, path in models.items()}


@pytest.mark.parametrize("name", ["identity", "nmt_nfkc", "no_fallback"])
@settings(deadline=None)
@given(text=MIXED)
@example(text="ＡＢ  राजा é🙂\u200cगया ﬁ<s>")
def test_ids_are_sentencepieces_and_every_piece_stands_where_its_text_is(opened, models, name, text):
    tokenizer, own = opened[name], SentencePieceProcessor(model_file=str(models[name]))
    [encoded] = tokenizer.encode_batch([text])
    assert encoded.ids.tolist() == own.encode(text)
    assert tokenizer.decode(encoded.ids.tolist()) == own.decode(own.encode(text))
    pieces = tokenizer.pieces()
    starts, ends = encoded.starts.tolist(), encoded.ends.tolist()
    assert all(0 <= start <= end <= len(text) for start, end in zip(starts, ends, strict=True))
    assert starts == sorted(starts) and ends == sorted(ends)
    for at, (number, start, end) in enumerate(zip(encoded.ids.tolist(), starts, ends, strict=True)):
        if number == tokenizer.unknown_id or pieces[number] == b" ":
            continue
        assert start < end, (at, text)
        # the piece is within what the normaliser makes of the text where it stands
        made = unicodedata.normalize("NFKC", text[start:end]).encode()
        assert pieces[number].strip(b" ") in (made if name != "identity" else text[start:end].encode())


@settings(deadline=None)
@given(text=MIXED)
def test_without_a_normaliser_every_byte_has_its_token(opened, text):
    tokenizer = opened["identity"]
    [encoded] = tokenizer.encode_batch([text])
    pieces = tokenizer.pieces()
    owner = [number for number, letter in enumerate(text) for _ in letter.encode()]
    assert b"".join(pieces[number] for number in encoded.ids) == b" " * bool(text) + text.encode()
    at = -1
    for number, start, end in zip(encoded.ids, encoded.starts, encoded.ends, strict=True):
        first, last = max(at, 0), at + len(pieces[number]) - 1
        at += len(pieces[number])
        assert (start, end) == ((owner[first], owner[last] + 1) if last >= first else (0, 0))


def test_a_model_is_described(opened):
    found = opened["nmt_nfkc"]
    assert (found.name, found.kind, found.byte_level) == ("nmt_nfkc", "sentencepiece-bpe", False)
    assert len(found.byte_ids) == 256 and found.pieces()[min(found.byte_ids) + 65] == b"A"
    assert found.pieces()[0] == b"<unk>" and found.unknown_id == 0 and found.vocabulary_size == len(found.pieces())
    assert opened["no_fallback"].byte_ids == frozenset() and opened["no_fallback"].kind == "sentencepiece-unigram"


def test_a_folder_may_hold_a_model(models, tmp_path):
    (tmp_path / "tokenizer.model").write_bytes(models["identity"].read_bytes())
    assert open_tokenizer(tmp_path).name == tmp_path.name


@pytest.mark.parametrize("content", [b"", b"abc", b"\x00" * 40, "राजा\n".encode() * 9])
def test_something_else_is_one_sentence(tmp_path, content):
    (tmp_path / "a.model").write_bytes(content)
    with pytest.raises(UserError, match=r"a\.model.*SentencePiece"):
        open_tokenizer(tmp_path / "a.model")


GREEDY = ["ab", "abcd", "राजा", " रा", "  ", "\r\n"]


def rwkv(path, words=GREEDY, spoil=lambda lines: lines):
    lines = [f"{byte + 1} {bytes([byte])!r} 1" if byte > 127 else f"{byte + 1} {chr(byte)!r} 1" for byte in range(256)]
    lines += [f"{number} {word!r} {len(word.encode())}" for number, word in enumerate(words, start=300)]
    path.write_text("\n".join(spoil(lines)) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def greedy(tmp_path_factory):
    return open_tokenizer(rwkv(tmp_path_factory.mktemp("greedy") / "rwkv_vocab.txt"))


def test_greedy_takes_the_longest_token(greedy):
    found = greedy
    [encoded] = found.encode_batch(["abcabcd é राजा"])
    pieces = [found.pieces()[number] for number in encoded.ids]
    assert pieces == [
        b"ab",
        b"c",
        b"abcd",
        b" ",
        b"\xc3",
        b"\xa9",
        " रा".encode(),
        *(bytes([b]) for b in "जा".encode()),
    ]
    assert encoded.starts.tolist() == [0, 2, 3, 7, 8, 8, 9, 12, 12, 12, 13, 13, 13]
    assert encoded.ends.tolist() == [2, 3, 7, 8, 9, 9, 12, 13, 13, 13, 14, 14, 14]
    assert (found.kind, found.byte_level, found.vocabulary_size, found.unknown_id) == ("greedy", True, 306, None)
    assert found.pieces()[0] == b"<|endoftext|>" and found.pieces()[299] == b""


@settings(deadline=None)
@given(text=st.text(st.sampled_from("abcdराजा \r\n🙂"), max_size=40))
def test_greedy_loses_nothing(greedy, text):
    found = greedy
    [encoded] = found.encode_batch([text])
    assert found.decode(encoded.ids.tolist()) == text
    ends = encoded.ends.tolist()
    assert (ends[-1:] or [0]) == [len(text)] and ends == sorted(ends)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda lines: [*lines[:70], "70 __import__('os') 1", *lines[70:]], "line 71 of"),
        (lambda lines: [*lines, "400 'ab' 3"], "its length"),
        (lambda lines: [*lines, "400 'ab', 'cd' 2"], "its length"),
        (lambda lines: [*lines, "400 '\\x' 1"], "its length"),
        (lambda lines: lines[:200], "no token for byte 200"),
    ],
)
def test_a_damaged_vocabulary_is_one_sentence(tmp_path, spoil, said):
    with pytest.raises(UserError, match=said):
        open_tokenizer(rwkv(tmp_path / "rwkv.txt", spoil=spoil))
