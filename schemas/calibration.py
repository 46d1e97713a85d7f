"""Calibrations: how far a judge was right on labelled pairs, stored beside the versions.

`<store>/calibrations/<judge>/<labels>.json` is one check of one judge on one set of labels. All but
`checked` and `code_version` follows from the judge and the labels.
"""

from pydantic import BaseModel, ConfigDict

SCHEMA_VERSION = 1
"""It changes when an older reader would misread."""


class _Record(BaseModel):
    """A part of a calibration. Unknown keys are passed over."""

    model_config = ConfigDict(frozen=True)


class Figure(_Record):
    """A figure with its 95 % interval."""

    value: float | None
    """None: undefined, as an accuracy in an order in which nothing was shown."""
    low: float | None = None
    high: float | None = None
    """A bootstrap over prompts; None where nothing is known of the spread."""
    n: int = 0
    """What it counts over: pairs, replies, or ordered comparisons."""


class Labels(_Record):
    """The labelled pairs that a judge was held against."""

    digest: str
    """SHA-256 of prompts, responses and labels: neither the order of rows nor of sides counts."""
    name: str
    """Name of the file, without its folder."""
    pairs: int
    prompts: int
    """Distinct prompts: pairs of one prompt are no independent witnesses."""
    dropped: dict[str, int] = {}
    """Reason -> rows of the file that are no labelled pair."""


class Calibration(_Record):
    """One check of one judge on one set of labels."""

    schema_version: int = SCHEMA_VERSION
    identity: str
    """What decides the judge's answers: see `pipelines.calibration.identity`."""
    judge: str
    """Its name in the recipe of the check."""
    judge_identities: tuple[str, ...] = ()
    """The identities that its judgments bear."""
    labels: Labels
    lower_bound: float | None
    """Of the accuracy: what `[gates] judge_accuracy` is held against (`agreement.wilson`)."""
    temperature: float | None = None
    """Fitted on all pairs; None for judges that give neither probabilities nor scores."""
    figures: dict[str, Figure]
    categories: dict[str, dict[str, Figure]] = {}
    unread: dict[str, int] = {}
    """Why replies could not be read -> how many, the commonest first: a few."""
    prompts: tuple[str, ...] = ()
    """What the labelled prompts ask (`labelled.asked_id`), sorted: kept out of gated builds."""
    checked: str = ""
    """When: UTC, ISO 8601."""
    code_version: str = ""

    def summary(self) -> "Check":
        """What a manifest says of it."""
        accuracy = self.figures["accuracy"]
        return Check(
            labels=self.labels.digest,
            name=self.labels.name,
            pairs=self.labels.pairs,
            accuracy=accuracy.value,
            lower_bound=self.lower_bound,
        )


class Check(_Record):
    """A calibration in brief, as the manifest of a version has it."""

    labels: str
    """Digest of the labels."""
    name: str
    pairs: int
    accuracy: float | None
    lower_bound: float | None
