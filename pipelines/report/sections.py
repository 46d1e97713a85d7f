"""The sections of the report, in their order."""

from pipelines.report.build_sections import BREAKDOWN, COST, FUNNEL, LANGUAGES
from pipelines.report.judge_sections import AGREEMENT, HABITS
from pipelines.report.model_sections import STRENGTHS, WINS
from pipelines.report.pair_sections import (
    FIGURES,
    LENGTHS,
    MARGINS,
    SCORES,
    SEPARABILITY,
    VARIANCES,
)
from pipelines.report.section import Section

SECTIONS: tuple[Section, ...] = (
    FUNNEL,
    FIGURES,
    SCORES,
    MARGINS,
    LENGTHS,
    VARIANCES,
    STRENGTHS,
    WINS,
    AGREEMENT,
    HABITS,
    SEPARABILITY,
    BREAKDOWN,
    LANGUAGES,
    COST,
)
