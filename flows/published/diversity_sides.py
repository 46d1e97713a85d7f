"""The sides of a comparison: the responses of a version, or of one of its samplers."""

import polars as pl

from flows.published.tables import PublishedTables
from pipelines.diversity.compare import EXPRESSED, SIDE, Side
from pipelines.errors import RecipeError, nearest
from pipelines.publishing.store import Store

RESPONSES = """
    WITH noted AS (
        SELECT *, CASE WHEN json_valid(notes) THEN notes END AS noted FROM responses
        WHERE norm_hash IS NOT NULL AND NOT coalesce(partial, false)
            AND ($sampler IS NULL OR sampler = $sampler)
    )
    SELECT r.prompt_id, prompts.lang, r.text, coalesce(
        r.completion_tokens,
        (noted->>'completion_tokens')::DOUBLE
            / count(*) OVER (PARTITION BY r.prompt_id, r.sampler, noted->>'set')
    )
    FROM noted AS r JOIN prompts USING (prompt_id)
"""
"""Of a set that is one completion, each response has as many of its tokens."""

VALUES = """
    SELECT prompt_id, judge || '.' || dimension, max(j.score) >= $expressed_from
    FROM judgments AS j JOIN responses AS r USING (prompt_id, response_id)
    WHERE dimension IS NOT NULL AND j.score IS NOT NULL AND r.norm_hash IS NOT NULL
        AND ($sampler IS NULL OR r.sampler = $sampler)
    GROUP BY prompt_id, judge, dimension
"""


def read_side(store: Store, ref: str, expressed_from: float) -> Side:
    """The side that NAME[@V][:SAMPLER] names. Raises StoreError, and RecipeError for a sampler."""
    name, _, sampler = ref.partition(":")
    version = store.resolve(name)
    tables = PublishedTables(version, "responses", "prompts", "judgments")
    known = [row[0] for row in tables.rows("SELECT DISTINCT sampler FROM responses ORDER BY 1")]
    if sampler and sampler not in known:
        raise RecipeError(
            f'{version.ref} has no responses of a sampler "{sampler}"; {nearest(sampler, known)}'
        )
    responses = tables.rows(RESPONSES, sampler=sampler or None)
    values = tables.rows(VALUES, sampler=sampler or None, expressed_from=expressed_from)
    return Side(
        f"{version.ref}:{sampler}" if sampler else version.ref,
        pl.DataFrame(responses, schema=SIDE, orient="row"),
        pl.DataFrame(values, schema=EXPRESSED, orient="row"),
    )
