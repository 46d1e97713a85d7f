"""Check the installation, the store, and what a recipe needs; say what helps.

For example:
    pairwright doctor
    pairwright doctor my.toml           its sources, keys and endpoints too; no call is paid
    pairwright doctor my.toml --set models.policy.base_url=http://gpu7:8000/v1
    pairwright doctor --deep --repair   hash every published byte; put right what is derived

Repairs are safe: the catalogue is made again, and folders of dead builds are removed. Published
versions and the ledger are never touched.
"""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from flows.options.recipe import add_overrides, overrides_of
from flows.options.store import add_store

if TYPE_CHECKING:
    from pipelines.health.check import Check

WORST = 2
SUBJECT_WIDTH = 22


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("recipe", metavar="RECIPE", nargs="?", help="check what it needs as well")
    add_store(parser)
    add_overrides(parser)
    parser.add_argument(
        "--deep", action="store_true", help="hash the files of all versions, as `verify` does"
    )
    parser.add_argument("--repair", action="store_true", help="do the repairs that are safe")


def run(chosen: argparse.Namespace) -> int:
    """Prints a line for each check, as it ends; 2 where there is a fault."""
    from flows.texts.plain import counted
    from pipelines.health.examine import examine
    from pipelines.publishing.store import Store

    overrides = overrides_of(chosen)
    recipe = None if chosen.recipe is None else _found(chosen.recipe)
    found = {"ok": 0, "warning": 0, "fault": 0}
    for check in examine(Store(chosen.store), recipe, overrides, deep=chosen.deep):
        if chosen.repair and check.repair is not None:
            check = _repaired(check)
        found[check.status] += 1
        print(line(check), flush=True)
    print(f"\n{counted(found['fault'], 'fault')}, {counted(found['warning'], 'warning')}")
    return WORST if found["fault"] else 0


def line(check: "Check") -> str:
    """One check on one line: status, subject, what was found, and what helps.

    >>> from pipelines.health.check import warning
    >>> line(warning("catalogue", "is missing", "pairwright doctor --repair"))
    'warning  catalogue               is missing -> pairwright doctor --repair'
    """
    from flows.texts.terminal import one_line

    help_ = f" -> {check.help}" if check.help else ""
    found = one_line(f"{check.finding}{help_}", sys.maxsize)
    return f"{check.status:7}  {check.subject:{SUBJECT_WIDTH}}  {found}"


def _found(given: str) -> Path:
    from flows.options.shipped_recipes import find_recipe

    return find_recipe(given)


def _repaired(check: "Check") -> "Check":
    from pipelines.errors import StoreError
    from pipelines.health.check import fault, ok

    assert check.repair is not None
    try:
        return ok(check.subject, f"{check.finding}; repaired: {check.repair()}")
    except StoreError as error:
        return fault(check.subject, f"{check.finding}; cannot be repaired: {error}")
