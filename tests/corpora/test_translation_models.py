"""Translation models of every kind, tiny and random: how they are told the languages, and what is refused."""

import json
import shutil

import pytest
import sentencepiece
import torch
from transformers import (
    LlamaConfig,
    LlamaForCausalLM,
    M2M100Config,
    M2M100ForConditionalGeneration,
    M2M100Tokenizer,
    MarianConfig,
    MarianMTModel,
    MarianTokenizer,
    NllbTokenizer,
)

from corpora.errors import UserError
from corpora.languages import get_language
from corpora.translation.models import TranslationModel, _batches, _bengali, _devanagari

TEXT = ["the cat sat near the river", "बिल्ली नदी के पास बैठी थी", "মাছ জলে থাকে", "मांजर नदीजवळ बसले"]
ENGLISH, HINDI, MARATHI, BENGALI = map(get_language, ("en", "hi", "mr", "bn"))
SIZE = {
    "d_model": 16,
    **{f"{part}_{name}": 1 for part in ("encoder", "decoder") for name in ("layers", "attention_heads")},
    **{f"{part}_ffn_dim": 16 for part in ("encoder", "decoder")},
    "max_position_embeddings": 40,
}


@pytest.fixture(scope="module")
def pieces(tmp_path_factory):
    """A SentencePiece model and its pieces."""
    folder = tmp_path_factory.mktemp("pieces")
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(TEXT * 10),
        model_prefix=str(folder / "spm"),
        vocab_size=100,
        hard_vocab_limit=False,
        minloglevel=2,
    )
    processor = sentencepiece.SentencePieceProcessor(model_file=str(folder / "spm.model"))
    return folder / "spm.model", [processor.id_to_piece(i) for i in range(3, len(processor))]


def save(folder, tokenizer, config, kind):
    torch.manual_seed(1)
    tokenizer.save_pretrained(folder)
    kind(config).save_pretrained(folder)
    return str(folder)


@pytest.fixture(scope="module")
def nllb(tmp_path_factory):
    letters = {letter: number for number, letter in enumerate(sorted(set("▁".join(TEXT))), start=4)}
    tokenizer = NllbTokenizer(vocab={"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, **letters}, merges=[])
    config = M2M100Config(vocab_size=len(tokenizer), **SIZE)
    return save(tmp_path_factory.mktemp("nllb"), tokenizer, config, M2M100ForConditionalGeneration)


@pytest.fixture(scope="module")
def m2m100(tmp_path_factory, pieces):
    folder = tmp_path_factory.mktemp("m2m100")
    words = ["<s>", "<pad>", "</s>", "<unk>", *pieces[1]]
    (folder / "words.json").write_text(json.dumps({word: number for number, word in enumerate(words)}))
    tokenizer = M2M100Tokenizer(str(folder / "words.json"), str(pieces[0]))
    return save(folder, tokenizer, M2M100Config(vocab_size=len(words) + 108, **SIZE), M2M100ForConditionalGeneration)


def marian(folder, pieces, tags, **languages):
    words = ["<pad>", "</s>", "<unk>", *tags, *pieces[1]]
    (folder / "words.json").write_text(json.dumps({word: number for number, word in enumerate(words)}))
    tokenizer = MarianTokenizer(str(pieces[0]), str(pieces[0]), str(folder / "words.json"), **languages)
    ends = {"pad_token_id": 0, "eos_token_id": 1, "forced_eos_token_id": 1, "decoder_start_token_id": 0}
    return save(folder, tokenizer, MarianConfig(vocab_size=len(words), **ends, **SIZE), MarianMTModel)


def test_nllb_reads_its_source_tag_and_begins_with_the_target_tag(nllb):
    model = TranslationModel(nllb)
    tagging = model.tagging(MARATHI, BENGALI)
    assert tagging.source == "mar_Deva"
    assert model.tokenizer.convert_ids_to_tokens(tagging.first) == "ben_Beng"
    model.translate(["नदी"], "mr", "bn")
    first, *_, end = model.tokenizer.convert_ids_to_tokens(model.tokenizer("नदी")["input_ids"])
    assert (first, end) == ("mar_Deva", "</s>")


def test_m2m100_has_tags_of_its_own_and_they_never_show_in_the_text(m2m100):
    model = TranslationModel(m2m100, beams=2)
    tagging = model.tagging(ENGLISH, HINDI)
    assert (tagging.source, model.tokenizer.convert_ids_to_tokens(tagging.first)) == ("en", "__hi__")
    made = model.translate(["the cat", "the river"], "en", "hi")
    assert len(made) == 2 and not any("__hi__" in one.text for one in made)


def test_marian_of_several_languages_is_told_by_a_prefix(tmp_path, pieces):
    model = TranslationModel(marian(tmp_path, pieces, [">>hin<<", ">>bn<<"], source_lang="en"))
    assert model.tagging(ENGLISH, HINDI).prefix == ">>hin<< "
    assert model.tagging(ENGLISH, BENGALI).prefix == ">>bn<< "
    assert model.tokenizer(">>bn<< the cat")["input_ids"][0] == model.tokenizer.convert_tokens_to_ids(">>bn<<")
    with pytest.raises(UserError, match="no language tags for English to Marathi"):
        model.tagging(ENGLISH, MARATHI)
    with pytest.raises(UserError, match="translates en to several languages, not mr to hi"):
        model.tagging(MARATHI, HINDI)


def test_marian_of_one_direction_is_used_for_that_one_only(tmp_path, pieces):
    model = TranslationModel(marian(tmp_path, pieces, [], source_lang="eng", target_lang="hin"))
    assert model.tagging(ENGLISH, HINDI).prefix == ""
    for direction in ((ENGLISH, BENGALI), (HINDI, ENGLISH)):
        with pytest.raises(UserError, match="translates eng to hin"):
            model.tagging(*direction)


def test_indictrans2_tags_stand_before_the_sentence_and_bengali_is_in_devanagari(nllb):
    tagging = TranslationModel(nllb, tags="indictrans2").tagging(ENGLISH, BENGALI)
    assert tagging.prefix == "eng_Latn ben_Beng " and tagging.devanagari
    text = "বাঘ বনে ওড়ে, হঠাৎ মেঘ হয়।"
    assert not any("\u0980" <= char <= "\u09ff" for char in _devanagari(text, "bn"))
    assert _bengali(_devanagari(text, "bn"), "bn") == text
    assert _bengali("वन", "bn") == "বন" and _devanagari("बाघ", "hi") == "बाघ"


def test_results_keep_their_order_whatever_the_batches_are(m2m100):
    sentences = ["the cat sat near the river", "the", "cat cat", "river the cat", "sat"]
    together = TranslationModel(m2m100).translate(sentences, "en", "mr")
    small = TranslationModel(m2m100, batch_tokens=1)
    alone = [small.translate([sentence], "en", "mr")[0] for sentence in sentences]
    # a random model finds no end, and is stopped later in a batch with longer sentences
    assert [one.text[:60] for one in together] == [one.text[:60] for one in alone]
    assert len({one.text for one in alone}) > 2
    assert TranslationModel(m2m100).translate([], "en", "mr") == []


def test_batches_are_of_like_length_and_within_the_budget():
    assert list(_batches([3, 9, 3, 50, 4, 9], tokens=18, longest=40)) == [[1, 5], [4, 0, 2]]


def test_what_a_model_could_not_read_or_finish_is_said(m2m100):
    model = TranslationModel(m2m100)
    long, strange, endless = model.translate(["the cat " * 60, "the qqq", "the"], "en", "hi")
    assert (long.text, long.flags) == ("", ("too long",))
    assert "unknown" in strange.flags
    assert endless.flags == ("cut off",)  # a random model finds no end


def test_pickled_weights_and_code_of_the_models_own_are_refused(m2m100, tmp_path):
    pickled = tmp_path / "pickled"
    shutil.copytree(m2m100, pickled)
    (pickled / "model.safetensors").unlink()
    torch.save({}, pickled / "pytorch_model.bin")
    with pytest.raises(UserError, match="no safetensors weights, only pickled ones, which are never opened"):
        TranslationModel(str(pickled))

    remote = tmp_path / "remote"
    shutil.copytree(m2m100, remote)
    config = json.loads((remote / "config.json").read_text())
    names = {"AutoConfig": "code.Config", "AutoModelForSeq2SeqLM": "code.Model"}
    config |= {"model_type": "IndicTrans", "auto_map": names}
    (remote / "config.json").write_text(json.dumps(config))
    (remote / "code.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    with pytest.raises(UserError, match="code of its own, which is never run here"):
        TranslationModel(str(remote))
    assert not (tmp_path / "ran").exists()


def test_other_models_and_missing_ones_are_refused_in_one_sentence(m2m100, tmp_path, monkeypatch):
    other = tmp_path / "llama"
    shutil.copytree(m2m100, other)
    size = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 1, "intermediate_size": 16}
    LlamaForCausalLM(LlamaConfig(vocab_size=30, **size)).save_pretrained(other)
    with pytest.raises(UserError, match="no sequence-to-sequence model"):
        TranslationModel(str(other))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(UserError, match="cannot be opened"):
        TranslationModel(str(tmp_path / "nowhere"))
