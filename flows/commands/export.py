"""Write a version's pairs in the format that a trainer reads.

For example:
    pairwright export quickstart --format trl --out exported
    pairwright export quickstart@v0001 --format reward --out rm --split train --set margin=false
    pairwright export quickstart --format trl --out exported --check tokenizer=my-model --max-length 1024

`pairwright parts exporters` explains the formats and what --set can tell them. --check renders the
chat template for every pair, counts tokens, writes check.json beside the data, and ends with exit
code 3 where it finds faults.
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from flows.options.numbers import positive
from flows.options.store import add_store

if TYPE_CHECKING:
    from pipelines.exporter import Exporter
    from pipelines.exporting.check import Checker
    from pipelines.exporting.export import Exported

DONE, FAULTS = 0, 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument(
        "dataset", metavar="NAME[@V]", help="default: the newest version that is no trial"
    )
    add_store(parser)
    parser.add_argument("--format", metavar="KIND", required=True, help="one of the formats")
    parser.add_argument(
        "--out", metavar="DIR", type=Path, required=True, help="a folder that is not there yet"
    )
    parser.add_argument(
        "--split", action="append", default=[], help="may be repeated (default: all splits)"
    )
    parser.add_argument(
        "--order",
        default="shuffled",
        help="of the rows: shuffled (default), or easy_to_hard by the measure `difficulty`",
    )
    parser.add_argument(
        "--group",
        metavar="NAME",
        help="the pairs of one annotator group alone (default: all pairs)",
    )
    parser.add_argument(
        "--set",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        dest="overrides",
        help="one field of the format; may be repeated",
    )
    parser.add_argument(
        "--check", metavar="tokenizer=PATH", help="a local folder that holds a tokenizer"
    )
    parser.add_argument(
        "--max-length", metavar="N", type=positive, help="tokens at which the trainer will cut"
    )


def run(chosen: argparse.Namespace) -> int:
    """Exports. Returns 0, or 3 where the check found faults."""
    from flows.options.version import named_version
    from pipelines.exporting.export import export
    from pipelines.publishing.store import Store

    exporter = _exporter(chosen.format, chosen.overrides)
    checker = _checker(chosen.check, chosen.max_length)
    store = Store(chosen.store)
    version = named_version(chosen.store, chosen.dataset)
    splits, order, group = chosen.split, chosen.order, chosen.group
    exported = export(store, version, exporter, chosen.out, splits, checker, order, group)
    print(f"{version.ref} as {exporter.name} in {chosen.out}\n")
    print(_counts(exported))
    if checker is None:
        return DONE
    print(f"\n{_findings(exported)}")
    return FAULTS if any(one.check and one.check.faults for one in exported.values()) else DONE


def _exporter(kind: str, overrides: list[str]) -> "Exporter":
    """The exporter that `--format` and `--set` describe. Raises RecipeError."""
    from typing import cast

    from pipelines.configuring.overrides import apply_override
    from pipelines.errors import RecipeError, nearest
    from pipelines.part import Where, kinds, load_part
    from pipelines.recipe import frozen

    if not kind.endswith(".py") and kind not in kinds("exporters"):
        hint = nearest(kind, kinds("exporters"))
        raise RecipeError(f'--format: no such format "{kind}"; {hint}, or "./your_file.py"')
    table = {"kind": kind}
    for override in overrides:
        apply_override(table, override, "the format")
    settings = frozen(table, "--set", "")
    return cast("Exporter", load_part("exporters", settings, Where("--set", "", Path.cwd())))


def _checker(wanted: str | None, max_length: int | None) -> "Checker | None":
    """What `--check` and `--max-length` describe. Raises RecipeError."""
    from pipelines.errors import RecipeError
    from pipelines.exporting.chat import read_chat
    from pipelines.exporting.check import Checker

    if wanted is None:
        if max_length is not None:
            raise RecipeError("--max-length: is for --check tokenizer=PATH, which is missing")
        return None
    key, _, path = wanted.partition("=")
    if key != "tokenizer" or not path:
        raise RecipeError(f"--check {wanted}: wanted tokenizer=PATH, a folder with a tokenizer")
    return Checker(read_chat(Path(path)), max_length)


def _counts(exported: "dict[str, Exported]") -> str:
    """Rows of each split, with what was left out and what the format has to say."""
    from flows.texts.plain import aligned, count, counted

    lines = [("split", "rows", "")]
    for split, one in exported.items():
        lines.append((split, count(one.written.rows), f"of {counted(one.pairs, 'pair')}"))
        lines += [("", f"-{count(n)}", f"pairs: {why}") for why, n in one.left_out.items()]
        lines += [("", count(n), name) for name, n in one.written.notes.items()]
    return aligned(lines)


def _findings(exported: "dict[str, Exported]") -> str:
    """Tokens by split, then the faults and the warnings with an example each."""
    from flows.texts.plain import aligned, counted

    tokens, found = [("split", "tokens", "p50", "p95", "max")], []
    for split, one in exported.items():
        check = one.check.to_json() if one.check else {"tokens": {}, "faults": {}, "warnings": {}}
        for side, figures in check["tokens"].items():
            tokens.append((split, side, *(str(figures.get(name, "")) for name in tokens[0][2:])))
        for word in ("faults", "warnings"):
            for kind, finding in check[word].items():
                pairs = counted(finding["pairs"], "pair")
                found.append(f"{word[:-1]}: {split}: {kind}: {pairs}, as {finding['examples'][0]}")
    return "\n".join([aligned(tokens), "", *(found or ["no faults"])])
