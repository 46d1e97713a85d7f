"""Replies that say several things: one of them may be unreadable, and takes no other with it.

clarity: 4          ─> 4
honesty: 1 or 2     ─> why it cannot be read; only this is taken from the reply to the next ask
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic

from pipelines.errors import JudgmentError
from pipelines.judging.fence import Fence
from pipelines.judging.model_judge import Heard, ValueT
from pipelines.judging.reading.said import REMARK, Form, hear

LabelReader = Callable[[str, str, Fence, bool], ValueT]
"""Reads what a reply says of a label: label, reply, the fence, whether the reply was cut off."""

_UNSTATED = re.compile(r"[A-Z]|\.{3}|…")


class Collected(Generic[ValueT]):
    """Reads the replies to one question, the first and those after being asked again."""

    def __init__(self, labels: Sequence[str], read: LabelReader[ValueT]) -> None:
        self._labels, self._read = labels, read
        self._found: dict[str, tuple[ValueT, str]] = {}
        self._errors: dict[str, str] = {}

    def __call__(self, reply: str, fence: Fence, truncated: bool) -> None:
        """Takes what `reply` says of what is still missing. Raises JudgmentError for the rest."""
        self._errors = {}
        for label in self._labels:
            if label in self._found:
                continue
            try:
                self._found[label] = self._read(label, reply, fence, truncated), reply
            except JudgmentError as error:
                self._errors[label] = str(error)
        if self._errors:
            raise JudgmentError("; ".join(dict.fromkeys(self._errors.values())))

    def heard(self, label: str, last: Heard[None]) -> Heard[ValueT]:
        """What was said of `label`, with the reply that said it; else as the `last` reply."""
        if label in self._found:
            value, raw = self._found[label]
            return Heard(last.index, value, raw, last.reasoning, None)
        error = self._errors.get(label) if self._found else None
        return Heard(last.index, None, last.raw, last.reasoning, error or last.error)


@dataclass(frozen=True)
class Excuse:
    """What a judge may say instead of what it is asked for. Patterns, letter case aside."""

    words: str
    taken_back: str
    """What no remark beside it may hold."""

    def is_said(self, label: str, reply: str, fence: Fence | None, truncated: bool) -> bool:
        r"""Whether the last own line of `label` says it.

        >>> said = Excuse("n/a", taken_back="[0-9]")
        >>> replies = ("honesty: **N/A**", "honesty: n/a - a poem", "honesty: N/A, or 3", "N/A")
        >>> [said.is_said("honesty", reply, None, False) for reply in replies]
        [True, True, False, False]
        """
        try:
            return hear(reply, fence, truncated).last(label, Form("", self._states, _UNSTATED))
        except JudgmentError:
            return False

    def _states(self, line: str) -> bool | None:
        match = re.fullmatch(rf"(?:{self.words})\b{REMARK}", line, re.IGNORECASE)
        if match is None or re.search(self.taken_back, match["remark"] or "", re.IGNORECASE):
            return None
        return True
