import pytest

from corpora.errors import UserError
from prompts.models import AnswerModel
from prompts.verbalizers import Names, stop_words
from prompts.verbalizers.pieces import name_pieces, speaking


def test_names_keep_their_space_and_all_their_pieces(toy, pieces, label_set):
    assert name_pieces(toy, label_set["en"]) == {
        "sports": {"sport": [pieces["▁sport"]]},
        "health": {"health care": [pieces["▁health"], pieces["▁care"]]},
    }
    assert name_pieces(toy, label_set["hi"])["health"] == {"स्वास्थ्य": [pieces["▁स्वास्थ्य"]]}


def test_pieces_are_those_of_the_whole_string(tokenizer, themes):
    template = tokenizer(themes.template.rstrip(), add_special_tokens=False)["input_ids"]
    for names in name_pieces(tokenizer, themes).values():
        for name, ids in names.items():
            assert template + ids == tokenizer(themes.template + name, add_special_tokens=False)["input_ids"]


def test_pieces_stand_where_the_model_is_asked(build_model, tokenizer, themes):
    (asked,) = AnswerModel(build_model(), tokenizer).ask(["मीरा"], themes.template)
    for names in name_pieces(tokenizer, themes).values():
        for name, ids in names.items():
            whole = tokenizer("मीरा" + themes.template + name)["input_ids"]
            assert asked.text_ids + asked.template_ids + ids == whole


def test_name_that_the_tokenizer_cannot_write(toy):
    with pytest.raises(UserError, match="cannot write the class name '数'"):
        name_pieces(toy, Names("en", "topic: ", {"a": ("sport",), "b": ("数",)}))


def test_what_may_speak(toy, pieces):
    mask = speaking(toy)
    silent = {piece for piece, row in pieces.items() if not mask[row]}
    assert silent == {"<unk>", "<s>", "<0xE0>", ".", "ि", "<unused1>"}
    assert not speaking(toy, stop=["THE"])[pieces["▁the"]]
    starts = speaking(toy, word_start=True)
    assert starts[pieces["▁play"]] and not starts[pieces["ames"]] and not starts[pieces["topic:"]]


def test_fragments_of_byte_level_tokens_do_not_speak():
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    # ख is E0 A4 96: à ¤ ĸ as byte-level BPE writes them
    bpe = Tokenizer(models.BPE({"à¤": 0, "ĸ": 1, "à¤ĸ": 2, "Ġkho": 3}, []))
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    assert speaking(PreTrainedTokenizerFast(tokenizer_object=bpe)).tolist() == [False, False, True, True]


def test_stop_words_are_words_of_every_language():
    assert {"the", "on", "no"} <= set(stop_words(["en"]))
    assert {"का", "আছে", "आहे"} <= set(stop_words(["hi", "bn", "mr"]))
    assert all(isinstance(word, str) for word in stop_words(["hi", "mr", "bn", "en"]))
    with pytest.raises(UserError, match="'xx' is not known"):
        stop_words(["xx"])
