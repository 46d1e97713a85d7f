"""The published tables as Arrow schemas: one explicit schema for every file of a table.

    staged      prompts, responses, judgments, drops   as units finish, in order of arrival
    published   the same, sorted, with what selection found out; and pairs, which trainers read

Only plain types: LIST, STRUCT, VARCHAR, numbers and booleans, which `datasets`, DuckDB and Polars
all read alike.
"""

from dataclasses import fields
from typing import Any

import pyarrow as pa

from schemas.rows import Drop, Judgment, Prompt, Response

TEXTS = pa.list_(pa.field("element", pa.string()))

TOOL_CALLS = pa.list_(
    pa.field(
        "element",
        pa.struct([("id", pa.string()), ("name", pa.string()), ("arguments", pa.string())]),
    )
)

MESSAGE = pa.struct(
    [
        ("role", pa.string()),
        ("content", pa.string()),
        ("reasoning", pa.string()),
        ("tool_calls", TOOL_CALLS),
        ("tool_call_id", pa.string()),
        ("name", pa.string()),
    ]
)
MESSAGES = pa.list_(pa.field("element", MESSAGE))

PLAIN_MESSAGE = pa.struct([("role", pa.string()), ("content", pa.string())])
PLAIN_MESSAGES = pa.list_(pa.field("element", PLAIN_MESSAGE))
"""Messages of `pairs` where no message uses a tool: a null `tool_calls` breaks chat templates that
only ask whether the key is there."""

_ARROW = {"int": pa.int64(), "float": pa.float64(), "bool": pa.bool_()}
_NESTED = {
    "messages": MESSAGES,
    "tool_calls": TOOL_CALLS,
    "sources": TEXTS,
}


def _schema(row: type[Any]) -> pa.Schema:
    """The schema of a row class: nested fields by name, numbers by annotation, else text."""
    columns = []
    for field in fields(row):
        plain = str(getattr(field.type, "__name__", field.type)).partition(" |")[0]
        columns.append((field.name, _NESTED.get(field.name) or _ARROW.get(plain, pa.string())))
    return pa.schema(columns)


PROMPTS = _schema(Prompt).append(pa.field("n_chars", pa.int64()))
"""`n_chars`: characters of all message contents together."""

RESPONSES = pa.schema(
    [
        *_schema(Response),
        ("n_chars", pa.int64()),
        ("text_hash", pa.string()),
        ("norm_hash", pa.string()),
    ]
)
"""`text_hash`: of the exact text. `norm_hash`: of the text in NFKC with white space folded, null
for a text that is blank or missing. Equal hashes are equal texts."""

JUDGMENTS = _schema(Judgment)
DROPS = _schema(Drop)

STAGED = {"prompts": PROMPTS, "responses": RESPONSES, "judgments": JUDGMENTS, "drops": DROPS}
"""The evidence as it is staged while units finish."""

PAIRS = pa.schema(
    [
        ("pair_id", pa.string()),
        ("prompt_id", pa.string()),
        ("prompt_group_id", pa.string()),
        ("prompt", MESSAGES),
        ("chosen", MESSAGES),
        ("rejected", MESSAGES),
        ("tools", pa.string()),
        ("chosen_response_id", pa.string()),
        ("rejected_response_id", pa.string()),
        ("score_chosen", pa.float64()),
        ("score_rejected", pa.float64()),
        ("score_margin", pa.float64()),
        ("score_var", pa.float64()),
        ("n_votes", pa.int64()),
        ("n_votes_chosen", pa.int64()),
        ("n_votes_rejected", pa.int64()),
        ("p_chosen", pa.float64()),
        ("chosen_model", pa.string()),
        ("rejected_model", pa.string()),
        ("chosen_policy", pa.string()),
        ("rejected_policy", pa.string()),
        ("n_chars_chosen", pa.int64()),
        ("n_chars_rejected", pa.int64()),
        ("pairing", pa.string()),
        ("comparison_id", pa.string()),
        ("license", pa.string()),
        ("lang", pa.string()),
        ("task", pa.string()),
        ("order_key", pa.int64()),
    ]
)
"""What trainers read. `prompt`, `chosen` and `rejected` are message lists; `tools` is there only
in a set with tools. `order_key` is the row's place in the seeded shuffle of its split, from 0."""
