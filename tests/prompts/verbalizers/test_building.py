import math

import pytest
import torch

from corpora.errors import UserError
from prompts.models import AnswerModel
from prompts.verbalizers import (
    LabelSet,
    Names,
    Veto,
    chosen_languages,
    contextual,
    from_names,
    nonparametric,
    search_table,
)


def weights_of(verbalizer, pieces, label="sports", language=None):
    """Piece -> weight."""
    piece = {row: name for name, row in pieces.items()}
    found = {}
    for word in verbalizer.words:
        if word.label == label and language in (None, word.language):
            found[piece[word.row]] = found.get(piece[word.row], 0) + word.weight
    return found


def softmax(*values):
    powers = [math.exp(value) for value in values]
    return [power / sum(powers) for power in powers]


def test_names_speak_with_all_their_pieces_or_the_first(toy, pieces, label_set):
    english = from_names(label_set, ["en"], toy)
    assert weights_of(english, pieces, "health") == {"▁health": 0.5, "▁care": 0.5}
    assert weights_of(from_names(label_set, ["en"], toy, subtokens="first"), pieces, "health") == {"▁health": 1.0}
    both = from_names(label_set, ["en", "hi"], toy)
    assert weights_of(both, pieces, "health") == {"▁health": 0.25, "▁care": 0.25, "▁स्वास्थ्य": 0.5}
    assert from_names(label_set, ["en", "hi"], toy, combine="max").weights.sum(-1).tolist() == [[1, 1], [1, 1]]


def test_names_of_a_class_share_its_mass(toy, pieces):
    names = LabelSet({"en": Names("en", "topic: ", {"a": ("sport", "play play"), "b": ("care",)})})
    assert weights_of(from_names(names, ["en"], toy), pieces, "a") == {"▁sport": 0.5, "▁play": 0.5}


def test_neighbours_and_their_weights_by_hand(toy, pieces, label_set, table, cosine):
    verbalizer = nonparametric(label_set, ["en"], toy, table, k=3, stop=["the"], temperature=0.5)
    # health care lies at 90 degrees: the mean of its pieces at 80 and 100; . and the bare vowel sign say nothing
    sport = softmax(*(cosine(angle) / 0.5 for angle in (0, 10, 12)))
    assert weights_of(verbalizer, pieces) == pytest.approx(dict(zip(["▁sport", "▁play", "▁खेल"], sport, strict=True)))
    health = softmax(*(cosine(angle) / 0.5 for angle in (5, 10, 10)))
    expected = dict(zip(["▁doctor", "▁health", "▁care"], health, strict=True))
    assert weights_of(verbalizer, pieces, "health") == pytest.approx(expected, rel=1e-5)
    assert verbalizer.words[0].cosine == pytest.approx(1)
    first = nonparametric(label_set, ["en"], toy, table, k=2, subtokens="first")
    assert set(weights_of(first, pieces, "health")) == {"▁health", "▁doctor"}  # at 80 degrees


def test_neighbours_are_rows_and_are_never_written_and_read_again(toy, pieces, label_set, table):
    ames = pieces["ames"]
    assert toy(toy.decode([ames]), add_special_tokens=False)["input_ids"] != [ames]
    verbalizer = nonparametric(label_set, ["en"], toy, table, k=5)
    assert "ames" in weights_of(verbalizer, pieces)
    assert not {"am", "es"} & set(weights_of(verbalizer, pieces))
    logits = torch.zeros(1, len(table))
    logits[0, ames] = 1
    assert verbalizer.scores(logits)[0, 0] == pytest.approx(weights_of(verbalizer, pieces)["ames"])


def test_row_near_two_classes_goes_to_the_nearest_or_to_none(toy, pieces, label_set, table):
    def owners(shared):
        verbalizer = nonparametric(label_set, ["en"], toy, table, k=8, shared=shared)
        return [label for label in ("sports", "health") if "▁both" in weights_of(verbalizer, pieces, label)]

    assert owners("nearest") == ["sports"]
    assert owners("delete") == []
    assert owners("keep") == ["sports", "health"]


def test_pieces_of_other_classes_names_are_no_neighbours(toy, pieces, table):
    # play (10 degrees) would be the next of sport, ि and <unk> aside, were it not the other class's name
    names = LabelSet({"en": Names("en", "topic: ", {"a": ("sport",), "b": ("play",)})})
    for shared in ("nearest", "delete", "keep"):
        verbalizer = nonparametric(names, ["en"], toy, table, k=4, shared=shared)
        assert "▁play" not in weights_of(verbalizer, pieces, "a")
        assert "▁sport" not in weights_of(verbalizer, pieces, "b")
        assert not set(weights_of(verbalizer, pieces, "a")) & {"<s>", "<0xE0>", "<unused1>", ".", "ि"}


def test_piece_that_names_of_two_classes_share_speaks_for_none(toy, pieces, table):
    names = LabelSet({"en": Names("en", "topic: ", {"a": ("sport play",), "b": ("health play",)})})
    verbalizer = nonparametric(names, ["en"], toy, table, k=4, shared="keep")
    assert pieces["▁play"] not in verbalizer.rows.tolist()
    assert "▁sport" in weights_of(verbalizer, pieces, "a")


def test_languages_unite_with_equal_mass(toy, pieces, label_set, table):
    verbalizer = nonparametric(label_set, ["en", "hi"], toy, table, k=2)
    for label in label_set.classes:
        for language in ("en", "hi"):
            assert sum(weights_of(verbalizer, pieces, label, language).values()) == pytest.approx(0.5)
    assert verbalizer.weights.sum(1).tolist() == pytest.approx([1, 1])
    apart = nonparametric(label_set, ["en", "hi"], toy, table, k=2, combine="max")
    assert apart.weights.shape[:2] == (2, 2) and apart.weights.sum(-1).flatten().tolist() == pytest.approx([1] * 4)
    # the same rows, twice the weights
    assert torch.allclose(apart.weights.sum(0) / 2, verbalizer.weights)


def test_only_the_source_s_or_the_target_s_names():
    assert chosen_languages("multilingual", "en", "hi", ["en", "hi", "mr"]) == ["en", "hi", "mr"]
    assert chosen_languages("target_only", "en", "hi", ["en", "hi", "mr"]) == ["hi"]
    assert chosen_languages("source_only", "en", "hi", ["en", "hi", "mr"]) == ["en"]


def test_struck_out_rows_move_others_up(toy, pieces, label_set, table):
    veto = [Veto(piece="▁play"), Veto(row=pieces["▁doctor"], label="sports"), Veto(piece="▁sport", language="hi")]
    verbalizer = nonparametric(label_set, ["en"], toy, table, k=2, stop=["the"], veto=veto)
    assert set(weights_of(verbalizer, pieces)) == {"▁sport", "▁खेल"}  # play gone, the next moved up
    assert "▁doctor" in weights_of(verbalizer, pieces, "health")
    assert sum(weights_of(verbalizer, pieces).values()) == pytest.approx(1)
    hindi = nonparametric(label_set, ["en", "hi"], toy, table, k=2, stop=["the"], veto=veto)
    assert "▁sport" not in weights_of(hindi, pieces, language="hi")
    assert "▁sport" in weights_of(hindi, pieces, language="en")


def test_class_without_a_row_is_refused(toy, pieces, label_set, table):
    veto = [Veto(row=row, label="health", language="hi") for row in pieces.values()]
    united = nonparametric(label_set, ["en", "hi"], toy, table, k=2, veto=veto)
    assert sum(weights_of(united, pieces, "health", "en").values()) == pytest.approx(1)  # English takes over
    with pytest.raises(UserError, match="no row speaks for 'health' in 'hi'"):
        nonparametric(label_set, ["en", "hi"], toy, table, k=2, veto=veto, combine="max")
    with pytest.raises(UserError, match="no row of the vocabulary speaks for 'health'"):
        nonparametric(label_set, ["hi"], toy, table, k=2, veto=veto)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"k": 0}, "ask for at least one"),
        ({"temperature": 0.0}, "must be positive"),
        ({"veto": [Veto(piece="▁nothing")]}, "'▁nothing', which is no piece"),
        ({"veto": [Veto(row=999)]}, "999, which is no piece"),
        ({"veto": [Veto(piece="▁play", label="z")]}, "the class 'z', which the labels lack"),
        ({"veto": [Veto(piece="▁play", language="bn")]}, "'bn', in which the labels were not read"),
    ],
)
def test_wrong_options(options, message, toy, label_set, table):
    with pytest.raises(UserError, match=message):
        nonparametric(label_set, ["en"], toy, table, **options)


def test_no_language_and_one_twice(toy, label_set):
    for languages in ([], ["en", "en"]):
        with pytest.raises(UserError, match="one or more languages, each once"):
            from_names(label_set, languages, toy)


def test_contextual_vectors_are_what_a_model_foretells_after_the_name(toy, pieces, label_set, table, foretelling):
    # both states share (5, 5), the template's part; what is left points to -45 and 135 degrees
    states = {("sport", "topic: "): [6.0, 4.0], ("health care", "topic: "): [4.0, 6.0]}
    verbalizer = contextual(label_set, ["en"], foretelling(states), k=1, stop=["the"])
    assert set(weights_of(verbalizer, pieces)) == {"▁खेल"}  # at -12, nearest to -45 that has a letter
    assert set(weights_of(verbalizer, pieces, "health")) == {"▁स्वास्थ्य"}  # at 112, nearest to 135


@pytest.mark.parametrize("kind", ["llama", "bloom"])
def test_scores_from_a_model_s_states_are_those_of_its_logits(kind, build_model, tokenizer, themes, sentences):
    """Untied and tied: text -> state -> prototypes is the whole vocabulary's logits, and then the verbalizer."""
    model = AnswerModel(build_model(kind), tokenizer)
    names = LabelSet({"hi": themes})
    table = search_table(model)
    assert (table.data_ptr() == model.head.data_ptr()) == (kind == "bloom")
    for verbalizer in (nonparametric(names, ["hi"], tokenizer, table, k=5), contextual(names, ["hi"], model, k=5)):
        with torch.no_grad():
            states = model.answer_states(model.ask(sentences, themes.template))
            long = verbalizer.scores(model.scores(states))
            short = verbalizer.scores_of_states(states, verbalizer.prototypes(model.head))
            of_rows = verbalizer.scores_of_rows(model.scores(states, verbalizer.rows))
        assert long.std() > 0.1
        assert torch.allclose(short, long, atol=1e-5, rtol=1e-5)
        assert torch.allclose(of_rows, long, atol=1e-5, rtol=1e-5)
