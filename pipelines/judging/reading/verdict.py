"""Verdicts: "Verdict: A"."""

import re
from typing import Literal

from pipelines.judging.fence import Fence
from pipelines.judging.reading.said import REMARK, Form, hear

Shown = Literal["A", "B", "tie"]
"""A verdict in the letters that the judge was shown."""

_SHOWN: dict[str, Shown] = {"a": "A", "b": "B", "tie": "tie"}
_VERDICT = re.compile(rf"(?:response\s+)?\(?(?P<shown>A|B|tie)\b\)?{REMARK}", re.IGNORECASE)
_NAMED = re.compile(r"\b(?:A|B|[Tt]ie)\b")
_BLANK = re.compile(
    r"[NXYZ](?:\s*\(.*)?|<.*>|\{.*\}|\.{3}|…|A\s*(?:[,/|]|or)\s*B\s*(?:[,/|]|or|,\s*or)\s*tie\.?",
    re.IGNORECASE,
)


def read_verdict(reply: str, *, fence: Fence | None = None, truncated: bool = False) -> Shown:
    r"""What the last own line that starts with "Verdict:" says.

    Raises JudgmentError for anything but A, B or tie.

    >>> read_verdict("A is longer.\nVerdict: B"), read_verdict("**Verdict: [[a]]**")
    ('B', 'A')
    >>> read_verdict("Verdict: Tie."), read_verdict("Verdict: Response A - it is right")
    ('tie', 'A')
    >>> read_verdict("Verdict: B\nVerdict: A, B or tie")
    'B'
    >>> read_verdict("Verdict: A - no, B")
    Traceback (most recent call last):
    pipelines.errors.JudgmentError: "Verdict: A - no, B" is not one of A, B and tie
    """
    return hear(reply, fence, truncated).last("Verdict", _FORM)


def _verdict(stated: str) -> Shown | None:
    match = _VERDICT.fullmatch(stated)
    if match is None:
        return None
    shown = _SHOWN[match["shown"].lower()]
    others = set(_NAMED.findall(match["remark"] or "")) - {shown}
    return None if others else shown


_FORM: Form[Shown] = Form("one of A, B and tie", _verdict, _BLANK)
