import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from pipelines.selection.duels import against_worst, best

SCORE = st.integers(-2, 2) | st.sampled_from([-(2**62), 2**62])
RESPONSE = st.tuples(st.integers(0, 3), SCORE, st.booleans())


def scored_of(responses: list[tuple[int, int, bool]], order: list[int]) -> pl.DataFrame:
    """`prompt`, `score`, `choosable` of each, numbered in the order of prompts, in any order."""
    rows = [(prompt, number, score, choosable)
            for number, (prompt, score, choosable) in enumerate(sorted(responses, key=lambda one: one[0]))]  # fmt: skip
    schema = {
        "prompt": pl.UInt32,
        "response": pl.UInt32,
        "score": pl.Int64,
        "choosable": pl.Boolean,
    }
    table = pl.DataFrame(rows, schema, orient="row")
    return table.sort(pl.Series(order[: len(rows)], dtype=pl.Int64))


@given(
    st.lists(RESPONSE, max_size=12).flatmap(
        lambda rows: st.tuples(st.just(rows), st.permutations(range(len(rows))))
    )
)
def test_the_best_of_each_prompt_and_the_duel_with_its_worst_are_the_first_ones_in_order(
    drawn: tuple[list[tuple[int, int, bool]], list[int]],
) -> None:
    scored = scored_of(*drawn)
    highest: dict[int, tuple[int, int]] = {}
    lowest: dict[int, tuple[int, int]] = {}
    for prompt, response, score, choosable in scored.sort("response").rows():
        if choosable and (prompt not in highest or score > highest[prompt][0]):
            highest[prompt] = score, response
        if prompt not in lowest or score < lowest[prompt][0]:
            lowest[prompt] = score, response
    found = best(scored)
    assert found.columns == scored.columns
    expected = [(prompt, response) for prompt, (_, response) in sorted(highest.items())]
    assert found.select("prompt", "response").rows() == expected
    duels = scored.select("prompt", rejected="response", score_rejected="score")
    expected = [(prompt, response) for prompt, (_, response) in sorted(lowest.items())]
    assert against_worst(duels).select("prompt", "rejected").rows() == expected
