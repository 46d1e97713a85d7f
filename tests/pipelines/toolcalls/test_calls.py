from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from pipelines.toolcalls.calls import Call, same_calls
from pipelines.toolcalls.reading import read_calls

PLAIN = st.none() | st.booleans() | st.text(max_size=8) | st.integers().map(Decimal)
VALUES = st.recursive(
    PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner)
)
ARGUMENTS = st.dictionaries(st.from_regex(r"[a-z_]{1,6}", fullmatch=True), VALUES, max_size=4)


def called(text: str) -> tuple[Call, ...]:
    return read_calls(text)


def test_the_order_of_keys_and_of_calls_and_the_form_of_a_number_do_not_count():
    one = '[{"name": "f", "arguments": {"a": 1, "b": [0.10]}}, {"name": "g", "arguments": {}}]'
    other = '[{"name": "g", "arguments": {}}, {"arguments": {"b": [1e-1], "a": 1.0}, "name": "f"}]'
    assert same_calls(called(one), called(other))


def test_types_and_the_order_of_a_list_count():
    def with_argument(value: str) -> tuple[Call, ...]:
        return called(f'{{"name": "f", "arguments": {{"a": {value}}}}}')

    for one, other in (
        ("1", '"1"'),
        ("1", "true"),
        ("0", "false"),
        ("[1,2]", "[2,1]"),
        ("null", "0"),
    ):
        assert not same_calls(with_argument(one), with_argument(other)), (one, other)
        assert same_calls(with_argument(one), with_argument(one))


def test_a_call_made_twice_is_not_the_call_made_once():
    assert not same_calls(called("[f(a=1), f(a=1)]"), called("[f(a=1)]"))


def test_integers_of_any_length_are_compared_digit_by_digit():
    digits = "1" * 400
    assert not same_calls(called(f"[f(a={digits}0)]"), called(f"[f(a={digits}1)]"))
    assert same_calls(
        called(f"[f(a={digits})]"), called(f'{{"name":"f","arguments":{{"a":{digits}}}}}')
    )


@given(ARGUMENTS)
def test_calls_are_equal_to_themselves_with_their_keys_turned_round(arguments):
    turned = dict(reversed(arguments.items()))
    assert same_calls([Call("f", arguments)], [Call("f", turned)])
    assert not same_calls([Call("f", arguments)], [Call("g", turned)])
