"""Lists of yes and no: "1: yes", a line for each name."""

import re
from collections.abc import Iterable

from pipelines.judging.fence import Fence
from pipelines.judging.reading.said import REMARK, Form, hear

_ANSWER = re.compile(rf"(?P<answer>yes|no)\b{REMARK}", re.IGNORECASE)
_TAKEN_BACK = re.compile(r"\s*(?:or|and|but|yes|no)\b", re.IGNORECASE)
_BLANK = re.compile(r"yes\s*(?:or|/|\|)\s*no\.?|X|<.*>|\{.*\}|\.{3}|…", re.IGNORECASE)


def read_yes_no(
    reply: str, names: Iterable[str], *, fence: Fence | None = None, truncated: bool = False
) -> dict[str, bool]:
    r"""For each name whether the last own line that starts with it says yes.

    Raises JudgmentError for anything but yes or no, and where a name is missing.

    >>> read_yes_no("1: no\nRather:\n1: yes, twice\n- **2:** No.", ["1", "2"])
    {'1': True, '2': False}
    >>> read_yes_no("1: yes\n2: partly", ["1", "2"])
    Traceback (most recent call last):
    pipelines.errors.JudgmentError: "2: partly" is not yes or no
    """
    said = hear(reply, fence, truncated)
    return {name: said.last(name, _FORM) for name in names}


def _answer(stated: str) -> bool | None:
    match = _ANSWER.fullmatch(stated)
    if match is None or _TAKEN_BACK.match(match["remark"] or ""):
        return None
    return match["answer"].lower() == "yes"


_FORM = Form("yes or no", _answer, _BLANK)
