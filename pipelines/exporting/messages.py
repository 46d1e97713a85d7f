"""Messages as chat templates take them: published messages with tool calls in OpenAI's nesting.

`reasoning` is not exported. A set without tools has messages of role and content alone.
"""

import pyarrow as pa

from schemas.tables import PLAIN_MESSAGES

CALLS = pa.list_(
    pa.field(
        "element",
        pa.struct(
            [
                ("id", pa.string()),
                ("type", pa.string()),
                ("function", pa.struct([("name", pa.string()), ("arguments", pa.json_())])),
            ]
        ),
    )
)
"""`arguments` is text of Parquet's type JSON, which `datasets` gives to a template as a dict: many
templates write the arguments with `tojson`, and would quote a text a second time."""

CHAT_MESSAGES = pa.list_(
    pa.field(
        "element",
        pa.struct(
            [
                ("role", pa.string()),
                ("content", pa.string()),
                ("tool_calls", CALLS),
                ("tool_call_id", pa.string()),
                ("name", pa.string()),
            ]
        ),
    )
)
"""Messages of a set with tools. transformers takes the null fields out before it renders."""


def messages_type(*, tools: bool) -> pa.DataType:
    """The Arrow type of exported messages."""
    return CHAT_MESSAGES if tools else PLAIN_MESSAGES


def pairs_schema(*more: tuple[str, pa.DataType], tools: bool) -> pa.Schema:
    """`prompt`, `chosen` and `rejected`, `tools` where the set has them, and then `more`."""
    columns = [(name, messages_type(tools=tools)) for name in ("prompt", "chosen", "rejected")]
    return pa.schema([*columns, *([("tools", pa.string())] if tools else []), *more])


def messages_sql(column: str, *, tools: bool) -> str:
    """The published messages of `column` in exported form, as an SQL expression."""
    if not tools:
        return column
    return f"""list_transform({column}, lambda m: {{
        'role': m.role, 'content': m.content,
        'tool_calls': list_transform(m.tool_calls, lambda c: {{
            'id': c.id, 'type': 'function',
            'function': {{'name': c.name, 'arguments': c.arguments}}
        }}),
        'tool_call_id': m.tool_call_id, 'name': m.name
    }})"""


ALL_MESSAGES = "list_concat(prompt, list_concat(chosen, rejected))"


def some_message(condition: str) -> str:
    """SQL: whether `condition` holds for a message `m` of the prompt, chosen or rejected."""
    return f"len(list_filter({ALL_MESSAGES}, lambda m: {condition})) > 0"


NOT_JSON = some_message("""
    len(list_filter(coalesce(m.tool_calls, []), lambda c:
        CASE WHEN json_valid(c.function.arguments)
             THEN json_type(c.function.arguments) <> 'OBJECT' ELSE true END)) > 0
""")
"""SQL: whether the arguments of a tool call are no JSON object. Models write such things."""


def broken_calls(*, tools: bool) -> dict[str, str]:
    """What no chat template can render: reason -> SQL condition (see `Exporter.left_out`)."""
    return {"arguments_not_json": NOT_JSON} if tools else {}
