"""Pairs as text: a few lines to judge one by, or all of it."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flows.options.store import suggested
from flows.published.pair_examples import Messages, Pair, PairExamples, Verdict
from flows.texts.plain import aligned, aligned_beside, counted
from flows.texts.terminal import excerpt, one_line, plain

if TYPE_CHECKING:
    from pipelines.publishing.versions import Version

SIDES = ("prompt", "chosen", "rejected")
SHOWN_ID = 12
"""Characters of an id that are shown; `show --pair` asks for no more."""


def examples(version: "Version", store: Path, wanted: int, width: int, lines: int = 3) -> str:
    """`wanted` pairs of `version` in brief, and the command that shows all of one; "" of none.

    `store` is the store as it was named; `lines` bounds the lines of each text.
    """
    pairs = PairExamples(version).spread(wanted)
    if not pairs:
        return ""
    every = counted(version.manifest.rows("pairs"), "pair")
    whole = suggested(store, "show", version.ref, "--pair", pairs[0].pair_id[:SHOWN_ID])
    shown = [in_brief(pair, width, lines) for pair in pairs]
    return "\n\n".join(
        [
            f"examples: {len(pairs)} of {every}, spread over the margins",
            *shown,
            f"all of one: {whole}",
        ]
    )


def in_brief(pair: Pair, width: int, lines: int = 3) -> str:
    """A pair in `width` columns, with at most `lines` lines for each of its texts.

    Of a longer text, the beginning and the end.
    """
    shown = [_facts(pair, width)]
    for side in SIDES:
        label = f"  {side:8}  "
        text = excerpt(one_text(getattr(pair, side)), width - len(label), lines)
        shown += [f"{before}{line}" for before, line in _labelled(label, text)]
    return "\n".join(shown)


def in_full(pair: Pair, reasons: Sequence[str], verdicts: Sequence[Verdict], width: int) -> str:
    """All of a pair: its facts, texts as they are, and what the judges said, cut to `width`."""
    rows = [
        ("pair", pair.pair_id),
        ("prompt", pair.prompt_id),
        ("chosen", pair.chosen_response_id, *_side(pair.chosen_model, pair.score_chosen)),
        ("rejected", pair.rejected_response_id, *_side(pair.rejected_model, pair.score_rejected)),
    ]
    if pair.annotator_group is not None:
        rows.append(("group", plain(pair.annotator_group)))
    facts = aligned([(*row, "", "")[:4] for row in rows])
    paragraphs = [
        "\n".join([facts, *(f"dropped   {reason}" for reason in reasons)]),
        *(f"=== {side} ===\n{messages_in_full(getattr(pair, side))}" for side in SIDES),
        _said(verdicts, width),
    ]
    return "\n\n".join(filter(None, paragraphs))


def one_text(messages: Messages) -> str:
    """Messages as one text, with their roles where there is more than one.

    >>> one_text([{"role": "user", "content": "Why?"}])
    'Why?'
    >>> one_text([{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Why?"}])
    'system: Be brief. user: Why?'
    """
    if len(messages) == 1:
        return content_of(messages[0])
    return " ".join(f"{one['role']}: {content_of(one)}" for one in messages)


def scores(chosen: float | None, rejected: float | None) -> str:
    """The scores of the two responses of a pair.

    >>> scores(8.0, 5.5), scores(None, None)
    ('8 > 5.5', '')
    """
    if chosen is None or rejected is None:
        return ""
    sign = ">" if chosen > rejected else "<" if chosen < rejected else "="
    return f"{chosen:g} {sign} {rejected:g}"


def _facts(pair: Pair, width: int) -> str:
    """One line: id, scores, margin, and whose answers they are."""
    facts = [scores(pair.score_chosen, pair.score_rejected)]
    if pair.score_margin is not None:
        facts.append(f"margin {pair.score_margin:g}")
    if pair.chosen_model != pair.rejected_model:
        facts.append(f"{pair.chosen_model} over {pair.rejected_model}")
    if pair.annotator_group is not None:
        facts.append(f"by {plain(pair.annotator_group)}")
    shown_id = pair.pair_id[:SHOWN_ID]
    return f"{shown_id}  {one_line(', '.join(filter(None, facts)), width - SHOWN_ID - 2)}".rstrip()


def _labelled(label: str, lines: Sequence[str]) -> Iterator[tuple[str, str]]:
    for number, line in enumerate(lines):
        yield label if not number else " " * len(label), line


def _side(model: str | None, score: float | None) -> tuple[str, str]:
    return model or "", "" if score is None else f"score {score:g}"


def messages_in_full(messages: Messages) -> str:
    """Messages as they are, with their roles where there is more than one."""
    if len(messages) == 1:
        return plain(content_of(messages[0]))
    return "\n\n".join(f"[{one['role']}]\n{plain(content_of(one))}" for one in messages)


def content_of(message: dict[str, Any]) -> str:
    """A message's content, then a line for each tool that it calls."""
    calls = message.get("tool_calls") or ()
    lines = [f"[calls {call['name']} with {call['arguments']}]" for call in calls]
    return "\n".join([message["content"] or "", *lines] if message["content"] else lines)


def _said(verdicts: Sequence[Verdict], width: int) -> str:
    if not verdicts:
        return ""
    rows = [("judge", "of", "said"), *((one.judge, one.of, one.said) for one in verdicts)]
    return aligned_beside(rows, ["", *(one.why for one in verdicts)], width)
