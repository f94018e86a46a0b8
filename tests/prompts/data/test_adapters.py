import csv
import json

import pytest
from datasets import ClassLabel, Dataset, Features, Value

from corpora.errors import UserError
from prompts.data import Item, ag_news_items, indic_news_items, massive_items, mtop_items, sib200_items
from prompts.data.indic_news import read_indic_news


def test_sib200_on_the_hub(monkeypatch):
    asked = []

    def load_dataset(name, configuration, split):
        asked.append((name, configuration, split))
        features = Features(
            {"index_id": Value("int64"), "category": ClassLabel(names=["health", "sports"]), "text": Value("string")}
        )
        return Dataset.from_dict({"index_id": [7], "category": [1], "text": ["टीम जीती।"]}, features=features)

    monkeypatch.setattr("datasets.load_dataset", load_dataset)
    assert sib200_items("Davlan/sib200", "dev", "hi") == [Item("7", "hi", "टीम जीती।", "sports", "7", "sib200")]
    assert asked == [("Davlan/sib200", "hin_Deva", "validation")]


def test_sib200_that_the_hub_does_not_have(monkeypatch):
    def load_dataset(*arguments, **options):
        raise ValueError("Unknown split 'x'.\nMore.")

    monkeypatch.setattr("datasets.load_dataset", load_dataset)
    with pytest.raises(UserError, match=r"cannot be read for hi x \(Unknown split 'x'\)"):
        sib200_items("Davlan/sib200", "x", "hi")


def mtop_line(number, intent, text, domain):
    return f"{number}\t{intent}\t13:20:SL:X\t{text}\t{domain}\thi_XX\t[{intent} ]\t{{}}"


def test_mtop(tmp_path):
    (tmp_path / "hi").mkdir()
    lines = [
        mtop_line(3, "IN:CREATE_ALARM", 'सुबह "6 बजे का अलार्म', "alarm"),
        mtop_line(5, "IN:GET_WEATHER", "मौसम?", "weather"),
    ]
    (tmp_path / "hi" / "eval.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    first, second = mtop_items(tmp_path, "dev", "hi")
    assert first == Item("3", "hi", 'सुबह "6 बजे का अलार्म', "alarm", "3", "mtop domain")
    assert [item.label for item in mtop_items(tmp_path, "dev", "hi", "intent")] == ["CREATE_ALARM", "GET_WEATHER"]
    (tmp_path / "hi" / "eval.txt").write_text("1\tIN:X\ttext\n")
    with pytest.raises(UserError, match="line 1 of .* has 3 columns"):
        mtop_items(tmp_path, "dev", "hi")
    with pytest.raises(UserError, match=r"\(eval.txt in its folder\)"):
        mtop_items(tmp_path, "test", "hi")


def test_massive(tmp_path):
    rows = [
        {"id": "0", "partition": "test", "scenario": "alarm", "intent": "alarm_set", "utt": "जगाओ"},
        {"id": "1", "partition": "train", "scenario": "audio", "intent": "volume_mute", "utt": "चुप"},
    ]
    path = tmp_path / "hi-IN.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert massive_items(tmp_path, "train", "hi") == [Item("1", "hi", "चुप", "audio", "1", "massive scenario")]
    assert massive_items(tmp_path, "test", "hi", "intent")[0].label == "alarm_set"
    with pytest.raises(UserError, match="holds no labelled texts"):
        massive_items(tmp_path, "dev", "hi")
    with pytest.raises(UserError, match="MASSIVE has no 'mr'; choose from hi, bn, en"):
        massive_items(tmp_path, "train", "mr")
    path.write_text('{"id": "1", "partition": "train"}\n')
    with pytest.raises(UserError, match="line 1 of .* is no row of MASSIVE"):
        massive_items(tmp_path, "train", "hi")


def test_ag_news_mends_what_publishing_broke(tmp_path):
    (tmp_path / "classes.txt").write_text("World\nSports\n")
    (tmp_path / "test.csv").write_text(
        '"2","Street #39;s game","A ""fine"" win\\for &lt;b&gt;Pune&lt;/b&gt;"\n"1","C# code; 5 #36;46","quot;Yes"\n'
    )
    items = ag_news_items(tmp_path, "test")
    assert [item.text for item in items] == ['Street\'s game A "fine" win for <b>Pune</b>', 'C# code; 5 $46 "Yes']
    assert [(item.label, item.id) for item in items] == [("Sports", "test-1"), ("World", "test-2")]
    (tmp_path / "test.csv").write_text('"3","no such class"\n')
    with pytest.raises(UserError, match="row 1 of .* no class of classes.txt"):
        ag_news_items(tmp_path, "test")


@pytest.fixture
def indic_news(tmp_path):
    """Hindi with every fault that the published files have; Bengali with its column order and file names."""

    def write(place, name, rows):
        place.mkdir(parents=True, exist_ok=True)
        with (place / name).open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(rows)

    hindi, bengali = tmp_path / "Hindi" / "SHC", tmp_path / "Bengali" / "SHC"
    write(hindi, "Hindi_SHC_Train.csv", [("text", "labels"), ("क", "sports"), ("ख", "Sports"), ("ग", "auto")])
    valid = [
        ("Text", "Label"),
        ("घ", "auto"),
        ("Text", "Label"),
        ("ख", "sports"),
        ("घ", "auto"),
        ("ङ", ""),
        ("", "auto"),
    ]
    write(hindi, "Hindi_SHC_Valid.csv", valid)
    write(hindi, "Hindi_SHC_Test.csv", [("text", "labels"), ("ख", "sports"), ("च, छ", "auto")])
    for split in ("Train", "Valid", "Test"):
        write(bengali, f"Bengal_SHC_{split}.csv", [("labels", "text"), ("sports", f"{split} ক")])
    return tmp_path


def test_indic_news_hygiene(indic_news):
    items, left_out = read_indic_news(indic_news, "validation", "hi")
    assert [(item.text, item.label, item.id) for item in items] == [("घ", "auto", "valid-2")]
    assert left_out == {"header": 1, "later": 1, "twice": 1, "empty": 2}
    assert [item.text for item in indic_news_items(indic_news, "train", "hi")] == ["क", "ग"]  # ख is a test text
    assert [(item.text, item.label) for item in indic_news_items(indic_news, "test", "hi")] == [
        ("ख", "sports"),
        ("च, छ", "auto"),
    ]


def test_indic_news_column_order_and_groups(indic_news):
    (item,) = indic_news_items(indic_news, "test", "bn")
    assert (item.text, item.label) == ("Test ক", "sports")
    hindi = indic_news_items(indic_news, "test", "hi")
    assert item.id in {other.id for other in hindi} and item.group not in {other.group for other in hindi}


def test_indic_news_without_files_or_columns(indic_news):
    with pytest.raises(UserError, match="no split 'all'"):
        indic_news_items(indic_news, "all", "hi")
    with pytest.raises(UserError, match=r"not one CSV file for valid \(its files: none\)"):
        indic_news_items(indic_news, "train", "mr")
    (indic_news / "Bengali" / "SHC" / "Bengal_SHC_Test.csv").write_text("headline,labels\nx,y\n")
    with pytest.raises(UserError, match="no columns text and label"):
        indic_news_items(indic_news, "test", "bn")
