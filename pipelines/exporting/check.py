"""The check of an export: what a tokenizer and its chat template make of every pair.

A trainer renders the prompt alone and each conversation, encodes them, takes for the prompt what all
three have in common at their start, and cuts at a length. The check does the same.
"""

from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from pipelines.exporting.chat import Chat, Messages, Unrenderable
from pipelines.exporting.pairs import Pairs

BATCH = 512
"""Pairs that are encoded together."""

EXAMPLES = 5
"""Pairs that a finding names."""


@dataclass(slots=True)
class Finding:
    """One kind of fault or warning."""

    pairs: int = 0
    examples: list[str] = field(default_factory=list)
    """The ids of the first pairs that have it, with what is to be said of them."""


@dataclass(slots=True)
class Check:
    """What was found in the pairs of one split."""

    pairs: int = 0
    tokens: "dict[str, array[int]]" = field(
        default_factory=lambda: {side: array("q") for side in ("prompt", "chosen", "rejected")}
    )
    """Tokens of each prompt and answer, as encoded; pairs that cannot be rendered are not in it."""
    faults: dict[str, Finding] = field(default_factory=dict)
    warnings: dict[str, Finding] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The split as `check.json` has it: counts, and p50, p95 and maximum of the lengths."""
        return {
            "pairs": self.pairs,
            "tokens": {side: lengths(counts) for side, counts in self.tokens.items()},
            "faults": _findings(self.faults),
            "warnings": _findings(self.warnings),
        }


def lengths(counts: "array[int]") -> dict[str, int]:
    """p50, p95 (nearest rank) and maximum; empty for no counts.

    >>> lengths(array("q", range(1, 101)))
    {'p50': 50, 'p95': 95, 'max': 100}
    """
    if not counts:
        return {}
    ordered = sorted(counts)
    ranks = {"p50": 50, "p95": 95, "max": 100}
    return {name: ordered[-(-len(ordered) * rank // 100) - 1] for name, rank in ranks.items()}


def _findings(found: dict[str, Finding]) -> dict[str, Any]:
    return {
        kind: {"pairs": one.pairs, "examples": one.examples} for kind, one in sorted(found.items())
    }


@dataclass(frozen=True, slots=True)
class Checker:
    """Looks at pairs as a trainer with this tokenizer and this `max_length` would.

    Faults: `role_order` (messages in an order that no chat has), `not_renderable` (the template
    refuses them), `identical` (chosen and rejected are the same tokens, after the cut at
    `max_length`), `prompt_too_long` (the prompt alone fills `max_length`: the pair is dropped, or
    teaches nothing). Warnings: `answer_cut` (an answer reaches beyond `max_length`; the reward
    trainer drops the pair), `prompt_not_kept` (the template renders the prompt otherwise once an
    answer follows).
    """

    chat: Chat
    max_length: int | None = None
    """Tokens of prompt and answer together that the trainer keeps, from the start; None: all."""

    def facts(self) -> dict[str, Any]:
        """What was checked with."""
        return {"tokenizer_sha256": self.chat.digest, "max_length": self.max_length}

    def check(self, pairs: Pairs) -> Check:
        """What is to be said of the pairs."""
        check = Check()
        rows = pairs.each("pair_id, prompt, chosen, rejected, tools")
        while batch := list(islice(rows, BATCH)):
            check.pairs += len(batch)
            rendered = list(self._rendered(batch, check))
            ids = iter(self.chat.encode([text for _, texts in rendered for text in texts]))
            for pair_id, _ in rendered:
                self._measure(check, pair_id, next(ids), next(ids), next(ids))
        return check

    def _rendered(
        self, batch: list[dict[str, Any]], check: Check
    ) -> Iterator[tuple[str, tuple[str, str, str]]]:
        """Pair id and the texts of prompt, prompt with chosen, prompt with rejected."""
        for pair in batch:
            prompt, tools = pair["prompt"], pair["tools"]
            if wrong := role_fault(prompt):
                _add(check.faults, "role_order", f"{pair['pair_id']}: {wrong}")
            try:
                texts = (
                    self.chat.render(prompt, tools, ask=True),
                    self.chat.render(prompt + pair["chosen"], tools),
                    self.chat.render(prompt + pair["rejected"], tools),
                )
            except Unrenderable as error:
                _add(check.faults, "not_renderable", f"{pair['pair_id']}: {error}")
                continue
            yield pair["pair_id"], texts

    def _measure(
        self, check: Check, pair_id: str, prompt: list[int], chosen: list[int], rejected: list[int]
    ) -> None:
        kept = min(common_prefix(prompt, chosen), common_prefix(prompt, rejected))
        for side, ids in (("chosen", chosen), ("rejected", rejected)):
            check.tokens[side].append(len(ids) - kept)
        check.tokens["prompt"].append(len(prompt))
        limit = self.max_length
        if kept < len(prompt):
            _add(check.warnings, "prompt_not_kept", f"{pair_id}: {kept} of {len(prompt)} tokens")
        if limit is not None and kept >= limit:
            _add(check.faults, "prompt_too_long", f"{pair_id}: {kept} tokens")
        elif chosen[:limit] == rejected[:limit]:
            _add(check.faults, "identical", pair_id)
        elif limit is not None and max(len(chosen), len(rejected)) > limit:
            _add(check.warnings, "answer_cut", pair_id)


def _add(found: dict[str, Finding], kind: str, example: str) -> None:
    finding = found.setdefault(kind, Finding())
    finding.pairs += 1
    if len(finding.examples) < EXAMPLES:
        finding.examples.append(example)


def common_prefix(ids: list[int], others: list[int]) -> int:
    """How many tokens two texts have in common at their start.

    >>> common_prefix([1, 2, 3], [1, 2, 4, 5]), common_prefix([1], [1, 2])
    (2, 1)
    """
    for place, (one, other) in enumerate(zip(ids, others, strict=False)):
        if one != other:
            return place
    return min(len(ids), len(others))


def role_fault(prompt: Messages) -> str | None:
    """What is wrong with the order of a prompt's messages, for any chat template.

    >>> role_fault([{"role": "system"}, {"role": "user"}])
    >>> role_fault([{"role": "user"}, {"role": "system"}, {"role": "user"}])
    'message 2: system after the conversation began'
    >>> role_fault([{"role": "user"}, {"role": "assistant"}])
    'ends with assistant'
    >>> role_fault([{"role": "user"}, {"role": "tool"}])
    'message 2: tool without a call before it'
    """
    began, called = False, False
    for number, message in enumerate(prompt, start=1):
        role = message["role"]
        if role in ("system", "developer"):
            if began:
                return f"message {number}: {role} after the conversation began"
            continue
        if role == "tool" and not called:
            return f"message {number}: tool without a call before it"
        if role == "assistant" and not began:
            return f"message {number}: assistant before any user"
        began = True
        called = bool(message.get("tool_calls")) or (called and role == "tool")
    last = prompt[-1]["role"]
    return None if last in ("user", "tool") else f"ends with {last}"
