"""Prompts: from the rows of sources to distinct prompts. (Config here; reading follows below.)"""

from pipelines.columns import Columns
from pipelines.part import Table


class PromptTable(Table):
    """`[[prompts]]`: how the rows of one source become prompts."""

    source: str = ""
    """Name of the source. Default: the recipe's only source."""
    text: str | None = None
    """Column with the user's message. Exactly one of `text` and `messages` is given."""
    messages: str | None = None
    """Column with the conversation: a list of {role, content...}, or the JSON text of one."""
    system: str | None = None
    """Column with a system message to put first."""
    tools: str | None = None
    """Column with tool definitions (a list, or its JSON text)."""
    key: Columns = ()
    """Columns under whose values recorded rows find this prompt."""
    reference: str | None = None
    """Column with the gold answer."""
    group: str | None = None
    """Column with the group: prompts of one group stay on one side of a split."""
    licence: str | None = None
    """Column with the licence of the row."""
    lang: str | None = None
    """Column with the language code."""
    task: str | None = None
    """Column with the task or category."""
