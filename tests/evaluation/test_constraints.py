"""Stories held to a script, to words and to a length, by random models with tokenizers of every kind."""

from __future__ import annotations

import statistics

import pytest
import regex
import torch

from corpora.errors import UserError
from evaluation.constraints import Alphabet, end_bias, ends_sentence
from evaluation.generation import Prompt, generate_stories

STRAY = {
    language: regex.compile(
        rf"[[\p{{L}}\p{{M}}\p{{Nd}}]--[\p{{Script={script}}}\p{{Script=Common}}\p{{Script=Inherited}}]]", regex.V1
    )
    for language, script in {"hi": "Devanagari", "bn": "Bengali", "en": "Latin"}.items()
}
TEXTS = [
    "एक दिन राजा ने जंगल में छोटी चिड़िया को देखा। ॐ १२३",
    "এক দিন রাজা বনে একটি ছোট পাখি দেখল। ১২৩",
    "One day the king saw a little bird, didn’t he? “Yes” — 123 😀 Привет 日本",
] * 3


def byte_level():
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    bare = Tokenizer(models.BPE())
    # Words are not parted, so that tokens cross words and, here and there, characters.
    bare.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    bare.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    specials = ["<unk>", "<s>", "</s>", "<pad>"]
    bare.train_from_iterator(
        TEXTS, trainers.BpeTrainer(vocab_size=400, special_tokens=specials, initial_alphabet=alphabet)
    )
    return bare


def byte_fallback():
    from tokenizers import Tokenizer, decoders, models, normalizers

    pieces = ["<unk>", "<s>", "</s>", "<pad>", *(f"<0x{byte:02X}>" for byte in range(256))]
    pieces += sorted(set("".join(TEXTS).replace(" ", "▁")) - set("😀日ॐ")) + ["▁राजा", "▁the", "a।ख", "रा।জ"]
    bare = Tokenizer(
        models.BPE({piece: n for n, piece in enumerate(pieces)}, [], unk_token="<unk>", byte_fallback=True)
    )
    bare.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    bare.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    return bare


@pytest.fixture(scope="module", params=[byte_level, byte_fallback])
def written_by(request, make_model):
    """A tokenizer of bytes and a random model for it, nearly flat, so that every token is drawn now and then."""
    from transformers import PreTrainedTokenizerFast

    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=request.param(), unk_token="<unk>", bos_token="<s>", eos_token="</s>", pad_token="<pad>"
    )
    return make_model(len(tokenizer), context=256), tokenizer


def write(written_by, count=16, words=(), prompt="", **options):
    options = {"max_new_tokens": 60, "temperature": 3.0, "top_p": 1.0, **options}
    return generate_stories(*written_by, [Prompt(prompt, "", words=words)] * count, **options)


@pytest.mark.parametrize("language", ["hi", "bn", "en"])
def test_the_script_is_held_in_whole_characters(written_by, language):
    free = "".join(story.text for story in write(written_by))
    assert STRAY[language].search(free) and "\ufffd" in free
    stories = write(written_by, script=language)
    held = "".join(story.text for story in stories)
    assert not STRAY[language].search(held) and "\ufffd" not in held
    assert len(set(held)) > 20 and STRAY["en" if language != "en" else "hi"].search(held)
    # Those that ran into the limit ended on a whole character too.
    assert sum(not story.finished for story in stories) > 1
    # Not only what the tokens hold whole: characters put together of bytes too.
    pieces = set(Alphabet(written_by[1]).pieces)
    assert any(character.encode() not in pieces for character in held)


def test_what_may_follow_by_hand(written_by):
    _, tokenizer = written_by
    alphabet = Alphabet(tokenizer, "hi")
    token = {piece: number for number, piece in reversed(list(enumerate(alphabet.pieces)))}
    e0, a4, a6, x95, f0 = (token[bytes([byte])] for byte in (0xE0, 0xA4, 0xA6, 0x95, 0xF0))
    start = alphabet.mask(b"")
    assert start[alphabet.end] and start[e0] and start[f0] and not start[a4] and not start[token[b"t"]]
    begun = alphabet.mask(b"\xe0")
    assert begun[a4] and not begun[a6] and not begun[alphabet.end] and not begun[token[b" "]]  # E0 A6: Bengali
    assert alphabet.mask(b"\xe0\xa4")[x95]
    assert Alphabet(tokenizer, "bn").mask(b"\xe0")[a6]
    assert not alphabet.mask(b"", closing=True)[e0] and alphabet.mask(b"\xe0", closing=True)[a4]
    assert not any(start[special] for special in (0, 1, 3))


def stands(text: str, forms: list[str]) -> bool:
    letter = r"[\p{L}\p{M}\p{N}\u200c\u200d]"
    return any(regex.search(rf"(?<!{letter}){regex.escape(form)}(?!{letter})", text) for form in forms)


@pytest.mark.parametrize("tokens", [24, 60])
def test_required_words_are_there(written_by, tokens):
    """In short stories, where they are put at the last moment, and in longer ones; random models end early too."""
    words = [["राजा", "राजे"], ["the"]]
    without = write(written_by, max_new_tokens=tokens)
    assert not any(all(stands(story.text, forms) for forms in words) for story in without)
    stories = write(written_by, words=words, max_new_tokens=tokens)
    assert all(stands(story.text, forms) for story in stories for forms in words)
    assert all("\ufffd" not in story.text and story.tokens <= tokens for story in stories)
    assert len({story.text for story in stories}) > 8


def test_words_with_script_and_length(written_by):
    stories = write(written_by, words=[["चिड़िया"], ["जंगल"]], script="hi", length=80, max_new_tokens=200)
    for story in stories:
        assert stands(story.text, ["चिड़िया"]) and stands(story.text, ["जंगल"])
        assert not STRAY["hi"].search(story.text) and 68 <= story.tokens <= 140


def test_a_word_of_the_prompt_counts(written_by):
    stories = write(written_by, words=[["राजा"]], prompt="एक राजा था", max_new_tokens=20)
    assert any(story.text.count("राजा") == 1 for story in stories)
    assert all(stands(story.text, ["राजा"]) for story in stories)


def test_stories_end_near_the_target(model, tokenizer):
    def tokens(**options):
        prompts = [Prompt("एक दिन", "hi")] * 40
        return [
            story.tokens for story in generate_stories(model, tokenizer, prompts, max_new_tokens=400, seed=2, **options)
        ]

    free, held = tokens(), tokens(length=100)
    assert statistics.median(free) < 50  # of its own accord the model ends early
    assert min(held) > 85 and 90 < statistics.median(held) < 125 and max(held) < 145


def test_the_raised_end_by_hand():
    assert end_bias(84, 100, True) == end_bias(124, 100, False) == -torch.inf
    assert end_bias(100, 100, True) == pytest.approx(9) == end_bias(140, 100, False)
    assert all(map(ends_sentence, ["वह गया।", "“कहाँ?”", "She went.\n\n"]))
    assert not any(map(ends_sentence, ["", "वह गया", "शीर्षक\n", "वह गया,”"]))


def test_constraints_do_not_depend_on_the_batch(written_by):
    options = {"words": [["राजा"]], "script": "hi", "length": 30, "count": 7}
    assert write(written_by, **options, batch_size=1) == write(written_by, **options, batch_size=64)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"script": "xx"}, "language 'xx' is not known"),
        ({"script": "hi", "words": [["king"]]}, "'king' has letters outside the script of Hindi"),
        ({"words": [[""]]}, "cannot be written"),
        ({"words": [["राजा"]] * 20, "max_new_tokens": 30}, "there is room for 30"),
        ({"length": 100, "max_new_tokens": 60}, "target of 100 tokens is beyond"),
        ({"length": 256, "max_new_tokens": 999}, "target of 256 tokens is beyond"),
        ({"length": 0}, "at least 1"),
    ],
)
def test_what_cannot_be_is_refused(written_by, options, told):
    with pytest.raises(UserError, match=told):
        write(written_by, **options)


def test_a_script_the_tokenizer_does_not_know(model, tokenizer):
    with pytest.raises(UserError, match="cannot be written by this tokenizer"):
        generate_stories(model, tokenizer, [Prompt("", "hi", words=[["ঘর"]])])
