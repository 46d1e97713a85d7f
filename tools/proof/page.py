"""Writes the tables of a report into docs/proof.md: `python -m tools.proof.page`.

They stand there between `<!-- table: NAME -->` and `<!-- end of table -->`, and are those of
figures.json, which is the report.json of a run, of difficulty.json, and of steps.json.
"""

import json
import re
from pathlib import Path

from tools.proof import difficulty, report, steps_report

PAGE = Path(__file__).parents[2] / "docs" / "proof.md"
FIGURES = Path(__file__).with_name("figures.json")
DIFFICULTY = Path(__file__).with_name("difficulty.json")
STEPS = Path(__file__).with_name("steps.json")
REGION = re.compile(r"(<!-- table: (\w+) -->\n).*?(?=<!-- end of table -->)", re.DOTALL)


def tables() -> dict[str, str]:
    """Every table of the page, by name."""
    of = {FIGURES: report.tables, DIFFICULTY: difficulty.tables, STEPS: steps_report.tables}
    made = (make(json.loads(file.read_text(encoding="utf-8"))) for file, make in of.items())
    return {name: table for tables in made for name, table in tables.items()}


def filled(page: str) -> str:
    """The page with the tables of the reports."""
    made = tables()
    return REGION.sub(lambda region: f"{region[1]}\n{made[region[2]]}\n\n", page)


def main() -> None:
    """Fills the page."""
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
