"""A published version as text: the page that `pairwright show` prints."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from flows.options.version import trial_text
from flows.published.figures import Bin, Figures
from flows.texts.build_summary import pairs_in_words
from flows.texts.funnel import funnel
from flows.texts.languages import language_funnel
from flows.texts.plain import aligned, bar, count, counted, short
from flows.texts.spend import spend_table
from pipelines.bias.words import SHARES, words_of

if TYPE_CHECKING:
    from pipelines.publishing.versions import Version
    from schemas.version import Manifest


def version_text(
    version: "Version",
    examples: str = "",
    checks: str = "",
    refused: str = "",
    *,
    bars: bool = False,
) -> str:
    """The page, in paragraphs; those about pairs are left out where there is none.

    `checks` tells what the judges were checked on, `refused` what endpoints refused.
    """
    figures = Figures(version)
    paragraphs = [
        _head(version),
        funnel(version.manifest, bars=bars),
        language_funnel(version),
        _judges(version.manifest),
        refused,
        checks,
        _habits(version.manifest),
        _margins(figures, bars=bars),
        _measures(figures),
        _lengths(figures, version.manifest.rows("pairs")),
        _models(figures),
        spend_table(version.manifest.run),
        examples,
        _files(version),
    ]
    return "\n\n".join(filter(None, paragraphs))


def _head(version: "Version") -> str:
    manifest = version.manifest
    published = f", published {manifest.run.published}" if manifest.run.published else ""
    if not version.number:
        reasons = (version.folder / "reasons.txt").read_text(encoding="utf-8").splitlines()
        published = "".join(f"\nnot published: {reason}" for reason in reasons)
    trial = f", {trial_text(version)}" if version.is_trial else ""
    return (
        f"{version.ref}{published}{trial}\n"
        f"{pairs_in_words(manifest)} of {counted(manifest.rows('prompts'), 'prompt')} "
        f"and {counted(manifest.rows('responses'), 'response')}"
        f"{_lineage(manifest)}{_passed_over(manifest)}"
    )


def _passed_over(manifest: "Manifest") -> str:
    """A line for each file of which a filter could not read all; "" without one."""
    return "".join(
        f"\n{name}: {told} have no text and were passed over"
        for name, told in manifest.run.passed_over.items()
    )


def _lineage(manifest: "Manifest") -> str:
    """Which round of an iteration it is, and what was sampled; "" for a build by itself."""
    lineage = manifest.run.lineage
    if lineage is None:
        return ""
    policy = ", ".join(f"{name} = {who}" for name, who in lineage.policy.items())
    trained = f", trained on {lineage.trained_on}" if lineage.trained_on else ", as it was"
    return f"\nround {lineage.round} of `pairwright iterate`: {policy}{trained}"


def _judges(manifest: "Manifest") -> str:
    rows = [("judge", "judgments", "readable", "")]
    for name, judge in manifest.judges.items():
        counts = {note: value for note, value in judge.notes.items() if note not in SHARES}
        notes = ", ".join(f"{note} {value}" for note, value in counts.items())
        rows.append((name, count(judge.asked), count(judge.read), notes))
    return aligned(rows) if len(rows) > 1 else ""


def _habits(manifest: "Manifest") -> str:
    """What each judge looks at, where something is known of it."""
    notes = {name: words_of(judge.notes) for name, judge in manifest.judges.items()}
    heads = [head for head in SHARES.values() if any(head in known for known in notes.values())]
    rows = [[name, *(known.get(head, "") for head in heads)] for name, known in notes.items()]
    return aligned([["judge", *heads], *rows]) if heads else ""


def _margins(figures: Figures, *, bars: bool) -> str:
    quantiles = figures.margin_quantiles()
    if not quantiles:
        return ""
    names = {0.0: "lowest", 0.5: "median", 1.0: "highest"}
    heads = [names.get(share, f"{share:.0%}") for share in quantiles]
    table = aligned([("margin", *heads), ("", *(f"{value:g}" for value in quantiles.values()))])
    return f"{table}\n\n{aligned(list(_histogram(figures.margin_histogram(), bars=bars)))}"


def _histogram(bins: list[Bin], *, bars: bool) -> Iterator[tuple[str, str, str]]:
    yield "margin", "pairs", ""
    most = max(one.pairs for one in bins)
    for one in bins:
        span = f"{one.low:g}" if one.low == one.high else f"{one.low:.4g} to {one.high:.4g}"
        yield span, count(one.pairs), bar(one.pairs / most) if bars else ""


def _measures(figures: Figures) -> str:
    head = "measure", "pairs measured", "least", "25%", "median", "75%", "most"
    rows = [
        (one.measure, count(one.pairs), *(f"{value:.4g}" for value in one.quartiles))
        for one in figures.measures()
    ]
    return aligned([head, *rows]) if rows else ""


def _lengths(figures: Figures, pairs: int) -> str:
    rows = [("characters", "mean", "median", "longer one of")]
    for side in figures.lengths():
        share = f"{counted(side.longer, 'pair')} ({side.longer / pairs:.1%})"
        rows.append((side.side, f"{side.mean:,.0f}", f"{side.median:,.0f}", share))
    return aligned(rows) if len(rows) > 1 else ""


def _models(figures: Figures) -> str:
    rows = [("model", "chosen", "rejected", "chosen share")]
    for one in figures.models():
        share = one.chosen / (one.chosen + one.rejected)
        rows.append((one.model, count(one.chosen), count(one.rejected), f"{share:.1%}"))
    return aligned(rows) if len(rows) > 1 else ""


def _files(version: "Version") -> str:
    files = version.manifest.files
    size = short(sum(info.bytes for info in files.values()))
    return f"{counted(len(files), 'file')}, {size} bytes: {version.folder}"
