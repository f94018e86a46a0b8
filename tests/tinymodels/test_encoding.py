"""Stories to ids: by distinct words exactly as by whole stories."""

import json

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from tinymodels.encoding import StoryEncoder
from tinymodels.words import WordEncoder, words_are_apart
from tokenization import load_tokenizer
from tokenization.training.trainers import train_tokenizer

TEXT = "राजा रानी एक था थी जंगल में गया शेर खरगोश नदी पेड़ माँ बच्चा हँसा रोया और फिर घर आया बोली सब खुश हुए"
ALPHABET = st.sampled_from([*TEXT.split(), *" \n।,x▁﷐﷑ \t\u200d", "<s>", "</s>", "क्ष", "👩🏽"])
STORIES = st.lists(st.lists(ALPHABET, max_size=12).map("".join), min_size=1, max_size=4)


def trained(folder, kind: str):
    train_tokenizer(kind, [TEXT] * 20, {"characters": None, "sentencepiece-unigram": 295}.get(kind, 340)).save(folder)
    fast = load_tokenizer(folder).backend_tokenizer
    fast.encode_special_tokens = True
    return fast


@pytest.fixture(scope="module")
def fast(tmp_path_factory):
    return trained(tmp_path_factory.mktemp("tokenizer"), "sentencepiece-bpe")


@settings(deadline=None, max_examples=80)
@given(STORIES)
@example(["", "राजा  रानी", " ", "  एक ", ""])
def test_word_by_word_is_the_tokenizer_itself(fast, stories):
    encoders = [kind(fast, 1, 2) for kind in (WordEncoder, StoryEncoder)]
    expected = [[1, *fast.encode(story, add_special_tokens=False).ids, 2] for story in stories]
    for encode in encoders:
        for _ in range(2):  # the second time all words are known
            ids, lengths = encode(pa.array(stories))
            assert ids.tolist() == [token for document in expected for token in document]
            assert lengths.tolist() == [len(document) for document in expected]


def test_memory_of_words_is_bounded(fast, monkeypatch):
    monkeypatch.setattr("tinymodels.words.MOST_WORDS", 6)
    encode = WordEncoder(fast, 1, 2)
    for start in range(0, 20, 4):
        text = " ".join(TEXT.split()[start : start + 4])
        assert encode(pa.array([text]))[0].tolist() == [1, *fast.encode(text, add_special_tokens=False).ids, 2]
        assert len(encode.numbers) <= 6 + 4


def test_only_tokenizers_whose_words_are_apart_are_taken_apart(fast, tmp_path):
    assert words_are_apart(fast)
    for kind in ("bytelevel-bpe", "characters", "sentencepiece-unigram"):
        (tmp_path / kind).mkdir()
        assert not words_are_apart(trained(tmp_path / kind, kind)), kind


def test_a_tokenizer_that_could_reach_across_words_is_not_taken_apart(fast):
    state = fast.to_str()
    assert words_are_apart(Tokenizer.from_str(state))
    across = json.loads(state)
    across["model"]["vocab"]["▁राजा▁रानी"] = len(across["model"]["vocab"])
    unescaped = json.loads(state)
    steps = unescaped["normalizer"]["normalizers"]
    steps.remove(next(step for step in steps if step.get("pattern") == {"String": "▁"}))
    added = json.loads(state)
    added["added_tokens"].append(added["added_tokens"][0] | {"id": 4000, "content": "एक था", "special": False})
    for changed in (across, unescaped, added):
        assert not words_are_apart(Tokenizer.from_str(json.dumps(changed)))


def test_every_kind_of_tokenizer_packs_what_it_encodes(corpus, make, tmp_path):
    from corpora.folders import new_folder, write_manifest
    from corpora.stories import read_corpus
    from tinymodels.packing import pack

    stories = read_corpus(corpus, "test")
    for kind in ("bytelevel-bpe", "characters", "sentencepiece-unigram", "sentencepiece-bpe"):
        with new_folder(tmp_path / kind) as partial:
            fast = trained(partial, kind)
            write_manifest(partial, "tokenizer", {})
        tokens = pack(corpus, tmp_path / kind, "test", None, tmp_path / "cache")
        expected = [fast.encode(story.text, add_special_tokens=False).ids for story in stories]
        assert [tokens.document(number)[1:-1].tolist() for number in range(tokens.documents)] == expected
        assert tokens.characters.tolist() == [len(story.text) for story in stories]
        assert tokens.origins == [("hi", "salad")] and np.array_equal(tokens.origin, np.zeros(len(stories)))
