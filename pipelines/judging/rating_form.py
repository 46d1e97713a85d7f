"""Rating forms: how the ratings of one question are asked for, and read.

    clarity: N                  {"reasons": "...", "clarity": N}

With several responses in one question, each label begins with "response_1_", "response_2_"...
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pipelines.errors import JudgmentError
from pipelines.judging.aggregate import NOT_APPLICABLE, Said
from pipelines.judging.collected import Excuse
from pipelines.judging.criteria import REASONS, Criteria, Dimension
from pipelines.judging.fence import Fence
from pipelines.judging.reading import read_json, read_ratings
from schemas.canonical import canonical_json

_NOT_APPLICABLE = Excuse("n/?a|not applicable", taken_back="[0-9]")
_BETWEEN_WORDS = re.compile(r"[\s_-]+")


@dataclass(frozen=True)
class RatingForm:
    """The form for some dimensions of one response, or of several."""

    criteria: Criteria
    dimensions: Sequence[Dimension]
    responses: int = 0
    """How many are rated together; 0: one, whose labels have no number."""
    json: bool = False
    """Whether the reply is a JSON object rather than lines."""

    @cached_property
    def labels(self) -> dict[str, tuple[int, Dimension]]:
        """Label -> place of the response, from 0, and its dimension."""
        places = range(max(1, self.responses))
        return {
            f"response_{place + 1}_{one.name}" if self.responses else one.name: (place, one)
            for place in places
            for one in self.dimensions
        }

    @cached_property
    def text(self) -> str:
        """The form as the judge sees it."""
        if self.json:
            ratings = ", ".join(f'"{label}": N' for label in self.labels)
            shown = f'{{"{REASONS}": "...", {ratings}}}'
        else:
            shown = "\n".join(f"{label}: N" for label in self.labels)
        scales = {str(self.criteria.scale_of(one)) for one in self.dimensions}
        ratings = scales.pop() if len(scales) == 1 else "a whole number on the scale of each"
        excused = ", ".join(one.name for one in self.dimensions if one.may_not_apply)
        excuse = '"N/A"' if self.json else "N/A"
        return f"{shown}\n(N: {ratings}{f', or {excuse} for {excused}' if excused else ''})"

    @cached_property
    def wanted(self) -> dict[str, Any]:
        """What a template may say of the wanted reply."""
        return {
            "form": self.text,
            "dimensions": [self._shown(one) for one in self.dimensions],
            "reply": "json" if self.json else "lines",
            "lines": len(self.labels),
            "all_together": self.responses > 0,
        }

    def schema(self) -> dict[str, Any]:
        """The JSON schema of a reply."""
        properties: dict[str, Any] = {REASONS: {"type": "string"}}
        for label, (_, one) in self.labels.items():
            low, high = self.criteria.bounds(one)
            ratings: list[int | str] = list(range(low, high + 1))
            types = ["integer", "string"] if one.may_not_apply else "integer"
            excuse = ["N/A"] if one.may_not_apply else []
            properties[label] = {"type": types, "enum": [*ratings, *excuse]}
        return {
            "title": "ratings",
            "type": "object",
            "properties": properties,
            "required": list(properties),
            "additionalProperties": False,
        }

    def specimen(self) -> str:
        """A reply that can be read."""
        lowest = {label: self.criteria.bounds(one)[0] for label, (_, one) in self.labels.items()}
        if self.json:
            return canonical_json(lowest).decode()
        return "\n".join(f"{label}: {rating}" for label, rating in lowest.items())

    def read(self, label: str, reply: str, fence: Fence, truncated: bool) -> Said:
        """What `reply` says of a label: a rating, or that it does not apply. Raises JudgmentError."""
        said = label.replace("_", " ")
        own: Fence | None = fence
        if self.json:
            reply, own, truncated = f"{said}: {_entry(label, reply, fence, truncated)}", None, False
        _, dimension = self.labels[label]
        scale = self.criteria.scale_of(dimension)
        try:
            return read_ratings(reply, {said: scale}, fence=own, truncated=truncated)[said]
        except JudgmentError:
            if dimension.may_not_apply and _NOT_APPLICABLE.is_said(said, reply, own, truncated):
                return NOT_APPLICABLE
            raise

    def _shown(self, dimension: Dimension) -> dict[str, Any]:
        low, high = self.criteria.bounds(dimension)
        levels = sorted(dimension.levels.items(), key=lambda level: int(level[0]))
        return {
            "name": dimension.name,
            "description": dimension.description.strip(),
            "low": low,
            "high": high,
            "levels": [{"rating": int(rating), "meaning": meaning} for rating, meaning in levels],
            "may_not_apply": dimension.may_not_apply,
        }


def _entry(label: str, reply: str, fence: Fence, truncated: bool) -> str:
    """What the JSON object of a reply has under `label`, however its words are joined."""
    said = read_json(reply, fence=fence, truncated=truncated)
    entries = {_BETWEEN_WORDS.sub("", key).casefold(): value for key, value in said.items()}
    key = _BETWEEN_WORDS.sub("", label).casefold()
    if key not in entries:
        raise JudgmentError(f'the JSON object has no "{label}"')
    value = entries[key]
    if value is None:
        return "N/A"
    if isinstance(value, bool | list | dict):
        raise JudgmentError(f'"{label}" is no number in the JSON object')
    return " ".join(str(value).split())
