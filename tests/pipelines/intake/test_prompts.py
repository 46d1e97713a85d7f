import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.errors import RecipeError
from pipelines.intake.cells import UnusableRow
from pipelines.intake.prompts import PromptTable, read_prompt, united
from pipelines.part import Where, load_table
from schemas.rows import Message, Prompt, ToolCall

CHAT = PromptTable(messages="chat")


def why(table, row):
    with pytest.raises(UnusableRow) as unusable:
        read_prompt(table, row, "s")
    return unusable.value.reason


def chat(*messages):
    return read_prompt(CHAT, {"chat": list(messages)}, "s").messages


def test_every_mapped_column_finds_its_field():
    table = PromptTable(
        text="q", system="sys", tools="t", reference="gold", group="g", licence="l", lang="la",
        task="ta",
    )  # fmt: skip
    row = {
        "q": " Hé\u200b\n", "sys": "Be kind.", "t": '[{"name": "f", "a": 1}]', "gold": 18, "g": 7,
        "l": "MIT", "la": "en", "ta": "math",
    }  # fmt: skip
    prompt = read_prompt(table, row, "s")
    assert prompt.messages == (Message("system", "Be kind."), Message("user", " Hé\u200b\n"))
    assert prompt.tools == '[{"a":1,"name":"f"}]'
    assert (prompt.reference, prompt.group_id, prompt.licence) == ("18", "7", "MIT")
    assert (prompt.lang, prompt.task, prompt.sources) == ("en", "math", ("s",))


def test_columns_that_are_mapped_and_empty_are_as_if_they_were_not():
    table = PromptTable(text="q", system="s", tools="t", reference="r", licence="l")
    for nothing in (None, "", float("nan")):
        row = {"q": "x", "s": nothing, "t": None, "r": nothing, "l": nothing}
        assert read_prompt(table, row, "s") == read_prompt(PromptTable(text="q"), row, "s")


def test_ids_see_messages_and_tools_alone():
    table = PromptTable(text="q", reference="r", group="g", licence="l")
    one = read_prompt(table, {"q": "x", "r": 1, "g": "a", "l": "MIT"}, "s")
    other = read_prompt(table, {"q": "x", "r": 2, "g": "b", "l": None}, "t")
    assert one.prompt_id == other.prompt_id
    different = ["X", "x ", "x\n", "ｘ", "é", "e\u0301"]
    ids = {read_prompt(table, {"q": text}, "s").prompt_id for text in different}
    assert len(ids | {one.prompt_id}) == len(different) + 1


def test_a_conversation_keeps_its_turns_tool_calls_and_thinking():
    call = {"id": "c1", "type": "function", "function": {"name": "add", "arguments": {"a": 1}}}
    flat = {"id": "c2", "name": "sub", "arguments": '{"a": 2}'}
    messages = chat(
        {"role": "developer", "content": "Use tools.", "created": 17, "name": None},
        {"role": "user", "content": [{"type": "text", "text": "1+"}, "1?"]},
        {
            "role": "assistant",
            "content": None,
            "reasoning_content": "hm",
            "tool_calls": [call, flat],
        },
        {"role": "tool", "content": "2", "tool_call_id": "c1"},
    )
    assert messages == (
        Message("developer", "Use tools."),
        Message("user", "1+1?"),
        Message(
            "assistant",
            None,
            reasoning="hm",
            tool_calls=(ToolCall("c1", "add", '{"a":1}'), ToolCall("c2", "sub", '{"a": 2}')),
        ),
        Message("tool", "2", tool_call_id="c1"),
    )


def test_a_conversation_may_be_json_text():
    row = {"chat": '[{"role": "user", "content": "hi"}]'}
    assert read_prompt(CHAT, row, "s").messages == (Message("user", "hi"),)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "missing_value"),
        ([], "empty_prompt"),
        ("[]", "empty_prompt"),
        ("not json", "bad_messages"),
        ("{}", "bad_messages"),
        (3, "bad_messages"),
        (["hi"], "bad_messages"),
        ([{"content": "hi"}], "bad_messages"),
        ([{"from": "human", "value": "hi"}], "bad_messages"),
        ([{"role": "User", "content": "hi"}], "bad_messages"),
        ([{"role": ["user"], "content": "hi"}], "bad_messages"),
        ([{"role": "user", "content": 3}], "bad_messages"),
        ([{"role": "user", "content": [{"type": "image_url", "image_url": "x"}]}], "bad_messages"),
        ([{"role": "user", "content": [{"type": "text"}]}], "bad_messages"),
        ([{"role": "user", "content": "hi", "tool_calls": [{"id": "c"}]}], "bad_messages"),
        ([{"role": "user", "content": "hi", "tool_calls": 5}], "bad_messages"),
        ([{"role": "user", "content": "hi", "tool_calls": ["f"]}], "bad_messages"),
        ([{"role": "system", "content": "hi"}], "bad_messages"),
        ([{"role": "user", "content": None}], "empty_prompt"),
        ([{"role": "user", "content": " \n"}], "empty_prompt"),
        (
            [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "ho"}],
            "ends_with_assistant",
        ),
    ],
)
def test_a_conversation_that_is_none_has_a_reason(value, reason):
    assert why(CHAT, {"chat": value}) == reason


@pytest.mark.parametrize(
    ("value", "reason"),
    [(None, "missing_value"), ("", "empty_prompt"), ("\t ", "empty_prompt"), (["x"], "not_text")],
)
def test_a_text_that_is_none_has_a_reason(value, reason):
    assert why(PromptTable(text="q"), {"q": value}) == reason
    assert why(PromptTable(text="q"), {}) == "missing_value"


def test_tools_that_are_none_and_a_second_system_message_have_a_reason():
    table = PromptTable(text="q", tools="t")
    for tools in ("not json", {"name": "f"}, ["f"], 3):
        assert why(table, {"q": "x", "t": tools}) == "bad_messages"
    twice = PromptTable(messages="chat", system="s")
    messages = [{"role": "system", "content": "a"}, {"role": "user", "content": "x"}]
    assert why(twice, {"chat": messages, "s": "b"}) == "bad_messages"


@pytest.mark.parametrize("fields", [{}, {"text": "q", "messages": "m"}])
def test_text_and_messages_exclude_each_other_and_one_is_needed(fields, tmp_path):
    where = Where("recipe.toml", "[[prompts]] #1", tmp_path)
    with pytest.raises(RecipeError, match="exactly one of text and messages"):
        load_table(PromptTable, fields, where)


def test_two_rows_of_a_prompt_unite_their_sources_and_licences():
    first = Prompt("p", (), sources=("b",), licence="MIT", lang="en")
    again = Prompt("p", (), sources=("a",), licence="Apache-2.0", lang="de", group_id="g")
    assert united(first, again, "18") == Prompt(
        "p", (), reference="18", group_id="g", sources=("a", "b"), licence="Apache-2.0 AND MIT",
        lang="en",
    )  # fmt: skip


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.sampled_from(["user", "text", "", "x"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["role", "content", "type", "text", "tool_calls", "function", "name"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(ANY_JSON, ANY_JSON)
def test_any_value_is_a_prompt_or_has_a_reason(messages, tools):
    table = PromptTable(messages="chat", tools="t")
    try:
        prompt = read_prompt(table, {"chat": messages, "t": tools}, "s")
    except UnusableRow:  # any other error fails the test
        return
    assert prompt.messages[-1].role in ("user", "tool")
