"""The workshop: what all units of a build share."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pipelines.backend import Backend
from pipelines.calls.bought import SeenOnce
from pipelines.calls.dispatch import Dispatcher
from pipelines.calls.ledger import Ledger
from pipelines.calls.meter import Meter

if TYPE_CHECKING:
    from pipelines.intake.records import Records
    from pipelines.judge import Judge


@dataclass(frozen=True, slots=True)
class Workshop:
    """What all units of a build share."""

    seed: int
    models: dict[str, Backend]
    ledger: Ledger
    dispatcher: Dispatcher
    meter: Meter
    records: "Records"
    judges: "Mapping[str, Judge]" = field(default_factory=dict)
    """The judges that samplers may ask, by name."""
    busy: dict[bytes, asyncio.Event] = field(default_factory=dict)
    """The request keys that are being asked for, so that equal requests are paid once."""
    counted: SeenOnce = field(default_factory=SeenOnce)
    """The replies from before that are counted already."""
