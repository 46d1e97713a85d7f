"""The slim tables that pairing, filters and selectors work on: ids and numbers, no texts.

Scores are integers in micro-units, so that every comparison is exact. Texts stay in the staged
evidence and are joined at publish. The dictionaries below are the columns that a filter may name.
A table has those of them that some part of the recipe reads (`Columns`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import polars as pl

from pipelines.judging.tie_rule import TieRule

NUMBER = pl.UInt32
NUMBERS = {
    "prompts": ("prompt",),
    "responses": ("response", "prompt"),
    "judgments": ("response", "prompt"),
    "pairs": ("prompt", "chosen", "rejected"),
}
"""Columns that stand beside the ids: a `prompt` is the place of a `prompt_id` among all of them,
sorted; a `response` (`chosen`, `rejected`) that of a `response_id`, sorted by prompt. A join by
number costs a fraction of one by text, and ties broken by number are broken by id. Numbers mean
nothing outside of their build: what is drawn or published is keyed by ids."""

PROMPTS = {
    "prompt_id": pl.String,
    "group_id": pl.String,
    "licence": pl.String,
    "lang": pl.String,
    "task": pl.String,
    "source": pl.String,
    "has_reference": pl.Boolean,
    "n_messages": pl.Int64,
    "n_chars": pl.Int64,
    # after judging; scores are those of the responses that no filter has dropped
    "n_responses": pl.Int64,
    "n_scored": pl.Int64,
    "score_sum": pl.Int64,
    "score_sumsq": pl.Int128,
    "n_models_scored": pl.Int64,
    "model_score_sum": pl.Int64,
    "model_score_sumsq": pl.Int128,
}
"""`source`: the names of its sources, joined by "+". `score_sum`, `score_sumsq`: sum and sum of
squares (micro-units, squared) over the scored responses; `model_*`: the same over each model's mean
score."""

PROMPTS_BEFORE = frozenset(list(PROMPTS)[:9])
"""The columns that exist before any call: a filter that needs no others runs first."""

RESPONSES = {
    "response_id": pl.String,
    "prompt_id": pl.String,
    "parent_id": pl.String,
    "relation": pl.String,
    "model": pl.String,
    "model_identity": pl.String,
    "sampler": pl.String,
    "policy": pl.String,
    "sample_index": pl.Int64,
    "finish_reason": pl.String,
    "refused": pl.Boolean,
    "failed": pl.Boolean,
    "error": pl.String,
    "has_text": pl.Boolean,
    "n_chars": pl.Int64,
    "text_hash": pl.String,
    "norm_hash": pl.String,
    "prompt_tokens": pl.Int64,
    "completion_tokens": pl.Int64,
    "sum_logprob": pl.Float64,
    "lang": pl.String,
    "same_lang": pl.Boolean,
    "record_key": pl.String,
    "partial": pl.Boolean,
    # after judging
    "score": pl.Int64,
    "n_scores": pl.Int64,
    "n_ratings": pl.Int64,
    "rating_sum": pl.Int64,
    "rating_sumsq": pl.Int128,
}
"""`text_hash`: of the exact text; `norm_hash`: of the text after normalisation (NFKC, white space
folded, case kept). `failed`: it has an `error`. `has_text` is false for an empty or white-space
text too. `score`: the declared combination, null when nothing scored it. `n_ratings`, `rating_sum`,
`rating_sumsq`: how many scores went into it, of all judges, samples and annotators, and their sum
and sum of squares (micro-units, squared; by "zscore" and "majority", of standard deviations); null
where there are fewer than two. `record_key`: the `key` of a recorded one. `partial`: it is no answer
by itself (a step of a search, a user's turn, a system message)."""

RESPONSES_BEFORE = frozenset(list(RESPONSES)[:24])
"""The columns that exist before judging."""

JUDGMENTS = {
    "judgment_id": pl.String,
    "prompt_id": pl.String,
    "judge": pl.String,
    "judge_identity": pl.String,
    "response_id": pl.String,
    "response_a_id": pl.String,
    "response_b_id": pl.String,
    "comparison_id": pl.String,
    "order": pl.String,
    "annotator": pl.String,
    "sample_index": pl.Int64,
    "record_key": pl.String,
    "score": pl.Int64,
    "score_a": pl.Int64,
    "score_b": pl.Int64,
    "rank": pl.Int64,
    "verdict": pl.String,
    "p_a": pl.Float64,
    "dimension": pl.String,
}
"""Scores in micro-units; `verdict` is "a", "b" or "tie", null where it could not be read. The judge
of a row with a `dimension` is called JUDGE.DIMENSION: it counts only where it is named."""

NODES = {
    "node": NUMBER,
    "prompt": NUMBER,
    "parent": NUMBER,
    "sampler": pl.String,
    "depth": pl.Int64,
    "n_visits": pl.Int64,
    "q": pl.Int64,
    "r": pl.Int64,
    "value": pl.Int64,
    "prior": pl.Float64,
    "terminal": pl.Boolean,
    "outcome": pl.Int64,
    "on_path": pl.Boolean,
    "n_chars_prefix": pl.Int64,
}
"""Nodes of searches (`rows.TreeNode`). `node` is the number of its response, and `parent` that of
the parent's; they are null for a root, and below it. Values are in micro-units. `n_chars_prefix`:
characters of the parent's answer so far, 0 below the root and of rewrites, which go on from none."""

PAIRED = {
    **dict.fromkeys(NUMBERS["pairs"], NUMBER),
    "comparison_id": pl.String,
    "score_chosen": pl.Int64,
    "score_rejected": pl.Int64,
    "n_votes": pl.Int64,
    "n_votes_chosen": pl.Int64,
    "n_votes_rejected": pl.Int64,
    "n_chars_prefix": pl.Int64,
    "p_chosen": pl.Float64,
    "annotator_group": pl.String,
}
"""What a pairing makes. `n_chars_prefix` (of both answers, that were accepted before they part),
`p_chosen` (a soft label of its own, in place of the votes') and `annotator_group` (whose preference
it is, where not everybody's; of all pairs of a pairing or of none) may be left out. `comparison_id` is null unless one comparison made the pair. Scores may
both be null (a verdict without scores). A vote is one judge's (sample's, annotator's) opinion of
this pair: for the chosen, for the rejected, or a tie (the rest)."""

MAY_BE_LEFT_OUT = ("n_chars_prefix", "p_chosen", "annotator_group")

_SIDE = ("model", "policy", "sampler", "finish_reason", "refused", "n_chars", "text_hash",
         "norm_hash", "completion_tokens", "sum_logprob")  # fmt: skip

PAIRS = {
    "pair_id": pl.String,
    "pairing": pl.String,
    "prompt_id": pl.String,
    "chosen_response_id": pl.String,
    "rejected_response_id": pl.String,
    **{name: PAIRED[name] for name in PAIRED if name not in NUMBERS["pairs"]},
    "score_margin": pl.Int64,
    "p_preferred": pl.Int64,
    **{f"{side}_{name}": RESPONSES[name] for side in ("chosen", "rejected") for name in _SIDE},
    "group_id": pl.String,
    "licence": pl.String,
    "lang": pl.String,
    "task": pl.String,
    "source": pl.String,
}
"""What filters on pairs and selectors see. `score_margin` = `score_chosen` - `score_rejected`, in
micro-units, null where a score is. `p_chosen` = (n_votes_chosen + 1/2) / (n_votes + 1), ties
counting half: the soft label. `p_preferred`: the probability, in micro-units, that most voters would
prefer the chosen one, as the votes have it (`agreement.posterior`); null without votes."""

TEXT_COLUMNS = {
    "prompts": ("prompt_text",),
    "responses": ("text",),
    "pairs": ("prompt_text", "chosen_text", "rejected_text"),
}
"""Texts that a filter may name as well; they are joined only for the filters that do."""

PairText = Literal["prompt_text", "chosen_text", "rejected_text"]
"""The texts of pairs, which measures and selectors may read too."""

Texts = Callable[[pl.DataFrame, frozenset[str]], pl.DataFrame]
"""Joins columns of texts to a frame."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Some columns of each table. Its own ids, its numbers and what is scored are always there."""

    prompts: frozenset[str] = frozenset()
    responses: frozenset[str] = frozenset()
    judgments: frozenset[str] = frozenset()
    pairs: frozenset[str] = frozenset()
    nodes: bool = False
    """Whether the nodes of searches are read."""

    def __or__(self, other: "Columns") -> "Columns":
        return Columns(
            self.prompts | other.prompts,
            self.responses | other.responses,
            self.judgments | other.judgments,
            self.pairs | other.pairs,
            self.nodes or other.nodes,
        )


EVERY_COLUMN = Columns(frozenset(PROMPTS), frozenset(RESPONSES), frozenset(JUDGMENTS), nodes=True)
"""Every column that a pairing can see."""


@dataclass(frozen=True, slots=True)
class Frames:
    """The tables of one round, after the filters that ran so far. No row order is promised.

    Their columns are `NUMBERS`, and those of the dictionaries above that the recipe's parts read.
    """

    prompts: pl.DataFrame
    """Columns `PROMPTS`: the prompts that no filter has dropped."""
    responses: pl.DataFrame
    """Columns `RESPONSES`: their responses that no filter has dropped."""
    judgments: pl.DataFrame
    """Columns `JUDGMENTS`: the judgments of these prompts, those of dropped responses among them."""
    tie_rules: Mapping[str, TieRule] = field(default_factory=dict)
    """Judge -> how its comparisons are read (`comparisons.consolidate`)."""
    named: tuple[str, ...] = ()
    """The judges that `[score]` names: those of comparisons among them vote on pairs."""
    nodes: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=NODES))
    """Columns `NODES`: the nodes of searches, where `Columns.nodes` asks for them."""
