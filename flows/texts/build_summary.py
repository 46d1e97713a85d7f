"""What `build` says at its end: what came of it, the funnel, the spend, and what to do next."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from flows.options.store import suggested
from flows.options.version import trial_text
from flows.texts.funnel import funnel
from flows.texts.plain import count, counted, duration
from flows.texts.refused import refused_text
from flows.texts.spend import spend_in_words, tokens

if TYPE_CHECKING:
    from pipelines.build import Outcome
    from pipelines.calls.meter import Meter, Spend
    from pipelines.publishing.versions import Version
    from schemas.version import Manifest


UNREAD_QUERY = "SELECT judge, error, count(*) FROM judgments WHERE error IS NOT NULL GROUP BY ALL"
EXAMPLE_QUERY = "SELECT chosen_model, count(*) FROM pairs GROUP BY 1"


def summary(
    outcome: "Outcome",
    meter: "Meter",
    store: Path,
    seconds: float,
    examples: str = "",
    *,
    bars: bool = False,
) -> str:
    """The summary, in paragraphs; `examples` are some of the pairs."""
    manifest = outcome.manifest
    paragraphs = (
        verdict(outcome),
        funnel(manifest, bars=bars) if manifest and manifest.counts else "",
        refused_text(manifest, store) if manifest else "",
        examples,
        "\n".join(_costs(outcome, meter, seconds)),
        "\n".join(_damaged(outcome, store)),
        _next(outcome, store),
    )
    return "\n\n".join(filter(None, paragraphs))


def verdict(outcome: "Outcome") -> str:
    """What came of it, in a line or two."""
    version = outcome.version
    if outcome.manifest is None:
        if not outcome.owed:
            return "\n".join(f"not published: {failure}" for failure in outcome.failures)
        owing = counted(outcome.owed, "prompt owes calls", "prompts owe calls")
        missing = f"{_missing(outcome)}, and " if outcome.missing else ""
        return "\n".join((f"not published: {missing}{owing}, for example", *outcome.failures))
    if version is None:
        refused = [f"not published: {failure}" for failure in outcome.failures]
        return "\n".join([*refused, *([f"besides, {_owed(outcome)}"] if outcome.owed else [])])
    if not outcome.published:
        said = f"nothing new: equal to {version.ref}"
    else:
        said = f"published {version.ref}: {pairs_in_words(version.manifest)}"
    if version.is_trial:
        whole = f"a version of all of them, if there is one, is what `{version.name}` means"
        said = f"{said}; {trial_text(version)}: {whole}"
    if outcome.missing:
        left = "the budget is reached" if outcome.budget_reached else "no prompt is left to draw"
        said = f"{said}; {_missing(outcome)}: {left}"
    return f"{said}; {_owed(outcome)}" if outcome.owed else said


def _missing(outcome: "Outcome") -> str:
    return counted(outcome.missing, "pair is missing", "pairs are missing")


def _owed(outcome: "Outcome") -> str:
    """How many prompts are not in it, and why."""
    why = "the budget is reached" if outcome.budget_reached else "their calls are owed"
    return f"{counted(outcome.owed, 'prompt')} left out: {why}"


def pairs_in_words(manifest: "Manifest") -> str:
    """How many pairs there are, by split: "100 pairs (98 train, 2 test)"."""
    splits = ", ".join(f"{count(pairs)} {split}" for split, pairs in manifest.splits().items())
    pairs = counted(manifest.rows("pairs"), "pair")
    return f"{pairs} ({splits})" if splits else pairs


def _costs(outcome: "Outcome", meter: "Meter", seconds: float) -> Iterator[str]:
    parts = ["no calls were paid"]
    if meter.calls:
        samples = counted(meter.samples_paid, "sample")
        parts = [f"{counted(meter.calls, 'call')} for {samples}"]
    if (failed := outcome.spent.calls - meter.calls) > 0:
        parts.append(f"{count(failed)} failed")
    if meter.samples_equal:
        parts.append(f"{count(meter.samples_equal)} equal to others of this run")
    if meter.samples_before:
        parts.append(f"{counted(meter.samples_before, 'sample')} from the ledger")
    yield ", ".join([*parts, f"in {duration(seconds)}"])
    if meter.reused:
        yield f"read and judged nothing anew: all that comes before selection is from {meter.reused}"
    if meter.not_reused:
        yield meter.not_reused
    if meter.damaged_records:
        damaged = counted(meter.damaged_records, "record")
        yield f"{damaged} of the ledger could not be read and bought again: `pairwright doctor`"
    yield from (f"{endpoint}: {did}" for endpoint, did in meter.engines.items())
    spends = list(meter.spend.values())
    if meter.calls:
        yield _spent(spends)
    if meter.before:
        every = [*spends, *meter.before.values()]
        yield f"with what earlier runs paid for the same: {_spent(every)}"


def _spent(spends: "list[Spend]") -> str:
    prompt, completion = tokens(spends)
    return f"{count(prompt)} tokens in, {count(completion)} out, {spend_in_words(spends)}"


def _damaged(outcome: "Outcome", store: Path) -> Iterator[str]:
    for ref in outcome.uncatalogued:
        command = suggested(store, "verify", ref)
        yield f"{ref} is damaged, and the catalogue is without it: {command}"


def _next(outcome: "Outcome", store: Path) -> str:
    if outcome.version is None:
        if outcome.refused is not None:
            return "\n".join((f"evidence: {outcome.refused}", *_to_look_at(outcome, store)))
        if outcome.missing and not outcome.owed:
            return (
                "What is paid is kept. `--set exactly.on_limit=publish` publishes the pairs there "
                "are; more prompts, more samples or a looser filter give more."
            )
        return "What is paid is kept. Run the same command to go on."
    return "\n".join((*_files(outcome.version), *_to_try(outcome.version, store)))


def _to_look_at(outcome: "Outcome", store: Path) -> Iterator[str]:
    """Commands that read what was refused; none where it was refused before any call."""
    if outcome.manifest is not None and outcome.manifest.counts:
        ref = f"{outcome.manifest.name}@refused"
        yield f"next:  {suggested(store, 'show', ref)}"
        yield f"       {suggested(store, 'drops', ref)}"
        if any(judge.read < judge.asked for judge in outcome.manifest.judges.values()):
            yield f"       {suggested(store, 'sql', '--dataset', ref, UNREAD_QUERY)}"


def _files(version: "Version") -> Iterator[str]:
    from pipelines.report.write import REPORT

    yield f"files: {version.folder}"
    if (version.folder / REPORT).exists():
        yield f"page:  {version.folder / REPORT}"


def _to_try(version: "Version", store: Path) -> Iterator[str]:
    """Commands to go on with, ready to be pasted."""
    name, parent = version.name, version.manifest.run.parent
    ref = version.ref if version.is_trial else name
    query = ("sql", "--dataset", ref, EXAMPLE_QUERY)
    commands = [("show", ref), ("drops", ref), query]
    if version.manifest.rows("tree_nodes"):
        commands.append(("tree", ref))
    if any(judge.read for judge in version.manifest.judges.values()):
        commands.append(("judge", "report", ref))
    if parent is not None:
        commands.append(("diff", f"{name}@v{parent:04d}", ref))
    commands.append(("export", ref, "--format", "trl", "--out", f"{name}-trl"))
    for number, words in enumerate(commands):
        yield f"{'       ' if number else 'next:  '}{suggested(store, *words)}"
