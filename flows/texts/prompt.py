"""All of one prompt of a published version: every response, judgment, pair, and why rows were dropped."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flows.published.tables import PublishedTables
from flows.texts.pair import SHOWN_ID, content_of, messages_in_full, scores
from flows.texts.plain import aligned, aligned_beside
from flows.texts.terminal import plain
from pipelines.errors import StoreError

if TYPE_CHECKING:
    from pipelines.publishing.versions import Version

RESPONSES = """
    SELECT response_id, model, sampler, score, kept, finish_reason, error, text, tool_calls
    FROM responses WHERE prompt_id = $prompt ORDER BY score DESC NULLS LAST, response_id
"""
PAIRS = """
    SELECT pair_id, chosen_response_id, rejected_response_id, score_chosen, score_rejected, NULL
    FROM pairs WHERE prompt_id = $prompt
    UNION ALL
    SELECT id, any_value(chosen_response_id), any_value(rejected_response_id),
        any_value(score_chosen), any_value(score_rejected),
        string_agg(DISTINCT step || ': ' || reason, ', ' ORDER BY step || ': ' || reason)
    FROM drops WHERE level = 'pairs' AND prompt_id = $prompt GROUP BY id
    ORDER BY 6 NULLS FIRST, 1
"""
DROPS = """
    SELECT DISTINCT id, level, step || ': ' || reason FROM drops
    WHERE prompt_id = $prompt AND level <> 'pairs' ORDER BY level, id, 3
"""
JUDGMENTS = """
    SELECT coalesce(judge || '.' || dimension, judge), response_id, response_a_id, response_b_id,
        coalesce(
            format('{:g}', score), format('{:g} : {:g}', score_a, score_b), verdict,
            format('P(a) = {:.3g}', p_a), 'rank ' || "rank", ''),
        coalesce(error, reasoning, raw, '')
    FROM judgments WHERE prompt_id = $prompt
    ORDER BY judge, dimension NULLS FIRST, response_id, response_a_id, response_b_id, shown_order,
        sample_index, judgment_id
"""


@dataclass(frozen=True, slots=True)
class PromptInFull:
    """What is known of one prompt."""

    prompt_id: str
    messages: list[dict[str, Any]]
    reference: str | None
    tables: PublishedTables

    @classmethod
    def find(cls, version: "Version", wanted: str) -> "PromptInFull":
        """The one prompt whose id begins so. Raises StoreError."""
        tables = PublishedTables(version, "pairs", "prompts", "responses", "judgments", "drops")
        query = (
            "SELECT prompt_id, messages, reference FROM prompts "
            "WHERE starts_with(prompt_id, $wanted) ORDER BY prompt_id LIMIT 2"
        )
        found = tables.rows(query, wanted=wanted)
        if not found:
            listed = 'pairwright sql "SELECT prompt_id FROM prompts" --dataset'
            raise StoreError(
                f'{version.ref}: no prompt "{wanted}"; `{listed} {version.ref}` lists them'
            )
        if len(found) > 1:
            raise StoreError(
                f'{version.ref}: several prompts begin with "{wanted}", as {found[0][0]}'
            )
        prompt_id, messages, reference = found[0]
        return cls(prompt_id, messages, reference, tables)

    def text(self, width: int) -> str:
        """All of it, in paragraphs; what judges said is cut to `width` columns."""
        return "\n\n".join(
            filter(None, [self._head(), *self._responses(), self._judgments(width), self._pairs()])
        )

    def _head(self) -> str:
        dropped = [f"dropped  {why}" for why in self._dropped("prompts").get(self.prompt_id, ())]
        reference = [f"reference  {plain(self.reference)}"] if self.reference else []
        about = [f"prompt  {self.prompt_id}", *reference, *dropped]
        return "\n".join([*about, "", messages_in_full(self.messages)])

    def _responses(self) -> list[str]:
        dropped = self._dropped("responses")
        return [
            "\n".join([_heading(number, row), *(f"dropped  {why}" for why in dropped.get(row[0], ())),
                       plain(content_of({"content": row[7], "tool_calls": row[8]}))])
            for number, row in enumerate(self._rows(RESPONSES), 1)
        ]  # fmt: skip

    def _judgments(self, width: int) -> str:
        rows = self._rows(JUDGMENTS)
        place = self._numbers()
        said = [(judge, _of(place, one, a, b), verdict) for judge, one, a, b, verdict, _ in rows]
        beside = ["", *(why for *_, why in rows)]
        return aligned_beside([("judge", "of", "said"), *said], beside, width) if rows else ""

    def _pairs(self) -> str:
        place = self._numbers()
        rows = [
            (one[:SHOWN_ID], f"{place.get(chosen, '?')} over {place.get(rejected, '?')}",
             scores(won, lost), "kept" if why is None else f"dropped  {why}")
            for one, chosen, rejected, won, lost, why in self._rows(PAIRS)
        ]  # fmt: skip
        compared = [
            (one[:SHOWN_ID], "", "", f"no pair  {why}")
            for one, whys in self._dropped("comparisons").items()
            for why in whys
        ]
        head = ("pair", "responses", "scores", "")
        return aligned([head, *rows, *compared]) if rows or compared else "no pair"

    def _numbers(self) -> dict[str, str]:
        """Response -> what it is called here."""
        return {row[0]: f"#{number}" for number, row in enumerate(self._rows(RESPONSES), 1)}

    def _dropped(self, level: str) -> dict[str, list[str]]:
        """Id -> why it went no further."""
        found: dict[str, list[str]] = {}
        for one, of, why in self._rows(DROPS):
            if of == level:
                found.setdefault(one, []).append(why)
        return found

    def _rows(self, query: str) -> list[tuple[Any, ...]]:
        return self.tables.rows(query, prompt=self.prompt_id)


def _heading(number: int, row: Sequence[Any]) -> str:
    response_id, model, sampler, score, kept, finish, error, *_ = row
    facts = [
        response_id[:SHOWN_ID], model or "", sampler or "",
        "" if score is None else f"score {score:g}",
        finish if finish not in (None, "stop") else "", error or "", "" if kept else "not kept",
    ]  # fmt: skip
    return f"=== #{number}  {', '.join(filter(None, facts))} ==="


def _of(place: dict[str, str], one: str | None, a: str | None, b: str | None) -> str:
    """What a judgment is about, as "#1" or "#1, #2" (a, b)."""
    return ", ".join(place.get(side, "?") for side in (one, a, b) if side is not None)
