from pipelines.backend import Completion
from pipelines.toolcalls.continuation import continuations
from pipelines.toolcalls.fragments import GROUPED, SEPARATORS
from schemas.rows import ToolCall


def drawn(*completions, most=3):
    return continuations(completions, SEPARATORS, GROUPED, most)


def test_equal_first_steps_are_one_child_and_the_first_sample_stands_for_them():
    first, other = drawn(
        Completion("[f(a=1, b=2)]", finish_reason="stop"),
        Completion("[f(a=3)]", finish_reason="stop"),
        Completion("[g(a=1)]", finish_reason="stop"),
    )
    assert (first.step, first.index, first.is_whole) == ("[f(a=", 0, False)
    assert (other.step, other.index) == ("[g(a=", 2)


def test_a_rollout_is_the_step_and_what_was_written_next():
    [one] = drawn(Completion("[f(a=1, b=2, c=3, d=4)]", finish_reason="stop"), most=9)
    assert [one.rollout(length) for length in (0, 1, 2)] == [
        "[f(a=",
        "[f(a=1, b=",
        "[f(a=1, b=2, c=",
    ]


def test_an_answer_ends_with_a_step_that_leaves_nothing_unless_it_was_cut_off():
    whole, cut = drawn(
        Completion("Hello", finish_reason="stop"), Completion("Hell", finish_reason="length")
    )
    assert (whole.is_whole, cut.is_whole) == (True, False)


def test_blank_failed_and_unreadable_samples_are_left_out():
    broken = (ToolCall("1", "f", "{"),)
    assert not drawn(
        Completion(" \n"), Completion(None), Completion("x", error="400"), Completion(None, tool_calls=broken)
    )  # fmt: skip


def test_calls_that_a_server_has_read_are_written_as_text_and_end_the_answer():
    call = ToolCall("1", "f", '{"a": [1.50, "x"]}')
    [one] = drawn(Completion(None, tool_calls=(call,), finish_reason="tool_calls"), most=1)
    assert (one.step, one.is_whole, one.tokens) == ('[f(a=[1.50, "x"])]', True, None)
