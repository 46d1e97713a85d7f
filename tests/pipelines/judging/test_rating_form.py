from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from pipelines.errors import JudgmentError
from pipelines.judging.aggregate import NOT_APPLICABLE
from pipelines.judging.collected import Collected
from pipelines.judging.criteria import Criteria
from pipelines.judging.fence import Fence
from pipelines.judging.model_judge import Heard
from pipelines.judging.rating_form import RatingForm

FENCE = Fence("5c1f0a9be2d84a77", ())
NAMES = ("clarity", "coding_style", "use", "use_of_words", "Style")
SAID = st.sampled_from(
    ["3", "5", "0", "9", "4/5", "2.5", "3-4", "N/A", "", "**4**", "three", "-1", "N", "5 stars"]
)


@st.composite
def forms(draw):
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, unique=True))
    dimensions = tuple(
        {"name": name, "description": "d", "may_not_apply": draw(st.booleans())} for name in names
    )
    criteria = Criteria.model_validate({"dimensions": dimensions})
    return RatingForm(
        criteria, criteria.dimensions, draw(st.integers(0, 3)), json=draw(st.booleans())
    )


@given(forms())
def test_a_specimen_is_read_to_the_last_label(form):
    for label in form.labels:
        assert form.read(label, f"words\n{form.specimen()}", FENCE, False) == 1


@given(forms(), st.data())
def test_each_label_is_read_as_if_it_stood_alone(form, data):
    said = {label: data.draw(SAID, label) for label in form.labels}

    def reply(labels):
        if form.json:
            return "{" + ", ".join(f'"{label}": "{said[label]}"' for label in labels) + "}"
        return "\n".join(f"{label}: {said[label]}" for label in labels)

    collected = Collected(list(form.labels), form.read)
    try:
        collected(reply(form.labels), FENCE, False)
        error = None
    except JudgmentError as unread:
        error = str(unread)
    last = Heard(0, None, "raw", None, error)
    for label, (_, dimension) in form.labels.items():
        heard = collected.heard(label, last)
        alone = Collected([label], form.read)
        try:
            alone(reply([label]), FENCE, False)
        except JudgmentError:
            assert heard.value is None and heard.error
            continue
        assert heard.value == alone.heard(label, last).value
        assert heard.value == NOT_APPLICABLE or heard.value in (Decimal(3), Decimal(4), Decimal(5))
        assert heard.value != NOT_APPLICABLE or dimension.may_not_apply


@given(forms(), st.text(alphabet=' \n{}":,0123456789abcdeilrstuyNA/_', max_size=200), st.booleans())
def test_no_reply_breaks_a_form_or_gives_a_score_off_the_scale(form, reply, truncated):
    for label in form.labels:
        try:
            said = form.read(label, reply, FENCE, truncated)
        except JudgmentError:
            continue
        assert said == NOT_APPLICABLE or said in map(Decimal, range(1, 6))
