"""Continuations: a model is asked to go on with an answer that has been begun.

prefix   the answer so far is the last message, an assistant's, which the server goes on with
         (`continue_final_message`: vLLM, the embedded models and their server). All requests
         of a tree begin alike, token for token, so that a server's prefix cache has them.
ask      for chat servers without that: the answer so far as the assistant's turn, and then a
         user's turn that asks to go on
"""

from typing import Literal

from pipelines.backend import Sampling
from pipelines.wire.body import CONTINUE_FIELDS
from schemas.rows import Message

Manner = Literal["prefix", "ask"]

GO_ON = (
    "Go on with your answer exactly where it stops. Write only what comes next: repeat nothing of "
    "what is there, and add no introduction."
)


def begun(messages: tuple[Message, ...], text: str, manner: Manner) -> tuple[Message, ...]:
    """`messages` with `text`, the answer so far; as they are where it has not begun."""
    if not text:
        return messages
    going_on = (Message("user", GO_ON),) if manner == "ask" else ()
    return (*messages, Message("assistant", text), *going_on)


def going_on(sampling: Sampling, manner: Manner) -> Sampling:
    """`sampling` of an answer that has been begun: with "prefix", the server is told to go on."""
    if manner == "ask":
        return sampling
    extra = {**(sampling.extra_body or {}), **CONTINUE_FIELDS}
    return Sampling(extra_body=extra).over(sampling)
