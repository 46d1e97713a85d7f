"""A searched tree for a terminal: a line for each step, figures before it."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from flows.texts.pair import SHOWN_ID, one_text
from flows.texts.plain import aligned, count, counted
from flows.texts.table import rounded
from flows.texts.terminal import one_line

if TYPE_CHECKING:
    from rich.text import Text

    from flows.trees.searched import Searched, Step, Tree

HEAD = ("N", "Q", "value", "prior", "")
LEGEND = "* on the path that the search decided for, + chosen and - rejected in a pair"
SOLVED = {True: "solved", False: "not solved", None: ""}
DECIMALS = 3


def listed(found: "Sequence[Searched]", width: int) -> str:
    """The prompts that were searched, a line for each."""
    rows = [("prompt", "nodes", "depth", "ended", "", "")]
    for one in found:
        figures = count(one.nodes), count(one.depth), count(one.ended)
        rows.append((one.prompt_id[:SHOWN_ID], *figures, SOLVED[one.solved], one.question or ""))
    narrow = max(map(len, aligned([row[:-1] for row in rows]).splitlines())) + 2
    room = max(width - narrow, 20)
    return aligned([(*row[:-1], one_line(row[-1], room)) for row in rows])


def about(tree: "Tree") -> str:
    """What was searched, in one line.

    Nodes with a root, the depth of the deepest, the visits of the root, and what came out.
    """
    steps = tree.steps
    facts = [
        tree.root.sampler,
        counted(len(steps) + 1, "node"),
        f"depth {max((step.depth for step in steps), default=0)}",
        counted(tree.root.n_visits, "visit"),
        counted(sum(step.terminal for step in steps), "ended answer"),
        SOLVED[tree.solved],
    ]
    return ", ".join(filter(None, facts))


def tree_lines(tree: "Tree", width: int) -> "Iterator[Text]":
    """The tree in `width` columns, below the last message of its prompt.

    The path is bold, and what the search never came through dimmed.
    """
    from rich.text import Text

    steps = list(_drawn(tree.root))
    figures = aligned([HEAD, *((*_figures(step), mark(step)) for step, _ in steps)]).splitlines()
    start = max(map(len, figures)) + 1
    yield Text(figures[0], "dim")
    for (step, branch), line in zip(steps, figures[1:], strict=True):
        words = one_text(tree.prompt[-1:]) if step.parent_id is None else step.text
        ended = ending(step)
        room = max(width - start - len(branch) - len(ended), 20)
        style = "bold" if step.on_path else "" if step.n_visits else "dim"
        yield Text(f"{line:{start}}{branch}{one_line(words, room)}{ended}".rstrip(), style)


def ending(step: "Step") -> str:
    """How the answer ended, if it did, and what was missing here."""
    ended = f" [outcome {number(step.outcome)}]" if step.outcome is not None else " [end]"
    return (ended if step.terminal else "") + (f" ({step.flags})" if step.flags else "")


def mark(step: "Step") -> str:
    """Its marks, as in `LEGEND`."""
    return "".join(
        sign if holds else " "
        for sign, holds in (("*", step.on_path), ("+", step.chosen), ("-", step.rejected))
    ).rstrip()


def number(value: float | None) -> str:
    """A figure as it is shown; empty for none. What is next to nothing is 0.

    >>> number(1.59), number(-0.65), number(None), number(19.0), number(-0.00007)
    ('1.59', '-0.65', '', '19', '0')
    """
    if value is None:
        return ""
    return rounded(round(float(value), DECIMALS) + 0.0, DECIMALS, trim=True)  # + 0.0: no -0


def _figures(step: "Step") -> tuple[str, str, str, str]:
    value = None if step.parent_id is None else step.value
    return count(step.n_visits), number(step.q), number(value), number(step.prior)


def _drawn(root: "Step") -> "Iterator[tuple[Step, str]]":
    """Each step with the branches before it."""
    waiting = [(root, "", "")]
    while waiting:
        step, branch, before = waiting.pop()
        yield step, branch
        last = True
        for below in reversed(step.below):
            own, others = ("└─ ", "   ") if last else ("├─ ", "│  ")
            waiting.append((below, before + own, before + others))
            last = False
