"""Reversed constraints: what Reverse Preference Optimization makes of a version (arXiv 2505.22172).

    version: prompt x with constraints c1 c2 c3, answers with what they keep to: i = 1 0 1, j = 1 1 0
        ─>  x with c1, not c2, c3        i > j     g = 2
        ─>  x with c1, c2, not c3        j > i     g = 2

Of two answers each is perfect to the prompt in which what it fails is asked for the other way round,
and the other one fails exactly where the two differ. So the rows of a second round come from the
judgments of the first.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path
from typing import Any

import duckdb
from pydantic import Field

from pipelines.errors import JudgmentError, nearest
from pipelines.instructions.reversal import (
    Constraint,
    NotFound,
    read_constraints,
    reversed_entries,
    reversed_messages,
)
from pipelines.source import BadRow, Row
from pipelines.sources._files import place_of
from pipelines.sources._store import VersionSource
from schemas.canonical import canonical_json

COLUMNS = ("messages", "tools", "reference", "group", "licence", "lang", "task", "chosen",
           "rejected", "chosen_key", "rejected_key", "chosen_model", "rejected_model",
           "chosen_policy", "rejected_policy", "kept_chosen", "kept_rejected", "g", "reversed",
           "sat_rejected")  # fmt: skip

ANSWERED = """
    WITH said AS (
        SELECT response_id, dimension, CASE WHEN bool_and(score IS NOT NULL) THEN avg(score) END AS kept
        FROM judgments
        WHERE judge = $judge AND dimension IS NOT NULL
        GROUP BY ALL
    ),
    vectors AS (
        SELECT response_id, map_from_entries(list({k: dimension, v: kept})) AS kept
        FROM said GROUP BY response_id
    ),
    answers AS (
        SELECT prompt_id, list(struct_pack(
            response_id, "text" := responses.text, model, policy, kept := vectors.kept
        ) ORDER BY response_id) AS answers
        FROM responses LEFT JOIN vectors USING (response_id)
        WHERE responses.kept AND norm_hash IS NOT NULL AND NOT partial
        GROUP BY prompt_id
    )
    SELECT prompts.*, coalesce(answers.answers, []) AS answers
    FROM prompts LEFT JOIN answers USING (prompt_id)
    ORDER BY prompt_id
"""
"""SQL: all prompts with their kept answers, and what a judge says that these keep to."""


@dataclass(frozen=True, slots=True)
class _Answer:
    """An answer, and which constraints it keeps to."""

    id: str
    text: str
    model: str
    policy: str | None
    kept: Mapping[str, bool]

    def failed(self, constraints: Mapping[str, Constraint]) -> list[str]:
        return [name for name in constraints if not self.kept[name]]


class ReversedConstraints(VersionSource):
    """Rows with a prompt whose failed constraints are reversed, a chosen and a rejected answer.

    Two rows for each two answers of a prompt that differ in what they keep to; a prompt or an answer
    that makes none says why. The columns are `messages`, `tools` and `reference` (the constraints as
    they are now: a list as `verifiable` and `checklist` read it), `group` (the first round's prompt),
    `licence`, `lang`, `task`; `chosen`, `rejected` and, of each, `_key`, `_model` and `_policy`;
    `kept_chosen` and `kept_rejected`: how many of the constraints they now keep to, all of them and `g`
    fewer; `reversed` and `sat_rejected`, as JSON: names of the constraints that are reversed, and 1 or
    0 for each.
    """

    judge: str
    """Name of the judge there whose dimensions are the constraints of each prompt's reference. An
    answer of which it is unsure once makes no row."""
    not_found: NotFound = "drop"
    """What becomes of a constraint to be reversed that the prompt does not say word for word (its
    `text`, or the words of `verifiable`). "drop": the row is bad. "append": its opposite is added to
    the end, as what counts instead."""
    most: int | None = Field(default=None, ge=1)
    """Take at most so many answers of a prompt, those with the smallest ids: n make n (n - 1) rows."""

    def check_version(self, root: Path) -> None:
        """Raises RecipeError where the version has no such judge."""
        judges = self.version.manifest.judges
        if self.judge not in judges:
            wrong = f'{self.version.ref} has no judge "{self.judge}"; {nearest(self.judge, judges)}'
            raise place_of(self, root).error(wrong, "judge")

    def columns(self, root: Path) -> tuple[str, ...] | None:
        """Always the same."""
        return COLUMNS

    def rows(self, root: Path, columns: Collection[str] = ()) -> Iterator[Row | BadRow]:
        """The rows, prompt by prompt. Raises RecipeError where the version cannot be read."""
        from pipelines.querying.safe_sql import add_version

        try:
            with duckdb.connect() as con:
                add_version(con, "main", self.version)
                found = con.execute(ANSWERED, {"judge": self.judge})
                names = [column[0] for column in found.description]
                while some := found.fetchmany(64):
                    for values in some:
                        yield from self._rows(dict(zip(names, values, strict=True)))
        except duckdb.Error as error:
            raise place_of(self, root).error(str(error), "dataset") from error

    def _rows(self, prompt: dict[str, Any]) -> Iterator[Row | BadRow]:
        """Both rows of each two answers to one prompt."""
        place = str(prompt["prompt_id"])
        try:
            constraints = read_constraints(prompt["reference"])
        except JudgmentError as error:
            yield BadRow(place, str(error))
            return
        answers = []
        for given in prompt["answers"][: self.most]:
            try:
                answers.append(_answer(given, constraints))
            except JudgmentError as error:
                yield BadRow(given["response_id"], str(error), "undecided")
        if why := _why_none(answers):
            yield BadRow(place, *why)
        for chosen, rejected in permutations(answers, 2):
            if chosen.kept != rejected.kept:
                yield self._row(prompt, constraints, chosen, rejected)

    def _row(
        self,
        prompt: dict[str, Any],
        constraints: Mapping[str, Constraint],
        chosen: _Answer,
        rejected: _Answer,
    ) -> Row | BadRow:
        failed = chosen.failed(constraints)
        satisfied = [int(rejected.kept[name] == chosen.kept[name]) for name in constraints]
        try:
            turned = [constraints[name] for name in failed]
            others = [one for name, one in constraints.items() if name not in failed]
            messages = reversed_messages(prompt["messages"], turned, self.not_found, others)
        except JudgmentError as error:
            return BadRow(f"{chosen.id} over {rejected.id}", str(error), "not_reversed")
        prompt_key = "+".join(failed) or "none"
        return {
            "messages": messages,
            "tools": prompt["tools"],
            "reference": _json(reversed_entries(constraints.values(), failed)),
            "group": prompt["group_id"] or prompt["prompt_id"],
            "licence": prompt["license"],
            "lang": prompt["lang"],
            "task": prompt["task"],
            "chosen": chosen.text,
            "rejected": rejected.text,
            "chosen_key": f"{chosen.id} but {prompt_key}",
            "rejected_key": f"{rejected.id} but {prompt_key}",
            "chosen_model": chosen.model,
            "rejected_model": rejected.model,
            "chosen_policy": chosen.policy,
            "rejected_policy": rejected.policy,
            "kept_chosen": len(constraints),
            "kept_rejected": sum(satisfied),
            "g": len(constraints) - sum(satisfied),
            "reversed": _json(failed),
            "sat_rejected": _json(satisfied),
        }


def _why_none(answers: Sequence[_Answer]) -> tuple[str, str] | None:
    """Why the answers to a prompt make no row, in words and as the reason that is counted."""
    if len(answers) < 2:
        known = f"it is known of {len(answers)} of its answers what they keep to; two are needed"
        return known, "fewer_than_two"
    if all(one.kept == answers[0].kept for one in answers):
        return f"all {len(answers)} answers keep to the same constraints", "no_difference"
    return None


def _answer(given: dict[str, Any], constraints: Mapping[str, Constraint]) -> _Answer:
    """An answer with its vector. Raises JudgmentError where a constraint is undecided."""
    said = given["kept"]
    if said is None:
        raise JudgmentError("the judge says nothing of it")
    unsure = [name for name in constraints if said.get(name) not in (0.0, 1.0)]
    if unsure:
        raise JudgmentError(f"the judge is not sure of {', '.join(unsure)}")
    kept = {name: said[name] == 1.0 for name in constraints}
    return _Answer(given["response_id"], given["text"], given["model"], given["policy"], kept)


def _json(value: Sequence[Any]) -> str:
    return canonical_json(list(value)).decode()
