"""The page: all sections as one HTML file that needs nothing beside itself."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import jinja2
from markupsafe import Markup

from pipelines.publishing.versions import Version
from pipelines.report.draw import INSTALL, can_draw, draw
from pipelines.report.examples import examples
from pipelines.report.numbers import count
from pipelines.report.section import MOST_ROWS, Section
from pipelines.report.sections import SECTIONS
from pipelines.report.tables import Row, Tables

LEAST_PROMPTS = 20
"""Of a set with fewer prompts nothing is drawn: its tables say it all."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One section with its rows."""

    section: Section
    rows: list[Row]
    more: int
    """Rows that the page leaves out."""
    drawing: Markup | None

    @property
    def anchor(self) -> str:
        """What a link within the page calls it."""
        return re.sub(r"\W+", "-", self.section.title.lower()).strip("-")

    @property
    def command(self) -> str:
        """The words after `--dataset NAME` that ask for all of its rows."""
        return shlex.quote(self.section.query)

    @property
    def cells(self) -> list[list[str]]:
        """The table as text."""
        return [[column.text(row) for column in self.section.columns] for row in self.rows]


def render(version: Version, description: str = "") -> str:
    """The page of a version whose manifest has its figures. Raises StoreError.

    The same version gives the same bytes: neither its number nor the time stands there.
    """
    manifest = version.manifest
    with Tables(version) as tables:
        few = manifest.rows("prompts") < LEAST_PROMPTS
        drawn = can_draw() and not few
        shown = list(_shown(tables, drawn))
        pairs = examples(tables)
    titles = {one.section.title for one in shown}
    return _template().render(
        manifest=manifest,
        description=description,
        shown=shown,
        examples=pairs,
        missing=[section for section in SECTIONS if section.title not in titles],
        facts=[(count(manifest.rows(table)), table) for table in _COUNTED],
        install="" if can_draw() else INSTALL,
        few=LEAST_PROMPTS if few else "",
    )


_COUNTED = ("pairs", "prompts", "responses", "judgments", "drops")


def _shown(tables: Tables, drawn: bool) -> Iterator[Shown]:
    for section in SECTIONS:
        if rows := _rows(section, tables):
            spec = section.chart(rows) if drawn else None
            # vl-convert escapes what users' texts say
            drawing = None if spec is None else Markup(draw(spec))  # noqa: S704
            yield Shown(section, rows[:MOST_ROWS], max(0, len(rows) - MOST_ROWS), drawing)


def _rows(section: Section, tables: Tables) -> list[Row]:
    there = not section.only_if or tables.rows(section.only_if)
    return tables.rows(section.query) if there else []


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template("report.jinja")
