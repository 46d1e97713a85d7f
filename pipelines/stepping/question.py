"""Questions: what an evaluator is asked about the answers to one prompt.

All of them are the same but for the answer so far, so that they are rendered once for each prompt.
"""

from functools import cached_property

from pipelines.judging.fence import Fence
from pipelines.judging.quoting import fence_around, quoted
from pipelines.judging.template import Template
from schemas.rows import Message, Prompt


class Question:
    """The question about one prompt, in the words of a template that shows `answer` once."""

    def __init__(
        self, words: Template, prompt: Prompt, *, reference: str | None, graded: bool
    ) -> None:
        self._words, self._prompt = words, prompt
        self._reference, self._graded = reference, graded

    def about(self, text: str) -> tuple[Message, ...]:
        """The messages that ask about `text`, the answer so far."""
        fence, before, after = self._common
        if fence.admits(text):
            return (Message("user", f"{before}{fence.quote(text)}{after}"),)
        fence = fence_around(self._prompt, [text], self._reference)
        return (Message("user", self._rendered(fence, fence.quote(text))),)

    @cached_property
    def _common(self) -> tuple[Fence, str, str]:
        """The fence of the prompt alone, and what stands before and after the answer."""
        fence = fence_around(self._prompt, [], self._reference)
        place = f"{fence.token} answer"  # no text can hold the token
        before, after = self._rendered(fence, place).split(place)
        return fence, before, after

    def _rendered(self, fence: Fence, answer: str) -> str:
        shown = quoted(self._prompt, fence, self._reference)
        return self._words.render(shown | {"answer": answer, "graded": self._graded})
