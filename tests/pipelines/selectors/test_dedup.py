from tests.pipelines.tables import kept, part


def pair(id_, prompt, chosen, rejected, votes=1):
    return {
        "pair_id": id_,
        "prompt_id": prompt,
        "chosen_text_hash": chosen,
        "rejected_text_hash": rejected,
        "n_votes": votes,
    }


def test_of_equal_pairs_the_one_with_most_votes_stays_then_the_first_by_id():
    pairs = [pair("a", "p", "x", "y", 1), pair("c", "p", "x", "y", 3), pair("b", "p", "x", "y", 3)]
    assert kept(part("selectors", "dedup"), pairs) == ["b"]


def test_the_reverse_pair_is_another_pair():
    pairs = [pair("a", "p", "x", "y"), pair("b", "p", "y", "x")]
    assert kept(part("selectors", "dedup"), pairs) == ["a", "b"]


def test_other_prompts_count_only_across_the_dataset():
    pairs = [pair("a", "p", "x", "y"), pair("b", "q", "x", "y")]
    assert kept(part("selectors", "dedup"), pairs) == ["a", "b"]
    assert kept(part("selectors", "dedup", across="dataset"), pairs) == ["a"]
