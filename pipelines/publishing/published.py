"""The published tables as SQL over the staged evidence and what selection found.

Two passes: the first (`FACTS`, `WALLS`) leaves ids and numbers, the second (`EVIDENCE`, `pairs_sql`)
joins the texts to them. Tables that the queries read:

    staged_prompts, staged_responses, staged_judgments, staged_drops    as units finished
    kept_pairs, dropped_pairs, response_scores, prompt_scores, drops    what selection found
    splits (group_id, split)   places (pair_id, split, order_key)       see `splits.py`
"""

FACTS = r"""
    CREATE MACRO is_blank(content) AS
        content IS NULL OR NOT regexp_matches(content, '[^\s\p{Z}\x{85}\x{1c}-\x{1f}]');

    CREATE MACRO has_calls(calls) AS coalesce(len(calls), 0) > 0;

    CREATE TABLE prompt_facts AS
    SELECT
        prompt_id,
        coalesce(group_id, prompt_id) AS group_id,
        coalesce(len(messages), 0) = 0
            OR (is_blank(messages[-1].content) AND messages[-1].role <> 'tool'
                AND NOT has_calls(messages[-1].tool_calls))
            OR len(list_filter(messages, lambda m:
                m.content IS NULL AND NOT has_calls(m.tool_calls))) > 0 AS blank,
        tools IS NOT NULL
            OR len(list_filter(messages, lambda m: has_calls(m.tool_calls)
                OR m.tool_call_id IS NOT NULL OR m.name IS NOT NULL)) > 0 AS rich
    FROM staged_prompts;

    CREATE TABLE paired_responses AS
    SELECT unnest([chosen_response_id, rejected_response_id]) AS response_id FROM kept_pairs;

    CREATE TABLE response_facts AS
    SELECT
        response_id,
        prompt_id,
        is_blank(text) AND NOT has_calls(tool_calls) AS blank,
        has_calls(tool_calls) AS rich
    FROM staged_responses SEMI JOIN paired_responses USING (response_id);

    CREATE TABLE all_drops AS
    SELECT level, id, prompt_id, step, reason, detail FROM staged_drops
    UNION ALL
    SELECT level, id, prompt_id, step, reason, detail FROM drops;
"""
"""The first pass: one scan of the texts, for what the walls and the message layout depend on."""

RICH = """
    SELECT count(*) > 0 FROM kept_pairs
    WHERE prompt_id IN (SELECT prompt_id FROM prompt_facts WHERE rich)
        OR chosen_response_id IN (SELECT response_id FROM response_facts WHERE rich)
        OR rejected_response_id IN (SELECT response_id FROM response_facts WHERE rich)
"""
"""Whether a message of a kept pair uses a tool or a name: it decides the columns of `pairs`."""


def _repeated(table: str, key: str) -> str:
    return f"SELECT {key} FROM {table} GROUP BY {key} HAVING count(*) > 1"  # noqa: S608 - our own names


def _unmatched(side: str) -> str:
    return f"""
        SELECT pair_id FROM kept_pairs ANTI JOIN response_facts
        ON {side}_response_id = response_id AND kept_pairs.prompt_id = response_facts.prompt_id
    """  # noqa: S608 - our own names


def _blank(side: str) -> str:
    return f"""
        SELECT pair_id FROM kept_pairs JOIN response_facts ON {side}_response_id = response_id
        WHERE blank
    """  # noqa: S608 - our own names


WALLS = {
    "prompts are staged twice": _repeated("staged_prompts", "prompt_id"),
    "responses are staged twice": _repeated("staged_responses", "response_id"),
    "judgments are staged twice": _repeated("staged_judgments", "judgment_id"),
    "pairs are there twice": _repeated(
        "(SELECT pair_id FROM kept_pairs UNION ALL SELECT pair_id FROM dropped_pairs)", "pair_id"
    ),
    "kept pairs have a prompt that is not staged":
        "SELECT pair_id FROM kept_pairs ANTI JOIN prompt_facts USING (prompt_id)",
    "kept pairs have a chosen response that is not staged for their prompt": _unmatched("chosen"),
    "kept pairs have a rejected response that is not staged for their prompt":
        _unmatched("rejected"),
    "kept pairs set a response against itself":
        "SELECT pair_id FROM kept_pairs WHERE chosen_response_id = rejected_response_id",
    "kept pairs have a blank prompt":
        "SELECT pair_id FROM kept_pairs JOIN prompt_facts USING (prompt_id) WHERE blank",
    "kept pairs have a blank chosen response": _blank("chosen"),
    "kept pairs have a blank rejected response": _blank("rejected"),
    "kept pairs have a reason to be dropped": """
        SELECT pair_id FROM kept_pairs
        SEMI JOIN all_drops ON level = 'pairs' AND id = pair_id
    """,
    "dropped pairs have no reason": """
        SELECT pair_id FROM dropped_pairs
        ANTI JOIN all_drops ON level = 'pairs' AND id = pair_id
    """,
}  # fmt: skip
"""What can never be published: what is wrong -> the ids of the rows that are."""

EVIDENCE = {
    "prompts": """
        SELECT p.* EXCLUDE (licence), p.licence AS license, split,
            coalesce(s.n_responses, 0) AS n_responses, coalesce(s.n_scored, 0) AS n_scored,
            score_mean, score_var, coalesce(n_pairs, 0) AS n_pairs,
            NOT EXISTS (
                FROM all_drops WHERE level = 'prompts' AND id = p.prompt_id
            ) AS kept
        FROM staged_prompts p
        JOIN splits ON splits.group_id = coalesce(p.group_id, p.prompt_id)
        LEFT JOIN prompt_scores s ON s.prompt_id = p.prompt_id
        LEFT JOIN (SELECT prompt_id, count(*) AS n_pairs FROM kept_pairs GROUP BY prompt_id) k
            ON k.prompt_id = p.prompt_id
    """,
    "responses": """
        SELECT r.*, s.score / 1e6 AS score, coalesce(s.n_scores, 0) AS n_scores,
            coalesce(s.kept, false) AS kept
        FROM staged_responses r LEFT JOIN response_scores s USING (response_id)
    """,
    "judgments": 'SELECT * RENAME ("order" AS shown_order) FROM staged_judgments',
    "drops": """
        SELECT d.*, chosen_response_id, rejected_response_id, score_chosen / 1e6 AS score_chosen,
            score_rejected / 1e6 AS score_rejected, score_margin / 1e6 AS score_margin
        FROM all_drops d LEFT JOIN dropped_pairs p ON d.level = 'pairs' AND d.id = p.pair_id
    """,
}
"""The tables beside `pairs`, with their columns in any order."""

ORDER = {
    "prompts": "prompt_id",
    "responses": "prompt_id, response_id",
    "judgments": "prompt_id, judgment_id",
    "drops": "level, id, step, reason, prompt_id, detail",
}
"""What each table is sorted by: a total order, but for equal rows."""

_PLAIN_PROMPT = "list_transform(messages, lambda m: {'role': m.role, 'content': m.content})"
_RICH_PROMPT = """
    list_transform(messages, lambda m: {
        'role': m.role, 'content': m.content, 'reasoning': NULL::VARCHAR,
        'tool_calls': CASE WHEN has_calls(m.tool_calls) THEN m.tool_calls END,
        'tool_call_id': m.tool_call_id, 'name': m.name
    })
"""


def pairs_sql(*, rich: bool) -> str:
    """The query of the kept pairs with their texts, with their columns in any order.

    Messages are `tables.MESSAGES` where `rich`, else `tables.PLAIN_MESSAGES`; never reasoning.
    """
    return f"""
        SELECT
            k.* EXCLUDE (score_chosen, score_rejected, score_margin, lang, task),
            chosen_n_chars AS n_chars_chosen, rejected_n_chars AS n_chars_rejected,
            places.split, order_key,
            prompt_facts.group_id AS prompt_group_id,
            {_RICH_PROMPT if rich else _PLAIN_PROMPT} AS prompt,
            {_answer("c", rich=rich)} AS chosen,
            {_answer("r", rich=rich)} AS rejected,
            tools, p.licence AS license, p.lang, p.task,
            score_chosen / 1e6 AS score_chosen, score_rejected / 1e6 AS score_rejected,
            score_margin / 1e6 AS score_margin, score_var
        FROM kept_pairs k
        JOIN places USING (pair_id)
        JOIN prompt_facts USING (prompt_id)
        JOIN staged_prompts p USING (prompt_id)
        JOIN staged_responses c ON c.response_id = chosen_response_id
        JOIN staged_responses r ON r.response_id = rejected_response_id
        LEFT JOIN prompt_scores s ON s.prompt_id = k.prompt_id
    """  # noqa: S608 - our own names


def _answer(response: str, *, rich: bool) -> str:
    """One assistant message as a list."""
    more = f"""
        , 'reasoning': NULL::VARCHAR,
        'tool_calls': CASE WHEN has_calls({response}.tool_calls) THEN {response}.tool_calls END,
        'tool_call_id': NULL::VARCHAR, 'name': NULL::VARCHAR
    """
    return f"[{{'role': 'assistant', 'content': {response}.text{more if rich else ''}}}]"
