"""Own answers: what a model says when it is asked, told apart from what was made of its words."""

import polars as pl

from pipelines.publishing.versions import Version


def own_answers(version: Version) -> pl.LazyFrame | None:
    """The responses that were sampled as they stand; None where a version is too old to tell.

    Neither revisions nor what follows a step of a search: there a judge had a hand in the text.
    """
    responses = pl.scan_parquet(version.files("responses"), glob=False)
    if not {"relation", "parent_id"} <= set(responses.collect_schema().names()):
        return None
    return responses.filter(pl.col("relation").is_null() & pl.col("parent_id").is_null())
