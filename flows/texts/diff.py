"""The difference of two versions as text: the page that `pairwright diff` prints."""

from collections import Counter
from itertools import zip_longest
from typing import TYPE_CHECKING

from flows.texts.pair import scores
from flows.texts.plain import aligned, count
from flows.texts.terminal import one_line

if TYPE_CHECKING:
    from pipelines.comparing.diff import Difference
    from pipelines.comparing.recipe_diff import KeyChange
    from schemas.version import Manifest

WIDEST = 48
"""Characters of a recipe's value that are shown."""

WHY = {
    ("removed", "prompt"): "the prompt is gone",
    ("added", "prompt"): "the prompt is new",
    ("removed", "response"): "a response is gone",
    ("added", "response"): "a response is new",
    ("removed", "comparison"): "the comparison is gone",
    ("added", "comparison"): "the comparison is new",
    ("removed", "dropped"): "dropped",
    ("added", "dropped"): "was dropped",
    ("removed", "score"): "scored otherwise",
    ("added", "score"): "was scored otherwise",
    ("removed", "pairing"): "not paired any more",
    ("added", "pairing"): "was not paired",
    ("flipped", "score"): "other scores",
    ("flipped", "votes"): "other votes",
    ("changed", "score"): "other scores",
    ("changed", "votes"): "other votes",
    ("changed", "pairing"): "paired by another pairing or comparison",
    ("changed", "split"): "in another split",
}
"""(change, reason) in words; see `pipelines.comparing.diff_sql`."""

MARKS = {"removed": "-", "added": "+", "flipped": "↔", "changed": "~"}


def diff_text(found: "Difference", limit: int) -> str:
    """The page, in paragraphs; `limit` examples of each change."""
    from pipelines.comparing.recipe_diff import origin_changes, recipe_changes

    a, b = found.a, found.b
    paragraphs = [
        f"{a.ref} -> {b.ref}\n{_counts(found)}",
        _reasons(found),
        *(_examples(found, change, limit) for change in MARKS if limit),
        _keys("recipe", recipe_changes(a, b)),
        _keys("made from", origin_changes(a.manifest, b.manifest)),
        _funnels(a.manifest, b.manifest),
    ]
    return "\n\n".join(filter(None, paragraphs))


def _counts(found: "Difference") -> str:
    counts = found.counts
    rows = [
        (found.a.label if found.a.name == found.b.name else found.a.ref, count(counts.kept_a)),
        ("- removed", count(-counts.removed)),
        ("+ added", f"+{count(counts.added)}"),
        (found.b.label if found.a.name == found.b.name else found.b.ref, count(counts.kept_b)),
    ]
    kept = (
        f"of both: {count(counts.unchanged)} unchanged, {count(counts.changed)} changed, "
        f"{count(counts.flipped)} flipped"
    )
    return f"{aligned([('', 'pairs'), *rows])}\n{kept}"


def _reasons(found: "Difference") -> str:
    rows = [("", "pairs", "why", "")]
    for one in found.reasons:
        why = WHY[one.change, one.reason]
        rows.append((f"{MARKS[one.change]} {one.change}", count(one.pairs), why, one.cause or ""))
    return aligned(rows) if found.reasons else "the pairs are equal"


def _examples(found: "Difference", change: str, limit: int) -> str:
    lines = [(f"{MARKS[change]} {change}", "prompt", "chosen", "rejected", "in A", "in B")]
    for row in found.rows(change, limit).read_all().to_pylist():
        in_each = (
            scores(row[f"score_chosen_{side}"], row[f"score_rejected_{side}"]) for side in "ab"
        )
        ids = (row["prompt_id"], row["chosen_response_id"], row["rejected_response_id"])
        lines.append((_why(change, row["reason"], row["cause"]), *ids, *in_each))
    return aligned(lines) if len(lines) > 1 else ""


def _why(change: str, reason: str, cause: str | None) -> str:
    """Why one pair differs.

    >>> _why("removed", "dropped", "filters.margin: margin_too_small")
    'filters.margin: margin_too_small'
    >>> _why("removed", "score", "pairings.compared: tie")
    'scored otherwise (pairings.compared: tie)'
    """
    why = WHY[change, reason]
    if cause is None:
        return why
    return cause if reason == "dropped" else f"{why} ({cause})"


def _keys(title: str, changes: "list[KeyChange]") -> str:
    rows = [(title, "A", "B")]
    rows += [(one.key, *_values(one.a, one.b)) for one in changes]
    return aligned(rows) if changes else ""


def _values(a: str | None, b: str | None) -> tuple[str, str]:
    """Two values that differ, of long ones the part around their first difference.

    >>> _values("2", None)
    ('2', '-')
    >>> _values("x" * 99 + "1", "x" * 99 + "2")
    ('…xxxxxxxx1', '…xxxxxxxx2')
    """
    letters = enumerate(zip_longest(a or "", b or ""))
    same = next((place for place, (one, two) in letters if one != two), 0)
    start = same - 8 if same > WIDEST - 8 else 0
    cut = "…" if start else ""
    shown = ["-" if one is None else one_line(cut + one[start:], WIDEST) for one in (a, b)]
    return shown[0], shown[1]


def _funnels(a: "Manifest", b: "Manifest") -> str:
    """Both funnels, step by step."""
    kept_a, kept_b = _kept(a), _kept(b)
    rows = [("step", "of", "A", "B")]
    for step, level, number in {**kept_a, **kept_b}:
        key = step, level, number
        rows.append((step, level, kept_a.get(key, "-"), kept_b.get(key, "-")))
    rows.append(("published", "pairs", count(a.rows("pairs")), count(b.rows("pairs"))))
    return aligned(rows)


def _kept(manifest: "Manifest") -> dict[tuple[str, str, int], str]:
    """(step, level, how often it was there before) -> what it kept, in the order of the build."""
    seen: Counter[tuple[str, str]] = Counter()
    kept = {}
    for step in manifest.counts:
        kept[step.step, step.level, seen[step.step, step.level]] = (
            f"{count(step.kept)} of {count(step.in_)}"
        )
        seen[step.step, step.level] += 1
    return kept
