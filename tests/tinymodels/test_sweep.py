"""The sweep over shapes and rates: it records each run once, and ranks by means over seeds."""

import math

import pytest


def row(width, seed, bits, **others):
    return {
        "parameters": "1000000",
        "vocabulary": "2048",
        "width": str(width),
        "layers": "4",
        "feed_forward": "320",
        "optimizer": "muon",
        "matrix_learning_rate": "0.02",
        "learning_rate": "0.02",
        "batch": "4",
        "updates": "100",
        "seed": str(seed),
        "validation_bits_per_character": str(bits),
        "seconds": "1.0",
        "corpus": "c",
    } | {name: str(value) for name, value in others.items()}


def test_ranking_by_hand(sweep):
    rows = [
        row(64, 1, 1.00),
        row(64, 2, 1.02),
        row(128, 1, 1.03),
        row(128, 2, 1.05),
        row(192, 1, 1.3),
        row(192, 2, 1.3),
    ]
    ((group, (first, second, third)),) = sweep.ranking(rows).items()
    assert group == ("1000000", "2048", "c", "400")
    assert (first.shape, first.mean, first.seeds) == ((64, 4, 320), pytest.approx(1.01), 2)
    # variances 2e-4, 2e-4 and 0 over 3 degrees of freedom; t(0.975, 3) = 3.182446
    assert first.half == pytest.approx(3.182446 * math.sqrt(4e-4 / 3) / math.sqrt(2), rel=1e-6)
    assert second.is_as_good_as(first), "0.03 behind, with an interval of ± 0.037"
    assert not third.is_as_good_as(first)


def test_runs_of_another_length_or_corpus_are_ranked_apart(sweep):
    rows = [
        row(64, 1, 1.0),
        row(64, 1, 0.9, updates=200),
        row(64, 1, 0.8, corpus="d"),
        row(64, 1, 0.7, batch=2, updates=200),
    ]
    assert [len(settings) for settings in sweep.ranking(rows).values()] == [2, 1, 1]


def test_a_sweep_is_recorded_once_and_goes_on_where_it_stopped(sweep, corpus, tokenizer, tmp_path, capsys):
    record = tmp_path / "sweep.csv"

    def command(shapes):
        sweep.main(
            [
                *("--corpus", str(corpus), "--tokenizer", str(tokenizer), "--languages", "hi"),
                *("--parameters", "80_000", "--shapes", *shapes, "--rates", "0.02/0.01"),
                *("--tokens", "200", "--batch", "2", "--sequence_length", "16"),
                *("--runs", str(tmp_path / "runs"), "--record", str(record)),
                *(
                    "--model.warmup=2",
                    "--model.compile=false",
                    "--trainer.accelerator=cpu",
                    "--trainer.precision=32-true",
                ),
            ]
        )
        return capsys.readouterr().out.splitlines()

    command(["64x1"])
    first = record.read_text()
    assert len(first.splitlines()) == 3
    told = command(["64x1", "64x2"])
    assert record.read_text().startswith(first), "what was recorded stays"
    rows = sweep.read(record)
    assert [(each["layers"], each["seed"]) for each in rows] == [("1", "1"), ("1", "2"), ("2", "1"), ("2", "2")]
    assert {(each["updates"], each["batch"], each["matrix_learning_rate"]) for each in rows} == {("6", "2", "0.02")}
    assert len({each["validation_bits_per_character"] for each in rows}) == 4, "seeds and shapes differ"
    assert all(float(each["seconds"]) >= 0 for each in rows)
    assert len(told) >= 3 and sum("±" in line for line in told) == 2
    inner = {each["layers"]: each["feed_forward"] for each in rows}
    assert int(inner["1"]) > int(inner["2"]), "the budget is the same"
    capsys.readouterr()
    before = record.read_bytes()
    command(["64x1", "64x2"])
    assert record.read_bytes() == before


def test_one_seed_is_refused(sweep, capsys):
    with pytest.raises(SystemExit):
        required = {"corpus": "c", "tokenizer": "t", "languages": "hi", "parameters": 1, "shapes": "64x1"}
        required |= {"rates": "0.1/0.1", "tokens": 1, "batch": 1, "seeds": 1}
        sweep.main([f"--{name}={value}" for name, value in required.items()])
    assert "needs two seeds" in capsys.readouterr().err
