"""The measures, against numbers computed by hand."""

from dataclasses import dataclass, field

import numpy as np
import pytest

from tokenization.measures.prepared import prepare
from tokenization.measures.running_text import DEFINITIONS, count_splits, count_words, encode, measure_text
from tokenization.opening.formats import open_tokenizer
from tokenization.opening.tokenizer import Encoded, Tokenizer
from tokenization.training.trainers import train_tokenizer


@dataclass(frozen=True, kw_only=True)
class Scripted(Tokenizer):
    """Cuts texts as a test says: text -> [(piece, start, end), …]; ids in the order of first appearance from 1 on."""

    cuts: dict[str, list[tuple[str | bytes, int, int]]] = field(hash=False)

    @classmethod
    def of(cls, cuts, **facts):
        pieces = list(dict.fromkeys(piece for cut in cuts.values() for piece, _, _ in cut))
        described = {"kind": "test", "vocabulary_size": len(pieces) + 1, "byte_level": True, "fingerprint": ""}
        return cls(name="scripted", cuts=cuts, **{**described, **facts})

    def pieces(self):
        named = dict.fromkeys(piece for cut in self.cuts.values() for piece, _, _ in cut)
        return [b"<unk>", *(piece.encode() if isinstance(piece, str) else piece for piece in named)]

    def encode_batch(self, texts):
        numbers = {piece: number for number, piece in enumerate(self.pieces())}
        found = []
        for text in texts:
            cut = [(p.encode() if isinstance(p, str) else p, s, e) for p, s, e in self.cuts[text]]
            columns = np.array([(numbers[p], s, e) for p, s, e in cut], dtype=np.int32).reshape(-1, 3).T
            found.append(Encoded(*columns))
        return found

    def decode(self, ids):
        pieces = self.pieces()
        return b"".join(pieces[number] for number in ids).decode(errors="replace")


def values(tokenizer, texts):
    return {name: found["value"] for name, found in measure_text(tokenizer, prepare(texts), resamples=20).items()}


HINDI = Scripted.of({"क्षमा कर।": [("क्", 0, 2), ("षमा", 2, 5), (" कर", 5, 8), ("।", 8, 9)]})
MARATHI = Scripted.of({"तऱ्हा व": [("त", 0, 1), ("ऱ्हा ".encode()[:4], 1, 3), ("ऱ्हा ".encode()[4:], 2, 6), ("व", 6, 7)]})
BENGALI = Scripted.of({"র‍্যাব আছে": [("র‍্যাব", 0, 6), (" আ", 6, 8), ("ছে", 8, 10)]})


def test_hindi_by_hand():
    # Words of running text: क्षमा, कर।; 9 code points, 25 bytes, aksharas क्ष मा ␣ क र ।. One of 3 boundaries splits.
    found = values(HINDI, ["क्षमा कर।"])
    assert set(found) == set(DEFINITIONS)
    assert found["fertility"] == pytest.approx(4 / 2)
    assert found["characters_per_token"] == pytest.approx(9 / 4)
    assert found["bytes_per_token"] == pytest.approx(25 / 4)
    assert found["aksharas_per_token"] == pytest.approx(6 / 4)
    assert found["akshara_splitting_rate"] == pytest.approx(1 / 3)
    assert found["code_point_splitting_rate"] == 0
    assert found["continued_word_rate"] == pytest.approx(1 / 2)
    assert found["single_token_word_rate"] == pytest.approx(1 / 2)  # the danda is no part of its word
    assert found["unknown_rate"] == found["byte_fallback_rate"] == 0
    assert found["round_trip_rate"] == 1
    assert found["round_trip_character_error"] == 0
    assert found["characters_per_window"] == pytest.approx(512 * 9 / 6)
    assert found["whole_in_window"] == 1
    assert found["vocabulary_use"] == pytest.approx(4 / 5)
    assert found["dead_pieces"] == 0


def test_marathi_by_hand():
    # Aksharas त ऱ्हा ␣ व. Boundaries: 1, inside the virama (code point 2), 6; व stands behind a token with its space.
    found = values(MARATHI, ["तऱ्हा व"])
    assert found["akshara_splitting_rate"] == found["code_point_splitting_rate"] == pytest.approx(1 / 3)
    assert found["byte_fallback_rate"] == pytest.approx(2 / 4)
    assert found["continued_word_rate"] == pytest.approx(1 / 2)
    assert found["single_token_word_rate"] == 0
    assert found["round_trip_rate"] == 1


def test_bengali_by_hand():
    # Aksharas র‍্যা ব ␣ আ ছে.
    found = values(BENGALI, ["র‍্যাব আছে"])
    assert found["aksharas_per_token"] == pytest.approx(5 / 3)
    assert found["akshara_splitting_rate"] == 0
    assert found["continued_word_rate"] == found["single_token_word_rate"] == pytest.approx(1 / 2)


def test_dropped_and_trimmed_spaces_cover_the_boundary():
    # WordPiece's way: no token holds the space, and no word is cut.
    gaps = Scripted.of({"राम गया": [("राम", 0, 3), ("गया", 4, 7)]})
    found = values(gaps, ["राम गया"])
    assert found["akshara_splitting_rate"] == found["continued_word_rate"] == 0
    assert found["single_token_word_rate"] == 1
    assert found["round_trip_rate"] == 0
    assert found["round_trip_character_error"] == pytest.approx(1 / 7)
    # A dropped vowel sign is no akshara's beginning, and a dropped word is no single token.
    lossy = Scripted.of({"का अब तब": [("क", 0, 1), (" अब", 2, 5)], "काम": [("क", 0, 1), ("म", 2, 3)]})
    assert values(lossy, ["का अब तब"])["single_token_word_rate"] == pytest.approx(2 / 3)
    assert values(lossy, ["काम"])["continued_word_rate"] == 1
    assert values(lossy, ["काम"])["akshara_splitting_rate"] == 0


def test_a_prefix_space_is_no_boundary_but_no_part_of_the_word():
    glued = Scripted.of({"घर": [(" घर", 0, 2)]})
    apart = Scripted.of({"घर": [(" ", 0, 0), ("घर", 0, 2)]})
    assert values(glued, ["घर"])["single_token_word_rate"] == 1
    found = values(apart, ["घर"])
    assert found["akshara_splitting_rate"] is None
    assert (found["continued_word_rate"], found["single_token_word_rate"]) == (0, 0)


def test_unknown_tokens_are_no_words_of_one_token():
    tokenizer = Scripted.of({"अ ब": [("अ", 0, 1), (" ब", 1, 3)]}, unknown_id=2)
    found = values(tokenizer, ["अ ब"])
    assert (found["unknown_rate"], found["single_token_word_rate"]) == (1 / 2, 1 / 2)
    assert found["continued_word_rate"] == 0


def test_one_token_for_two_words_cuts_none():
    found = values(Scripted.of({"के लिए": [("के लिए", 0, 6)]}), ["के लिए"])
    assert (found["continued_word_rate"], found["single_token_word_rate"]) == (0, 1)


@pytest.mark.parametrize("text", ["", " ", "\n\n", "क", "।", "‍"])
def test_texts_with_next_to_nothing(text):
    tokenizer = Scripted.of({text: [(letter, i, i + 1) for i, letter in enumerate(text)]})
    found = values(tokenizer, [text])
    assert found["round_trip_rate"] == 1
    assert found["fertility"] == (1 if text in ("क", "।", "‍") else None)
    assert found["single_token_word_rate"] == (1 if text == "क" else None)


def test_no_texts_at_all():
    assert set(values(Scripted.of({}), []).values()) <= {None, 0.0}


def test_byte_pieces_of_sentencepiece(tmp_path):
    train_tokenizer("sentencepiece-bpe", ["कमल कमल नयन नयन"] * 9, 272).save(tmp_path)
    tokenizer = open_tokenizer(tmp_path)
    texts = prepare(["कमल नयन", "é"])
    tokens = encode(tokenizer, texts)
    assert tokens.counts.tolist() == [2, 3]  # é is ▁, <0xC3>, <0xA9>
    splits = count_splits(tokens, texts)
    assert splits.boundaries.tolist() == [1, 1]
    assert splits.in_aksharas.tolist() == splits.in_code_points.tolist() == [0, 1]
    cut, single = count_words(tokens, texts, np.zeros(5, dtype=bool))
    assert (cut.tolist(), single.tolist()) == ([0, 1], [2, 0])
    assert measure_text(tokenizer, texts, resamples=20)["byte_fallback_rate"]["value"] == pytest.approx(2 / 5)
