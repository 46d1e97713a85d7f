from collections.abc import Callable

from flows.texts.funnel import funnel
from pipelines.publishing.versions import Version
from schemas.version import Step


def test_rows_with_several_reasons_are_counted_once_at_the_end(
    make_version: Callable[..., Version],
) -> None:
    reasons = {"margin_too_small": 4, "vetoed": 3}
    several = Step(step="filters", level="pairs", in_=9, kept=4, dropped=5, reasons=reasons)
    manifest = make_version([], steps=(several,)).manifest
    lines = [line.split(maxsplit=1) for line in funnel(manifest).splitlines()]
    assert lines[2:5] == [
        ["-4", "margin_too_small"],
        ["-3", "vetoed"],
        ["-5", "in all: some for several reasons"],
    ]
    once = several.model_copy(update={"dropped": 7, "kept": 2})
    assert "in all" not in funnel(manifest.model_copy(update={"counts": (once,)}))
