import pytest
import yaml

import kathalab
from prompts.training.fit import BASE

CONFIGS = sorted(path for path in BASE.parent.glob("*.yaml") if path != BASE)


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_every_configuration_is_complete_and_known(path, capsys):
    assert kathalab.main(["prompts", "fit", "--config", str(path), "--print_config"]) == 0
    printed = yaml.safe_load(capsys.readouterr().out)
    own, base = (yaml.safe_load(file.read_text(encoding="utf-8")) for file in (path, BASE))
    assert printed["model"]["model"] == own["model"]["model"]
    assert printed["trainer"]["default_root_dir"] == f"results/prompts/{path.stem}"
    assert printed["model"]["objective"]["smoothing"] == base["model"]["objective"]["smoothing"]
    assert f"prompts fit --config prompts/configs/{path.name}" in path.read_text(encoding="utf-8")


def test_five_models_are_one_line_each():
    names = [yaml.safe_load(path.read_text(encoding="utf-8"))["model"]["model"] for path in CONFIGS]
    assert len(names) == 5 and len(set(names)) == 5


def test_an_unknown_key_is_one_sentence(capsys):
    assert kathalab.main(["prompts", "fit", "--config", str(CONFIGS[0]), "--model.prefixx=1"]) == 2
    assert "prefixx" in capsys.readouterr().err


def test_help_tells_what_is_read_and_written(capsys):
    assert kathalab.main(["prompts", "fit", "--help"]) == 0
    told = " ".join(capsys.readouterr().out.split())
    for words in ("metrics.csv", "--ckpt_path last", "--model.objective.smoothing", "--data.shots", "Reads a model"):
        assert words in told
    assert kathalab.main(["prompts", "--help"]) == 0
    assert "Train a soft prompt" in " ".join(capsys.readouterr().out.split())
