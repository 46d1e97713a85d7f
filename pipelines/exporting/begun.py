"""Conversations whose last answer has begun: the prefix in the prompt, and no end that was not said.

A chat template knows whole answers only. Of an answer that a search stopped within, it would close
the turn, and a trainer would teach the model to stop there; given a prompt that ends with an answer,
it would close that one and open another. So what the template writes after an answer is split off.
"""

from dataclasses import dataclass

from pipelines.exporting.chat import Chat, Messages, Unrenderable


@dataclass(frozen=True, slots=True)
class Begun:
    """The texts of one side of a pair."""

    prompt: str
    """The prompt, the opening of the answer, and the accepted prefix."""
    answer: str
    """The rest of the answer; where it ends, with what the template closes a turn with."""


def begun(
    chat: Chat, prompt: Messages, answer: str, n_prefix: int, tools: str | None, *, ends: bool
) -> Begun:
    """The `answer` after its first `n_prefix` characters; `ends`: whether it ends there.

    Raises Unrenderable, also where the template does not keep the prompt or the answer as they are
    (white space at the ends of an answer apart).
    """
    opening = chat.render(prompt, tools, ask=True)
    closing = _closing(chat, prompt, answer, opening, tools) if ends else ""
    return Begun(opening + answer[:n_prefix], answer[n_prefix:] + closing)


def _closing(chat: Chat, prompt: Messages, answer: str, opening: str, tools: str | None) -> str:
    """What the template writes after an answer."""
    whole = chat.render([*prompt, {"role": "assistant", "content": answer}], tools)
    if not whole.startswith(opening):
        raise Unrenderable("the template renders the prompt otherwise once an answer follows")
    said = whole.removeprefix(opening)
    for kept in (answer, answer.rstrip(), answer.strip()):
        if said.startswith(kept):
            return said.removeprefix(kept)
    raise Unrenderable("the template changes the answer")
