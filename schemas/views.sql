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

-- The views of the report. Bins hold low <= value < high; where there are no more than 20 distinct
-- values each has a bin of its own, low = high, else their width is 1, 2 or 5 times a power of ten.

-- Scores of all responses, and of the chosen and rejected ones of the published pairs.
CREATE VIEW score_bins AS
WITH scores AS (
    SELECT score AS x, 1 AS n, 0 AS chosen, 0 AS rejected FROM responses WHERE score IS NOT NULL
    UNION ALL
    SELECT score_chosen, 0, 1, 0 FROM pairs WHERE score_chosen IS NOT NULL
    UNION ALL
    SELECT score_rejected, 0, 0, 1 FROM pairs WHERE score_rejected IS NOT NULL
),
counts AS (
    SELECT x, sum(n) AS n, sum(chosen) AS chosen, sum(rejected) AS rejected FROM scores GROUP BY x
),
spans AS (SELECT (max(x) - min(x)) / 15 AS raw, count(*) <= 20 AS few FROM counts),
tens AS (SELECT *, CASE WHEN few THEN 1 ELSE pow(10, floor(log10(raw))) END AS ten FROM spans),
widths AS (
    SELECT few, ten * CASE WHEN raw <= ten THEN 1 WHEN raw <= 2 * ten THEN 2
        WHEN raw <= 5 * ten THEN 5 ELSE 10 END AS width
    FROM tens
)
SELECT
    CASE WHEN few THEN x ELSE round(floor(round(x / width, 9)) * width, 9) END AS low,
    CASE WHEN few THEN x ELSE round(floor(round(x / width, 9)) * width + width, 9) END AS high,
    sum(n)::BIGINT AS n_responses,
    sum(chosen)::BIGINT AS n_chosen,
    sum(rejected)::BIGINT AS n_rejected
FROM counts, widths
GROUP BY ALL;

-- Margins of the published pairs, and of those that were made and dropped.
CREATE VIEW margin_bins AS
WITH margins AS (
    SELECT score_margin AS x, 1 AS kept, 0 AS dropped FROM pairs WHERE score_margin IS NOT NULL
    UNION ALL
    SELECT any_value(score_margin), 0, 1
    FROM drops
    WHERE level = 'pairs' AND score_margin IS NOT NULL
    GROUP BY id
),
counts AS (SELECT x, sum(kept) AS kept, sum(dropped) AS dropped FROM margins GROUP BY x),
spans AS (SELECT (max(x) - min(x)) / 15 AS raw, count(*) <= 20 AS few FROM counts),
tens AS (SELECT *, CASE WHEN few THEN 1 ELSE pow(10, floor(log10(raw))) END AS ten FROM spans),
widths AS (
    SELECT few, ten * CASE WHEN raw <= ten THEN 1 WHEN raw <= 2 * ten THEN 2
        WHEN raw <= 5 * ten THEN 5 ELSE 10 END AS width
    FROM tens
)
SELECT
    CASE WHEN few THEN x ELSE round(floor(round(x / width, 9)) * width, 9) END AS low,
    CASE WHEN few THEN x ELSE round(floor(round(x / width, 9)) * width + width, 9) END AS high,
    sum(kept)::BIGINT AS n_kept,
    sum(dropped)::BIGINT AS n_dropped
FROM counts, widths
GROUP BY ALL;

-- How far apart the scores of a prompt's responses lie (variance, in score units squared), by how
-- hard the prompt is: by the mean of its pairs' `difficulty` where that was measured, and by the mean
-- of its scores, which is the lower the harder it is. In ten parts of equally many prompts.
CREATE VIEW variance_by_difficulty AS
WITH measured AS (
    SELECT prompt_id, avg(value) AS difficulty
    FROM measures
    WHERE measure = 'difficulty'
    GROUP BY prompt_id
),
placed AS (
    SELECT 'difficulty' AS hard_by, difficulty AS x, score_var, n_pairs, prompt_id
    FROM prompts JOIN measured USING (prompt_id)
    WHERE score_var IS NOT NULL
    UNION ALL
    SELECT 'mean score', score_mean, score_var, n_pairs, prompt_id
    FROM prompts
    WHERE score_var IS NOT NULL
),
parts AS (
    SELECT *, ntile(10) OVER (PARTITION BY hard_by ORDER BY x, prompt_id) AS part FROM placed
)
SELECT
    hard_by,
    part,
    min(x) AS low,
    max(x) AS high,
    count(*) AS n_prompts,
    count(*) FILTER (n_pairs > 0) AS n_with_pairs,
    quantile_cont(score_var, 0.25) AS var_p25,
    median(score_var) AS var_median,
    quantile_cont(score_var, 0.75) AS var_p75
FROM parts
GROUP BY hard_by, part;

-- Characters of the chosen and the rejected answers. n_longer: pairs of which it is the longer one.
CREATE VIEW lengths AS
WITH sides AS (
    SELECT 'chosen' AS side, n_chars_chosen AS n, n_chars_rejected AS other FROM pairs
    UNION ALL
    SELECT 'rejected', n_chars_rejected, n_chars_chosen FROM pairs
),
found AS (
    SELECT
        side,
        count(*) AS n_pairs,
        avg(n) AS mean,
        quantile_cont(n, [0.1, 0.25, 0.5, 0.75, 0.9]) AS below,
        count(*) FILTER (n > other) AS n_longer
    FROM sides
    GROUP BY side
)
SELECT
    side, n_pairs, mean,
    below[1] AS p10, below[2] AS p25, below[3] AS median, below[4] AS p75, below[5] AS p90,
    n_longer
FROM found;

-- The figures of all pairs together, and of their prompts; `subject` is the commonest model, source...
CREATE VIEW pair_figures AS
SELECT figure, subject, value, low, high, n, prompts
FROM figures
WHERE figure NOT LIKE '%separability%' AND figure NOT LIKE '%_prompt_share'
    AND figure <> 'strength' AND figure NOT LIKE 'judge_%'
    AND figure NOT IN ('unread_rate', 'tie_rate', 'flip_rate', 'position_bias');

-- How often answers of one model were chosen over those of another, and the other way round.
CREATE VIEW wins AS
WITH met AS (SELECT chosen_model, rejected_model, count(*) AS n FROM pairs GROUP BY ALL),
games AS (
    SELECT chosen_model AS model, rejected_model AS other, n, n AS won FROM met
    UNION ALL
    SELECT rejected_model, chosen_model, n, 0 FROM met
)
SELECT
    model, other,
    sum(n)::BIGINT AS n_pairs, sum(won)::BIGINT AS n_wins, n_wins / n_pairs AS win_share
FROM games
WHERE model <> other
GROUP BY model, other;

-- The models by their Bradley-Terry strength in nats, 0 for the average one: of two, the one wins
-- with the probability 1 / (1 + exp(-(strength - strength of the other))).
CREATE VIEW model_strengths AS
SELECT
    model,
    sum(n_pairs)::BIGINT AS n_pairs,
    sum(n_wins)::BIGINT AS n_wins,
    sum(n_wins) / sum(n_pairs) AS win_share,
    any_value(value) AS strength,
    any_value(low) AS low,
    any_value(high) AS high
FROM wins LEFT JOIN (FROM figures WHERE figure = 'strength') ON subject = model
GROUP BY model;

-- How far two judges say the same of the same answers: `figure` is judge_agreement or judge_kappa.
CREATE VIEW judge_agreement AS
SELECT subject AS judge, other, figure, value, low, high, n, prompts
FROM figures
WHERE figure IN ('judge_agreement', 'judge_kappa');

-- What a judge looks at beside quality: `figure` is one of the figures about one judge.
CREATE VIEW judge_habits AS
SELECT subject AS judge, figure, value, low, high, n, prompts
FROM figures
WHERE figure IN ('unread_rate', 'tie_rate', 'flip_rate', 'position_bias', 'judge_length_bias');

-- How well a linear probe tells chosen from rejected answers by how they look; 0.5 is a coin's. Over
-- all pairs (models are null), and of one model's answers over another's.
CREATE VIEW separability AS
SELECT nullif(subject, '') AS chosen_model, nullif(other, '') AS rejected_model,
    any_value(value) FILTER (figure NOT LIKE '%_auc') AS accuracy,
    any_value(low) AS low, any_value(high) AS high,
    any_value(value) FILTER (figure LIKE '%_auc') AS auc,
    any_value(n) AS n_texts, any_value(prompts) AS prompts
FROM figures
WHERE figure LIKE '%separability%'
GROUP BY subject, other;

-- Prompts and pairs of each source, language, task and split. A prompt of two sources counts in both.
CREATE VIEW breakdown AS
WITH of_pairs AS (
    SELECT prompt_id, avg(score_margin) AS margin, avg(n_chars_chosen) AS n_chars_chosen,
        avg(n_chars_rejected) AS n_chars_rejected
    FROM pairs
    GROUP BY prompt_id
),
known AS MATERIALIZED (
    SELECT sources, lang, task, split, n_responses, n_scored, n_pairs, score_mean,
        margin, n_chars_chosen, n_chars_rejected
    FROM prompts LEFT JOIN of_pairs USING (prompt_id)
),
parts AS (
    SELECT 'source' AS part_by, unnest(sources) AS part, * FROM known
    UNION ALL SELECT 'lang', lang, * FROM known
    UNION ALL SELECT 'task', task, * FROM known
    UNION ALL SELECT 'split', split, * FROM known
)
SELECT
    part_by,
    part,
    count(*) AS n_prompts,
    count(*) FILTER (n_pairs > 0) AS n_with_pairs,
    sum(n_responses)::BIGINT AS n_responses,
    sum(n_pairs)::BIGINT AS n_pairs,
    sum(score_mean * n_scored) / sum(n_scored) AS score_mean,
    sum(margin * n_pairs) / sum(n_pairs) FILTER (margin IS NOT NULL) AS margin_mean,
    sum(n_chars_chosen * n_pairs) / sum(n_pairs) AS n_chars_chosen,
    sum(n_chars_rejected * n_pairs) / sum(n_pairs) AS n_chars_rejected
FROM parts
GROUP BY part_by, part;

-- The opinion of a crowd: how often a judge's annotators and samples gave each level to a response, or
-- to a comparison (1: a is better, 0.5: a tie, 0: b), of the levels that this judge ever gave. `alpha` are
-- Dirichlet's after these votes, each level having one before; the mean and the entropy (nats) are those
-- of its posterior mean.
CREATE VIEW crowds AS
WITH votes AS (
    SELECT
        judge, prompt_id, response_id, comparison_id,
        CASE WHEN response_id IS NOT NULL THEN score
            ELSE CASE verdict WHEN 'a' THEN 1 WHEN 'tie' THEN 0.5 WHEN 'b' THEN 0 END
        END AS "level"
    FROM judgments
    WHERE dimension IS NULL AND "level" IS NOT NULL
),
counted AS (SELECT *, count(*) AS n FROM votes GROUP BY ALL),
of_judges AS (SELECT DISTINCT judge, response_id IS NULL AS compared, "level" FROM counted),
subjects AS (SELECT DISTINCT judge, prompt_id, response_id, comparison_id FROM counted),
every AS (
    SELECT subjects.*, of_judges."level", coalesce(n, 0) AS n,
        (coalesce(n, 0) + 1) / sum(coalesce(n, 0) + 1) OVER (
            PARTITION BY judge, subjects.response_id, subjects.comparison_id
        ) AS p
    FROM subjects
    JOIN of_judges USING (judge)
    LEFT JOIN counted
        ON counted.judge = subjects.judge AND counted."level" = of_judges."level"
        AND counted.response_id IS NOT DISTINCT FROM subjects.response_id
        AND counted.comparison_id IS NOT DISTINCT FROM subjects.comparison_id
    WHERE of_judges.compared = (subjects.response_id IS NULL)
)
SELECT
    judge, prompt_id, response_id, comparison_id,
    sum(n)::BIGINT AS n_votes,
    list("level" ORDER BY "level") AS levels,
    list(n ORDER BY "level") AS counts,
    list(n + 1 ORDER BY "level") AS alpha,
    sum("level" * p) AS mean,
    -sum(p * ln(p)) AS entropy
FROM every
GROUP BY judge, prompt_id, response_id, comparison_id;

-- What each annotator group wants: its pairs, and how far its members agree on them.
CREATE VIEW annotator_groups AS
SELECT
    annotator_group,
    count(*) AS n_pairs,
    count(DISTINCT prompt_id) AS n_prompts,
    sum(n_votes)::BIGINT AS n_votes,
    sum(n_votes_chosen) / sum(n_votes) AS agreement,
    count(*) FILTER (n_votes_chosen < n_votes) AS n_divided
FROM pairs
WHERE annotator_group IS NOT NULL
GROUP BY annotator_group;

-- Two pairs that want the opposite of the same two texts: of two annotator groups, or under two
-- contexts, which are prompts of one group and say in `task` who asks.
CREATE VIEW reversals AS
WITH texts AS (SELECT response_id, text_hash FROM responses),
sides AS (
    SELECT
        pair_id, prompt_id, prompt_group_id, annotator_group, task,
        chosen.text_hash AS chosen, rejected.text_hash AS rejected
    FROM pairs
    JOIN texts AS chosen ON chosen.response_id = chosen_response_id
    JOIN texts AS rejected ON rejected.response_id = rejected_response_id
)
SELECT
    a.prompt_group_id,
    a.annotator_group, b.annotator_group AS other_group,
    a.task, b.task AS other_task,
    a.pair_id, b.pair_id AS other_pair_id
FROM sides AS a
JOIN sides AS b
    ON a.prompt_group_id = b.prompt_group_id AND a.chosen = b.rejected AND a.rejected = b.chosen
WHERE (coalesce(a.annotator_group, a.task, ''), a.prompt_id, a.pair_id)
    < (coalesce(b.annotator_group, b.task, ''), b.prompt_id, b.pair_id);

-- What became of each language's prompts and of the responses to them; null: not known.
CREATE VIEW language_funnel AS
WITH of_responses AS (
    SELECT
        prompt_id,
        count(*) AS n_responses,
        count(same_lang) AS n_told,
        count(*) FILTER (same_lang) AS n_same_language,
        count(*) FILTER (NOT same_lang) AS n_other_language,
        count(*) FILTER (kept) AS n_kept
    FROM responses
    GROUP BY prompt_id
)
SELECT
    lang,
    count(*) AS n_prompts,
    coalesce(sum(of_responses.n_responses), 0)::BIGINT AS n_responses,
    CASE WHEN sum(n_told) > 0 THEN sum(n_same_language) END::BIGINT AS n_same_language,
    CASE WHEN sum(n_told) > 0 THEN sum(n_other_language) END::BIGINT AS n_other_language,
    coalesce(sum(n_kept), 0)::BIGINT AS n_kept,
    coalesce(sum(n_scored), 0)::BIGINT AS n_scored,
    count(*) FILTER (n_pairs > 0) AS n_with_pairs,
    coalesce(sum(n_pairs), 0)::BIGINT AS n_pairs
FROM prompts LEFT JOIN of_responses USING (prompt_id)
GROUP BY lang;

-- Each node of a search, with the answer so far that the path to it spells. A root has none.
CREATE VIEW tree_answers AS
SELECT
    node_id, tree_nodes.prompt_id, tree_nodes.sampler, tree_nodes.parent_id, depth,
    tree_nodes.text AS step, responses.text AS answer, model,
    n_visits, v, q, r, "value", prior, terminal, outcome, on_path, flags, score, kept
FROM tree_nodes
LEFT JOIN responses ON response_id = node_id;

-- Pairs of siblings in a search: the prefix that was accepted, the two steps, and their statistics.
-- A side is the step after the prefix on the way to the answer that is chosen or rejected.
CREATE VIEW step_pairs AS
WITH RECURSIVE up AS (
    SELECT pair_id, comparison_id, 'chosen' AS side, node_id, parent_id
    FROM pairs JOIN tree_nodes ON node_id = chosen_response_id
    UNION ALL
    SELECT pair_id, comparison_id, 'rejected', node_id, parent_id
    FROM pairs JOIN tree_nodes ON node_id = rejected_response_id
    UNION ALL
    SELECT pair_id, comparison_id, side, tree_nodes.node_id, tree_nodes.parent_id
    FROM up JOIN tree_nodes ON tree_nodes.node_id = up.parent_id
    WHERE up.parent_id <> comparison_id
),
sides AS (
    SELECT up.pair_id, up.side, tree_nodes.*
    FROM up JOIN tree_nodes USING (node_id)
    WHERE up.parent_id = comparison_id
),
solved AS (
    SELECT prompt_id, sampler, bool_or(outcome > 0) FILTER (on_path AND terminal) AS path_correct
    FROM tree_nodes
    GROUP BY prompt_id, sampler
)
SELECT
    pairs.pair_id, pairs.prompt_id, pairing, a.sampler, a.parent_id, a.depth,
    coalesce(accepted.text, '') AS prefix,
    a.node_id AS chosen_node_id, b.node_id AS rejected_node_id,
    a.text AS chosen_step, b.text AS rejected_step,
    a.q AS q_chosen, b.q AS q_rejected, a.q - b.q AS gap,
    a.n_visits AS n_chosen, b.n_visits AS n_rejected,
    a."value" AS value_chosen, b."value" AS value_rejected,
    a.prior AS prior_chosen, b.prior AS prior_rejected,
    p_chosen,
    least(b.n_visits / (greatest(a.n_visits, 1) + b.n_visits), 0.5) AS label_smoothing,
    path_correct
FROM pairs
JOIN sides AS a ON a.pair_id = pairs.pair_id AND a.side = 'chosen'
JOIN sides AS b ON b.pair_id = pairs.pair_id AND b.side = 'rejected'
LEFT JOIN responses AS accepted ON accepted.response_id = a.parent_id
LEFT JOIN solved ON solved.prompt_id = a.prompt_id AND solved.sampler = a.sampler;

-- Steps of a search over instructions: what one rule made of an instruction, and what that was worth.
CREATE VIEW rewrite_steps AS
SELECT
    a.prompt_id, a.sampler, a.node_id, a.parent_id, a.depth,
    notes ->> '$.rules[#-1]' AS rule,
    b.text AS parent_instruction, a.text AS instruction,
    b."value" AS parent_reward, a."value" AS reward, a.r AS gain
FROM tree_nodes AS a
JOIN tree_nodes AS b ON b.node_id = a.parent_id
JOIN responses ON response_id = a.node_id
WHERE notes ->> '$.rules[#-1]' IS NOT NULL;
