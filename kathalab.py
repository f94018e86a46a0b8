"""The console command `kathalab ROOM VERB`: finds the room, runs its command, turns mistakes into one sentence."""

from __future__ import annotations

import errno
import importlib
import os
import sys
from argparse import ArgumentError
from collections.abc import Sequence

ROOMS = {
    "corpora": "stories: where they come from, how they are cleaned, split and described",
    "tokenization": "training, loading and comparing tokenizers",
    "tinymodels": "training, sampling, exporting and publishing 1-10M-parameter models",
    "evaluation": "likelihood, text statistics, intervals and report pages",
    "prompts": "zero-shot classification across languages",
}

USAGE = (
    "usage: kathalab ROOM VERB [options]\n\nrooms:\n"
    + "".join(f"  {room:<13} {purpose}\n" for room, purpose in ROOMS.items())
    + "\n`kathalab ROOM --help` lists the room's verbs."
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code: 0 done, 1 the input or machine is at fault, 2 wrong usage, 130 Ctrl-C."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    if not arguments or arguments[0] in ("-h", "--help"):
        print(USAGE)
        return 0 if arguments else 2
    room, *rest = arguments
    if room not in ROOMS:
        return _fail(f"there is no room called {room!r}; the rooms are {', '.join(ROOMS)}.", code=2)

    from corpora.errors import UserError

    try:
        importlib.import_module(f"{room}.cli").main(rest)
    except UserError as error:
        return _fail(str(error))
    except KeyboardInterrupt:
        return _fail("stopped by Ctrl-C; what was finished is kept, and the same command goes on from there.", code=130)
    except ArgumentError as error:
        from corpora.commands import wrong_usage

        return _fail(wrong_usage(error), code=2)
    except UnicodeDecodeError as error:
        return _fail(f"the input is not valid UTF-8 (byte {error.start}: {error.reason}); convert it to UTF-8 first.")
    except OSError as error:
        return _fail(_describe(error))
    except ValueError as error:  # an argument's class refused it
        from corpora.commands import user_error

        if not (sentence := user_error(error)):
            raise
        return _fail(sentence)
    except SystemExit as error:  # argument parsers leave this way
        return error.code if isinstance(error.code, int) else (0 if error.code is None else 2)
    return 0


def _describe(error: OSError) -> str:
    """One sentence for the failures of files and disks that any command can meet."""
    where = f" at {os.fspath(error.filename)!r}" if error.filename else ""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"no space is left on the disk{where}; free some or choose another folder, then run the command again."
    if isinstance(error, PermissionError):
        return f"no permission to read or write{where}; choose another folder or change its permissions."
    if isinstance(error, FileNotFoundError):
        return f"there is no file or folder{where}; check the path."
    return f"{error.strerror or error}{where}."


def _fail(sentence: str, code: int = 1) -> int:
    print(f"kathalab: error: {sentence}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
