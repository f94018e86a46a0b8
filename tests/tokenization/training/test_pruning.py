"""A pruned tokenizer cuts its corpus as the full one does, and gives everything else back in bytes."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

from corpora.errors import UserError
from corpora.folders import read_manifest
from evaluation.token_bytes import byte_level_letters
from tokenization.folder import load_tokenizer
from tokenization.specials import BYTES, SPECIALS
from tokenization.training.character_bpe import merges, vocabulary
from tokenization.training.pruning import count_cut_alike, prune, strip

MAKES = ("sentencepiece-bpe", "sentencepiece-unigram", "bytelevel-bpe", "superword-bpe", "llama", "gemma")


@pytest.fixture(scope="module")
def full(trained):
    """Tokenizers of three languages, as ours and as others make them."""
    makes = {make: trained[make].tokenizer for make in MAKES[:4]}
    llama = json.loads(makes["bytelevel-bpe"].to_str())
    llama["model"]["ignore_merges"] = True
    llama["model"]["merges"] = llama["model"]["merges"][:150]  # other pieces are found only as whole words
    makes["llama"] = Tokenizer.from_str(json.dumps(llama))
    makes["llama"].add_special_tokens(["<|begin_of_text|>", "<|eot|>"])
    makes["llama"].post_processor = processors.Sequence([processors.ByteLevel(trim_offsets=True)])
    makes["gemma"] = _gemma(makes["superword-bpe"])
    return makes


def _gemma(backend):
    """A BPE whose pieces hold "▁" for a space, with words and special tokens among its added tokens."""
    pieces = [piece.replace(" ", "▁") for piece in vocabulary(backend)[4:]]
    numbers = {piece: number for number, piece in enumerate(["<pad>", "<eos>", "<bos>", "<unk>", "<h1>", *pieces])}
    joins = [(left.replace(" ", "▁"), right.replace(" ", "▁")) for left, right in merges(backend)]
    gemma = Tokenizer(models.BPE(numbers, joins, unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    gemma.normalizer = normalizers.Replace(" ", "▁")
    gemma.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    gemma.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    gemma.add_tokens([AddedToken("<h1>", normalized=False), AddedToken("\n\n", normalized=False)])
    gemma.add_special_tokens(["<bos>", "<eos>", "<image>"])
    return gemma


@pytest.fixture(scope="module")
def hindi(texts):
    return texts[:30]


@pytest.fixture(scope="module")
def pruned(full, hindi):
    return {make: prune(full[make], hindi) for make in MAKES}


@pytest.mark.parametrize("make", MAKES)
def test_ids_map_one_to_one_on_the_corpus(full, pruned, hindi, make):
    new, old = pruned[make].tokenizer, strip(full[make])
    forth: dict[int, int] = {}
    for text in hindi:
        before, after = old.encode(text).ids, new.encode(text).ids
        assert len(before) == len(after)
        for one, other in zip(before, after, strict=True):
            assert forth.setdefault(one, other) == other
    assert len(set(forth.values())) == len(forth)
    assert count_cut_alike(new, full[make], hindi) == len(hindi)
    assert new.get_vocab_size() < old.get_vocab_size()


@pytest.mark.parametrize("make", MAKES)
def test_other_text_may_be_cut_otherwise(full, pruned, texts, make):
    assert count_cut_alike(pruned[make].tokenizer, full[make], texts[-30:]) < 30


@pytest.mark.parametrize("make", MAKES)
def test_special_tokens_come_first_then_bytes_and_no_added_token_stays(pruned, make):
    pieces = vocabulary(pruned[make].tokenizer)
    assert tuple(pieces[:4]) == SPECIALS
    bytes_ = set(byte_level_letters()) if make in ("bytelevel-bpe", "llama") else set(BYTES)
    assert set(pieces[4:260]) == bytes_
    assert not set(pieces) & {"<|begin_of_text|>", "<|eot|>", "<bos>", "<eos>", "<image>", "<h1>"}


@pytest.mark.parametrize("make", ["sentencepiece-bpe", "bytelevel-bpe", "gemma"])
def test_each_piece_is_used_or_builds_one_that_is(full, pruned, hindi, make):
    tokenizer = pruned[make].tokenizer
    used = {token for text in hindi for token in tokenizer.encode(text).tokens}
    learnt = vocabulary(tokenizer)[260:]
    assert all(any(piece in token for token in used) for piece in learnt)
    assert len(set(learnt) & used) > len(learnt) / 2
    assert len(merges(tokenizer)) < len(merges(full[make]))


any_text = st.text() | st.lists(
    st.sampled_from(["राजा", " ", "▁", "<s>", "</s>", "<0x0A>", "ছেলে", "👧", "\ufdd0"])
).map("".join)


@pytest.mark.parametrize("make", MAKES)
def test_all_are_lossless(pruned, tmp_path, make):
    assert pruned[make].lossless
    pruned[make].save(tmp_path)
    tokenizer = load_tokenizer(tmp_path)

    @given(text=any_text)
    @settings(max_examples=60, deadline=None)
    def check(text):
        ids = tokenizer.encode(text, add_special_tokens=False)
        assert tokenizer.decode(ids) == text
        assert not set(ids) & {0, 1, 2, 3}

    check()
    assert tokenizer("राजा").input_ids[0] == 1


def test_a_normaliser_makes_it_not_lossless(trained, hindi):
    backend = Tokenizer.from_str(trained["bytelevel-bpe"].tokenizer.to_str())
    backend.normalizer = normalizers.NFC()
    result = prune(backend, hindi)
    assert not result.lossless
    assert result.tokenizer.decode(result.tokenizer.encode("क\u093c \u0958").ids) == "क\u093c क\u093c"


def test_unknown_characters_of_unigram_keep_their_price():
    # The price is the lowest score less 10: at -20 "x" is cheapest inside "xa"; without "zz" it would be on its own.
    scores = [("<unk>", 0.0), ("xa", -8.0), ("b", -8.0), ("c", -8.0), ("abc", -1.0), ("zz", -20.0)]
    backend = Tokenizer(models.Unigram(scores, unk_id=0))
    backend.decoder = decoders.Fuse()
    result = prune(backend, ["xabc", "abc"]).tokenizer
    assert result.encode("xabc").tokens == ["xa", "b", "c"]
    assert result.encode("abc").tokens == ["abc"]


@pytest.mark.parametrize("make", ["Unigram", "ignore_merges"])
@pytest.mark.parametrize("name", [*SPECIALS, "<0x41>"])
def test_a_text_that_spells_a_name_stays_text(make, name):
    pieces = ["<unk>", *BYTES, *"<>s/unkpadx041"]
    pieces = list(dict.fromkeys(pieces))
    if make == "Unigram":
        model = models.Unigram([(piece, -1.0) for piece in pieces], unk_id=0, byte_fallback=True)
    else:
        vocab = {piece: number for number, piece in enumerate(pieces)}
        model = models.BPE(vocab, [], unk_token="<unk>", byte_fallback=True, ignore_merges=True)
    backend = Tokenizer(model)
    backend.decoder = decoders.Sequence([decoders.ByteFallback(), decoders.Fuse()])
    result = prune(backend, ["<unk> s/padx041>"])
    assert result.lossless
    assert result.tokenizer.encode(name).tokens == list(name)


def test_a_size_keeps_the_most_frequent_pieces():
    vocab = {piece: number for number, piece in enumerate(["<unk>", *BYTES, *"abcd", "ab", "cd", "abcd"])}
    joins = [("a", "b"), ("c", "d"), ("ab", "cd")]
    backend = Tokenizer(models.BPE(vocab, joins, unk_token="<unk>", byte_fallback=True))
    backend.decoder = decoders.Sequence([decoders.ByteFallback(), decoders.Fuse()])
    backend.pre_tokenizer = pre_tokenizers.Split(Regex(r"\s"), "isolated")
    text = "ab ab ab cd d d abcd"
    learnt = {size: vocabulary(prune(backend, [text], size).tokenizer)[260:] for size in (260, 261, 263, 264, 266)}
    assert learnt == {
        260: [],
        261: ["d"],
        263: ["a", "b", "ab"],
        264: ["a", "b", "d", "ab"],
        266: ["a", "b", "c", "d", "ab", "cd"],
    }
    assert prune(backend, [text]).vocabulary_size == 267
    with pytest.raises(UserError, match="at most 267"):
        prune(backend, [text], 268)
    with pytest.raises(UserError, match="at least 260"):
        prune(backend, [text], 259)


def test_what_cannot_be_pruned_is_refused(hindi):
    with pytest.raises(UserError, match="WordPiece"):
        prune(Tokenizer(models.WordPiece({"[UNK]": 0}, unk_token="[UNK]")), hindi)
    with pytest.raises(UserError, match="end of words"):
        prune(Tokenizer(models.BPE({"a</w>": 0}, [], end_of_word_suffix="</w>")), hindi)


def test_prune_makes_a_folder_that_says_where_it_comes_from(capsys, corpus, folders, tmp_path):
    import kathalab

    source, output = folders["bytelevel-bpe"] / "tokenizer.json", tmp_path / "pruned"
    command = ["prune", f"--tokenizer={source}", f"--corpus={corpus}", "--languages=[hi]", f"--output={output}"]
    assert kathalab.main(["tokenization", *command]) == 0
    assert "30 of 30 stories are cut as before" in capsys.readouterr().out.strip().split("\n")[-1]
    manifest = read_manifest(output, "tokenizer")
    facts = manifest["configuration"]
    assert (facts["kind"], facts["lossless"], facts["languages"]) == ("pruned-bytelevel-bpe", True, ["hi"])
    assert facts["source_vocabulary_size"] == 520 > facts["vocabulary_size"] == len(load_tokenizer(output))
    assert len(manifest["inputs"]["tokenizer"]) == 64
    assert kathalab.main(["tokenization", *command, "--vocabulary-size=100"]) != 0
    assert "at least 260" in capsys.readouterr().err
