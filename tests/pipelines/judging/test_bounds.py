from pathlib import Path

import pytest

from pipelines.judging.bounds import within_bounds
from schemas.rows import Judgment
from tests.builds import OVER_HTTP, published, run, write_questions, write_recipe
from tools.chat_server import ChatServer

NAN, INF = float("nan"), float("inf")

OWN = """
from pipelines.judge import Judge
from schemas.rows import Judgment


class Own(Judge):
    \"\"\"Takes the logarithm of nothing.\"\"\"

    async def judge(self, unit, responses):
        \"\"\"One number that is none, then numbers.\"\"\"
        return [
            Judgment(
                judgment_id=f"own {one.response_id}",
                prompt_id=one.prompt_id,
                judge=self.name,
                judge_identity="own",
                response_id=one.response_id,
                score=float(number) if number else float("-inf"),
            )
            for number, one in enumerate(responses)
        ]
"""


def said(**fields: object) -> Judgment:
    return Judgment("j", "p", "judge", "identity", raw="its words", **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "fields",
    [
        {"score": 1e9},
        {"rank": 3},
        {"p_a": 1 + 1e-9, "mass": 1.0},
        {"verdict": "a"},
        {"error": "none"},
    ],
)
def test_what_selection_can_reckon_with_stays_as_it_is(fields: dict[str, object]) -> None:
    assert within_bounds([said(**fields)]) == [said(**fields)]


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"score": NAN}, "score: nan is outside -1e+09 to 1e+09"),
        ({"score_a": 1.0, "score_b": -INF}, "score_b: -inf is outside -1e+09 to 1e+09"),
        ({"rank": 10**15}, "rank: 1e+15 is outside -1e+09 to 1e+09"),
        ({"p_a": 1.01, "verdict": "a"}, "p_a: 1.01 is outside -1e-06 to 1"),
        ({"score": 3.0, "mass": NAN}, "mass: nan is outside -1e+09 to 1e+09"),
    ],
)
def test_any_other_number_makes_a_judgment_unread(fields: dict[str, object], why: str) -> None:
    assert within_bounds([said(**fields)]) == [said(error=why)]


def test_a_judge_of_ones_own_that_gives_no_number_does_not_end_a_build(tmp_path: Path) -> None:
    write_questions(tmp_path, range(2))
    (tmp_path / "own.py").write_text(OWN)
    before, _, after = OVER_HTTP.partition("[[judges]]")
    _, _, after = after.partition("\n\n")
    with ChatServer() as server:
        own = '[[judges]]\nkind = "./own.py"\nname = "own"\n\n'
        write_recipe(tmp_path, before.format(url=server.url) + own + after)
        outcome, _ = run(tmp_path, "gates.min_pairs=0")
    rows = published(outcome, "judgments")
    unread = [row for row in rows if row["score"] is None]
    assert len(rows) == 4 * len(unread) == 8
    assert {row["error"] for row in unread} == {"score: -inf is outside -1e+09 to 1e+09"}
