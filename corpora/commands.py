"""Verbs of a room as console commands: every function's signature and docstring make its options and its help."""

from __future__ import annotations

import inspect
import re
import typing
from argparse import RawDescriptionHelpFormatter
from collections.abc import Callable, Sequence
from typing import Any

from docstring_parser import parse as parse_docstring
from jsonargparse import ActionConfigFile, ArgumentParser, DefaultHelpFormatter

from corpora.errors import UserError


class _Help(RawDescriptionHelpFormatter, DefaultHelpFormatter):
    """Keeps the lines of a command's description."""


_STRICT: dict[str, Any] = {"allow_abbrev": False, "exit_on_error": False}


def run_verb(room: str, purpose: str, verbs: Sequence[Callable[..., None]], arguments: Sequence[str]) -> None:
    """Parse `VERB options …` and call the verb's function.

    A function's positional-only parameters are positional on the command line, and a list among them takes one or
    more; all others are options, which may also stand in a YAML file given by `--config`. Options may be written with
    hyphens, and `--private` means `--private true`.
    """
    functions = {verb.__name__: verb for verb in verbs}
    parser = ArgumentParser(prog=f"kathalab {room}", description=purpose, formatter_class=_Help, **_STRICT)
    subcommands = parser.add_subcommands(required=True, dest="verb", metavar="VERB", title="verbs")
    for name, function in functions.items():
        description = (inspect.getdoc(function) or "").split("\n\nArgs:")[0]
        command = ArgumentParser(description=description, formatter_class=_Help, **_STRICT)
        command.add_argument("--config", action=ActionConfigFile, help="a YAML file with these options")
        positional = _positional(function)
        for parameter, (kind, text) in positional.items():
            if typing.get_origin(kind) is list:
                command.add_argument(parameter, type=typing.get_args(kind)[0], nargs="+", help=text)
            else:
                command.add_argument(parameter, type=kind, help=text)
        command.add_function_arguments(function, as_group=False, as_positional=False, skip=set(positional))
        subcommands.add_subcommand(name, command, help=description.split("\n")[0])
    if not arguments:
        parser.print_help()
        raise SystemExit(2)
    words = _spell_out(arguments, functions.get(arguments[0]))
    chosen = parser.instantiate_classes(parser.parse_args(words))
    options = chosen[chosen.verb].as_dict()
    options.pop("config", None)
    function = functions[chosen.verb]
    positional_values = [options.pop(parameter) for parameter in _positional(function)]
    function(*positional_values, **options)


def _positional(function: Callable[..., None]) -> dict[str, tuple[type, str]]:
    """Name -> (type, help) of the positional-only parameters."""
    hints = typing.get_type_hints(function)
    texts = {item.arg_name: item.description or "" for item in parse_docstring(inspect.getdoc(function) or "").params}
    parameters = inspect.signature(function).parameters.values()
    return {p.name: (hints[p.name], texts.get(p.name, "")) for p in parameters if p.kind is p.POSITIONAL_ONLY}


def _spell_out(arguments: Sequence[str], function: Callable[..., None] | None) -> list[str]:
    """Underscores in the names of options, and `=true` after a switch that has no value."""
    words = [re.sub(r"^--[^=]+", lambda option: "--" + option[0][2:].replace("-", "_"), word) for word in arguments]
    if function is None:
        return words
    switches = {f"--{name}" for name, hint in typing.get_type_hints(function).items() if hint is bool}
    following = [*words[1:], "--"]
    return [
        f"{word}=true" if word in switches and after.startswith("--") else word
        for word, after in zip(words, following, strict=True)
    ]


_NOISE = ("Given value", "Subtypes:", "Errors:", "Does not validate against any", "Problem with given class_path")
_SPELLED = (
    (r"(?:- )?Expected an? <class '(?:\w+\.)*(\w+)'>\. Got value: (.*)", r"it must be of type \1, not '\2'"),
    (r"Not of type \w+: (.*)", r"\1"),
    (r"Expected a dot import path string: (.*)", r"there is no '\1'"),
    (r"(?:argument VERB: )?invalid choice: (.*) \((choose from .*)\)", r"there is no verb \1; \2"),
    (r"unrecognized arguments: (.*)", r"there is no option \1"),
    (r"the following arguments are required: (.*)", r"it needs \1"),
    (r"Expected an? typing.Literal\[(.*)\]\. Got value: (.*)", r"there is no '\2'; choose from \1"),
    (r"Option '(.*)' is not accepted", r"there is no option '\1'"),
)


def wrong_usage(error: BaseException) -> str:
    """jsonargparse's report of an argument, many lines long, as one sentence; a UserError within it as it is."""
    if sentence := user_error(error):
        return sentence
    names, said = [], []
    for line in str(error).splitlines():
        line = line.strip().removeprefix("- ")
        if match := re.match(r'Parser key "(.+?)": ?', line):
            names.append(match[1])
            line = line[match.end() :]
        if line and not line.startswith(_NOISE) and line != "Expected a <class 'NoneType'>":
            said.append(line.rstrip(":"))
    reason = re.sub(r"(required: |, )\w+\.", r"\1", said[0]) if said else "this value is not possible"
    for pattern, text in _SPELLED:
        reason = re.sub(f"^{pattern}$", text, reason)
    where = f"--{'.'.join(names)}: " if names else ""
    return f"{where}{reason.rstrip('.')}; --help tells what is possible."


def user_error(error: BaseException | None) -> str:
    """The sentence of the UserError that led to an error; empty if none did."""
    while error is not None and not isinstance(error, UserError):
        error = error.__cause__ or error.__context__
    return str(error or "")
