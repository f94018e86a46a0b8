"""Wrong options are told in one sentence, without a traceback, and nothing is written."""

import pytest

import kathalab

GENERATOR = ["--source", "Generator", "--source.languages", "[hi]", "--source.stories"]


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["corpora", "build", *GENERATOR, "x", "--output", "o"], 2, "--source.stories: it must be of type int"),
        (["corpora", "build", "--source", "Nope", "--output", "o"], 2, "--source: there is no 'Nope'"),
        (["corpora", "build", "--sauce", "1", "--output", "o"], 2, "there is no option --sauce 1"),
        (["corpora", "build", *GENERATOR, "3"], 2, "it needs output"),
        (["corpora", "bild"], 2, "there is no verb 'bild'; choose from 'build'"),
        (["corpora", "describe"], 2, "it needs folders"),
        (["corpora", "build", "--config", "none.yaml"], 2, "--config: File does not exist"),
        (["corpora", "leaks", "c", "--against", "Generator", "--output", "o"], 2, "it needs languages, stories"),
        (
            ["corpora", "build", *GENERATOR, "3", "--cleaning.filters.without", "[wrd]", "--output", "o"],
            1,
            "there is no filter 'wrd'; choose from length",
        ),
        (["tokenization", "train", "--kind", "foo"], 2, "--kind: there is no 'foo'; choose from 'sentencepiece-bpe'"),
        (["tinymodels", "fit", "--model.parameters", "many"], 2, "--model.parameters: invalid literal"),
        (["tinymodels", "find", "--no.such", "1"], 2, "there is no option --no.such 1"),
    ],
)
def test_a_wrong_option_is_one_sentence(arguments, code, sentence, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert kathalab.main(arguments) == code
    said = capsys.readouterr().err
    assert sentence in said
    assert said.startswith("kathalab: error: ") and said.count("\n") == 1 and said.endswith(".\n")
    assert not list(tmp_path.iterdir())
