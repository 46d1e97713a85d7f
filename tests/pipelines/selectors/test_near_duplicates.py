import polars as pl

from pipelines.selectors.near_duplicates import NearDuplicates
from tests.pipelines.tables import part, rows_of

LONG = "Write a short poem about a cat that sleeps on the warm roof of a red house in the sun"
TEXTS = {"p": LONG, "q": LONG.replace("short", "brief"), "r": "How do I boil an egg?", "s": LONG}


def kept(selector: NearDuplicates, prompts: str, seed: int = 0) -> dict[str, int]:
    """How many pairs each prompt keeps, of the prompts of the pairs, in that order."""
    pairs = rows_of("pairs", [{"prompt_id": prompt} for prompt in prompts])
    texts = pl.Series("prompt_text", [TEXTS[prompt] for prompt in prompts], pl.String)
    digested = selector.digest(pairs.with_columns(texts))
    assert "prompt_text" not in digested.columns
    dropped = selector.drops(digested, seed)
    assert set(dropped["reason"]) <= {"near_duplicate"}
    left = pairs.join(dropped, on="pair_id", how="anti")
    return dict(left.group_by("prompt_id").len().rows())


def test_all_pairs_of_one_prompt_of_a_group_are_kept() -> None:
    selector = part("selectors", "near_duplicates", likeness=0.7)
    stay = kept(selector, "ppqqrrss")
    assert len(stay) == 2
    assert stay["r"] == 2
    assert set(stay.values()) == {2}
    strict = kept(part("selectors", "near_duplicates", likeness=1.0), "pqrs")
    assert set(strict) in ({"p", "q", "r"}, {"s", "q", "r"})


def test_which_one_is_kept_is_drawn_by_the_seed_and_not_by_the_order() -> None:
    selector = part("selectors", "near_duplicates", likeness=0.7)
    by_seed = [set(kept(selector, "pqrs", seed)) - {"r"} for seed in range(20)]
    assert by_seed == [set(kept(selector, "srqp", seed)) - {"r"} for seed in range(20)]
    assert {min(one) for one in by_seed} == {"p", "q", "s"}
