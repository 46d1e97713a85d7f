"""Tournament: responses meet in pairs, and each is scored by what it made of its games.

    knockout      K - 1 games                 who is the best
    swiss         rounds x floor(K / 2)       a ranking, from few games
    round_robin   K (K - 1) / 2               a ranking

A game is a comparison in both orders, hence two calls for each sample; it is won by who is better on
average.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from pipelines.judging.comparator import Comparator
from pipelines.judging.equal_texts import in_drawn_order, one_of_each_text, shared_by_text
from pipelines.judging.merge_sort import EVEN, is_even
from pipelines.judging.response_row import response_row
from pipelines.judging.strength import bradley_terry, win_rates
from pipelines.judging.tournaments import Game, Play, knockout, round_robin, swiss
from pipelines.part import Where, identity_of
from schemas.rows import Judgment, Response

if TYPE_CHECKING:
    from pipelines.unit import Unit

RULES: Mapping[str, Callable[[Sequence[Game[Response]]], dict[Response, float]]] = {
    "win_rate": win_rates,
    "bradley_terry": bradley_terry,
}
NO_GAME = "none of its games could be told"


class Tournament(Comparator):
    """Scores the responses of a prompt by a tournament between them."""

    format: Literal["knockout", "swiss", "round_robin"] = "swiss"
    """Who meets whom. "knockout": who loses is out. "swiss": in each round who stands next to whom
    and has not met yet. "round_robin": everyone everyone. Seeds are drawn."""
    rounds: int = Field(default=3, ge=1)
    """Rounds of a Swiss tournament; of K responses no more than ceil(K / 2)."""
    rule: Literal["win_rate", "bradley_terry"] = "win_rate"
    """What a response scores; a win is 1 point, a tie 1/2. "win_rate": points over games, in [0, 1].
    "bradley_terry": its strength in nats, 0 for the average, as if each had also tied once with an
    average one; it weighs whom a response met, which is not the same for all but in a round robin."""

    def model_post_init(self, context: Any) -> None:
        """Declares the scale of a win rate."""
        super().model_post_init(context)
        if self.rule == "win_rate" and self.scale is None:
            object.__setattr__(self, "scale", (Decimal(0), Decimal(1)))

    def check(self, where: Where) -> None:
        """As `Comparator.check`, and for rounds that no format has."""
        super().check(where)
        if self.format != "swiss" and "rounds" in self.model_fields_set:
            raise where.error('is for format = "swiss" only', "rounds")

    def decisive(self) -> dict[str, Any]:
        """As `Comparator.decisive`, and how a score comes of the games."""
        band = identity_of(self.band)
        played = [self.format, self.rounds, self.rule, band, self.samples]
        return super().decisive() | {"tournament": played}

    async def judge(self, unit: "Unit", responses: Sequence[Response]) -> list[Judgment]:
        """A score for each response that has a text (equal texts share theirs); all games."""
        different = one_of_each_text(responses)
        if len(different) < 2:
            return []
        rows: dict[tuple[Response, Response], tuple[Judgment, ...]] = {}

        async def play(one: Response, other: Response) -> float | None:
            compared = await self.compare(unit, one, other)
            rows[one, other] = compared.rows
            return self._points(compared.probability(one, other))

        seeds = in_drawn_order(unit, self.name, different)
        games = await self._games(seeds, play)
        scores = RULES[self.rule](games)
        found = shared_by_text({seed: scores.get(seed) for seed in seeds}, responses)
        return [
            *(_scored(self, unit, response, score) for response, score in found),
            *(row for game in games for row in rows[game.one, game.other]),
        ]

    async def _games(self, seeds: Sequence[Response], play: Play[Response]) -> list[Game[Response]]:
        if self.format == "knockout":
            return await knockout(seeds, play)
        if self.format == "swiss":
            return await swiss(seeds, play, self.rounds)
        return await round_robin(seeds, play)

    def _points(self, p: float | None) -> float | None:
        if p is None:
            return None
        return EVEN if is_even(p, float(self.band)) else float(p > EVEN)


def _scored(judge: Tournament, unit: "Unit", response: Response, score: float | None) -> Judgment:
    return response_row(
        judge, unit, response, score=score, error=NO_GAME if score is None else None
    )
