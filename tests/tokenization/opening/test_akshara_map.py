"""akshara-tokenizer's format: a SentencePiece model over letters that stand for aksharas."""

import io
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sentencepiece import SentencePieceTrainer

from corpora.errors import UserError
from corpora.folders import sha256
from tokenization.opening.akshara_map import AKSHARA
from tokenization.opening.formats import open_tokenizer


@pytest.mark.parametrize(
    ("text", "units"),
    [
        # what akshara_tokenizer 1.2.0's segment_aksharas gives
        ("क्षत्रिय a", ["क्ष", "त्रि", "य", " ", "a"]),
        ("ऱ्या", ["ऱ्या"]),
        ("र्\u200dया", ["र्", "\u200d", "या"]),
        ("तमिल் க்ஷ", ["त", "मि", "ल்", " ", "க்", "ஷ"]),
        ("ৎক", ["ৎ", "ক"]),
        ("कৎ१", ["कৎ", "१"]),
        ("\u093eक", ["\u093e", "क"]),
    ],
)
def test_aksharas_are_cut_as_the_package_cuts_them(text, units):
    assert [match[0] for match in AKSHARA.finditer(text)] == units


@pytest.fixture(scope="module")
def model(texts, tmp_path_factory):
    folder = tmp_path_factory.mktemp("akshara")
    units = sorted({match[0] for text in texts for match in AKSHARA.finditer(text) if len(match[0]) > 1})
    letters = {unit: 0xE000 + number for number, unit in enumerate(units)}
    written = ["".join(chr(letters[m[0]]) if m[0] in letters else m[0] for m in AKSHARA.finditer(t)) for t in texts]
    trained = io.BytesIO()
    SentencePieceTrainer.train(
        sentence_iterator=iter(written),
        model_writer=trained,
        vocab_size=450,
        hard_vocab_limit=False,
        byte_fallback=True,
        normalization_rule_name="identity",
        remove_extra_whitespaces=False,
        character_coverage=1.0,
        minloglevel=2,
    )
    (folder / "v1.model").write_bytes(trained.getvalue())
    facts = {"model_sha256": sha256(folder / "v1.model"), "aksharas": {u: str(n) for u, n in letters.items()}}
    (folder / "v1.map.json").write_text(json.dumps(facts))
    return folder / "v1.model"


@pytest.fixture(scope="module")
def opened(model):
    return open_tokenizer(model)


@settings(deadline=None)
@given(text=st.text(st.sampled_from("राजनीक्षत्रिय বাংল্ ab\u200d🙂"), max_size=25))
def test_it_loses_nothing_and_no_piece_cuts_a_known_akshara(opened, text):
    [encoded] = opened.encode_batch([text])
    assert opened.decode(encoded.ids.tolist()) == text
    assert list(encoded.ends) == sorted(encoded.ends) and (not text or encoded.ends[-1] == len(text))
    pieces = opened.pieces()
    for number, start, end in zip(encoded.ids.tolist(), encoded.starts, encoded.ends, strict=True):
        if number not in opened.byte_ids and start < end:
            assert pieces[number].decode().removeprefix(" ") == text[start:end].removeprefix(" ")


def test_a_map_of_another_model_is_refused(opened, model, tmp_path):
    assert opened.kind == "akshara-unigram" and opened.name == "v1"
    (tmp_path / "v1.model").write_bytes(model.read_bytes())
    for facts, said in [('{"aksharas": {}, "model_sha256": "0"}', "belongs to another model"), ("[]", "is no map")]:
        (tmp_path / "v1.map.json").write_text(facts)
        with pytest.raises(UserError, match=said):
            open_tokenizer(tmp_path / "v1.model")
