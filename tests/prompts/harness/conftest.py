"""A parallel data set of three topics in three languages, methods that stand in for real ones, and a plan of both."""

import io
import shutil
from contextlib import redirect_stdout

import numpy as np
import pytest
import yaml

import kathalab
from prompts.harness.kinds import KINDS
from prompts.harness.methods import Kind

TOPICS = ("geography", "health", "science/technology", "travel", "sports", "politics", "entertainment")
WORDS = {"eng_Latn": "river", "hin_Deva": "नदी", "mar_Deva": "नदीचा", "ben_Beng": "নদী"}


def write_sib200(folder, per_class=12, dev_per_class=4):
    """`TOPIC-number` texts: line i of a split is of topic i modulo seven, in every language."""
    for place, word in WORDS.items():
        (folder / place).mkdir(parents=True)
        for split, count in (("train", per_class), ("dev", dev_per_class)):
            rows = [f"{split}{i}\t{TOPICS[i % 7]}\t{word} {TOPICS[i % 7]} {i}" for i in range(7 * count)]
            (folder / place / f"{split}.tsv").write_text("\n".join(["index_id\tcategory\ttext", *rows]) + "\n")
    return folder


class Told:
    """Reads the topic out of the text, and is right where a seeded coin says so; counts its fits."""

    fitted: list[tuple[int, int, int]] = []

    def __init__(self, setting, skill=1.0, refuses=False):
        self.setting, self.skill, self.refuses = setting, skill, refuses
        self.facts = {"parameters": 7}

    def fit(self, items):
        assert {item.label for item in items} == set(self.setting.seen)
        assert {item.label for item in self.setting.development} <= set(self.setting.seen)
        assert {item.language for item in items} == {self.setting.source}
        Told.fitted.append((self.setting.draw, self.setting.seed, len(items)))

    def scores(self, items, language):
        if self.refuses:
            return np.full((len(items), len(self.setting.classes)), np.nan)
        coin = np.random.default_rng([self.setting.draw, self.setting.seed, len(language)])
        values = coin.random((len(items), len(self.setting.classes)))
        for row, item in zip(values, items, strict=True):
            if coin.random() < self.skill:
                row[self.setting.classes.index(item.text.split()[1])] += 1
        bonus = np.isin(self.setting.classes, self.setting.seen) * 0.5
        return values + (bonus if self.setting.seen else 0)


@pytest.fixture(scope="session", autouse=True)
def stand_ins():
    """`told` learns, `hinted` is an untrained prompt."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(KINDS, "told", Kind(Told, seeded=True))
        patch.setitem(KINDS, "hinted", Kind(Told, learns=False, prompt=True))
        yield


@pytest.fixture
def told():
    Told.fitted.clear()
    return Told


@pytest.fixture(scope="session")
def data(tmp_path_factory):
    """A folder with sib200/, which no test changes."""
    folder = tmp_path_factory.mktemp("data")
    write_sib200(folder / "sib200")
    return folder


@pytest.fixture
def sib200_folder(tmp_path, data):
    """A copy that a test may change."""
    shutil.copytree(data / "sib200", tmp_path / "data" / "sib200")
    return tmp_path / "data" / "sib200"


@pytest.fixture(scope="session")
def finished(tmp_path_factory, data):
    """The whole study as the command made it, which no test changes."""
    folder = tmp_path_factory.mktemp("finished")
    (folder / "plan.yaml").write_text(yaml.safe_dump({"languages": ["hi"], "prompts": whole()}, sort_keys=False))
    with redirect_stdout(io.StringIO()) as said:
        status = kathalab.main(
            ["prompts", "study", str(folder / "plan.yaml"), "--data", str(data), "--output", str(folder / "out")]
        )
    assert status == 0
    assert said.getvalue().splitlines()[-1] == f"Compared 4 methods in 2 parts: {folder / 'out' / 'report.html'}."
    return folder / "out"


@pytest.fixture
def study_folder(finished, tmp_path):
    """A copy of it that a test may change."""
    shutil.copytree(finished, tmp_path / "study")
    return tmp_path / "study"


@pytest.fixture
def content():
    return whole()


def whole():
    """A plan's content: one part of transfer, one of generalized zero-shot."""
    return {
        "title": "Stand-ins",
        "tasks": {
            "sib200": {
                "source": "sib200", "folder": "{data}/sib200", "labels": "sib200", "development": "dev", "held_out": 21,
            },
        },
        "methods": {
            "commonest": {"method": "majority", "title": "Commonest class"},
            "hint": {"method": "hinted", "title": "Untrained prompt", "skill": 0.4},
            "good": {"method": "told", "title": "Trained prompt", "skill": 0.9},
            "bad": {"method": "told", "title": "Told nothing", "skill": 0.0, "control": True},
        },
        "parts": {
            "transfer": {
                "title": "From two English sentences of each class",
                "task": "sib200", "from": "en", "languages": ["en", "hi", "mr", "bn"], "mean_over": ["hi", "mr", "bn"],
                "k": 2, "draws": 3, "seeds": 2, "methods": ["commonest", "hint", "good", "bad"],
                "against": ["commonest"], "confusions": ["good"],
            },
            "generalized": {
                "title": "Four classes seen, three not", "task": "sib200", "languages": ["hi", "mr"],
                "k": 2, "draws": 2, "seen": 4, "rotations": 2, "by": "harmonic_mean",
                "methods": ["hint", "good"], "confusions": ["good", "hint"],
            },
        },
    }  # fmt: skip


@pytest.fixture
def write_plan(tmp_path):
    def write(content, name="plan.yaml"):
        path = tmp_path / name
        path.write_text(yaml.safe_dump(content, allow_unicode=True, sort_keys=False))
        return path

    return write
