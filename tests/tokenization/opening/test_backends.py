"""A `tokenizer.json` of any make: ids, places, pieces and descriptions."""

import json

import pytest
import regex
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

from corpora.errors import UserError
from corpora.folders import write_manifest
from tokenization.opening.formats import open_tokenizer

BYTES = [f"<0x{byte:02X}>" for byte in range(256)]
TEXT = "राजा  राजा क़िला ক্ষ é\n🙂<s> ab"
MIXED = st.text(st.sampled_from("राज़ा्क्षিক্ষড়\u200d\u200c ab<s>▁é🙂\n\t"), max_size=30)


def spans_by_bytes(text, pieces, prefix):
    """(start, end) of every token from the lengths of its bytes, for a tokenizer that loses nothing."""
    owner = [number for number, letter in enumerate(text) for _ in letter.encode()]
    assert b"".join(pieces) == b" " * prefix + text.encode()
    at, spans = -prefix, []
    for piece in pieces:
        first, last = max(at, 0), at + len(piece) - 1
        at += len(piece)
        spans.append((owner[first], owner[last] + 1) if last >= first else None)
    return spans


def check_spans(tokenizer, text, prefix):
    [encoded] = tokenizer.encode_batch([text])
    names = tokenizer.pieces()
    expected = spans_by_bytes(text, [names[number] for number in encoded.ids], prefix if text else 0)
    found = list(zip(encoded.starts.tolist(), encoded.ends.tolist(), strict=True))
    assert [span for span in expected if span] == [f for f, e in zip(found, expected, strict=True) if e]
    assert all(start == end for (start, end), span in zip(found, expected, strict=True) if span is None)


@pytest.fixture(scope="module")
def opened(folders):
    return {kind: open_tokenizer(folder) for kind, folder in folders.items()}


KINDS = ["sentencepiece-bpe", "sentencepiece-unigram", "bytelevel-bpe", "characters"]


@pytest.mark.parametrize("kind", KINDS)
@settings(deadline=None)
@given(text=MIXED)
@example(text="क़é🙂 ব")
def test_places_are_those_of_the_bytes(opened, kind, text):
    if "▁" not in text:  # which ours write in two pieces
        check_spans(opened[kind], text, prefix=int(kind.startswith("sentencepiece")))


@pytest.mark.parametrize("kind", KINDS)
def test_ids_are_those_of_transformers_and_come_back(opened, tokenizers, kind):
    [encoded] = opened[kind].encode_batch([TEXT])
    assert encoded.ids.tolist() == tokenizers[kind].encode(TEXT, add_special_tokens=False)
    assert opened[kind].decode(encoded.ids.tolist()) == TEXT


def test_a_folder_of_ours_tells_its_kind_licence_and_fingerprint(trained, tmp_path):
    trained["bytelevel-bpe"].save(tmp_path)
    assert open_tokenizer(tmp_path).kind == "bytelevel-bpe" and open_tokenizer(tmp_path).published
    write_manifest(tmp_path, "tokenizer", {"kind": "warning"}, licenses=["CC0-1.0", "MIT"])
    found = open_tokenizer(str(tmp_path))
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert (found.kind, found.license, found.published) == ("warning", "CC0-1.0, MIT", False)
    assert (found.fingerprint, found.name) == (manifest["fingerprint"], tmp_path.name)
    assert found.vocabulary_size == 520 == len(found.pieces())


def byte_level(trim, prefix=False):
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    backend = Tokenizer(models.BPE({letter: number for number, letter in enumerate(letters)}, [], dropout=0.5))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=prefix)
    backend.decoder = decoders.ByteLevel()
    backend.post_processor = processors.ByteLevel(trim_offsets=trim)
    backend.add_special_tokens(["<s>"])
    backend.enable_truncation(4)
    return backend


@settings(deadline=None)
@given(text=MIXED)
@pytest.mark.parametrize("prefix", [False, True])
def test_byte_level_places_cover_spaces_and_nothing_is_cut_off(tmp_path_factory, text, prefix):
    path = tmp_path_factory.mktemp("json") / "tokenizer.json"
    byte_level(trim=True, prefix=prefix).save(str(path))
    if not (prefix and text.startswith(" ")):
        check_spans(open_tokenizer(path), text, prefix=int(prefix))


def test_a_byte_level_tokenizer_is_described(tmp_path):
    byte_level(trim=True).save(str(tmp_path / "tokenizer.json"))
    found = open_tokenizer(tmp_path / "tokenizer.json")
    assert (found.name, found.kind, found.byte_level) == (tmp_path.name, "bytelevel-bpe", True)
    assert (found.unknown_id, found.byte_ids, found.vocabulary_size) == (None, frozenset(), 257)
    assert found.pieces()[256] == b"<s>" and sorted(found.pieces()[:256]) == [bytes([byte]) for byte in range(256)]


def test_unigram_bytes_have_their_own_places(tmp_path):
    vocabulary = [("<unk>", 0.0), ("a", -1.0), *((name, -5.0) for name in BYTES)]
    backend = Tokenizer(models.Unigram(vocabulary, unk_id=0, byte_fallback=True))
    backend.decoder = decoders.Sequence([decoders.ByteFallback(), decoders.Fuse()])
    backend.save(str(tmp_path / "small.json"))
    found = open_tokenizer(tmp_path / "small.json")
    [encoded] = found.encode_batch(["aéकa"])
    assert encoded.starts.tolist() == [0, 1, 1, 2, 2, 2, 3] and encoded.ends.tolist() == [1, 2, 2, 3, 3, 3, 4]
    assert (found.name, found.kind, found.unknown_id, len(found.byte_ids)) == ("small", "unigram", 0, 256)
    assert found.pieces()[2 + 0xE9] == b"\xe9"


def test_wordpiece(tmp_path):
    backend = Tokenizer(models.WordPiece({"[UNK]": 0, "ab": 1, "##c": 2, "क": 4}, unk_token="[UNK]"))
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    backend.normalizer = normalizers.Lowercase()
    backend.decoder = decoders.WordPiece()
    backend.save(str(tmp_path / "tokenizer.json"))
    found = open_tokenizer(tmp_path)
    [encoded] = found.encode_batch(["ABC  क xyz"])
    assert encoded.ids.tolist() == [1, 2, 4, 0]
    assert list(zip(encoded.starts.tolist(), encoded.ends.tolist(), strict=True)) == [(0, 2), (2, 3), (5, 6), (7, 10)]
    assert found.pieces() == [b"[UNK]", b"ab", b"c", b"", "क".encode()]
    assert (found.kind, found.unknown_id, found.vocabulary_size, found.byte_level) == ("wordpiece", 0, 5, False)


def test_the_name_of_a_special_token_is_text(tmp_path):
    backend = Tokenizer(models.BPE({"<": 0, "s": 1, ">": 2, "<s>": 3}, []))
    backend.decoder = decoders.Fuse()
    backend.add_special_tokens([AddedToken("<s>", special=True)])
    backend.save(str(tmp_path / "tokenizer.json"))
    assert open_tokenizer(tmp_path).encode_batch(["<s>"])[0].ids.tolist() == [0, 1, 2]


@pytest.mark.parametrize("content", ["", "{}", "[1]", '{"model": {"type": "BPE"}}', "\x00\x01"])
def test_a_damaged_file_is_one_sentence(tmp_path, content):
    (tmp_path / "tokenizer.json").write_text(content)
    with pytest.raises(UserError) as error:
        open_tokenizer(tmp_path)
    assert regex.fullmatch(r"[^\n]*tokenizer\.json[^\n]*\.", str(error.value))


def test_nothing_there_is_one_sentence(tmp_path):
    with pytest.raises(UserError, match="no tokenizer at"):
        open_tokenizer(tmp_path / "absent")
    with pytest.raises(UserError, match="no tokenizer folder"):
        open_tokenizer(tmp_path)


def test_another_programs_manifest_is_not_ours(trained, tmp_path):
    trained["bytelevel-bpe"].save(tmp_path)
    (tmp_path / "manifest.json").write_text('{"name": "a web page", "kind": "tokenizer"}')
    assert open_tokenizer(tmp_path).published and open_tokenizer(tmp_path).license == ""
