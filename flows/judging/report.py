"""Report on the judges of a version: what they look at beside quality, and how they agree.

For example:
    pairwright judge report quickstart
    pairwright judge report quickstart@v0001 --judge likelihood --format json
    pairwright judge report panel --reference human --family critic=gpt

Every figure stands with its 95 % interval. A line that begins with "!" says what is alarming, and
what helps; with "?", that it may be chance. docs/bias.md explains the figures. Nothing is called, and nothing is changed.
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from flows.options.store import add_store

if TYPE_CHECKING:
    from pipelines.bias.judged import Judged
    from pipelines.publishing.versions import Version

FORMATS = ("text", "json", "markdown")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the action takes."""
    parser.add_argument(
        "dataset", metavar="NAME[@V]", help="default: the newest version that is no trial"
    )
    add_store(parser)
    parser.add_argument(
        "--judge",
        metavar="J",
        action="append",
        default=[],
        help="only this judge, or JUDGE.DIMENSION (repeatable; default: all but dimensions)",
    )
    parser.add_argument(
        "--reference",
        metavar="J",
        help='the judge whose word is trusted (default: the one whose name begins with "human")',
    )
    parser.add_argument(
        "--family",
        metavar="NAME=F",
        action="append",
        default=[],
        type=_declared,
        help="the family of a judge or model, where its name does not tell (repeatable)",
    )
    parser.add_argument("--format", choices=FORMATS, default="text")


def run(chosen: argparse.Namespace) -> int:
    """Prints the figures, computed from the version's published tables."""
    from flows.judging.report_formats import as_json, as_markdown, as_text
    from flows.judging.report_page import sections, summary
    from flows.options.version import named_version
    from pipelines.bias.judged import published
    from pipelines.bias.report import report

    version = named_version(chosen.store, chosen.dataset)
    known = published(version)
    reference = _reference(known, chosen.reference)
    judges = _judges(known, chosen.judge, reference)
    if not judges:
        print(f"{version.ref} has no judgments")
        return 0
    found = report(known, judges, dict(chosen.family), _waiting(version, judges))
    pages = list(sections(found, reference))
    head = f"{_head(version.ref, known, judges)}\n{summary(pages)}"
    if chosen.format == "json":
        print(as_json(head, found, pages))
    else:
        print({"text": as_text, "markdown": as_markdown}[chosen.format](head, pages))
    return 0


def _declared(given: str) -> tuple[str, str]:
    name, equals, family = given.rpartition("=")
    if not (name and equals and family):
        raise argparse.ArgumentTypeError(f'"{given}": NAME=FAMILY is wanted')
    return name, family


def _reference(known: "Judged", named: str | None) -> str | None:
    """The judge that is trusted, if there is one. Raises NotThere for a name that is unknown."""
    if named is not None:
        return _known(known, named)
    human = [judge for judge in known.judges() if judge.lower().startswith("human")]
    return human[0] if len(human) == 1 else None


def _judges(known: "Judged", named: list[str], reference: str | None) -> list[str]:
    """Those that are asked for, and the reference beside them."""
    if not named:
        return known.whole()
    wanted = {_known(known, one) for one in named}
    return sorted(wanted | {reference} if reference else wanted)


def _known(known: "Judged", name: str) -> str:
    from pipelines.errors import NotThere, nearest

    if name not in known.judges():
        raise NotThere(f'no such judge "{name}"; {nearest(name, known.judges())}')
    return name


def _waiting(version: "Version", judges: list[str]) -> set[str]:
    """Those of `judges`, JUDGE or JUDGE.DIMENSION, that were asked only about what `when` chose."""
    from pipelines.comparing.recipe_diff import recipe_table

    tables = recipe_table(version).get("judges", [])
    with_when = {one.get("name", Path(one["kind"]).stem) for one in tables if "when" in one}
    return {judge for judge in judges if {judge, judge.rpartition(".")[0]} & with_when}


def _head(ref: str, known: "Judged", judges: list[str]) -> str:
    from flows.texts.plain import counted

    answers = counted(known.responses.height, "answer")
    prompts = counted(known.responses["prompt"].n_unique(), "prompt")
    head = f"{ref}: {counted(len(judges), 'judge')} of {answers} to {prompts}"
    aspects = sorted(set(known.judges()) - set(known.whole()) - set(judges))
    return f"{head}\nnot shown (--judge): {', '.join(aspects)}" if aspects else head
