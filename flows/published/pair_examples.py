"""Pairs of a published version with their texts: some to look at, or one that was asked for.

Which ones is decided by the rows alone: the same version always shows the same.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flows.published.tables import PublishedTables
from pipelines.errors import StoreError

if TYPE_CHECKING:
    from pipelines.publishing.versions import Version

Messages = list[dict[str, Any]]

KEPT = """
    SELECT pair_id, prompt_id, prompt, chosen, rejected, chosen_response_id, rejected_response_id,
        chosen_model, rejected_model, score_chosen, score_rejected, score_margin, annotator_group
    FROM pairs WHERE pair_id IN ids
"""
DROPPED = """
    SELECT DISTINCT ON (d.id) d.id, d.prompt_id, p.messages,
        [{'role': 'assistant', 'content': c.text, 'tool_calls': c.tool_calls}],
        [{'role': 'assistant', 'content': r.text, 'tool_calls': r.tool_calls}],
        d.chosen_response_id, d.rejected_response_id, c.model, r.model, d.score_chosen,
        d.score_rejected, d.score_margin
    FROM drops d
    LEFT JOIN prompts p ON p.prompt_id = d.prompt_id
    LEFT JOIN responses c ON c.response_id = d.chosen_response_id
    LEFT JOIN responses r ON r.response_id = d.rejected_response_id
    WHERE d.level = 'pairs' AND d.id IN ids
"""
VERDICTS = """
    SELECT coalesce(judge || '.' || dimension, judge),
        CASE response_id WHEN $chosen THEN 'chosen' WHEN $rejected THEN 'rejected' ELSE 'both' END,
        coalesce(
            format('{:g}', score),
            CASE WHEN response_a_id = $chosen THEN format('{:g} : {:g}', score_a, score_b)
                ELSE format('{:g} : {:g}', score_b, score_a) END,
            CASE WHEN verdict IN ('a', 'b') THEN
                if((verdict = 'a') = (response_a_id = $chosen), 'chosen', 'rejected')
                ELSE verdict END,
            'rank ' || rank,
            ''),
        coalesce(
            error,
            if(dimension IS NOT NULL AND raw = lag(raw) OVER whole_first, '', NULL),
            reasoning, raw, '')
    FROM judgments
    WHERE response_id IN ($chosen, $rejected)
        OR (response_a_id IN ($chosen, $rejected) AND response_b_id IN ($chosen, $rejected))
    WINDOW whole_first AS (
        PARTITION BY judge, response_id, sample_index ORDER BY dimension NULLS FIRST)
    ORDER BY judge, 2, sample_index, dimension NULLS FIRST, shown_order, annotator, record_key,
        judgment_id
"""


@dataclass(frozen=True, slots=True)
class Pair:
    """One pair with its texts; scores in score units."""

    pair_id: str
    prompt_id: str
    prompt: Messages
    chosen: Messages
    rejected: Messages
    chosen_response_id: str
    rejected_response_id: str
    chosen_model: str | None
    rejected_model: str | None
    score_chosen: float | None
    score_rejected: float | None
    score_margin: float | None
    annotator_group: str | None = None
    """Whose preference it is, where not everybody's; not known of a dropped pair."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one judge said once of a response of a pair, or of both."""

    judge: str
    of: str
    """"chosen", "rejected" or "both"."""
    said: str
    """Score, both scores, verdict or rank; empty where it could not be read."""
    why: str
    """The judge's words, or what kept them from being read."""


class PairExamples:
    """Finds pairs in the tables of one version."""

    def __init__(self, version: "Version") -> None:
        tables = ("pairs", "prompts", "responses", "judgments", "drops")
        self._tables = PublishedTables(version, *tables)
        self._ref, self._pairs = version.ref, version.manifest.rows("pairs")

    def spread(self, wanted: int) -> list[Pair]:
        """`wanted` pairs, or all there are, by margin: those in the middle of equal shares.

        Of pairs with one margin those with the smallest ids, which are hashes; pairs without a
        margin come last.
        """
        wanted = min(wanted, self._pairs)
        shares = [(2 * share + 1) / (2 * wanted) for share in range(wanted)]
        query = "SELECT quantile_disc(score_margin, $shares) FROM pairs"
        ((margins,),) = self._tables.rows(query, shares=shares) if shares else ((None,),)
        ids = self._smallest(Counter(margins or ()))
        if missing := wanted - len(ids):
            ids += self._smallest({None: missing})
        return self._read(KEPT, ids)

    def find(self, wanted: str) -> tuple[Pair, list[str]]:
        """The one pair whose id begins so, and for what it was dropped. Raises StoreError."""
        ids = "SELECT pair_id FROM pairs UNION SELECT id FROM drops WHERE level = 'pairs'"
        query = f"SELECT id FROM ({ids}) AS known (id) WHERE starts_with(id, $wanted)"  # noqa: S608
        rows = self._tables.rows(f"{query} ORDER BY id LIMIT 2", wanted=wanted)
        found = [one for (one,) in rows]
        if not found:
            listed = 'pairwright sql "SELECT pair_id FROM pairs" --dataset'
            raise StoreError(f'{self._ref}: no pair "{wanted}"; `{listed} {self._ref}` lists them')
        if len(found) > 1:
            raise StoreError(f'{self._ref}: several pairs begin with "{wanted}", as {found[0]}')
        (pair,) = self._read(KEPT, found) or self._read(DROPPED, found)
        return pair, self._reasons(pair.pair_id)

    def verdicts(self, pair: Pair) -> list[Verdict]:
        """What the judges said of the two responses of `pair`, by judge."""
        sides = {"chosen": pair.chosen_response_id, "rejected": pair.rejected_response_id}
        return [Verdict(*row) for row in self._tables.rows(VERDICTS, **sides)]

    def _smallest(self, counts: Mapping[Any, int]) -> list[str]:
        """For each margin the so many smallest ids of the pairs that have it, or all of them."""
        query = """
            SELECT score_margin, min(pair_id, $most) FROM pairs
            WHERE score_margin IN $margins OR ($unknown AND score_margin IS NULL) GROUP BY 1
        """
        margins = [margin for margin in counts if margin is not None]
        most, unknown = max(counts.values(), default=1), None in counts
        found = dict(self._tables.rows(query, margins=margins, unknown=unknown, most=most))
        return [id_ for margin, many in counts.items() for id_ in found.get(margin, ())[:many]]

    def _read(self, query: str, ids: Sequence[str]) -> list[Pair]:
        found = {row[0]: Pair(*row) for row in self._tables.rows_of(query, ids)}
        return [found[pair_id] for pair_id in ids if pair_id in found]

    def _reasons(self, pair_id: str) -> list[str]:
        query = """
            SELECT DISTINCT step || ': ' || reason FROM drops
            WHERE level = 'pairs' AND id = $pair_id ORDER BY 1
        """
        return [reason for (reason,) in self._tables.rows(query, pair_id=pair_id)]
