import pytest

from corpora.errors import UserError
from prompts.verbalizers import Veto, load_vetoes


def test_file_that_a_person_writes(tmp_path):
    path = tmp_path / "veto.yaml"
    path.write_text(
        "- {piece: ▁खेलकर}  # a verb\n- {piece: '▁game', class: sports}\n- row: 4711\n  class: health\n  language: mr\n",
        encoding="utf-8",
    )
    assert load_vetoes(path) == [
        Veto(piece="▁खेलकर"),
        Veto(piece="▁game", label="sports"),
        Veto(row=4711, label="health", language="mr"),
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("- {piece: ▁a, row: 3}", "entry 1 of the veto file .* is not understood"),
        ("- {row: 3}\n- {class: sports}", "entry 2 "),
        ("- {piece: ▁a, label: sports}", "entry 1 "),
        ("- {row: '3'}", "entry 1 "),
        ("- {row: true}", "entry 1 "),
        ("- ▁a", "entry 1 "),
        ("▁a: sports", "entry 1 "),
        ("", "entry 1 "),
        ("- {row: [", "is not valid YAML"),
    ],
)
def test_damaged_file_gives_one_sentence(content, message, tmp_path):
    path = tmp_path / "veto.yaml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(UserError, match=message) as raised:
        load_vetoes(path)
    assert "\n" not in str(raised.value)


def test_absent_file(tmp_path):
    with pytest.raises(UserError, match="there is no veto file"):
        load_vetoes(tmp_path / "absent.yaml")
