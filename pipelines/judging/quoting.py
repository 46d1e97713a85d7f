"""Quoting: a prompt as a template shows it to a model, all of it between the marks of a fence."""

from collections.abc import Iterable
from typing import Any

from pipelines.judging.fence import Fence, fenced
from schemas.rows import Message, Prompt


def fence_around(prompt: Prompt, texts: Iterable[str], reference: str | None = None) -> Fence:
    """The fence for a prompt, and for other texts that are shown beside it."""
    conversation = [message_text(message) for message in prompt.messages]
    known = dict.fromkeys((prompt.tools, reference, *conversation, *texts))
    return fenced(prompt.prompt_id, [text for text in known if text is not None])


def quoted(prompt: Prompt, fence: Fence, reference: str | None = None) -> dict[str, Any]:
    """What a template knows of a prompt: `conversation`, `tools`, `reference` and `mark`."""
    return {
        "mark": fence.token,
        "conversation": [
            {"role": message.role, "text": fence.quote(message_text(message))}
            for message in prompt.messages
        ],
        "tools": None if prompt.tools is None else fence.quote(prompt.tools),
        "reference": None if reference is None else fence.quote(reference),
    }


def message_text(message: Message) -> str:
    """A message as a model reads it here: its content, then a line for each tool that it calls."""
    calls = [f"[calls {call.name} with {call.arguments}]" for call in message.tool_calls]
    return "\n".join([message.content or "", *calls] if message.content else calls)
