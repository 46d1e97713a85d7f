import json
from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.errors import JudgmentError
from pipelines.toolcalls.calls import Call, same_calls
from pipelines.toolcalls.python_form import write_python
from pipelines.toolcalls.reading import calls_of, read_calls
from schemas.rows import ToolCall

WEATHER = Call("weather", {"city": "Oslo", "days": Decimal(2)})
ARGUMENTS = '{"city": "Oslo", "days": 2}'
NESTED = f'[{{"function": {{"name": "weather", "arguments": {json.dumps(ARGUMENTS)}}}}}]'
JSON = '{"name": "weather", "arguments": {"city": "Oslo", "days": 2}}'


@pytest.mark.parametrize(
    "text",
    [
        '[weather(city="Oslo", days=2)]',
        "Of course: [weather(days=2, city='Oslo')]\nI hope that helps.",
        'weather(city="Oslo", days=2)',
        f"<tool_call>\n{JSON}\n</tool_call>",
        JSON,
        f"```json\n{JSON}\n```",
        '{"name": "weather", "parameters": {"city": "Oslo", "days": 2.0}}',
        NESTED,
    ],
)
def test_the_usual_forms_of_a_call_are_read_alike(text):
    assert same_calls(read_calls(text), [WEATHER])


def test_parallel_calls_are_all_read():
    assert len(read_calls('[f(a="x]"), g(), f(a=[1, -2.5, True, None, {"k": null}])]')) == 3
    assert len(read_calls(f"<tool_call>{JSON}</tool_call>\n<tool_call>{JSON}</tool_call>")) == 2


@pytest.mark.parametrize(
    "text",
    ["", "Which city?", "[]", "[see the page](http://x.org)", '{"answer": 4}', "[1, 2]", "{braces}",
     '[{"name": "Ann", "age": 3}]', "f(x) = 2x is a line"],
)  # fmt: skip
def test_what_calls_nothing_has_no_calls(text):
    assert read_calls(text) == ()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{"name": "weather", "arguments": {"city": "Oslo"', "no JSON"),
        ("<tool_call>Oslo</tool_call>", "no JSON"),
        (f"<tool_call>{JSON}", "not closed"),
        ('<tool_call>{"arguments": {}}</tool_call>', "without a name"),
        ('{"name": "f", "arguments": [1]}', "arguments that are no JSON object"),
        ('{"name": "f", "arguments": "{city: Oslo}"}', "no JSON"),
        ('{"name": "f", "arguments": {"a": 1, "a": 2}}', "twice"),
        ('{"name": "f", "arguments": {"a": NaN}}', "NaN"),
        ('[weather(city="Oslo", days=2)', "not closed"),
        ('[weather("Oslo")]', "without a name"),
        ("[weather(city=Oslo)]", "no plain value"),
        ("[weather(city=1, city=2)]", "given twice"),
        ("[f(a=1e999)]", "no plain value"),
        ('[f(a={1: "x"})]', "no text"),
    ],
)
def test_a_broken_call_says_what_is_wrong(text, why):
    with pytest.raises(JudgmentError, match=why):
        read_calls(text)


def test_what_a_server_has_read_goes_before_the_text():
    stated = [ToolCall("1", "weather", '{"city": "Oslo", "days": 2}')]
    assert calls_of("[other()]", stated) == (WEATHER,)
    with pytest.raises(JudgmentError, match="no JSON"):
        calls_of(None, [ToolCall("1", "f", "{city")])


@pytest.mark.parametrize(
    "text",
    ["[f(a=" + "[" * 5000 + "]" * 5000 + ")]", "[f(a=" + "-" * 3000 + "1)]", "[a" + ".b" * 5000 + "()]",
     "[f(" * 3000, "[" * 100_000, '{"name": "f", "arguments": ' + "[" * 100_000 + "}",
     "[f(a=1)" + "]" * 10_000 + "(", '{"name": "f", "arguments": {"a": 1e' + "9" * 40 + "}}"],
)  # fmt: skip
def test_depth_and_length_break_no_more_than_the_call(text):
    with suppress(JudgmentError):
        read_calls(text)


@given(st.text(alphabet='[]{}()"=,.:a1_ \n<>/tool_call', max_size=60))
def test_whatever_a_model_writes_is_read_or_said_to_be_broken(text):
    with suppress(JudgmentError):
        assert isinstance(read_calls(text), tuple)


VALUES = st.recursive(
    st.none() | st.booleans() | st.text(max_size=8) | st.integers(-(10**9), 10**9).map(Decimal),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
)
CALLS = st.builds(
    Call,
    st.from_regex(r"tool_[a-z]{1,5}(\.[a-z]{2,5})?", fullmatch=True),
    st.dictionaries(st.from_regex(r"arg_[a-z]{1,4}", fullmatch=True), VALUES, max_size=3),
)


def plain(value):
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items()}
    if isinstance(value, list):
        return [plain(one) for one in value]
    return int(value) if isinstance(value, Decimal) else value


@given(st.lists(CALLS, min_size=1, max_size=3))
def test_written_calls_are_read_again_in_python_and_in_json(calls):
    assert same_calls(read_calls(write_python(calls)), calls)
    listed = [{"name": call.name, "arguments": plain(call.arguments)} for call in calls]
    assert same_calls(read_calls(json.dumps(listed)), calls)
