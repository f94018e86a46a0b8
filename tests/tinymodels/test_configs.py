"""Every shipped configuration is valid, and its model has the parameters that its second line states."""

import re
from pathlib import Path

import pytest
import yaml

import kathalab
from tinymodels.module import StoryModel
from tinymodels.sizing import size_for

CONFIGS = Path(kathalab.__file__).parent / "tinymodels" / "configs"
LANGUAGES = {"hindi": ["hi"], "marathi": ["mr"], "bengali": ["bn"], "multilingual": ["hi", "mr", "bn"]}
PARAMETERS = {"1m": 1_000_000, "2m": 2_000_000, "5m": 5_000_000, "10m": 10_000_000}
RUNS = [f"{language}-{size}" for language in LANGUAGES for size in PARAMETERS]
PUBLISHED = {"64x2": 4.46e6, "64x6": 4.65e6, "64x12": 5.00e6, "512x6": 53.75e6}
"""Parameters of the models of Regional TinyStories (arXiv 2504.07989)."""
STATED = re.compile(r"# ([\d,]+) parameters \(([\d,]+) without the embedding\) with a vocabulary of ([\d,]+)\.")


def stated(name: str) -> tuple[int, int, int]:
    """Total parameters, those outside the embedding, and the vocabulary, of a configuration's second line."""
    found = STATED.fullmatch((CONFIGS / f"{name}.yaml").read_text(encoding="utf-8").splitlines()[1])
    assert found, f"the second line of {name}.yaml does not state its size"
    total, non_embedding, vocabulary = (int(number.replace(",", "")) for number in found.groups())
    return total, non_embedding, vocabulary


@pytest.fixture
def printed(capsys, monkeypatch):
    """`printed("hindi-1m", …)`: what `fit --print_config` prints of these files, one after the other."""
    monkeypatch.chdir(CONFIGS.parent.parent)

    def print_config(*names: str) -> dict:
        files = [f"--config=tinymodels/configs/{name}.yaml" for name in names]
        assert kathalab.main(["tinymodels", "fit", *files, "--print_config"]) == 0
        return yaml.safe_load(capsys.readouterr().out)

    return print_config


def test_no_file_is_without_a_test():
    names = {path.stem for path in CONFIGS.glob("*.yaml")}
    assert names == {"base", *RUNS, *(f"baseline-{shape}" for shape in PUBLISHED)}


@pytest.mark.parametrize("name", RUNS)
def test_a_published_run_has_the_size_it_states(name, printed):
    language, size = name.split("-")
    options = printed(name)
    total, non_embedding, vocabulary = stated(name)
    model = StoryModel(**{**options["model"], "vocabulary_size": vocabulary})
    assert sum(weight.numel() for weight in model.parameters()) == total == model.size.total
    assert model.size.non_embedding == non_embedding
    assert abs(total - PARAMETERS[size]) <= 0.02 * PARAMETERS[size]
    assert options["model"]["parameters"] == PARAMETERS[size]
    assert options["data"]["languages"] == LANGUAGES[language]
    assert options["trainer"]["default_root_dir"].startswith("results/quickstart/runs/")


@pytest.mark.parametrize("size", PARAMETERS)
def test_the_shape_of_a_published_run_is_the_best_of_the_sweep(size, sweep, printed):
    """Or no worse than the best by more than their interval."""
    ranked = {
        group: settings
        for group, settings in sweep.ranking(sweep.read(sweep.RECORD)).items()
        if int(group[0]) == PARAMETERS[size]
    }
    if not ranked:
        pytest.skip(f"no sweep of {size} models is recorded")
    keys = ("parameters", "vocabulary_size", "width", "layers", "heads", "kv_heads", "feed_forward")
    for language in LANGUAGES:
        name = f"{language}-{size}"
        model = size_for(**{key: (printed(name)["model"] | {"vocabulary_size": stated(name)[2]})[key] for key in keys})
        shape = (model.width, model.layers, model.feed_forward)
        for (parameters, vocabulary, *_), settings in ranked.items():
            if int(vocabulary) == model.vocabulary_size:
                ours = [setting for setting in settings if setting.shape == shape]
                assert ours, f"the sweep of {parameters} parameters has not tried {shape}"
                assert ours[0].is_as_good_as(settings[0]), f"{settings[0].shape} is better than {shape}"


def test_no_two_runs_share_a_folder():
    folders = [
        yaml.safe_load((CONFIGS / f"{name}.yaml").read_text(encoding="utf-8"))["trainer"]["default_root_dir"]
        for name in RUNS
    ]
    assert len(set(folders)) == len(RUNS)


@pytest.mark.parametrize("shape", PUBLISHED)
def test_a_baseline_is_as_large_as_the_published_model(shape, printed):
    name = f"baseline-{shape}"
    options = printed("hindi-1m", name)
    total, non_embedding, vocabulary = stated(name)
    assert vocabulary == 68_096
    # the weights of the 512x6 take a second to draw: counted at its own vocabulary, built at a small one
    model = StoryModel(**{**options["model"], "vocabulary_size": 1000})
    assert sum(weight.numel() for weight in model.parameters()) == total - (vocabulary - 1000) * model.size.width
    assert model.size.non_embedding == non_embedding
    assert f"{model.size.width}x{model.size.layers}" == shape and model.size.heads == 8
    # GPT-2's blocks: four matrices of attention and two of four times the width, two norms; and a last norm
    width, layers = model.size.width, model.size.layers
    assert non_embedding == pytest.approx(layers * (12 * width**2 + 2 * width) + width, rel=0.002)
    assert total == pytest.approx(PUBLISHED[shape], rel=0.01)
    assert options["data"]["languages"] == ["hi"], "what the baseline does not say is the other configuration's"
