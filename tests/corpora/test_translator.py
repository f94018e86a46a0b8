"""The translator that the project trains: it learns, resumes to the same weights, and serves the translated source."""

import json
import random

import pytest
import transformers

import kathalab
from corpora.building.build import build_corpus
from corpora.folders import read_manifest, sha256
from corpora.sources import Source
from corpora.stories import SPLITS, Story, read_corpus
from corpora.translation import translator
from corpora.translation.pairs import Pair
from corpora.translation.translator import batches, chance, choose

NOUNS = {"cat": "बिल्ली বেড়াল", "dog": "कुत्ता কুকুর", "bird": "चिड़िया পাখি", "fish": "मछली মাছ", "boy": "लड़का ছেলে"}
VERBS = {"ran": "भागा দৌড়াল", "slept": "सोया ঘুমাল", "sang": "गाया গাইল", "ate": "खाया খেল"}
PLACES = {"home": "घर में ঘরে", "field": "खेत में মাঠে", "river": "नदी में নদীতে", "forest": "जंगल में বনে"}


class Parallel(Source):
    """Stories of three sentences, the same in English, Hindi and Bengali."""

    def __iter__(self):
        rng = random.Random(0)
        for number in range(100):
            told = {"en": [], "hi": [], "bn": []}
            for _ in range(3):
                noun, verb, place = (rng.choice(list(words.items())) for words in (NOUNS, VERBS, PLACES))
                told["en"].append(f"The {noun[0]} {verb[0]} at the {place[0]}.")
                for code, number_of in (("hi", 0), ("bn", -1)):
                    where = " ".join(place[1].split()[:2]) if code == "hi" else place[1].split()[-1]
                    words = [noun[1].split()[number_of], where, verb[1].split()[number_of]]
                    told[code].append(" ".join(words) + "।")
            for code, (one, *others) in told.items():
                text = f"{one}\n\n{' '.join(others)}"
                yield Story(f"{number}-{code}", code, text, "tests", group=f"g{number}", license="CC0-1.0")


TINY = ["--languages", "[hi,bn]", "--training.width", "64", "--training.layers", "1", "--training.updates", "200"]
TINY += ["--training.vocabulary_size", "120", "--training.batch_tokens", "512", "--training.learning_rate", "3e-3"]
TINY += ["--training.precision", "fp32"]


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    folder = tmp_path_factory.mktemp("translator")
    build_corpus(Parallel(), folder / "parallel", cleaning=None, duplicates=None)
    command = ["corpora", "translator", "--corpus", str(folder / "parallel"), "--output", str(folder / "model"), *TINY]
    assert kathalab.main(command) == 0
    return folder


def test_it_learns_to_translate_stories_it_has_not_seen(folders):
    scores = json.loads((folders / "model" / "scores.json").read_text())
    assert scores["hi"]["chrf"] > 90 and scores["bn"]["chrf"] > 90
    rows = [json.loads(line) for line in (folders / "model" / "translations.jsonl").read_text().splitlines()]
    assert {row["language"] for row in rows} == {"hi", "bn"} and rows[0]["translation"]


def test_the_folder_opens_in_transformers_and_says_what_it_is(folders):
    model = transformers.AutoModelForSeq2SeqLM.from_pretrained(folders / "model")
    tokenizer = transformers.AutoTokenizer.from_pretrained(folders / "model")
    made = model.generate(**tokenizer([">>bn<< The fish slept at the river."], return_tensors="pt"))
    assert tokenizer.decode(made[0], skip_special_tokens=True) == "মাছ নদীতে ঘুমাল।"
    manifest = read_manifest(folders / "model", "translator")
    assert manifest["licenses"] == ["CC0-1.0"] and manifest["parameters"] == model.num_parameters()
    assert manifest["inputs"]["corpus"] == read_manifest(folders / "parallel")["fingerprint"]
    assert not (folders / "model.training").exists()


def test_a_corpus_is_translated_by_it(folders, capsys):
    command = ["corpora", "build", "--source", "Translation", "--source.model", str(folders / "model")]
    command += ["--source.languages", "[hi,bn]", "--source.work", str(folders / "work")]
    command += ["--source.corpus", str(folders / "parallel"), "--output", str(folders / "translated")]
    assert kathalab.main([*command, "--cleaning", "null", "--deduplicate", "false"]) == 0
    for split in SPLITS:
        ours, theirs = (
            {story.group: story.text for story in read_corpus(folders / name, split, ["hi"])}
            for name in ("parallel", "translated")
        )
        assert set(theirs) <= set(ours)
        assert sum(theirs[group] == ours[group] for group in theirs) > 0.8 * len(ours)
    (flagged, stories) = (folders / "work" / name for name in ("flagged.jsonl", "stories.jsonl"))
    assert sum(len(file.read_text().splitlines()) for file in (flagged, stories)) == 200


@pytest.mark.slow
def test_a_killed_training_goes_on_to_the_same_weights(folders, monkeypatch):
    monkeypatch.setattr(translator, "_SECONDS_BETWEEN_CHECKPOINTS", 0)
    save = translator._State.save

    def save_and_die(self, model, optimizer, done, losses):
        save(self, model, optimizer, done, losses)
        raise MemoryError

    monkeypatch.setattr(translator._State, "save", save_and_die)
    command = [
        "corpora",
        "translator",
        "--corpus",
        str(folders / "parallel"),
        "--output",
        str(folders / "again"),
        *TINY,
    ]
    for _ in range(2):
        with pytest.raises(MemoryError):
            kathalab.main(command)
    assert not (folders / "again").exists()
    monkeypatch.setattr(translator._State, "save", save)
    assert kathalab.main(command) == 0
    for name in ("model.safetensors", "losses.csv", "translations.jsonl"):
        assert sha256(folders / "again" / name) == sha256(folders / "model" / name)


def test_a_corpus_without_parallel_stories_is_refused(folders, capsys):
    command = ["corpora", "translator", "--corpus", str(folders / "parallel"), "--output", str(folders / "no")]
    assert kathalab.main([*command, "--languages", "[mr]"]) == 1
    assert "no train stories in mr" in capsys.readouterr().err
    assert kathalab.main([*command, "--languages", "[en]"]) == 1
    assert "cannot be translated" in capsys.readouterr().err


def test_batches_hold_every_pair_once_within_the_budget():
    lengths = [random.Random(n).randrange(4, 40) for n in range(200)]
    made = batches(lengths, 100, seed=1, epoch=0)
    assert sorted(index for batch in made for index in batch) == list(range(200))
    assert all(len(batch) * max(lengths[index] for index in batch) <= 100 for batch in made)
    assert made == batches(lengths, 100, 1, 0) != batches(lengths, 100, 1, 1)


def test_pairs_that_correspond_little_are_kept_seldom():
    pairs = [Pair(str(n), "x", "hi", support) for n, support in enumerate([0.9, 0.5, 0.3, 0.1] * 500)]
    assert [round(chance(pair, 0.5), 3) for pair in pairs[:4]] == [1.0, 1.0, 0.135, 0.018]
    kept = choose(pairs, 0.5, seed=3)
    assert kept == choose(pairs, 0.5, seed=3) != choose(pairs, 0.5, seed=4)
    counts = [sum(pair.support == support for pair in kept) for support in (0.9, 0.5, 0.3, 0.1)]
    assert counts[:2] == [500, 500] and 40 < counts[2] < 95 and counts[3] < 25
