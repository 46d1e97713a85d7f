"""Small tables for tests, written down as what differs from a plain row."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.filter import Filter
from pipelines.pairing import Pairing
from pipelines.part import Part, Where, load_part
from pipelines.scoring.score import Score, prompt_scores, score_responses
from pipelines.selection.frames import JUDGMENTS, NUMBER, PAIRS, PROMPTS, RESPONSES, Frames
from pipelines.selection.numbering import number_judgments, number_prompts, number_responses
from pipelines.selection.steps import apply_filters
from pipelines.selector import Selector

Rows = Sequence[Mapping[str, Any]]
UNIT = 1_000_000
ID_OF = {
    "prompt": "prompt_id",
    "response": "response_id",
    "chosen": "chosen_response_id",
    "rejected": "rejected_response_id",
}
KNOWN: dict[str, int] = {}
SCHEMAS = {"prompts": PROMPTS, "responses": RESPONSES, "judgments": JUDGMENTS, "pairs": PAIRS}


def part(shelf: str, kind: str, root: Path = Path(), **fields: Any) -> Any:
    """A part, as a recipe in `root` would load it."""
    loaded: Part = load_part(shelf, {"kind": kind, **fields}, Where("r.toml", f"[[{shelf}]]", root))
    return loaded


def rows_of(table: str, rows: Rows) -> pl.DataFrame:
    """`rows_of("pairs", [{"score_margin": 2}])`: ids count from 0 unless they are given.

    The numbers of equal ids are equal, in whatever tables.
    """
    with_ids = [{f"{table[:-1]}_id": str(number), **row} for number, row in enumerate(rows)]
    frame = pl.DataFrame(with_ids, schema=SCHEMAS[table])
    numbers = {name: id_ for name, id_ in ID_OF.items() if id_ in frame.columns}
    return frame.with_columns(
        pl.Series(name, map(number_of, frame[id_]), NUMBER) for name, id_ in numbers.items()
    )


def number_of(id_: str | None) -> int | None:
    """A number that stands for an id; not in their order."""
    return None if id_ is None else KNOWN.setdefault(id_, len(KNOWN))


def numbered(prompts: pl.DataFrame, responses: pl.DataFrame, judgments: pl.DataFrame) -> Frames:
    """Frames with the numbers that a build would give them."""
    prompts, responses, judgments = (
        table.drop(ID_OF, strict=False) for table in (prompts, responses, judgments)
    )
    prompts = number_prompts(prompts)
    responses = number_responses(responses, prompts)
    return Frames(prompts, responses, number_judgments(judgments, prompts, responses))


def frames_of(
    scores: Mapping[str, Sequence[float | None]],
    responses: Mapping[str, Mapping[str, Any]] | None = None,
    judgments: Rows = (),
) -> Frames:
    """`frames_of({"p": [8, None]})`: responses p0 and p1 of models 0 and 1, scored by "judge".

    `responses` has more columns by response id (`{"p0": {"refused": True}}`); `judgments` are
    further rows, which do not enter the score.
    """
    own: list[dict[str, Any]] = []
    judged: list[dict[str, Any]] = []
    for prompt, values in scores.items():
        for number, value in enumerate(values):
            response = f"{prompt}{number}"
            ids = {"prompt_id": prompt, "response_id": response}
            plain = {"has_text": True, "refused": False, "failed": False, "n_chars": 10}
            texts = {"text_hash": response, "norm_hash": response}
            given = (responses or {}).get(response, {})
            own.append({**ids, **plain, **texts, "model": str(number), **given})
            score = None if value is None else round(value * UNIT)
            judged.append({**ids, "judge": "judge", "score": score})
    frames = numbered(
        rows_of("prompts", [{"prompt_id": prompt} for prompt in scores]),
        rows_of("responses", own),
        rows_of("judgments", [*judged, *judgments]),
    )
    scored = score_responses(Score(judges=("judge",)), frames.responses, frames.judgments)
    return Frames(prompt_scores(frames.prompts, scored), scored, frames.judgments)


def made(
    pairing: Pairing, frames: Frames, seed: int = 0
) -> tuple[set[tuple[str, str]], dict[str, str]]:
    """The pairs as (chosen, rejected), and why the other prompts have none."""
    outcome = pairing.pair(frames, seed)
    pairs = sides(outcome.pairs, frames)
    assert len(set(pairs)) == len(pairs)
    prompts = frames.prompts.select("prompt", "prompt_id")
    unpaired = outcome.unpaired_prompts.join(prompts, on="prompt")
    return set(pairs), dict(unpaired.select("prompt_id", "reason").rows())


def sides(pairs: pl.DataFrame, frames: Frames) -> list[tuple[str, str]]:
    """The ids of (chosen, rejected) of each pair."""
    ids = dict(frames.responses.select("response", "response_id").rows())
    return [
        (ids[chosen], ids[rejected]) for chosen, rejected in pairs[["chosen", "rejected"]].rows()
    ]


def reasons(
    filter_: Filter, rows: Rows, texts: Mapping[str, list[str]] | None = None
) -> list[set[str]]:
    """For each row why the filter drops it; the empty set where it is kept."""
    table = rows_of(filter_.on, rows).with_columns(
        pl.Series(name, values) for name, values in (texts or {}).items()
    )
    kept, drops = apply_filters([filter_], table, filter_.on)
    id_column = f"{filter_.on[:-1]}_id"
    found: dict[str, set[str]] = {id_: set() for id_ in table[id_column]}
    for id_, reason in drops.select("id", "reason").rows():
        found[id_].add(reason)
    assert {id_ for id_, why in found.items() if not why} == set(kept[id_column])
    return list(found.values())


def kept(selector: Selector, rows: Rows, seed: int = 0) -> list[str]:
    """The ids of the pairs that the selector keeps, sorted; each pair is dropped at most once."""
    pairs = rows_of("pairs", rows)
    dropped = selector.drops(pairs, seed)["pair_id"]
    assert dropped.is_unique().all()
    return sorted(set(pairs["pair_id"]) - set(dropped))
