"""Writes the tables of a report into docs/proof.md: `python -m tools.proof.page`.

They stand there between `<!-- table: NAME -->` and `<!-- end of table -->`, and are those of
figures.json, which is the report.json of a run.
"""

import json
import re
from pathlib import Path

from tools.proof.report import tables

PAGE = Path(__file__).parents[2] / "docs" / "proof.md"
FIGURES = Path(__file__).with_name("figures.json")
REGION = re.compile(r"(<!-- table: (\w+) -->\n).*?(?=<!-- end of table -->)", re.DOTALL)


def filled(page: str, figures: str) -> str:
    """The page with the tables of `figures`, a report as JSON."""
    made = tables(json.loads(figures))
    return REGION.sub(lambda region: f"{region[1]}\n{made[region[2]]}\n\n", page)


def main() -> None:
    """Fills the page."""
    page = filled(PAGE.read_text(encoding="utf-8"), FIGURES.read_text(encoding="utf-8"))
    PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
