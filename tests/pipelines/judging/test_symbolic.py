import pytest

from pipelines.errors import JudgmentError
from pipelines.judging import symbolic
from pipelines.judging.symbolic import Compared, compare

pytestmark = pytest.mark.skipif(not symbolic.is_installed(), reason="needs pairwright[math]")


@pytest.mark.parametrize(
    ("reference", "text", "equal"),
    [
        (r"\frac{1}{2}", "So it is $0.5$.", True),
        ("x^2+2x+1", r"\boxed{(x+1)^2}", True),
        ("x^2+2x+1", r"\boxed{x^2+1}", False),
        (r"\{1,2\}", r"\boxed{\{2,1\}}", True),
        ("1,234", r"\boxed{1234}", True),
        ("18", "The answer is 18 dollars.", True),
        ("x+1", "$1$", False),
    ],
)
async def test_expressions_are_compared_as_mathematics(reference, text, equal):
    assert (await compare(reference, text)).equal is equal


async def test_without_an_expression_there_is_no_answer():
    assert await compare("3", "I do not know.") == Compared(None, False)


async def test_a_comparison_that_does_not_end_is_unread_and_the_next_one_works(monkeypatch):
    monkeypatch.setattr(symbolic, "LIMIT_S", 2.0)
    with pytest.raises(JudgmentError, match="no result within 2 s"):
        await compare("9", r"\boxed{9^{9^{9^{9^9}}}}")
    monkeypatch.undo()
    assert (await compare("9", r"\boxed{9}")).equal
