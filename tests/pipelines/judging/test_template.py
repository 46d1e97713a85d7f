from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.errors import RecipeError
from pipelines.judging.template import Template, read_template


@given(st.text())
def test_what_is_filled_in_arrives_byte_for_byte(text):
    assert Template("t", "<{{ response }}>\n").render({"response": text}) == f"<{text}>"


def test_what_is_filled_in_is_never_a_template():
    assert Template("t", "{{ x }}").render({"x": "{{ 1 + 1 }}"}) == "{{ 1 + 1 }}"


def test_a_variable_in_a_branch_that_is_not_taken_is_checked_too():
    template = Template("t", "{% if tools %}{{ nothing }}{% endif %}")
    with pytest.raises(RecipeError, match='t: no such variable "nothing"'):
        template.check({"tools": None})


def test_the_sandbox_refuses_what_leads_out_of_it():
    template = Template("t", "{{ x.__class__.__base__.__subclasses__() }}")
    with pytest.raises(RecipeError, match="unsafe"):
        template.check({"x": "a"})


def test_a_template_cannot_change_what_it_is_given():
    given_list = ["a"]
    with pytest.raises(RecipeError, match="unsafe"):
        Template("t", "{{ x.append('b') }}").render({"x": given_list})
    assert given_list == ["a"]


def test_the_hash_is_that_of_the_text():
    assert Template("a", "x").sha256 == Template("b", "x").sha256 != Template("a", "y").sha256


def test_a_folder_is_no_template(tmp_path):
    with pytest.raises(RecipeError, match=r"\./mine: Is a directory"):
        read_template(tmp_path, "./mine")


def test_the_shipped_templates_show_everything_and_ask_for_the_form():
    folder = Path(__file__).parents[3] / "pipelines" / "judges"
    for path in folder.glob("*.jinja"):
        words = read_template(path, path.name).text
        for variable in ("conversation", "tools", "mark", "form"):
            assert variable in words, f"{path.name}: {variable}"
