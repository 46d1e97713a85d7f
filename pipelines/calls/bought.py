"""What was bought: the replies behind samples that a ledger holds, and what each of them took."""

from typing import TYPE_CHECKING, Any, NamedTuple

from pipelines.calls.prices import Usage

if TYPE_CHECKING:
    from pipelines.calls.segments import Location

BLOCK = 64
"""Bytes that every record is longer than."""


class Bought(NamedTuple):
    """The reply that a sample came in."""

    place: "Location"
    samples: int
    """Samples that it filled."""
    characters: int
    """Of their texts."""
    usage: Usage | None
    """Of all of them together; None where the server did not say."""
    refused: bool
    """A refusal: it cost nothing."""
    before: bool
    """Whether it was there when the ledger was opened."""


def bought_of(record: dict[str, Any], place: "Location", *, before: bool) -> Bought:
    """What the record of a reply tells."""
    usage, completions = record["usage"], record["completions"]
    return Bought(
        place,
        samples=len(completions),
        characters=sum(len(one["text"] or "") for one in completions),
        usage=None if usage is None else Usage(**usage),
        refused=all("error" in one and one["text"] is None for one in completions),
        before=before,
    )


class SeenOnce:
    """Tells replies apart that were seen, in a bit for each `BLOCK` bytes of the ledger.

    >>> from pipelines.calls.segments import Location
    >>> seen = SeenOnce()
    >>> [seen.first(Location(0, offset, 90)) for offset in (1, 200, 1)]
    [True, True, False]
    """

    def __init__(self) -> None:
        self._bits: dict[int, bytearray] = {}

    def first(self, place: "Location") -> bool:
        """Whether `place` is asked about for the first time."""
        byte, bit = divmod(place.offset // BLOCK, 8)
        bits = self._bits.setdefault(place.segment, bytearray())
        if len(bits) <= byte:
            bits.extend(bytes(byte + 1 - len(bits)))
        seen = bits[byte] >> bit & 1
        bits[byte] |= 1 << bit
        return not seen
