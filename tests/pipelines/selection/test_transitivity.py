from pipelines.selection.transitivity import transitivity
from tests.pipelines.tables import rows_of


def look(number, *p_a, **more):
    """A second look at two responses of a prompt, in both orders."""
    ids = {"response_a_id": f"a{number}", "response_b_id": f"b{number}"}
    plain = {"comparison_id": f"c{number}", "judge": "search.recheck", "dimension": "recheck"}
    return [
        {**plain, **ids, "prompt_id": f"p{number}", "order": order, "p_a": p, **more}
        for order, p in zip(("AB", "BA"), p_a, strict=False)
    ]


def ranked(number, a, b):
    return [
        {"judge": "search", "response_id": f"{side}{number}", "rank": rank}
        for side, rank in (("a", a), ("b", b))
    ]


def test_the_share_of_looks_that_agree_with_the_ranking():
    rows = [
        *look(0, 0.9, 0.6), *ranked(0, 1, 3),  # a is ranked higher and found better
        *look(1, 0.2, 0.1), *ranked(1, 5, 3),  # b is both
        *look(2, 0.8, 0.7), *ranked(2, 3, 1),  # a cycle
        *look(3, 0.9, 0.1), *ranked(3, 1, 3),  # even: says nothing
        *look(4, None, 0.1), *ranked(4, 1, 3),  # unread
    ]  # fmt: skip
    judgments = rows_of("judgments", rows)
    assert transitivity(judgments, "search") == {"rechecks": 5, "transitivity": 0.666667}


def test_a_judge_that_took_no_second_look_has_no_figure():
    judgments = rows_of("judgments", [*look(0, 0.9, 0.6), *ranked(0, 1, 3)])
    assert transitivity(judgments, "another") == {}
