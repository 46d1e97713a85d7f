"""Rules: what may be done to an instruction to make the answers to it better."""

import re
from collections.abc import Collection, Sequence

from pydantic import Field

from pipelines.part import Table


class Rule(Table):
    """One way to rewrite an instruction."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    """What rows call it: lower-case letters, digits and `_`."""
    label: str
    """Which task it is for: it applies to prompts whose `task` has this label."""
    text: str = Field(min_length=1)
    """What the rewriting model is told to do."""


def _rule(label: str, name: str, text: str) -> Rule:
    return Rule(name=name, label=label, text=text)


RULES = (
    _rule(
        "harmlessness",
        "safe_aim",
        "Where following the instruction could do harm, turn it to what can safely be done "
        "about the matter. Leave every harmless part of it in.",
    ),
    _rule(
        "harmlessness",
        "respect",
        "Take out contempt, threats and prejudice about people, and ask for the same thing in "
        "neutral words.",
    ),
    _rule(
        "helpfulness",
        "specify",
        "Say outright what the instruction leaves to be guessed: for whom, for what, with "
        "which limits. Say only what follows from it, and invent no wishes.",
    ),
    _rule(
        "helpfulness",
        "shape",
        "Say what a good answer looks like: its form, its parts and their order, about how "
        "long it is.",
    ),
    _rule(
        "helpfulness",
        "plain",
        "Take out whatever the task does not need: greetings, small talk, repetition. Say "
        "what is left as clearly as you can.",
    ),
    _rule(
        "honesty",
        "doubts",
        "Ask that the answer tells what is known from what is assumed, and says so where it "
        "cannot be sure, rather than guess.",
    ),
    _rule(
        "coding",
        "interface",
        "State the language, what goes in, what comes out, and what happens to wrong input.",
    ),
    _rule(
        "coding",
        "cases",
        "Name the odd cases that the code must get right, and ask for tests of them.",
    ),
    _rule(
        "math",
        "givens",
        "State the given quantities and the one that is sought, in the usual notation and "
        "without a story that is not needed.",
    ),
    _rule(
        "math",
        "stepwise",
        "Ask for the calculation step by step, and for the result in a last line by itself.",
    ),
)
"""The ten rules of P-Aligner's groups, in our words: 2 for harmlessness, 3 for helpfulness, 1 for
honesty, 2 for coding, 2 for mathematics."""


def labels_of(task: str | None) -> tuple[str, ...]:
    """The labels of a prompt's task, which commas, blanks, "+", "/" or ";" separate.

    >>> labels_of("Math, helpfulness"), labels_of(None)
    (('math', 'helpfulness'), ())
    """
    return tuple(label for label in re.split(r"[\s,;+/]+", (task or "").lower()) if label)


def rules_for(
    task: str | None, rules: Sequence[Rule], otherwise: Collection[str]
) -> tuple[Rule, ...]:
    """The rules for the labels of `task`; for `otherwise`, where it has none that a rule knows.

    >>> [rule.name for rule in rules_for("honesty+math", RULES, ())]
    ['doubts', 'givens', 'stepwise']
    >>> [rule.name for rule in rules_for("chess", RULES, ("coding",))]
    ['interface', 'cases']
    """
    labels = labels_of(task)
    found = tuple(rule for rule in rules if rule.label in labels)
    return found or tuple(rule for rule in rules if rule.label in otherwise)
