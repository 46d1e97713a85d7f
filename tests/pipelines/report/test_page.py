"""The page: it stands alone, says nothing of its own, and lets nothing of a user's through."""

import re
import sys
from html.parser import HTMLParser
from pathlib import Path

import altair
import pytest

from pipelines.gating.figure_gates import FigureGates
from pipelines.publishing.store import Store
from pipelines.report import page as pages
from pipelines.report.charts import CHOSEN, Bar, Series, bars
from pipelines.report.draw import INSTALL, draw
from pipelines.report.judge_sections import AGREEMENT_WORDS, HABIT_WORDS
from pipelines.report.page import render
from pipelines.report.pair_sections import FIGURE_WORDS
from pipelines.report.sections import SECTIONS
from pipelines.report.tables import Tables
from pipelines.report.text_figures import PROBES
from pipelines.report.write import page_of
from tests.pipelines.report.conftest import NAMES
from tests.pipelines.versions import Content, make_content, publish

TAGS = {
    "a", "b", "body", "circle", "code", "div", "footer", "g", "h1", "h2", "h3", "head", "header", "html",
    "li", "line", "main", "meta", "nav", "p", "path", "rect", "section", "style", "svg", "table",
    "tbody", "td", "text", "th", "thead", "title", "tr", "ul",
}  # fmt: skip


class Read(HTMLParser):
    """What a browser would make of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.texts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


pytestmark = pytest.mark.usefixtures("drawn")


@pytest.fixture(scope="module")
def page(store: Store, drawn: None) -> str:
    return render(store.resolve("nasty"), 'It\'s <b>mine</b> & "yours"')


def test_it_needs_nothing_beside_itself(page: str) -> None:
    assert not re.search(r"https?:|//[a-z]|url\(|@import|<script|<link|<img|<iframe", page)
    links = [value for name, value in Read(page).attributes if name in ("href", "src")]
    assert links
    assert all(value and value.startswith("#") for value in links)


def test_names_are_text_in_tables_and_in_drawings(page: str) -> None:
    read = Read(page)
    assert read.tags <= TAGS
    assert not [name for name, _ in read.attributes if name.startswith("on")]
    for name in (*NAMES[:1], NAMES[2], 'It\'s <b>mine</b> & "yours"', "rater, <i>second</i>"):
        assert name in read.texts
    drawings = "".join(re.findall(r"<svg.*?</svg>", page, re.DOTALL))
    for name in (NAMES[0], NAMES[2]):
        assert name in Read(drawings).texts


@pytest.mark.parametrize("control", ["\0", "\x08", "\x1f", "\uffff"])
def test_a_character_that_no_drawing_can_hold_ends_no_build(control: str) -> None:
    spec = bars([Bar(f"a{control}b", "kept", 0.5)], (Series("kept", CHOSEN),), "share")
    drawn = draw(spec)
    assert control not in drawn
    assert re.search("a[\u2400-\u241f\ufffd]b", drawn)


def test_the_same_version_gives_the_same_bytes(store: Store, page: str) -> None:
    assert render(store.resolve("nasty"), 'It\'s <b>mine</b> & "yours"') == page
    assert "v0001" not in page


def test_colours_are_those_of_the_page(page: str) -> None:
    drawings = "".join(re.findall(r"<svg.*?</svg>", page, re.DOTALL))
    colours = set(re.findall(r'(?:fill|stroke)="([^"]+)"', drawings))
    assert {colour for colour in colours if not colour.startswith("var(--")} <= {
        "none",
        "transparent",
    }
    assert set(re.findall(r"var\((--\w+)\)", page)) <= set(re.findall(r"(--\w+):", page))
    assert "prefers-color-scheme: dark" in page


def test_every_section_with_rows_has_a_table_and_a_drawing(page: str) -> None:
    assert page.count("<table") == len(SECTIONS)
    assert page.count("<svg ") == len(SECTIONS) - 1  # but for "In figures"
    assert "Not here" not in page


def test_specifications_are_valid_vega_lite(store: Store) -> None:
    with Tables(store.resolve("nasty")) as tables:
        for section in SECTIONS:
            spec = section.chart(tables.rows(section.query))
            assert spec is not None or section.title == "In figures"
            assert spec is None or altair.Chart.from_dict(spec).to_dict()["data"]


def test_every_figure_that_a_gate_can_name_is_shown_with_its_words() -> None:
    words = FIGURE_WORDS.keys() | HABIT_WORDS.keys() | AGREEMENT_WORDS.keys()
    elsewhere = {"strength", "source_prompt_share", "lang_prompt_share", "money", "money_per_pair"}
    assert words | PROBES | elsewhere == set(FigureGates.model_fields)


def test_values_come_before_words_and_rows_with_words_are_paragraphs_on_a_phone(page: str) -> None:
    table = page[page.index('<section id="in-figures">') :]
    table = table[: table.index("</table>")]
    assert 'class="stacked"' in table
    assert table.index('data-head="value"') < table.index('data-head="meaning"')
    lengths = page[page.index('<section id="lengths">') :]
    assert 'class="stacked"' not in lengths[: lengths.index("</table>")]


def test_few_prompts_are_not_drawn(store: Store) -> None:
    few = render(store.resolve("plain"))
    assert "<svg" not in few
    assert "fewer than 20 prompts is not drawn" in few
    assert few.count("<table") == len(SECTIONS)


def test_without_the_extra_the_tables_stand_alone(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    plain = render(store.resolve("nasty"))
    assert "<svg" not in plain
    assert INSTALL.replace("'", "&#39;") in plain
    assert plain.count("<table") == len(SECTIONS)


def test_what_has_no_rows_is_named(store: Store) -> None:
    publish(store, "empty", Content())
    empty = render(store.resolve("empty"))
    assert "Scores (no response has a score)" in empty
    assert "<svg" not in empty


def test_long_tables_are_cut_and_say_so(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "MOST_ROWS", 2)
    assert "1 more row in SQL: <code>pairwright sql --dataset plain &#39;FROM score_bins" in render(
        store.resolve("plain")
    )


def test_without_a_language_there_is_no_section_of_languages(tmp_path: Path) -> None:
    version, _ = publish(Store(tmp_path), "silent", make_content(3))
    page = page_of(version)
    assert "<h2>Languages</h2>" not in page
    assert "no prompt says its language" in page
