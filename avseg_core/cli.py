"""The command line: one module of `avseg_core.commands` per command, imported only when it is called."""

from __future__ import annotations

import argparse
import importlib
import io
import json
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

from avseg_core import __version__
from avseg_core.errors import AVSegError, Cancelled, InputError

COMMANDS: dict[str, str] = {
    "segment": "write masks, overlays and annotations of what sounds in a video",
    "export": "write other formats from masks that segment has kept",
    "live": "segment what sounds before a camera and a microphone, now",
    "evaluate": "measure a model on a data set, or check a data set",
    "train": "train or fine-tune a model",
    "import-data": "make a data set folder of COCO or YouTube-VIS annotations, or of plain videos",
    "synthesize": "make a labelled data set from cut-outs, backgrounds and sounds",
    "import-checkpoint": "convert a published checkpoint",
    "export-model": "write a model for other programs",
    "bench": "measure speed and memory on this machine",
    "doctor": "say what this machine has and what is missing",
}
EXIT_DONE, EXIT_FAILURE, EXIT_USAGE, EXIT_INTERRUPTED = 0, 1, 2, 130


class _Parser(argparse.ArgumentParser):
    """argparse, but a usage error is one line on stderr and exit code 2."""

    def error(self, message: str) -> None:  # type: ignore[override]
        raise InputError(f"{message} (see {self.prog} --help)")


def build_parser(command: str | None = None) -> argparse.ArgumentParser:
    """The whole parser; only `command` (if given) has its options filled in."""
    parser = _Parser(
        prog="avseg",
        description="Segment the pixels of whatever makes the sound.",
        epilog="A lone file (avseg clip.mp4) is opened in the application.",
    )
    parser.add_argument("--version", action="version", version=f"AVSeg Studio {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=_Parser)
    window = commands.add_parser("gui", help="open the application (the default)", description="Open the application.")
    window.add_argument("video", nargs="?", type=Path, metavar="VIDEO", help="open this video in it")
    for name, summary in COMMANDS.items():
        sub = commands.add_parser(name, help=summary, description=summary[0].upper() + summary[1:] + ".")
        sub.add_argument("--json", action="store_true", help="machine-readable output on stdout")
        sub.add_argument("--verbose", action="store_true", help="log what is decided and why to stderr")
        if name == command:
            _module(name).add_arguments(sub)
    return parser


def window_words(words: Sequence[str]) -> list[str]:
    """`words`, but a lone path, as of a file that is dropped on main.py, is opened in the application."""
    known = ("gui", *COMMANDS)
    alone = len(words) == 1 and words[0] not in known and not words[0].startswith("-") and os.path.exists(words[0])
    return ["gui", *words] if alone else list(words)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code: 0 done, 1 failure, 2 bad usage or input, 130 interrupted."""
    words = window_words(sys.argv[1:] if argv is None else argv)
    as_json = "--json" in words
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a file's name may hold what the terminal has no letter for
            stream.reconfigure(errors="backslashreplace")
    try:
        code = _run(words)
        sys.stdout.flush()  # here, not when Python ends: see BrokenPipeError
        return code
    except InputError as error:
        return _fail(error, EXIT_USAGE, as_json)
    except KeyboardInterrupt:
        return _fail(Cancelled("Interrupted."), EXIT_INTERRUPTED, as_json)
    except Cancelled as error:
        return _fail(error, EXIT_INTERRUPTED, as_json)
    except AVSegError as error:
        return _fail(error, EXIT_FAILURE, as_json)
    except BrokenPipeError:  # whoever read the output has seen enough, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_FAILURE


def _run(words: list[str]) -> int:
    command = next((word for word in words if word in COMMANDS), None)
    try:
        args = build_parser(command).parse_args(words)
    except SystemExit as told:  # --help and --version
        return int(told.code or 0)
    if args.command in (None, "gui"):
        from avseg_app.app import main as open_window

        video = getattr(args, "video", None)
        return int(open_window([] if video is None else [str(video.absolute())]))
    logging.basicConfig(level=logging.INFO if args.verbose else logging.WARNING, format="%(message)s")
    return int(_module(args.command).run(args))


def _module(command: str) -> ModuleType:
    return importlib.import_module("avseg_core.commands." + command.replace("-", "_"))


def _fail(error: AVSegError, code: int, as_json: bool) -> int:
    if as_json:
        print(json.dumps({"error": str(error), "exit_code": code}))
    print(f"avseg: {error}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
