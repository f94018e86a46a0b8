"""`kathalab tinymodels`: train, sample, export and publish story models."""

from __future__ import annotations

import argparse
import inspect
from collections.abc import Callable
from typing import Any

LIGHTNING = ("fit", "validate", "test", "predict")

HELP = """usage: kathalab tinymodels VERB [options]

Train, sample, export and publish story models of 1-10M parameters.

verbs:
  fit        train a model: corpus and tokenizer folders -> run folder (LightningCLI)
  validate   bits per character of a run on its validation stories
  test       bits per character of a run on its test stories
  predict    bits per character of each test story
  sample     print stories that a model writes
  export     run folder -> model folder that opens in plain transformers
  card       write the scores into a model folder's card
  publish    upload a model folder to the Hugging Face Hub

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

    _run(arguments)


def _run(arguments: list[str]) -> None:
    """Parse and run one of the verbs beside training: their functions' signatures and docstrings are the interface."""
    from jsonargparse import ArgumentParser, DefaultHelpFormatter

    from tinymodels import commands

    class Help(argparse.RawDescriptionHelpFormatter, DefaultHelpFormatter):
        """Keeps the paragraphs of a description."""

    verbs: dict[str, tuple[Callable[..., None], str, str]] = {
        "sample": (commands.sample, "model", "Model folder, or USER/NAME on the Hub."),
        "export": (commands.export, "run", "Run folder of `kathalab tinymodels fit`; its newest checkpoint is taken."),
        "card": (commands.card, "model", "Model folder of `kathalab tinymodels export`."),
        "publish": (commands.publish, "folder", "Model folder of `kathalab tinymodels export`."),
    }
    parser = ArgumentParser(prog="kathalab tinymodels")
    subparsers = parser.add_subcommands(dest="verb", metavar="VERB")
    for name, (function, positional, what) in verbs.items():
        text = inspect.getdoc(function) or ""
        verb = ArgumentParser(description=text.split("Args:")[0].strip(), formatter_class=Help)
        verb.add_argument(positional, help=what)
        flags = {key for key, field in inspect.signature(function).parameters.items() if field.default is False}
        for flag in sorted(flags):
            verb.add_argument(f"--{flag}", action="store_true", help=_described(text, flag))
        verb.add_function_arguments(function, skip={positional, *flags}, as_group=False)
        subparsers.add_subcommand(name, verb, help=text.split("\n")[0])
    chosen = parser.parse_args(arguments)
    options: dict[str, Any] = dict(vars(chosen[chosen.verb]))
    verbs[chosen.verb][0](**options)


def _described(docstring: str, argument: str) -> str:
    """What a docstring's `Args` say of an argument that stands on one line."""
    lines = (line.strip() for line in docstring.splitlines())
    return next((line.split(": ", 1)[1] for line in lines if line.startswith(f"{argument}: ")), "")
