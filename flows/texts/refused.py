"""What endpoints refused of a build, in words, and what helps."""

from pathlib import Path
from typing import TYPE_CHECKING

from flows.options.store import suggested
from flows.texts.plain import aligned, count
from flows.texts.terminal import one_line

if TYPE_CHECKING:
    from schemas.version import Manifest

WIDEST = 200
"""Characters of an endpoint's words that are shown."""


def refused_text(manifest: "Manifest", store: Path) -> str:
    """Of each part what was refused, and the commands that help; "" where nothing was."""
    if not manifest.refused:
        return ""
    rows = [("part", "asked", "refused", "the endpoint said")]
    for part, of in sorted(manifest.refused.items()):
        rows.append((part, count(of.asked), count(of.refused), one_line(of.example, WIDEST)))
    return (
        f"{aligned(rows)}\n"
        "`pairwright doctor RECIPE` looks at key, address and model. A refusal is kept, and no build "
        f"asks\nagain; once its cause is gone, `{suggested(store, 'retry', '--failed')}` has it asked."
    )
