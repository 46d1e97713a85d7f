"""The rounds of an iteration as text: a line for each build and each training, and how it ended."""

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from flows.options.store import store_words
from flows.texts.build_summary import pairs_in_words
from flows.texts.plain import counted, duration
from flows.texts.spend import spend_in_words

if TYPE_CHECKING:
    from pipelines.iterating.answer import Answer
    from pipelines.iterating.events import BuiltRound, Ended, TrainedRound
    from pipelines.iterating.figures import Mean
    from pipelines.iterating.plan import Plan


def built_line(built: "BuiltRound", held_out: str) -> str:
    """Version, pairs, mean scores with their 95 % intervals, and what it took in all."""
    run = built.version.manifest.run
    spends = [*run.spent.values(), *run.before.values()]
    figures = built.figures
    parts = [
        f"round {built.number}: {built.version.ref}",
        pairs_in_words(built.version.manifest),
        f"score {mean_in_words(figures.every)}",
        f"in {held_out} {mean_in_words(figures.held_out)}",
        *([f"rise {_interval(built.rise, '+')}"] if built.rise else []),
        spend_in_words(spends) if spends else "no calls",
    ]
    return ", ".join(parts)


def mean_in_words(mean: "Mean | None") -> str:
    """A mean, its interval, and of how many prompts it is.

    >>> from pipelines.agreement.bootstrap import Interval
    >>> from pipelines.iterating.figures import Mean
    >>> mean_in_words(Mean(0.5, Interval(0.25, 0.75), 12)), mean_in_words(None)
    ('0.500 (0.250 to 0.750; 12 prompts)', 'unknown')
    """
    if mean is None:
        return "unknown"
    prompts = counted(mean.prompts, "prompt")
    return (
        f"{_interval(mean)[:-1]}; {prompts})" if mean.interval else f"{_interval(mean)} ({prompts})"
    )


def _interval(mean: "Mean", sign: str = "") -> str:
    value = f"{mean.value:{sign}.3f}"
    if mean.interval is None:
        return value
    low, high = mean.interval
    return f"{value} ({low:{sign}.3f} to {high:{sign}.3f})"


def trained_line(trained: "TrainedRound") -> str:
    """Where the model is, and how long its training took."""
    when = " in an earlier run" if trained.before else ""
    return f"         trained{when} in {duration(trained.seconds)}: {_shown(trained.answer)}"


def ended_text(ended: "Ended", plan: "Plan", given: str, overrides: list[str], store: Path) -> str:
    """Why it ended, and how the policy of the last training is measured: no build has seen it."""
    return "\n".join([f"ended: {ended.words}", *_last_policy(ended, plan, given, overrides, store)])


def _last_policy(
    ended: "Ended", plan: "Plan", given: str, overrides: list[str], store: Path
) -> Iterator[str]:
    if ended.answer is None or ended.answer.folder is None or ended.why != "rounds":
        return
    changes = [*overrides, *(f"models.{name}.model={ended.answer.folder}" for name in plan.policy)]
    sets = [word for change in changes for word in ("--set", change)]
    command = ["pairwright", "build", given, *sets, *store_words(store)]
    yield "no build has measured the last policy yet; this one does:"
    yield f"       {shlex.join(command)}"


def _shown(answer: "Answer") -> str:
    """Relative to the working folder where it lies in it."""
    path, here = Path(answer.in_words()), Path.cwd()
    if answer.folder is None or not path.is_relative_to(here):
        return answer.in_words()
    return str(path.relative_to(here))
