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
    count(*) FILTER (verdict = 'a') AS n_a,
    count(*) FILTER (verdict = 'b') AS n_b,
    count(*) FILTER (verdict = 'tie') AS n_tie,
    count(*) FILTER (error IS NOT NULL) AS n_unread
FROM judgments
WHERE comparison_id IS NOT NULL
GROUP BY comparison_id, prompt_id;
