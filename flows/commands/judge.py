"""Look at judges: check one against labels before its scores count, or report on what they did.

For example:
    pairwright judge check my.toml --on labelled.jsonl
    pairwright judge report quickstart
"""

import argparse

from flows.judging import check, report

ACTIONS = (check, report)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """One action is one module of `flows/judging/`."""
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    for action in ACTIONS:
        about = action.__doc__ or ""
        name = action.__name__.rpartition(".")[2]
        own = actions.add_parser(name, help=about.partition("\n")[0], description=about)
        action.add_arguments(own)
        own.set_defaults(act=action.run)


def run(chosen: argparse.Namespace) -> int:
    """Does the chosen action."""
    code: int = chosen.act(chosen)
    return code
