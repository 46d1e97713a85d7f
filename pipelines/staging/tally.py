"""The tally: the steps of the funnel up to the judges, from what was read and what is staged."""

import polars as pl

from pipelines.intake.inputs import Intake
from pipelines.selection.exact import NOT_NEEDED
from pipelines.selection.funnel import Funnel
from pipelines.staging.evidence import Evidence


def count_units(
    funnel: Funnel, intake: Intake, evidence: Evidence, why_not_drawn: str = NOT_NEEDED
) -> None:
    """Adds what sources, selection of prompts, early filters and sampling took in and kept."""
    for one in intake.passes:
        reasons = {"merged": one.merged, "prompt_not_selected": one.skipped, **one.dropped}
        funnel.count(one.label, "rows", one.rows, reasons)
    left_out = intake.prompts - intake.selected
    funnel.count("selection", "prompts", intake.prompts, {"not_selected": left_out})
    drops = funnel.staged(evidence.drops())
    is_owed = pl.col("step") == "sampling"
    of_prompts, of_responses = drops.filter(level="prompts"), drops.filter(level="responses")
    n_prompts, n_responses = evidence.count("prompts"), evidence.count("responses")
    if not_drawn := intake.selected - n_prompts:
        funnel.count("exactly", "prompts", intake.selected, {why_not_drawn: not_drawn})
    n_prompts = funnel.replay("early filters", "prompts", n_prompts, of_prompts.filter(~is_owed))
    funnel.replay("sampling", "prompts", n_prompts, of_prompts.filter(is_owed))
    funnel.replay("early filters", "responses", n_responses, of_responses)
