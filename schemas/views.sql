-- Handy views of every version, beside its tables pairs, prompts, responses, judgments and drops.
-- They are made in the version's schema. ORDER BY in the query that reads them.

-- Why rows went no further: distinct rows for each reason. A row may have several reasons.
CREATE VIEW funnel AS
SELECT level, step, reason, count(DISTINCT id) AS dropped
FROM drops
GROUP BY level, step, reason;

-- What each model's responses scored.
CREATE VIEW model_scores AS
SELECT
    model,
    count(*) AS n_responses,
    count(score) AS n_scored,
    avg(score) AS score_mean,
    stddev_pop(score) AS score_std,
    avg(n_chars) AS n_chars_mean,
    count(*) FILTER (kept) AS n_kept
FROM responses
GROUP BY model;

-- The votes on each comparison: both orders, every judge, annotator and sample together.
CREATE VIEW comparisons AS
SELECT
    comparison_id,
    prompt_id,
    any_value(response_a_id) AS response_a_id,
    any_value(response_b_id) AS response_b_id,
    count(*) AS n_judgments,
    count(*) FILTER (coalesce(verdict = 'a', p_a > 0.5)) AS n_a,
    count(*) FILTER (coalesce(verdict = 'b', p_a < 0.5)) AS n_b,
    count(*) FILTER (coalesce(verdict = 'tie', p_a = 0.5)) AS n_tie,
    count(*) FILTER (error IS NOT NULL) AS n_unread
FROM judgments
WHERE comparison_id IS NOT NULL
GROUP BY comparison_id, prompt_id;

-- Two kept responses to a prompt, with different texts, between which nothing decided: their scores
-- are equal, or a comparison of the two was dropped as a tie; and they are no published pair.
CREATE VIEW ties AS
WITH texts AS (
    SELECT prompt_id, response_id, score, text_hash
    FROM responses
    WHERE kept AND norm_hash IS NOT NULL AND prompt_id NOT IN (
        SELECT id FROM drops WHERE level = 'prompts' AND step NOT LIKE 'pairings.%'
    )
),
tied AS (
    SELECT a.response_id AS response_a_id, b.response_id AS response_b_id, 'scores' AS decided_by
    FROM texts AS a
    JOIN texts AS b ON a.prompt_id = b.prompt_id AND a.score = b.score
    WHERE a.response_id < b.response_id
    UNION ALL
    SELECT DISTINCT
        least(response_a_id, response_b_id), greatest(response_a_id, response_b_id), 'comparisons'
    FROM judgments
    JOIN drops ON id = comparison_id
    WHERE level = 'comparisons' AND reason = 'tie'
)
SELECT prompt_id, response_a_id, response_b_id, decided_by
FROM tied
JOIN texts AS a ON a.response_id = response_a_id
JOIN (SELECT response_id, text_hash FROM texts) AS b ON b.response_id = response_b_id
WHERE a.text_hash <> b.text_hash AND NOT EXISTS (
    FROM pairs
    WHERE least(chosen_response_id, rejected_response_id) = response_a_id
        AND greatest(chosen_response_id, rejected_response_id) = response_b_id
);

-- How a second look agrees with a ranking: of three neighbours, the first and the last compared
-- after all. Looks that are even, or of which an order could not be read, are in n_rechecks alone.
CREATE VIEW transitivity AS
WITH ranks AS (SELECT judge, response_id, "rank" FROM judgments WHERE "rank" IS NOT NULL),
votes AS (
    SELECT
        judge, prompt_id, response_a_id, response_b_id,
        CASE WHEN count(coalesce(verdict, p_a::VARCHAR)) = count(*) THEN avg(
            CASE verdict WHEN 'a' THEN 1 WHEN 'tie' THEN 0.5 WHEN 'b' THEN 0 ELSE p_a END
        ) END AS p_a
    FROM judgments
    WHERE dimension = 'recheck'
    GROUP BY judge, prompt_id, response_a_id, response_b_id, sample_index
),
looks AS (
    SELECT judge, prompt_id, response_a_id, response_b_id, avg(p_a) AS p_a
    FROM votes
    GROUP BY judge, prompt_id, response_a_id, response_b_id
)
SELECT
    looks.judge,
    prompt_id,
    count(*) AS n_rechecks,
    count(*) FILTER (p_a <> 0.5) AS n_decided,
    count(*) FILTER (p_a <> 0.5 AND (p_a > 0.5) = (a."rank" < b."rank")) AS n_agreed,
    n_agreed / n_decided AS transitivity
FROM looks
JOIN ranks AS a ON a.judge = looks.judge AND a.response_id = looks.response_a_id
JOIN ranks AS b ON b.judge = looks.judge AND b.response_id = looks.response_b_id
GROUP BY looks.judge, prompt_id;

-- What a judge gave each dimension (a rubric's, or a constraint) of a response, over its samples.
-- PIVOT dimension_scores ON dimension USING any_value(score) GROUP BY response_id: as columns.
CREATE VIEW dimension_scores AS
SELECT
    response_id,
    any_value(prompt_id) AS prompt_id,
    judge,
    dimension,
    avg(score) AS score,
    count(score) AS n_scored,
    count(*) FILTER (score IS NULL) AS n_unscored
FROM judgments
WHERE dimension IS NOT NULL AND response_id IS NOT NULL
GROUP BY response_id, judge, dimension;
