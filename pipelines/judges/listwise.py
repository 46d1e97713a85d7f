"""Listwise: all responses of a prompt stand in one question, and the reply ranks them.

    A B C D  ─> "Ranking: B > A = D > C"  ─> ranks 2 1 4 2
    C D A B  ─> ...                            the same responses, rotated by K / rotations places

Judges favour a place in a list, so it is shown several times, rotated: each rotation is a vote of its
own, and [score] averages their ranks. Responses that are equally good all have the better rank.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from pipelines.judging.equal_texts import in_drawn_order, one_of_each_text, shared_by_text
from pipelines.judging.fence import Fence
from pipelines.judging.model_judge import Heard, ModelJudge, Quoted
from pipelines.judging.reading import read_ranking
from pipelines.judging.response_row import response_row
from pipelines.part import Where
from pipelines.unit import gather
from schemas.rows import Judgment, Response

if TYPE_CHECKING:
    from pipelines.unit import Unit

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

Ranks = Mapping[str, int]
"""Letter -> rank, from 1."""


class Listwise(ModelJudge):
    """Asks a model to rank all responses of a prompt at once."""

    own_template: ClassVar[Path] = Path(__file__).with_suffix(".jinja")
    candidates: ClassVar[tuple[str, ...]] = ("responses",)
    relative: ClassVar[bool] = True

    template: str | None = None
    """Path of your own template, relative to the recipe: a Jinja file that gives the one message
    the judge reads. It may use `conversation` (a list of messages with `role` and `text`), `tools`,
    `reference` (either may be none), `responses` and `letters` (lists of equal length), `form`, the
    last line that is asked for, and `mark`, between which texts come. Default: the judge's own."""
    rotations: int = Field(default=2, ge=1)
    """How many times the list is shown, each time rotated further; of K responses at most K times,
    by which each has stood at every place."""

    def check(self, where: Where) -> None:
        """As `ModelJudge.check`, and for a scale, which ranks do not have."""
        super().check(where)
        if self.scale is not None:
            raise where.error("this judge gives ranks and has no scale", "scale")

    def trials(self) -> list[tuple[Quoted, Mapping[str, Any]]]:
        """Two responses, and three."""
        return [({"responses": ["a"] * count}, _wanted(LETTERS[:count])) for count in (2, 3)]

    def form(self) -> dict[str, Any]:
        """As for three responses: the letters are the list's."""
        return _wanted(LETTERS[:3])

    async def judge(self, unit: "Unit", responses: Sequence[Response]) -> list[Judgment]:
        """A rank for each response that has a text, in each rotation and sample.

        Equal texts are shown once and share their ranks. A rotation that cannot be read is rows
        without rank, and takes none of the others with it.
        """
        different = in_drawn_order(unit, self.name, one_of_each_text(responses))
        if len(different) < 2:
            return []
        if len(different) > len(LETTERS):
            why = f"{len(different)} responses cannot be told apart by {len(LETTERS)} letters"
            found = shared_by_text(dict.fromkeys(different), responses)
            return [response_row(self, unit, response, error=why) for response, _ in found]
        turns = turns_of(len(different), self.rotations)
        lists = [[*different[turn:], *different[:turn]] for turn in turns]
        ranked = await gather(self._ranked(unit, shown) for shown in lists)
        return [
            row
            for rotation, (shown, samples) in enumerate(zip(lists, ranked, strict=True))
            for heard in samples
            for row in self._rows(unit, responses, shown, rotation, heard)
        ]

    def decisive(self) -> dict[str, Any]:
        """As `ModelJudge.decisive`, and how often the list is turned."""
        return super().decisive() | {"rotations": self.rotations}

    def specimen(self) -> str:
        """A ranking of however many."""
        return "Ranking: tie"

    async def _ranked(self, unit: "Unit", shown: Sequence[Response]) -> list[Heard[Ranks]]:
        letters = LETTERS[: len(shown)]

        def read(reply: str, fence: Fence, truncated: bool) -> Ranks:
            return ranks_of(read_ranking(reply, letters, fence=fence, truncated=truncated))

        texts = {"responses": [str(response.text) for response in shown]}
        asked = await self.put(unit, texts, _wanted(letters))
        return await gather(self.hear(unit, asked, index, read) for index in range(self.samples))

    def _rows(
        self,
        unit: "Unit",
        responses: Sequence[Response],
        shown: Sequence[Response],
        rotation: int,
        heard: Heard[Ranks],
    ) -> list[Judgment]:
        places = shared_by_text({one: at for at, one in enumerate(shown)}, responses)
        return [
            response_row(
                self,
                unit,
                response,
                rotation * self.samples + heard.index,
                rank=None if heard.value is None else heard.value[LETTERS[place]],
                position=place + 1,
                raw=heard.raw,
                reasoning=heard.reasoning,
                error=heard.error,
            )
            for response, place in places
        ]


def turns_of(count: int, rotations: int) -> list[int]:
    """By how many places a list of `count` is turned each time: evenly spread.

    >>> turns_of(4, 2), turns_of(5, 3), turns_of(3, 9)
    ([0, 2], [0, 1, 3], [0, 1, 2])
    """
    turns = min(rotations, count)
    return [turn * count // turns for turn in range(turns)]


def ranks_of(ranking: Sequence[Sequence[str]]) -> Ranks:
    """Letter -> rank; those of one rank share it, and the next counts on as if they had not.

    >>> ranks_of([["B"], ["A", "D"], ["C"]])
    {'B': 1, 'A': 2, 'D': 2, 'C': 4}
    """
    ranks: dict[str, int] = {}
    for equal in ranking:
        ranks |= dict.fromkeys(equal, len(ranks) + 1)
    return ranks


def _wanted(letters: str) -> dict[str, Any]:
    """What a template may say of the wanted reply."""
    each = f"{', '.join(letters[:-1])} and {letters[-1]}"
    form = (
        f"Ranking: X > Y = Z\n(each of {each} once, the best first; > is better than, = as good as)"
    )
    return {"form": form, "letters": list(letters)}
