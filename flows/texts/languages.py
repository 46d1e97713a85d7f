"""What became of each language, as text."""

from typing import TYPE_CHECKING

from flows.texts.plain import aligned, count

if TYPE_CHECKING:
    from pipelines.publishing.versions import Version

COLUMNS = {
    "n_prompts": "prompts",
    "n_responses": "responses",
    "n_other_language": "in another language",
    "n_kept": "kept",
    "n_scored": "scored",
    "n_pairs": "pairs",
}
"""Columns of the view `language_funnel`, and what they are called here."""


def language_funnel(version: "Version") -> str:
    """A line for each language of prompts, that of most prompts first; "" where there is but one."""
    from pipelines.report.tables import Tables

    with Tables(version) as tables:
        found = tables.rows("FROM language_funnel ORDER BY n_prompts DESC, lang NULLS LAST")
    if len(found) < 2:
        return ""
    rows = [
        [row["lang"] or "unknown", *(_known(row[column]) for column in COLUMNS)] for row in found
    ]
    return aligned([["language", *COLUMNS.values()], *rows])


def _known(rows: int | None) -> str:
    return "" if rows is None else count(rows)
