"""Refusals: the requests that an endpoint refused for good, as the ledger keeps and replays them.

A refusal costs nothing and is final, so that a build never asks the same thing twice in vain. When
what caused it is gone (a limit was raised, a filter of the provider changed), `forget` voids it,
and the next build asks again.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from pipelines.calls.ledger_record import refused_samples
from pipelines.calls.segments import PARTITIONS, Segments
from pipelines.calls.voids import Place, Voids, place_of, write_voids

ALL = range(PARTITIONS)


class Cause(NamedTuple):
    """What refusals have in common."""

    model: str | None
    """Identity of the model, "#" and its id, as in a manifest's `models`; None where it was not
    recorded."""
    status: int | None
    """HTTP status."""
    message: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """One record with refused samples."""

    place: Place
    cause: Cause
    samples: int
    """How many of the record's samples were refused."""


def find_refusals(
    folder: Path, models: Collection[str | None] | None = None, status: int | None = None
) -> Iterator[Refusal]:
    """The refusals in a ledger folder that are not void, of `models` and with `status` where given.

    They come by partition, file name and offset. Raises StoreError.
    """
    voids = Voids(folder, ALL)
    segments = Segments(folder)
    for location, key, text in segments.scan(ALL):
        if b'"error"' not in text:
            continue
        if (location.offset, key) in voids.of(segments.file(location)):
            continue
        record = orjson.loads(text)
        refused = refused_samples(record)
        if not refused:
            continue
        cause = _cause(record, refused[0])
        if models is not None and cause.model not in models:
            continue
        if status is None or cause.status == status:
            yield Refusal(place_of(segments, location, key), cause, len(refused))


def count_causes(refusals: Iterable[Refusal]) -> list[tuple[Cause, int]]:
    """Each cause with its samples, the most frequent first."""
    counts: Counter[Cause] = Counter()
    for refusal in refusals:
        counts[refusal.cause] += refusal.samples
    return sorted(counts.items(), key=lambda entry: (-entry[1], *map(str, entry[0])))


def forget(folder: Path, refusals: Iterable[Refusal]) -> None:
    """Makes the ledger forget `refusals`. What it holds of paid samples stays. Raises StoreError.

    A build that runs meanwhile has opened the ledger before, and still replays them.
    """
    write_voids(folder, (refusal.place for refusal in refusals))


def _cause(record: dict[str, Any], completion: dict[str, Any]) -> Cause:
    return Cause(record.get("model"), completion.get("status"), completion["error"])
