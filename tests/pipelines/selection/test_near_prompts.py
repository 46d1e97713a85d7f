import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from pipelines.selection.near_prompts import grouped

CAT = "Write a short poem about a cat that sleeps on the warm roof of a red house in the sun"
TEXTS = {
    "cat": CAT,
    "cats": CAT.replace("short", "brief"),
    "egg": "How do I boil an egg?",
    "eggs": "how do I boil an  EGG?",
    "sea": "Why is the sea salty while most rivers that lead into it are not?",
}


def texts(frame: pl.DataFrame, names: frozenset[str]) -> pl.DataFrame:
    assert names == {"prompt_text"}
    found = [TEXTS[name] for name in frame["prompt_id"]]
    return frame.with_columns(pl.Series("prompt_text", found, pl.String))


def groups(given: dict[str, str | None], likeness: float = 0.7) -> dict[str, str | None]:
    schema = {"prompt_id": pl.String, "group_id": pl.String}
    prompts = pl.DataFrame([*given.items()], schema=schema, orient="row")
    return dict(grouped(prompts, texts, likeness).select(schema.keys()).iter_rows())


def test_near_duplicates_are_one_group_and_others_are_left_alone() -> None:
    assert groups(dict.fromkeys(TEXTS)) == {
        "cat": "cat", "cats": "cat", "egg": "egg", "eggs": "egg", "sea": None,
    }  # fmt: skip
    assert groups(dict.fromkeys(TEXTS), 1.0)["cats"] is None


def test_given_groups_are_kept_and_united_where_a_near_duplicate_links_them() -> None:
    """cat (g2) is like cats (g1), and g1 holds sea, so all three are g1."""
    found = groups({"cat": "g2", "cats": "g1", "egg": None, "eggs": "g3", "sea": "g1"})
    assert found == {"cat": "g1", "cats": "g1", "sea": "g1", "egg": "g3", "eggs": "g3"}


def test_a_chain_of_links_is_one_group() -> None:
    """cat ~ cats, cats and egg are g, egg ~ eggs, eggs and sea are h."""
    found = groups({"cat": None, "cats": "g", "egg": "g", "eggs": "h", "sea": "h"})
    assert set(found.values()) == {"g"}


def test_no_prompt_has_no_group() -> None:
    assert groups({}) == {}


@given(st.permutations(sorted(TEXTS)), st.lists(st.sampled_from("gh"), min_size=2, max_size=2))
def test_the_order_of_prompts_changes_nothing(names: list[str], given_: list[str]) -> None:
    whose: dict[str, str | None] = dict.fromkeys(TEXTS) | dict(
        zip(("cats", "sea"), given_, strict=True)
    )
    in_order = groups(whose)
    assert groups({name: whose[name] for name in names}) == in_order
