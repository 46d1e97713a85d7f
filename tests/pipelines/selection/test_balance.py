import pytest

from pipelines.errors import StoreError
from pipelines.selection.balance import check_balance
from schemas.version import Step


def step(name, level, in_, kept, **reasons):
    return Step(step=name, level=level, in_=in_, kept=kept, dropped=in_ - kept, reasons=reasons)


def test_a_funnel_that_accounts_for_every_row_passes():
    check_balance(
        [
            step("a.jsonl", "rows", 10, 9, no_prompt=1),
            step("b.jsonl", "rows", 4, 4),
            step("selection", "prompts", 12, 12),
            step("filters", "responses", 30, 20, refused=8, empty=5),  # 3 rows have both reasons
            step("filters", "prompts", 12, 6, too_easy=6),
            step("filters", "pairs", 9, 9),
            step("selectors.dedup", "pairs", 9, 8, duplicate=1),
        ]
    )


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        (
            [Step(step="s", level="pairs", in_=5, kept=3, dropped=1, reasons={"x": 1})],
            "5 in, 3 kept",
        ),
        ([Step(step="s", level="pairs", in_=1, kept=2, dropped=-1)], "-1 dropped"),
        ([step("s", "pairs", 5, 3)], "2 dropped, with the reasons {}"),
        ([step("s", "pairs", 5, 3, x=1)], "2 dropped, with the reasons {'x': 1}"),
        ([step("s", "pairs", 5, 3, x=3)], "2 dropped, with the reasons {'x': 3}"),
        (
            [step("s", "pairs", 5, 4, x=1), step("t", "prompts", 9, 9), step("u", "pairs", 3, 3)],
            "u .pairs.: 3 in, and s kept 4",
        ),
    ],
)
def test_a_row_that_vanished_is_refused(steps, message):
    with pytest.raises(StoreError, match=message):
        check_balance(steps)
