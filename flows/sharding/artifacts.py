"""What a flow run shows in Prefect's pages: its progress, what came of it, and what it spent."""

from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from prefect.artifacts import (
    create_markdown_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)

from flows.texts.build_summary import summary

if TYPE_CHECKING:
    from pipelines.build import Outcome
    from pipelines.calls.meter import Meter


class Progress:
    """The share of shards that are finished, or of wanted pairs that there are, in percent."""

    def __init__(self, name: str, whole: int, what: str = "shards") -> None:
        self._whole = whole
        said = f"{whole} {what} of {name}"
        made = create_progress_artifact(0.0, key=_key(name, "progress"), description=said)
        assert isinstance(made, UUID)  # not a coroutine: a flow that is not async calls it
        self._artifact = made

    def __call__(self, finished: int) -> None:
        """So many of them are finished."""
        update_progress_artifact(self._artifact, 100.0 * min(1.0, finished / self._whole))


def publish_outcome(
    name: str, outcome: "Outcome", meter: "Meter", store: Path, seconds: float
) -> None:
    """The markdown artifact (outcome, funnel and where it is) and the table (spend per model)."""
    said = summary(outcome, meter, store, seconds)
    create_markdown_artifact(f"```text\n{said}\n```", key=_key(name, "build"), description=name)
    rows = [_spend(model, spend) for model, spend in sorted(meter.spend.items())]
    create_table_artifact(rows, key=_key(name, "spend"), description=f"spend of {name} per model")


def _spend(model: str, spend: Any) -> dict[str, Any]:
    known = spend.calls - spend.missing_usage - spend.unpriced
    return {
        "model": model,
        "calls": spend.calls,
        "tokens in": spend.prompt_tokens,
        "tokens out": spend.completion_tokens,
        "money": round(spend.money, 6) if known else "unknown",
        "replies without usage or price": spend.missing_usage + spend.unpriced,
    }


def _key(name: str, what: str) -> str:
    """The key of an artifact: lower-case letters, digits and dashes."""
    return f"{name.replace('_', '-')}-{what}"
