import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast

from corpora.errors import UserError
from prompts.models import with_random_weights
from prompts.verbalizers import Names
from prompts.zero_shot import NameScorer, special_prefix


def naive_score(model, tokenizer, asked, name):
    """log p(" " + name | asked) of one name: one sequence, no cache, no padding. `asked` ends with a space."""
    ids = tokenizer(asked + name)["input_ids"]
    start = len(tokenizer(asked[:-1])["input_ids"])
    assert ids[:start] == tokenizer(asked[:-1])["input_ids"]
    with torch.no_grad():
        log_p = model(torch.tensor([ids]), use_cache=False).logits[0].double().log_softmax(-1)
    return sum(log_p[i - 1, ids[i]].item() for i in range(start, len(ids)))


@pytest.mark.parametrize("kind", ["llama", "gpt2", "bloom", "xglm"])
def test_equals_one_name_at_a_time(kind, build_model, tokenizer, themes, sentences):
    model = build_model(kind)
    scores = NameScorer(model, tokenizer, themes).name_scores(sentences)
    names = [name for names in themes.names.values() for name in names]
    expected = [[naive_score(model, tokenizer, text + themes.template, name) for name in names] for text in sentences]
    assert scores == pytest.approx(np.array(expected), abs=2e-4)
    assert scores.std(axis=0).min() > 0.003  # the text matters to this model, so a wrong position would show


@pytest.mark.parametrize("kind", ["llama", "gpt2", "bloom", "xglm"])
def test_scores_do_not_depend_on_company(kind, build_model, tokenizer, themes, sentences):
    texts = [*sentences, "", sentences[0] + sentences[1], "0 1 2", "2 1 0"]
    classifier = NameScorer(build_model(kind), tokenizer, themes)
    lengths = [len(classifier.question(text).prompt) for text in texts]
    assert lengths[-1] == lengths[-2] and len(set(lengths)) > 4  # two texts share a batch, the others do not
    together = classifier.name_scores(texts)
    assert np.concatenate([classifier.name_scores([text]) for text in texts]) == pytest.approx(together, abs=2e-4)
    assert classifier.name_scores(texts[::-1])[::-1] == pytest.approx(together, abs=2e-4)
    assert replace(classifier, batch_tokens=1).name_scores(texts) == pytest.approx(together, abs=2e-4)


def test_longer_names_beside_it_do_not_change_a_name(build_model, tokenizer, themes, sentences):
    longer = replace(themes, names={**themes.names, "care": ("पेड़-पौधों और पशु-पक्षियों की देखभाल",)})
    model = build_model()
    short = NameScorer(model, tokenizer, themes).name_scores(sentences)
    assert NameScorer(model, tokenizer, longer).name_scores(sentences)[:, :-1] == pytest.approx(short, abs=2e-4)


def test_scores_per_token_and_per_character(build_model, tokenizer, themes, sentences):
    classifier = NameScorer(build_model(), tokenizer, themes)
    total = classifier.name_scores(sentences)
    names = [name for names in themes.names.values() for name in names]
    assert replace(classifier, score="character").name_scores(sentences) * [len(n) for n in names] == pytest.approx(
        total
    )
    tokens = [len(tokenizer.tokenize(" " + name)) for name in names]
    assert replace(classifier, score="token").name_scores(sentences) * tokens == pytest.approx(total)


@pytest.mark.parametrize("score", ["total", "token", "character"])
def test_calibration_makes_content_free_input_uniform(score, build_model, tokenizer, themes):
    one = replace(themes, content_free=("कुछ",))
    scores = NameScorer(build_model(), tokenizer, one, score).class_scores(["कुछ"])
    assert scores == pytest.approx(np.zeros((1, 4)), abs=1e-6)
    several = NameScorer(build_model(), tokenizer, themes, score).class_scores(themes.content_free)
    assert several.mean(axis=0) == pytest.approx(np.zeros(4), abs=1e-4)
    assert np.ptp(NameScorer(build_model(), tokenizer, one, score, "none").class_scores(["कुछ"])) > 0.1


def test_class_scores_the_mean_of_its_names(build_model, tokenizer, themes, sentences):
    classifier = NameScorer(build_model(), tokenizer, themes, calibration="none")
    names, classes = classifier.name_scores(sentences), classifier.class_scores(sentences)
    assert classes[:, 0] == pytest.approx(names[:, :2].mean(axis=1))
    assert classes[:, 1] == pytest.approx(names[:, 2])


# --- A model with known answers ---------------------------------------------------------------------------------

WORDS = ["<unk>", "<s>", "ball", "pill", "about", "sport", "health", "care", "it"]
SPORTS_OR_HEALTH = Names("en", " about ", {"sports": ("sport",), "health": ("health care",)}, ("it",))


def word_tokenizer(template="<s> $A"):
    words = Tokenizer(models.WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="<unk>"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    if template:
        words.post_processor = processors.TemplateProcessing(single=template, special_tokens=[("<s>", 1)])
    return PreTrainedTokenizerFast(tokenizer_object=words, unk_token="<unk>", bos_token="<s>")


class KnownModel:
    """After `about`: sport .8 and health .1, but .6 and .3 if `pill` came before; after `health`: care .5.

    Like a recurrent model it hands out no key-value cache.
    """

    device = torch.device("cpu")

    def __init__(self, context=None):
        text = SimpleNamespace(max_position_embeddings=context)
        self.config = SimpleNamespace(get_text_config=lambda: text)

    def forward(self, input_ids, use_cache): ...

    def __call__(self, input_ids, use_cache):
        p = torch.full((*input_ids.shape, len(WORDS)), 1e-9)
        for row, ids in enumerate(input_ids.tolist()):
            for position, token in enumerate(ids):
                if WORDS[token] == "about":
                    pill = WORDS.index("pill") in ids[:position]
                    p[row, position, [5, 6, 8]] = torch.tensor([0.6, 0.3, 0.1] if pill else [0.8, 0.1, 0.1])
                elif WORDS[token] == "health":
                    p[row, position, [7, 8]] = 0.5
        return SimpleNamespace(logits=p.log())


def test_known_model_gives_known_answers():
    classifier = NameScorer(KnownModel(), word_tokenizer(), SPORTS_OR_HEALTH, calibration="none")
    expected = [[math.log(0.8), math.log(0.1 * 0.5)], [math.log(0.6), math.log(0.3 * 0.5)]]
    assert classifier.class_scores(["ball", "it pill it"]) == pytest.approx(np.array(expected), abs=1e-6)
    per_token = replace(classifier, score="token").class_scores(["ball"])
    assert per_token == pytest.approx(np.array([[math.log(0.8), math.log(0.05) / 2]]), abs=1e-6)


def test_calibration_removes_the_bias_of_the_known_model():
    biased = NameScorer(KnownModel(), word_tokenizer(), SPORTS_OR_HEALTH, calibration="none")
    assert biased.class_scores(["ball", "pill"]).argmax(axis=1).tolist() == [0, 0]
    scores = replace(biased, calibration="content-free").class_scores(["ball", "pill"])
    assert scores == pytest.approx(np.array([[0, 0], [math.log(0.6 / 0.8), math.log(3)]]), abs=1e-6)


def test_calibration_by_the_template_alone_and_by_the_batch():
    biased = NameScorer(KnownModel(), word_tokenizer(), SPORTS_OR_HEALTH, calibration="none")
    pmi = replace(biased, calibration="pmi").class_scores(["ball", "pill"])  # after nothing as after `ball`
    assert pmi == pytest.approx(np.array([[0, 0], [math.log(0.6 / 0.8), math.log(3)]]), abs=1e-6)
    batch = replace(biased, calibration="batch").class_scores(["ball", "pill"])
    sports, health = math.log(0.6 / 0.8) / 2, math.log(3) / 2
    assert batch == pytest.approx(np.array([[-sports, -health], [sports, health]]), abs=1e-6)


def test_text_too_long_is_cut_and_the_template_stays():
    classifier = NameScorer(KnownModel(context=7), word_tokenizer(), SPORTS_OR_HEALTH)
    long = "pill it it it ball"  # BOS + 5 + template 1 + name 2 = 9 of 7
    assert decode(classifier.question(long).prompt) == "<s> it it ball about"
    assert decode(replace(classifier, keep="start").question(long).prompt) == "<s> pill it it about"
    assert classifier.question(long).cut
    assert not classifier.question("it it ball").cut
    scores = replace(classifier, calibration="none").class_scores([long])
    assert scores[0, 0] == pytest.approx(math.log(0.8), abs=1e-6)  # the pill was cut away


def test_cut_text_scores_as_its_kept_end(build_model, tokenizer, themes, sentences):
    classifier = NameScorer(build_model(context=96), tokenizer, themes)
    question = classifier.question(" ".join(sentences * 5))
    assert question.cut
    assert len(question.prompt) + max(map(len, question.names)) == 96
    assert question.prompt[0] == 1
    tail = tokenizer(themes.template.rstrip(), add_special_tokens=False)["input_ids"]
    assert question.prompt[-len(tail) :] == tail
    assert np.isfinite(classifier.class_scores([" ".join(sentences * 5)])).all()


def test_prompt_and_name_are_the_tokens_of_the_whole_string(build_model, tokenizer, themes, sentences):
    question = NameScorer(build_model(), tokenizer, themes).question(sentences[0])
    names = [name for names in themes.names.values() for name in names]
    for name, ids in zip(names, question.names, strict=True):
        assert question.prompt + ids == tokenizer(sentences[0] + themes.template + name)["input_ids"]
        assert tokenizer.convert_ids_to_tokens(ids[0]).startswith("▁")  # the space went to the name, as in running text


def test_name_that_begins_another_name_keeps_its_tokens():
    nested = replace(SPORTS_OR_HEALTH, names={"a": ("health",), "b": ("health care",)})
    question = NameScorer(KnownModel(), word_tokenizer(), nested).question("it")
    assert [decode(ids) for ids in question.names] == ["health", "health care"]


@pytest.mark.parametrize(("template", "prefix"), [("<s> $A", [1]), ("<s> $A <s>", [1]), ("$A <s>", []), (None, [])])
def test_special_prefix_is_what_stands_before_the_text(template, prefix):
    assert special_prefix(word_tokenizer(template)) == prefix


def test_name_unknown_to_the_tokenizer_is_refused():
    unknown = replace(SPORTS_OR_HEALTH, names={"sports": ("sport",), "art": ("music",)})
    with pytest.raises(UserError, match="cannot write the class name 'music'"):
        NameScorer(KnownModel(), word_tokenizer(), unknown).class_scores(["it"])


def test_template_that_fills_the_context_is_refused():
    with pytest.raises(UserError, match="take 3 tokens, but the model's context holds 3"):
        NameScorer(KnownModel(context=3), word_tokenizer(), SPORTS_OR_HEALTH).class_scores(["it"])


def test_random_weights_are_seeded_and_leave_the_model_and_the_global_seed_alone(build_model):
    model = build_model()
    before = model.get_input_embeddings().weight.clone()
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    first, second, other = (with_random_weights(model, seed) for seed in (0, 0, 1))
    assert torch.equal(torch.rand(1), expected)
    weights = [m.get_input_embeddings().weight for m in (first, second, other)]
    assert torch.equal(weights[0], weights[1]) and not torch.equal(weights[0], weights[2])
    assert torch.equal(model.get_input_embeddings().weight, before)
    assert {n: p.shape for n, p in first.named_parameters()} == {n: p.shape for n, p in model.named_parameters()}


def decode(ids):
    return " ".join(WORDS[i] for i in ids)
