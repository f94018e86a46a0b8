"""`kathalab tinymodels`: train, sample, export and publish story models."""

from __future__ import annotations

LIGHTNING = ("fit", "validate", "test", "predict")

HELP = """usage: kathalab tinymodels VERB [options]

Train, sample, export and publish story models of 1-10M parameters.

verbs:
  fit        train a model: corpus and tokenizer folders -> run folder (LightningCLI)
  validate   bits per character of a run on its validation stories
  test       bits per character of a run on its test stories
  predict    bits per character of each test story
  find       learning rates and a batch size from short runs
  sample     print stories that a model writes
  export     run folder -> model folder that opens in plain transformers
  card       write the scores into a model folder's card
  publish    upload a model folder to the Hugging Face Hub
  scaling    fit the loss of several runs against model size and text read

example:
  kathalab tinymodels fit --config tinymodels/configs/hindi-1m.yaml --ckpt_path last

`kathalab tinymodels VERB --help` tells what a verb reads and writes."""


def main(arguments: list[str]) -> None:
    """Run one verb."""
    if not arguments or arguments[0] in ("-h", "--help"):
        print(HELP)
        raise SystemExit(0 if arguments else 2)
    if arguments[0] in LIGHTNING:
        from tinymodels.training import train

        train(arguments)
        return

    if arguments[0] == "find":
        from tinymodels.finder import find

        find(arguments[1:])
        return

    from corpora.commands import run_verb
    from tinymodels.commands import card, export, publish, sample, scaling

    run_verb("tinymodels", "Story models of 1-10M parameters.", [sample, export, card, publish, scaling], arguments)
