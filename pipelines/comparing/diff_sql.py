"""The pairs of two versions, matched and explained, as SQL over ids and numbers: no text is read.

    a_pairs, a_prompts, a_responses, a_judgments, a_drops     the published tables of A; b_* of B
    MATCHES   -> same, flipped, removed, added                each pair of A and of B in exactly one
    explain() -> removed_why, added_why                       one reason for each pair
    CHANGES   -> changes                                      all of it, one row for each pair

Pairs match by `pair_id` first, then by their two responses in the same direction, then in the
other. Several pairs of the same two responses match one to one, in the order of their pairing.
"""


def _numbered(table: str, rows: str) -> str:
    """Makes `table`: `rows` of pairs, those with the same two responses numbered by `n`."""
    return f"""
    CREATE TABLE {table} AS
    SELECT COLUMNS(lambda name: name <> 'n'), row_number() OVER (
        PARTITION BY chosen_response_id, rejected_response_id
        ORDER BY pairing, comparison_id, pair_id
    ) AS n
    FROM {rows};
    """  # noqa: S608 - our own names


MATCHES = f"""
    CREATE TABLE by_id AS
    SELECT pair_id AS pair_id_a, pair_id AS pair_id_b
    FROM a_pairs SEMI JOIN b_pairs USING (pair_id);

    {_numbered("rest_a", "a_pairs ANTI JOIN by_id ON pair_id = pair_id_a")}
    {_numbered("rest_b", "b_pairs ANTI JOIN by_id ON pair_id = pair_id_b")}

    CREATE TABLE same AS
    FROM by_id UNION ALL
    SELECT a.pair_id, b.pair_id FROM rest_a a JOIN rest_b b
        USING (chosen_response_id, rejected_response_id, n);

    {_numbered("left_a", "rest_a ANTI JOIN same ON pair_id = pair_id_a")}
    {_numbered("left_b", "rest_b ANTI JOIN same ON pair_id = pair_id_b")}

    CREATE TABLE flipped AS
    SELECT a.pair_id AS pair_id_a, b.pair_id AS pair_id_b FROM left_a a JOIN left_b b
        ON a.chosen_response_id = b.rejected_response_id
        AND a.rejected_response_id = b.chosen_response_id AND a.n = b.n;

    CREATE TABLE removed AS
    SELECT * EXCLUDE (n) FROM left_a ANTI JOIN flipped ON pair_id = pair_id_a;

    CREATE TABLE added AS
    SELECT * EXCLUDE (n) FROM left_b ANTI JOIN flipped ON pair_id = pair_id_b;
"""  # noqa: S608 - our own names


def explain(pairs: str, own: str, other: str) -> str:
    """Makes `PAIRS_why`: why version `own` has `pairs` and version `other` has not.

    The first of these that holds is the reason:

        prompt      the other version does not have the prompt
        dropped     ... has no response at all, since it dropped the prompt before
        response    ... has one of the two responses not
        comparison  ... has no judgment of the comparison
        score       ... scores a response otherwise, or judges the comparison otherwise
        dropped     ... dropped a response, the prompt, the comparison or the pair
        score       a judge of both versions judges a response otherwise
        pairing     all is equal but what was paired

    `cause` is the step and the reason that the other version gives in its `drops`.
    """
    return f"""
    CREATE OR REPLACE TEMP TABLE why_of AS
    SELECT level, id, min_by(step || ': ' || reason, [step, reason]) AS cause
    FROM {other}_drops
    WHERE (level = 'prompts' AND NOT starts_with(step, 'pairings.')
            AND id IN (SELECT prompt_id FROM {pairs}))
        OR (level = 'responses' AND id IN (
            SELECT unnest([chosen_response_id, rejected_response_id]) FROM {pairs}))
        OR (level = 'comparisons' AND id IN (SELECT comparison_id FROM {pairs}))
    GROUP BY ALL;

    CREATE OR REPLACE TEMP TABLE why_unpaired AS
    SELECT id AS prompt_id, min_by(step || ': ' || reason, [step, reason]) AS cause
    FROM {other}_drops
    WHERE level = 'prompts' AND starts_with(step, 'pairings.')
        AND id IN (SELECT prompt_id FROM {pairs})
    GROUP BY ALL;

    CREATE OR REPLACE TEMP TABLE why_pair AS
    SELECT
        least(chosen_response_id, rejected_response_id) AS one,
        greatest(chosen_response_id, rejected_response_id) AS two,
        min_by(step || ': ' || reason, [step, reason]) AS cause,
        min_by({{'chosen': chosen_response_id, 'score_chosen': score_chosen,
            'score_rejected': score_rejected}}, id) AS made
    FROM {other}_drops
    WHERE level = 'pairs' AND chosen_response_id IN (
        SELECT unnest([chosen_response_id, rejected_response_id]) FROM {pairs})
    GROUP BY ALL;

    CREATE OR REPLACE TEMP TABLE votes AS
    SELECT comparison_id, said_{own}, said_{other}
    FROM (SELECT DISTINCT comparison_id FROM {pairs} WHERE comparison_id IS NOT NULL)
    LEFT JOIN ({_votes(own, pairs)}) USING (comparison_id)
    LEFT JOIN ({_votes(other, pairs)}) USING (comparison_id);

    CREATE OR REPLACE TEMP TABLE marks AS
    SELECT response_id
    FROM ({_marks(own, other, pairs)}) FULL JOIN ({_marks(other, own, pairs)}) USING (response_id)
    WHERE said_{own} IS DISTINCT FROM said_{other};

    CREATE TABLE {pairs}_why AS
    WITH facts AS (
        SELECT p.*,
            prompts.prompt_id IS NULL AS no_prompt,
            c.response_id IS NULL OR r.response_id IS NULL AS no_response,
            p.prompt_id IN (SELECT prompt_id FROM {other}_responses) AS answered,
            p.comparison_id IS NOT NULL AND said_{other} IS NULL AS no_comparison,
            c.score AS other_chosen, r.score AS other_rejected,
            own_c.score IS DISTINCT FROM c.score OR own_r.score IS DISTINCT FROM r.score
                OR said_{own} IS DISTINCT FROM said_{other}
                OR (made.chosen = p.chosen_response_id
                    AND (made.score_chosen IS DISTINCT FROM p.score_chosen
                        OR made.score_rejected IS DISTINCT FROM p.score_rejected)) AS rescored,
            p.chosen_response_id IN (FROM marks)
                OR p.rejected_response_id IN (FROM marks) AS judged_otherwise,
            why_prompt.cause AS prompt_cause,
            coalesce(why_c.cause, why_r.cause, why_prompt.cause, why_comparison.cause,
                why_pair.cause) AS cause,
            why_unpaired.cause AS unpaired_cause
        FROM {pairs} p
        LEFT JOIN {other}_prompts prompts ON prompts.prompt_id = p.prompt_id
        LEFT JOIN {own}_responses own_c ON own_c.response_id = p.chosen_response_id
        LEFT JOIN {own}_responses own_r ON own_r.response_id = p.rejected_response_id
        LEFT JOIN {other}_responses c ON c.response_id = p.chosen_response_id
        LEFT JOIN {other}_responses r ON r.response_id = p.rejected_response_id
        LEFT JOIN votes ON votes.comparison_id = p.comparison_id
        LEFT JOIN why_of why_prompt
            ON why_prompt.level = 'prompts' AND why_prompt.id = p.prompt_id
        LEFT JOIN why_of why_c
            ON why_c.level = 'responses' AND why_c.id = p.chosen_response_id
        LEFT JOIN why_of why_r
            ON why_r.level = 'responses' AND why_r.id = p.rejected_response_id
        LEFT JOIN why_of why_comparison
            ON why_comparison.level = 'comparisons' AND why_comparison.id = p.comparison_id
        LEFT JOIN why_pair
            ON one = least(p.chosen_response_id, p.rejected_response_id)
            AND two = greatest(p.chosen_response_id, p.rejected_response_id)
        LEFT JOIN why_unpaired ON why_unpaired.prompt_id = p.prompt_id
    ),
    reasoned AS (
        SELECT * RENAME (cause AS drop_cause), CASE
            WHEN no_prompt THEN 'prompt'
            WHEN no_response AND NOT answered AND prompt_cause IS NOT NULL THEN 'dropped'
            WHEN no_response THEN 'response'
            WHEN no_comparison THEN 'comparison'
            WHEN rescored THEN 'score'
            WHEN drop_cause IS NOT NULL THEN 'dropped'
            WHEN judged_otherwise THEN 'score'
            ELSE 'pairing'
        END AS reason
        FROM facts
    )
    SELECT *, CASE WHEN reason IN ('score', 'dropped', 'pairing')
        THEN coalesce(drop_cause, unpaired_cause) END AS cause
    FROM reasoned;
    """  # noqa: S608 - our own names


def _votes(version: str, pairs: str) -> str:
    """What all judgments of each comparison of `pairs` say together, as one number."""
    return f"""
        SELECT comparison_id, sum(hash(judge, annotator, shown_order, sample_index, record_key,
            score_a, score_b, verdict, p_a)::HUGEINT) AS said_{version}
        FROM {version}_judgments
        WHERE comparison_id IN (SELECT comparison_id FROM {pairs})
        GROUP BY comparison_id
    """  # noqa: S608 - our own names


def _marks(version: str, other: str, pairs: str) -> str:
    """What the judges that both versions have say about each response of `pairs`."""
    return f"""
        SELECT response_id, sum(hash(judge, annotator, sample_index, record_key, score, rank)
            ::HUGEINT) AS said_{version}
        FROM {version}_judgments
        WHERE response_id IN (
                SELECT unnest([chosen_response_id, rejected_response_id]) FROM {pairs})
            AND judge IN (SELECT judge FROM {other}_judgments)
        GROUP BY response_id
    """  # noqa: S608 - our own names


_BOTH = """
    a.prompt_id, a.chosen_response_id, a.rejected_response_id,
    a.pair_id AS pair_id_a, b.pair_id AS pair_id_b,
    a.score_chosen AS score_chosen_a, a.score_rejected AS score_rejected_a
"""

CHANGES = f"""
    CREATE TABLE differing AS
    SELECT
        'changed' AS change,
        CASE
            WHEN a.score_chosen IS DISTINCT FROM b.score_chosen
                OR a.score_rejected IS DISTINCT FROM b.score_rejected
                OR a.score_margin IS DISTINCT FROM b.score_margin THEN 'score'
            WHEN a.n_votes IS DISTINCT FROM b.n_votes
                OR a.n_votes_chosen IS DISTINCT FROM b.n_votes_chosen
                OR a.n_votes_rejected IS DISTINCT FROM b.n_votes_rejected
                OR a.p_chosen IS DISTINCT FROM b.p_chosen THEN 'votes'
            WHEN a.pair_id <> b.pair_id THEN 'pairing'
            WHEN p.split IS DISTINCT FROM q.split THEN 'split'
        END AS reason,
        {_BOTH}, b.score_chosen AS score_chosen_b, b.score_rejected AS score_rejected_b
    FROM same
    JOIN a_pairs a ON a.pair_id = pair_id_a
    JOIN b_pairs b ON b.pair_id = pair_id_b
    LEFT JOIN a_prompts p ON p.prompt_id = a.prompt_id
    LEFT JOIN b_prompts q ON q.prompt_id = b.prompt_id
    WHERE reason IS NOT NULL;

    CREATE TABLE changes AS
    SELECT change, reason, NULL::VARCHAR AS cause, * EXCLUDE (change, reason) FROM differing
    UNION ALL
    SELECT 'flipped', CASE
            WHEN a.score_chosen IS DISTINCT FROM b.score_rejected
                OR a.score_rejected IS DISTINCT FROM b.score_chosen THEN 'score' ELSE 'votes'
        END, NULL, {_BOTH}, b.score_rejected, b.score_chosen
    FROM flipped
    JOIN a_pairs a ON a.pair_id = pair_id_a
    JOIN b_pairs b ON b.pair_id = pair_id_b
    UNION ALL
    SELECT 'removed', reason, cause, prompt_id, chosen_response_id, rejected_response_id,
        pair_id, NULL, score_chosen, score_rejected, other_chosen, other_rejected
    FROM removed_why
    UNION ALL
    SELECT 'added', reason, cause, prompt_id, chosen_response_id, rejected_response_id,
        NULL, pair_id, other_chosen, other_rejected, score_chosen, score_rejected
    FROM added_why;
"""  # noqa: S608 - our own names
"""`chosen` and `rejected` are as in A, but for added pairs; the scores are those of these two
responses in A and in B."""

ORDER = "change, reason, cause NULLS FIRST, prompt_id, coalesce(pair_id_a, pair_id_b)"
