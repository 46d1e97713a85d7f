"""The command line: `pairwright COMMAND`. One command is one module of `flows/commands/`.

A command's module docstring is its help text; `add_arguments` declares what it takes and `run`
does it. What is heavy (polars, duckdb, pyarrow, aiohttp) is imported inside `run`, so that
`pairwright --help` and `pairwright ls` start at once.
"""

import argparse
import atexit
import os
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from types import ModuleType
from typing import Any, NoReturn

from flows.commands import (
    ablate,
    batches,
    build,
    compare,
    diff,
    difficulty,
    doctor,
    drops,
    export,
    iterate,
    judge,
    ls,
    parts,
    plan,
    report,
    retry,
    risks,
    serve_embedded,
    show,
    sql,
    tree,
    verify,
)
from flows.options.store import how_found, on_store
from flows.stopping import sigterm_as_ctrl_c
from pipelines.errors import NotThere, PairwrightError
from pipelines.meanwhile import seldom_collecting

COMMANDS: tuple[ModuleType, ...] = (
    plan,
    build,
    ls,
    show,
    drops,
    diff,
    compare,
    ablate,
    difficulty,
    iterate,
    sql,
    tree,
    export,
    judge,
    risks,
    report,
    retry,
    batches,
    verify,
    parts,
    serve_embedded,
    doctor,
)

UNUSABLE = 2

DESCRIPTION = """\
Builds versioned preference datasets: generate, judge, pair, select, publish.

    pairwright build quickstart
    pairwright show quickstart
"""

EXIT_CODES = """\
exit codes:
  0    done
  2    the recipe, another input or the store is wrong
  3    the build is complete, but a gate refuses to publish it
  4    the budget is reached, or pairs are missing to what [exactly] wants
  5    calls are owed, or a service or a training failed; the same command goes on
  130  stopped by Ctrl-C; the same command goes on
  143  stopped by SIGTERM; the same command goes on

PAIRWRIGHT_STORE names the store where --store does not; PAIRWRIGHT_DEBUG=1 shows tracebacks.
"""


class Parser(argparse.ArgumentParser):
    """An argument parser that keeps the layout of its texts and complains in one line."""

    def __init__(self, **options: Any) -> None:
        super().__init__(formatter_class=argparse.RawDescriptionHelpFormatter, **options)

    def error(self, message: str) -> NoReturn:
        """Ends with exit code 2."""
        self.exit(UNUSABLE, f"error: {message}. `{self.prog} --help` shows how\n")


class ShowVersion(argparse.Action):
    """`--version`, looked up only when it is asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        """Prints the installed version and ends."""
        from importlib.metadata import version

        print("pairwright", version("pairwright"))
        parser.exit()


def make_parser() -> Parser:
    """The parser of the whole command line."""
    parser = Parser(prog="pairwright", description=DESCRIPTION, epilog=EXIT_CODES)
    parser.add_argument("--version", action=ShowVersion, nargs=0, help="show the version and end")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    for command in COMMANDS:
        about = command.__doc__ or ""
        name = command.__name__.rpartition(".")[2].replace("_", "-")
        own = commands.add_parser(name, help=about.partition("\n")[0], description=about)
        command.add_arguments(own)
        own.set_defaults(run=command.run)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code (see `EXIT_CODES`)."""
    _open_closed_streams()
    parser = make_parser()
    chosen = parser.parse_args(arguments)
    if not hasattr(chosen, "run"):
        parser.print_help()
        return 0
    with seldom_collecting(), sigterm_as_ctrl_c() as stopped:
        try:
            code: int = chosen.run(chosen)
            sys.stdout.flush()
        except BrokenPipeError:  # the reader, `head` for one, has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0
        except KeyboardInterrupt:
            return stopped[0]
        except (PairwrightError, OSError) as error:
            if os.environ.get("PAIRWRIGHT_DEBUG"):
                raise
            words, store = _in_words(error), getattr(chosen, "store", None)
            print(f"error: {on_store(words, store) if store else words}", file=sys.stderr)
            if isinstance(error, NotThere) and (how := how_found(chosen.store)):
                print(how, file=sys.stderr)
            return error.exit_code if isinstance(error, PairwrightError) else UNUSABLE
        return code


def script() -> NoReturn:
    """The installed command: `main`, then the end of the process.

    Python would take all modules apart first, which takes a quarter of the time to import them.
    """
    code = main()
    if any(not thread.daemon for thread in threading.enumerate()[1:]):
        sys.exit(code)  # which waits for them
    atexit._run_exitfuncs()
    with suppress(BrokenPipeError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)


def _open_closed_streams() -> None:
    """Opens the streams that the caller closed (`>&-`): Python leaves None in their place."""
    sys.stdin = sys.stdin or open(os.devnull)  # noqa: PTH123, SIM115 - stays open
    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: PTH123, SIM115
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: PTH123, SIM115


def _in_words(error: Exception) -> str:
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    return str(error)


if __name__ == "__main__":
    script()
