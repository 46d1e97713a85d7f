"""What `build` says at its end: what came of it, the funnel, the spend, and what to do next."""

from collections.abc import Iterator
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from flows.funnel_text import funnel
from flows.plain_text import count, counted, duration
from flows.spend_text import spend_in_words, tokens
from flows.store_option import DEFAULT

if TYPE_CHECKING:
    from pipelines.build import Outcome
    from pipelines.meter import Meter
    from schemas.version import Manifest


EXAMPLE_QUERY = "SELECT chosen_model, count(*) FROM pairs GROUP BY 1"


def summary(
    outcome: "Outcome", meter: "Meter", store: Path, seconds: float, *, bars: bool = False
) -> str:
    """The summary, in paragraphs."""
    paragraphs = (
        verdict(outcome),
        funnel(outcome.manifest, bars=bars) if outcome.manifest else "",
        "\n".join(_costs(meter, seconds)),
        _next(outcome, store),
    )
    return "\n\n".join(filter(None, paragraphs))


def verdict(outcome: "Outcome") -> str:
    """What came of it, in a line or two."""
    version = outcome.version
    if outcome.manifest is None:
        owing = counted(outcome.owed, "prompt owes calls", "prompts owe calls")
        return "\n".join((f"not published: {owing}, for example", *outcome.failures))
    if version is None:
        return "\n".join(f"not published: {failure}" for failure in outcome.failures)
    if not outcome.published:
        return f"nothing new: equal to {version.ref}"
    owed = f"; {counted(outcome.owed, 'prompt')} left out, whose calls are owed"
    return (
        f"published {version.ref}: {pairs_in_words(version.manifest)}{owed if outcome.owed else ''}"
    )


def pairs_in_words(manifest: "Manifest") -> str:
    """How many pairs there are, by split: "100 pairs (98 train, 2 test)"."""
    splits = ", ".join(f"{count(pairs)} {split}" for split, pairs in manifest.splits().items())
    pairs = counted(manifest.rows("pairs"), "pair")
    return f"{pairs} ({splits})" if splits else pairs


def _costs(meter: "Meter", seconds: float) -> Iterator[str]:
    parts = ["no calls were paid"]
    if meter.calls:
        samples = counted(meter.samples_paid, "sample")
        parts = [f"{counted(meter.calls, 'call')} for {samples}"]
    if meter.samples_replayed:
        parts.append(f"{counted(meter.samples_replayed, 'sample')} from the ledger")
    yield ", ".join([*parts, f"in {duration(seconds)}"])
    if meter.damaged_records:
        damaged = counted(meter.damaged_records, "record")
        yield f"{damaged} of the ledger could not be read and bought again: `pairwright doctor`"
    if meter.calls:
        prompt, completion = tokens(meter)
        yield f"{count(prompt)} tokens in, {count(completion)} out, {spend_in_words(meter)}"


def _next(outcome: "Outcome", store: Path) -> str:
    if outcome.version is None:
        if outcome.refused is not None:
            return f"evidence: {outcome.refused}"
        return "What is paid is kept. Run the same command to go on."
    name = outcome.version.name
    option = "" if store == DEFAULT else f" --store {quote(str(store))}"
    return "\n".join(
        (
            f"files: {outcome.version.folder}",
            f"next:  pairwright show {name}{option}",
            f'       pairwright sql{option} --dataset {name} "{EXAMPLE_QUERY}"',
        )
    )
