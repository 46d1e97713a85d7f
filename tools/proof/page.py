"""Writes the tables of a report into docs/proof.md: `python -m tools.proof.page`.

They stand there between `<!-- table: NAME -->` and `<!-- end of table -->`, and are those of
figures.json, which is the report.json of a run, and of difficulty.json.
"""

import json
import re
from pathlib import Path

from tools.proof import difficulty, report

PAGE = Path(__file__).parents[2] / "docs" / "proof.md"
FIGURES = Path(__file__).with_name("figures.json")
DIFFICULTY = Path(__file__).with_name("difficulty.json")
REGION = re.compile(r"(<!-- table: (\w+) -->\n).*?(?=<!-- end of table -->)", re.DOTALL)


def filled(page: str, figures: str, of_difficulty: str) -> str:
    """The page with the tables of both reports, as JSON."""
    made = report.tables(json.loads(figures))
    made |= difficulty.tables(json.loads(of_difficulty))
    return REGION.sub(lambda region: f"{region[1]}\n{made[region[2]]}\n\n", page)


def main() -> None:
    """Fills the page."""
    texts = (file.read_text(encoding="utf-8") for file in (PAGE, FIGURES, DIFFICULTY))
    page = filled(*texts)
    PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
