"""The card: every number of its results comes from the scores file."""

import json
import shutil

import pytest
import yaml

import kathalab
from corpora.folders import fingerprint, new_folder, write_json, write_manifest


def interval(value, low=None, high=None):
    return {"value": value, "low": low, "high": high}


def make_scores(folder, of_model: str):
    """A scores folder in the layout of `kathalab evaluation score`, with numbers that stand nowhere else."""
    with new_folder(folder) as partial:
        scores = {
            "model": "anything",
            "corpus": "anything",
            "split": "test",
            "languages": ["hi"],
            "documents": 6173,
            "bits_per_character": interval(1.7171, 1.6161, 1.8181),
            "bits_per_akshara": interval(2.7272, 2.6262, 2.8282),
            "bits_per_byte": interval(0.5757, 0.5151, 0.5959),
            "floors": {
                "compressor": {"bits_per_character": interval(3.3131), "alone": interval(3.9191)},
                "character_ngram": {"bits_per_character": interval(2.2929, 2.1919, 2.3939)},
            },
            "generation": {
                "stories": 4747,
                "statistics": {"words": interval(41.41, 40.4, 42.42), "distinct_2": interval(0.8383, 0.8181, 0.8585)},
                "reference": {"words": interval(43.43, 42.1, 44.1)},
            },
            "katha72": {
                "split": "all",
                "languages": {
                    "hi": {
                        "bits_per_character": interval(4.6464, 4.5, 4.7),
                        "cloze": {"items": 72, "accuracy": interval(0.5353, 0.42, 0.64)},
                        "minimal_pairs": {
                            "items": 216,
                            "accuracy": interval(0.6262, 0.56, 0.69),
                            "phenomena": {"gender": {"items": 72, "accuracy": interval(0.7373, 0.63, 0.82)}},
                        },
                    }
                },
            },
            "fingerprints": {"model": of_model},
        }
        write_json(partial / "scores.json", scores)
        (partial / "documents.jsonl").write_text("{}\n")
        (partial / "generations.jsonl").write_text("{}\n")
        (partial / "katha72.jsonl").write_text("{}\n")
        write_manifest(partial, "scores", {})
    return folder


@pytest.fixture
def carded(model, tmp_path):
    """A copy of the model with the scores above in its card."""
    copy = shutil.copytree(model, tmp_path / "tiny")
    scores = make_scores(tmp_path / "scores", fingerprint(copy))
    assert kathalab.main(["tinymodels", "card", str(copy), f"--scores={scores}", "--dataset=user/stories"]) == 0
    return copy


def test_the_card_shows_the_scores(carded):
    text = (carded / "README.md").read_text()
    body = text.split("---", 2)[2]
    for number in (
        "6173",
        "1.717",
        "1.616 – 1.818",
        "2.727",
        "0.5757",
        "3.313",
        "2.293",
        "4747",
        "41.41",
        "0.8383",
        "43.43",
        "| Hindi: bits per character | 4.646 | 4.5 – 4.7 |",
        "| Hindi: right ending of two (72 stories) | 0.5353 |",
        "| Hindi: right sentence of a minimal pair (216 pairs) | 0.6262 |",
        "| Hindi: … gender | 0.7373 |",
    ):
        assert number in body, number
    assert "| held-out stories |\n|---|---|---|---|\n| words | 41.41 | 40.4 – 42.42 | 43.43 |\n| distinct 2 |" in body
    manifest = json.loads((carded / "manifest.json").read_text())
    for name in ("parameters", "non_embedding_parameters", "tokens"):
        assert f"{manifest[name]:,}" in body
    for told in ("Hindi", "CC0-1.0", "the cook", "salad", "AutoModelForCausalLM", "## Limits"):
        assert told in body


def test_the_card_head_is_what_the_hub_reads(carded):
    from huggingface_hub import ModelCard

    data = ModelCard.load(carded / "README.md").data
    assert data.language == ["hi"] and data.license == "apache-2.0" and data.pipeline_tag == "text-generation"
    found = {result.metric_type: result.metric_value for result in data.eval_results}
    assert found == {"bits_per_character": 1.7171, "bits_per_akshara": 2.7272, "bits_per_byte": 0.5757}
    assert {result.dataset_type for result in data.eval_results} == {"user/stories"}
    entries = yaml.safe_load((carded / ".eval_results" / "stories.yaml").read_text())
    assert entries[0]["dataset"] == {"id": "user/stories", "task_id": "bits_per_character"}
    assert entries[0]["value"] == 1.7171


def test_the_scores_go_along_and_the_model_stays(model, carded):
    for name in ("scores.json", "documents.jsonl", "generations.jsonl", "katha72.jsonl"):
        assert (carded / "eval" / name).is_file()
    assert (carded / "model.safetensors").read_bytes() == (model / "model.safetensors").read_bytes()
    assert (carded / "manifest.json").stat().st_mtime_ns == (model / "manifest.json").stat().st_mtime_ns
    assert kathalab.main(["tinymodels", "publish", str(carded), "--repo=a/b", "--dry_run"]) == 0


def test_writing_the_card_again_changes_nothing(carded, tmp_path):
    before = {path: path.read_bytes() for path in carded.rglob("*") if path.is_file()}
    assert (
        kathalab.main(["tinymodels", "card", str(carded), f"--scores={tmp_path / 'scores'}", "--dataset=user/stories"])
        == 0
    )
    assert {path: path.read_bytes() for path in carded.rglob("*") if path.is_file()} == before


def test_scores_of_another_model_are_refused(model, tmp_path, capsys):
    copy = shutil.copytree(model, tmp_path / "tiny")
    scores = make_scores(tmp_path / "scores", "0" * 64)
    assert kathalab.main(["tinymodels", "card", str(copy), f"--scores={scores}"]) == 1
    assert "are of another model" in capsys.readouterr().err
    assert (copy / "README.md").read_bytes() == (model / "README.md").read_bytes()


def test_a_card_without_scores_says_so(model):
    text = (model / "README.md").read_text()
    assert "Not scored yet" in text and "model-index" not in text


def test_scores_with_parts_missing_still_make_a_card(model, tmp_path):
    copy = shutil.copytree(model, tmp_path / "tiny")
    with new_folder(tmp_path / "scores") as partial:
        write_json(partial / "scores.json", {"bits_per_character": interval(1.7171), "documents": 2, "split": "test"})
        write_manifest(partial, "scores", {})
    assert kathalab.main(["tinymodels", "card", str(copy), f"--scores={tmp_path / 'scores'}"]) == 0
    assert "| bits per character | 1.717 | – |" in (copy / "README.md").read_text()
