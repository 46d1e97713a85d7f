"""The question: the conversation to which a response is the answer, with what is put around it."""

from dataclasses import replace

from schemas.rows import Message


def has_system(messages: tuple[Message, ...]) -> bool:
    """Whether one of them is a system message."""
    return any(message.role in ("system", "developer") for message in messages)


def with_system(messages: tuple[Message, ...], system: str | None) -> tuple[Message, ...]:
    """`messages` after a system message; their own stays.

    >>> [one.content for one in with_system((Message("user", "Hi"),), "Be brief.")]
    ['Be brief.', 'Hi']
    >>> [one.content for one in with_system((Message("developer", "Rhyme."),), "Be brief.")]
    ['Rhyme.']
    """
    if system is None or has_system(messages):
        return messages
    return (Message("system", system), *messages)


def around_last(
    messages: tuple[Message, ...], before: str | None = None, after: str | None = None
) -> tuple[Message, ...]:
    r"""`messages` with words around the last user message; after an assistant's, as a further one.

    >>> [one.content for one in around_last((Message("user", "Hi"),), "Kindly:", "Be brief.")]
    ['Kindly:\n\nHi\n\nBe brief.']
    >>> talk = Message("user", "Hi"), Message("assistant", "Hello!")
    >>> [one.content for one in around_last(talk, after="Go on.")]
    ['Hi', 'Hello!', 'Go on.']
    """
    if before is None and after is None:
        return messages
    *earlier, last = messages
    own = last.content if last.role == "user" else None
    words = "\n\n".join(one for one in (before, own, after) if one)
    if last.role != "user":
        return (*messages, Message("user", words))
    return (*earlier, replace(last, content=words))
