r"""Steps: where, in what a model went on to write, the next step ends.

A step keeps its white space, so that the texts of steps, joined, are the answer as it was written.
How it is cut:

    budget      all that was written, up to its last complete line; of a single line, up to its last
                complete sentence (MCTS-DPO, arXiv 2405.00451)
    line        the first line          sentence    the first sentence
    delimiter   up to the first delimiter, with it
    tokens      all that was written
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Literal

Cut = Literal["budget", "line", "sentence", "delimiter", "tokens"]

FRAGMENT = 3
"""Characters: a line or sentence that is no longer is a part of the next one ("1.", "A)")."""

_LINE = re.compile(r"[^\n]*\n+|[^\n]+")
_SENTENCE = re.compile(r".*?(?:[.!?]+[\"')\]*]*\s+|[。！？][」』”’]*|\n+)|.+", re.DOTALL)
_ENDED = re.compile(r"(?:[.!?][\"')\]*]*\s+|[。！？][」』”’]*|\n)\Z")


@dataclass(frozen=True, slots=True)
class Step:
    """The next step of an answer."""

    text: str
    ends: bool = False
    """Whether the answer ends with it."""
    bounded: bool = True
    """Whether it ends where a step should. False: the budget ran out before."""


def lines_of(text: str) -> list[str]:
    r"""The lines of `text`, each with the empty ones after it; fragments go with the next line.

    >>> lines_of("\nAdd.\n\n  1.\nThen 5")
    ['\nAdd.\n\n', '  1.\nThen 5']
    """
    return _joined(_LINE.findall(text))


def sentences_of(text: str) -> list[str]:
    """The sentences of `text`, each with the white space after it; a line's end ends one too.

    >>> sentences_of("1. Add 3.5 and 2. That is 5.5! Done")
    ['1. Add 3.5 and 2. ', 'That is 5.5! ', 'Done']
    """
    return _joined(_SENTENCE.findall(text))


def parts_of(text: str, delimiter: str) -> list[str]:
    """`text` in parts, each with the delimiter that ends it; empty ones go with the next.

    >>> parts_of("a; b;; c", ";")
    ['a;', ' b;', '; c']
    """
    *ended, last = text.split(delimiter)
    return _joined([f"{part}{delimiter}" for part in ended] + [last] * bool(last), len(delimiter))


def first_step(
    text: str, cut: Cut, *, ended: bool, delimiter: str = "\n\n", closing: str = ""
) -> Step:
    r"""The first step of `text`; blank where `text` is.

    `ended`: the model stopped there by itself, the text was not cut off. The answer ends with a step
    that leaves nothing of such a text, and with the first sentence that holds the pattern `closing`.

    >>> first_step("Add 3.\nSo 5.\nThe ans", "budget", ended=False)
    Step(text='Add 3.\nSo 5.\n', ends=False, bounded=True)
    >>> first_step("Add 3. So 5. The ans", "budget", ended=False)
    Step(text='Add 3. So 5. ', ends=False, bounded=True)
    >>> first_step("Add 3 and th", "budget", ended=False)
    Step(text='Add 3 and th', ends=False, bounded=False)
    >>> first_step("Add 3.\nSo 5.", "line", ended=True)
    Step(text='Add 3.\n', ends=False, bounded=True)
    >>> first_step("The answer is 5. Now", "budget", ended=False, closing="answer is")
    Step(text='The answer is 5. ', ends=True, bounded=True)
    """
    step = _first(text, cut, ended, delimiter)
    return _closed(step, closing) if closing else step


def _first(text: str, cut: Cut, ended: bool, delimiter: str) -> Step:
    if cut == "tokens" or (cut == "budget" and ended):
        return Step(text, ended)
    if cut == "budget":
        complete = _complete(lines_of(text), "\n") or _complete(sentences_of(text))
        return Step(complete or text, bounded=bool(complete))
    split: Callable[[str], list[str]] = {"line": lines_of, "sentence": sentences_of}.get(
        cut, lambda whole: parts_of(whole, delimiter)
    )
    first, *rest = split(text) or [""]
    if not "".join(rest).strip():  # white space alone is no step
        is_whole = ended or bool(rest) or _is_complete(first, cut, delimiter)
        return Step(text, ended, is_whole)
    return Step(first)


def _complete(pieces: list[str], end: str = "") -> str:
    """The pieces up to the last one that has an end of its own: `end`, or that of a sentence."""
    kept = list(pieces)
    while kept and not (kept[-1].endswith(end) if end else _ENDED.search(kept[-1])):
        kept.pop()
    text = "".join(kept)
    return text if text.strip() else ""


def _is_complete(piece: str, cut: Cut, delimiter: str) -> bool:
    ends = {"line": "\n", "delimiter": delimiter}
    return piece.endswith(ends[cut]) if cut in ends else bool(_ENDED.search(piece))


def _closed(step: Step, closing: str) -> Step:
    """`step` up to the first whole sentence that closes the answer."""
    if _is_literal(closing) and closing not in step.text:
        return step
    sentences = sentences_of(step.text)
    for count, sentence in enumerate(sentences, 1):
        if re.search(closing, sentence) and (step.bounded or count < len(sentences)):
            return Step("".join(sentences[:count]), ends=True)
    return step


@cache
def _is_literal(pattern: str) -> bool:
    """Whether a regular expression finds itself and nothing else."""
    return not set(pattern) & set(r"\.^$*+?{}[]|()")


def _joined(pieces: list[str], around: int = 0) -> list[str]:
    """`pieces` with each fragment at the beginning of the next one; a last one stays by itself.

    `around`: characters of a piece that do not count. With it, only blank pieces are fragments.
    """
    joined: list[str] = []
    held = ""
    for piece in pieces:
        held += piece
        size = len(held[: len(held) - around].strip()) if around else len(held.strip())
        if size > (0 if around else FRAGMENT):
            joined.append(held)
            held = ""
    if held and joined and not held.strip():
        joined[-1] += held
    elif held:
        joined.append(held)
    return joined
