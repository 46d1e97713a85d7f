"""Continuations: what a policy went on to write after a prefix, and the step that it begins with."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pipelines.backend import Completion, TokenLogprob
from pipelines.errors import JudgmentError
from pipelines.toolcalls.fragments import steps
from pipelines.toolcalls.python_form import write_python
from pipelines.toolcalls.reading import stated_calls

ENDED = ("stop", "tool_calls")
"""Reasons to finish that end an answer."""


@dataclass(frozen=True, slots=True)
class Continuation:
    """One sample in steps."""

    index: int
    """Of the sample."""
    steps: tuple[str, ...]
    ended: bool
    """Whether the answer ends with the last step."""
    tokens: tuple[TokenLogprob, ...] | None = None

    @property
    def step(self) -> str:
        """The first step, which becomes a node."""
        return self.steps[0]

    @property
    def is_whole(self) -> bool:
        """Whether the answer ends with the first step."""
        return self.ended and len(self.steps) == 1

    def rollout(self, length: int) -> str:
        """The first step and what was written next, at most `length` further steps."""
        return "".join(self.steps[: 1 + length])


def written(completion: Completion) -> str | None:
    """What a completion adds to the answer: its text, then the calls that a server read out of it.

    Such calls stand in Python's form. None where their arguments cannot be read.

    >>> from schemas.rows import ToolCall
    >>> written(Completion(None, tool_calls=(ToolCall("1", "f", '{"a": 1}'),)))
    '[f(a=1)]'
    """
    if not completion.tool_calls:
        return completion.text
    try:
        calls = write_python(stated_calls(completion.tool_calls))
    except JudgmentError:
        return None
    return (completion.text or "") + calls


def continuations(
    completions: Iterable[Completion], separators: Sequence[str], grouped: int, most: int
) -> list[Continuation]:
    """The samples that begin with different steps, in order; blank and failed ones are left out.

    `most`: steps that may follow; the last one takes all that is left.
    """
    found: dict[str, Continuation] = {}
    for index, completion in enumerate(completions):
        text = written(completion)
        if completion.error is not None or text is None or not text.strip():
            continue
        cut = tuple(steps(text, separators, grouped, most=most))
        tokens = None if completion.tool_calls else completion.logprobs
        one = Continuation(index, cut, completion.finish_reason in ENDED, tokens)
        found.setdefault(one.step, one)
    return list(found.values())
