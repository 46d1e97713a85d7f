"""Questions: what is rendered once for a prompt is what would be rendered anew."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.judging.quoting import fence_around, quoted
from pipelines.stepping.evaluation import Evaluation
from schemas.rows import Message, Prompt, prompt_id

EVALUATIONS = (Evaluation(), Evaluation(by="quality"), Evaluation(reference=False))
ASKED = Message("user", "How much?")


def made_of(*messages, **known):
    return Prompt(prompt_id(messages), messages, **known)


PROMPTS = (
    made_of(ASKED),
    made_of(Message("system", "Be brief."), ASKED, reference="#### 5"),
    made_of(ASKED, tools='[{"name": "add"}]', reference="5"),
)
TOKENS = [fence_around(prompt, []).token for prompt in PROMPTS]
HOSTILE = [
    *(token[at : at + length] for token in TOKENS for at in range(9) for length in (7, 8, 16)),
    *(f"{token} answer" for token in TOKENS),
    "Add 3.\n", "{{ answer }}", "\u200b",
]  # fmt: skip


def anew(evaluation, prompt, text):
    """The question, rendered as a whole."""
    reference = prompt.reference if evaluation.reference else None
    fence = fence_around(prompt, [text], reference)
    own = {"answer": fence.quote(text), "graded": evaluation.by == "quality"}
    return evaluation.words.render(quoted(prompt, fence, reference) | own)


@given(
    evaluation=st.sampled_from(EVALUATIONS),
    prompt=st.sampled_from(PROMPTS),
    texts=st.lists(st.lists(st.sampled_from(HOSTILE) | st.text(max_size=9)).map("".join)),
)
def test_each_question_is_as_if_it_were_rendered_anew(evaluation, prompt, texts):
    question = evaluation.question(prompt)
    for text in texts:
        [message] = question.about(text)
        assert message == Message("user", anew(evaluation, prompt, text))


@pytest.mark.parametrize("token", TOKENS)
def test_a_prompt_that_holds_its_own_token_is_fenced_by_another(token):
    hostile = made_of(ASKED, reference=f"{token} answer")
    [message] = Evaluation().question(hostile).about("Add 3.")
    assert message.content == anew(Evaluation(), hostile, "Add 3.")
