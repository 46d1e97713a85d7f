from hypothesis import given
from hypothesis import strategies as st

from pipelines.toolcalls.fragments import fragments, steps

CALL = 'I look. [weather(city="Oslo", days=2)]'


def test_an_answer_is_cut_behind_each_separator_of_the_paper():
    assert fragments(CALL) == ["I look. ", "[weather(", "city=", '"Oslo", ', "days=", "2)]"]


def test_two_fragments_are_a_step_and_the_last_step_takes_the_rest():
    assert steps(CALL, most=3) == ["I look. [weather(", 'city="Oslo", ', "days=2)]"]
    assert steps(CALL, most=2) == ["I look. [weather(", 'city="Oslo", days=2)]']
    assert steps(CALL, most=1) == [CALL]
    assert steps("", most=3) == []


@given(st.text(alphabet="ab., =(", max_size=40), st.integers(1, 5), st.integers(1, 4))
def test_steps_joined_are_the_answer(text, most, grouped):
    assert "".join(fragments(text)) == text
    cut = steps(text, grouped=grouped, most=most)
    assert "".join(cut) == text
    assert len(cut) <= most
    assert all(cut)
