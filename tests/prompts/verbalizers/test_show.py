import json

import pytest

import kathalab


def show(labels, *options):
    return kathalab.main(["prompts", "verbalizer", "show", str(labels), *map(str, options)])


@pytest.fixture
def two_classes(tmp_path):
    path = tmp_path / "labels.yaml"
    path.write_text(
        "template: {hi: 'विषय: ', en: 'विषय: '}\n"
        "labels:\n  courage: {hi: [साहस], en: [a]}\n  friendship: {hi: [दोस्त], en: [b]}\n",
        encoding="utf-8",
    )
    return path


def test_neighbours_are_listed_with_cosine_and_weight_and_a_veto_takes_one_out(
    model_folder, two_classes, tmp_path, capsys
):
    output = tmp_path / "words.json"
    options = ["--languages=[hi,en]", "--model", model_folder, "--neighbours=3", "--output", output]
    assert show(two_classes, *options) == 0
    printed = capsys.readouterr().out.splitlines()
    words = json.loads(output.read_text(encoding="utf-8"))["words"]
    assert printed[-1] == f"Listed {len(words)} rows in 2 languages; they are in {output}."
    assert len(words) == 2 * 2 * 3
    assert {"class", "language", "name", "row", "piece", "text", "weight", "cosine"} == set(words[0])
    for label in ("courage", "friendship"):
        assert sum(word["weight"] for word in words if word["class"] == label) == pytest.approx(1)
    first = words[0]
    assert printed[0] == "\t".join(
        [*(str(first[key]) for key in ("class", "language", "name", "row", "piece", "text"))]
        + [f"{first['weight']:.4f}", f"{first['cosine']:.4f}"]
    )

    struck = words[1]
    veto = tmp_path / "veto.yaml"
    veto.write_text(json.dumps([{"piece": struck["piece"], "class": struck["class"]}]))
    assert show(two_classes, *options, "--veto", veto) == 0
    left = json.loads(output.read_text(encoding="utf-8"))["words"]
    assert len(left) == len(words)  # another moved up
    assert struck["row"] not in {word["row"] for word in left if word["class"] == struck["class"]}


def test_neighbours_of_what_the_model_foretells(model_folder, two_classes, tmp_path):
    def words(*options):
        output = tmp_path / "words.json"
        assert show(two_classes, "--languages=[hi]", "--model", model_folder, "--output", output, *options) == 0
        return json.loads(output.read_text(encoding="utf-8"))["words"]

    contextual = words("--kind=contextual", "--neighbours=4")
    assert len(contextual) == 8
    assert {word["row"] for word in contextual} != {word["row"] for word in words("--neighbours=4")}


def test_pieces_of_names_with_a_tokenizer_alone_and_names_with_nothing(model_folder, tmp_path, capsys):
    output = tmp_path / "names.json"
    options = ["--languages=[hi,mr]", "--output", output]
    assert show("themes", *options, "--tokenizer", model_folder) == 0
    words = json.loads(output.read_text(encoding="utf-8"))["words"]
    assert {word["name"] for word in words if word["class"] == "courage"} == {"साहस", "हिम्मत", "धाडस", "हिंमत"}
    assert all(word["pieces"][0].startswith("▁") for word in words)
    capsys.readouterr()
    assert show("sib200", *options) == 0
    printed = capsys.readouterr().out.splitlines()
    assert "politics\tmr\tराजकारण" in printed and printed[-1].startswith("Listed 28 names in 2 languages;")


@pytest.mark.parametrize(
    ("labels", "options", "message"),
    [
        ("absent", [], "there is no labels file"),
        ("sib200", ["--tokenizer=absent"], "there is no tokenizer folder"),
        ("sib200", ["--model=absent"], "there is no model folder"),
        ("sib200", ["--veto=absent.yaml"], "there is no veto file 'absent.yaml'"),
    ],
)
def test_wrong_input_gives_one_sentence(labels, options, message, tmp_path, capsys):
    assert show(labels, "--languages=[mr]", "--output", tmp_path / "out.json", *options) == 1
    assert message in capsys.readouterr().err.strip().splitlines()[-1]
    assert not (tmp_path / "out.json").exists()


def test_veto_without_a_model_and_another_action(tmp_path, capsys):
    veto = tmp_path / "veto.yaml"
    veto.write_text("- {row: 3}\n")
    assert show("sib200", "--languages=[mr]", "--veto", veto) == 1
    assert "give --model too" in capsys.readouterr().err
    assert kathalab.main(["prompts", "verbalizer", "hide", "sib200", "--languages=[mr]"]) != 0
    assert "'hide'" in capsys.readouterr().err
