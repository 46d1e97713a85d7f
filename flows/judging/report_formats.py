"""The formats of `pairwright judge report`: text for a terminal, Markdown, and JSON."""

from collections.abc import Iterable, Iterator
from textwrap import fill
from typing import TYPE_CHECKING, Any

from flows.texts.json_values import json_text
from flows.texts.plain import aligned

if TYPE_CHECKING:
    from flows.judging.report_page import Section
    from pipelines.bias.alarms import Alarm
    from pipelines.bias.report import Report

WIDTH = 96
"""Columns of a sentence."""


def as_text(head: str, sections: "Iterable[Section]") -> str:
    """Tables with aligned columns; what is alarming begins with "!", or "?"."""
    return "\n\n".join([head, *map(_text_of, sections)])


def as_markdown(head: str, sections: "Iterable[Section]") -> str:
    """The same as a page in Markdown."""
    return "\n\n".join([f"# {head}", *map(_markdown_of, sections)])


def as_json(head: str, report: "Report", sections: "Iterable[Section]") -> str:
    """Every figure with all its digits, by name; null is undefined."""
    found = {one.title: one.alarms for one in sections}
    profiles = [_plain(one) | {"alarms": _plain(found[one.judge])} for one in report.profiles]
    judges = {one.judge for one in report.profiles}
    between = [alarm for title, alarms in found.items() if title not in judges for alarm in alarms]
    return json_text(
        {
            "about": head,
            "judges": profiles,
            "agreements": _plain(report.agreements),
            "spread": _plain(report.spread),
            "alarms": _plain(between),
        }
    )


def _text_of(section: "Section") -> str:
    lines = [section.title, *(f"  {one}" for one in section.about)]
    lines.append(aligned([section.head, *section.rows], indent="  "))
    lines += (fill(f"{_mark(one)} {one.words}", WIDTH, initial_indent="  ", subsequent_indent="    ")
              for one in section.alarms)  # fmt: skip
    return "\n".join(lines)


def _markdown_of(section: "Section") -> str:
    about = "  \n".join(section.about)
    rows = [section.head, ("---",) * len(section.head), *section.rows]
    table = "\n".join(f"| {' | '.join(map(_cell, row))} |" for row in rows)
    warnings = "\n".join(f"- **{_mark(one)}** {one.words}" for one in section.alarms)
    return "\n\n".join(filter(None, [f"## {section.title}", about, table, warnings]))


def _mark(alarm: "Alarm") -> str:
    return "!" if alarm.sure else "?"


def _cell(text: str) -> str:
    return text.strip().replace("|", "\\|")


def _plain(value: Any) -> Any:
    """Dataclasses and named tuples as objects, by the names of their fields."""
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return {name: _plain(one) for name, one in value._asdict().items()}
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(one) for one in value]
    return dict(_fields(value)) if hasattr(value, "__slots__") else value


def _fields(value: Any) -> Iterator[tuple[str, Any]]:
    return ((name, _plain(getattr(value, name))) for name in value.__slots__)
