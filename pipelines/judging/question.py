"""The question: the conversation to which a response is the answer, for judges that show it so."""

from schemas.rows import Message


def with_system(messages: tuple[Message, ...], system: str | None) -> tuple[Message, ...]:
    """`messages` after a system message; their own stays.

    >>> [one.content for one in with_system((Message("user", "Hi"),), "Be brief.")]
    ['Be brief.', 'Hi']
    >>> [one.content for one in with_system((Message("developer", "Rhyme."),), "Be brief.")]
    ['Rhyme.']
    """
    has_system = any(message.role in ("system", "developer") for message in messages)
    if system is None or has_system:
        return messages
    return (Message("system", system), *messages)
