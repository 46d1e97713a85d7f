from pathlib import Path

import pytest

from pipelines.errors import RecipeError
from tests.builds import read, write_questions, write_recipe

RATED = """
name = "trial"

[sources.questions]
kind = "jsonl"
path = "questions.jsonl"

[prompts]
text = "question"
key = "id"

[models.m]
kind = "scripted"
default = "Rating: 3"

[[samplers]]
kind = "independent"
model = "m"
n = 4

[[judges]]
kind = "rating"
model = "m"

[[pairings]]
kind = "best_worst"
"""

RECORDED = """
[[samplers]]
kind = "recorded"
name = "answers"
text = "question"

[[judges]]
kind = "recorded"
name = "votes"
response = "id"
score = "score"
judged_by = "who"
"""


@pytest.fixture
def trial(tmp_path: Path) -> Path:
    write_questions(tmp_path, range(2))
    write_recipe(tmp_path, RATED)
    return tmp_path


@pytest.mark.parametrize(
    "override",
    ["gates.min_pairs=9", "gates.min_read_share=0.5", "models.m.window=3", "models.m.max_tries=2"],
)
def test_what_does_not_decide_content_is_not_in_the_fingerprint(trial: Path, override: str) -> None:
    assert read(trial, override).fingerprint() == read(trial).fingerprint()


@pytest.mark.parametrize(
    "override",
    ["seed=1", "limit=1", "samplers.0.n=8", "models.m.default=x", "publish.shards=2",
     'score.combine="min"', "judges.0.scale=[0, 9]", 'pairings.0.kind="all_pairs"'],
)  # fmt: skip
def test_what_decides_content_is_in_the_fingerprint(trial: Path, override: str) -> None:
    assert read(trial, override).fingerprint() != read(trial).fingerprint()


def test_a_users_own_part_and_template_count_by_their_content(trial: Path) -> None:
    part, words = trial / "mine.py", trial / "mine.jinja"
    code = "from pipelines.pairings.all_pairs import AllPairs\n\nclass Mine(AllPairs):\n    pass\n"
    part.write_text(code)
    words.write_text("{{ response }} {{ form }}")
    own = ('pairings=[{kind="./mine.py"}]', "judges.0.template=mine.jinja")
    before = read(trial, *own).fingerprint()
    part.write_text(code + "# another\n")
    other_code = read(trial, *own).fingerprint()
    words.write_text("{{ response }}, {{ form }}")
    assert len({before, other_code, read(trial, *own).fingerprint()}) == 3


@pytest.mark.parametrize(
    ("override", "complaint"),
    [
        (f"limit={2**70}", "limit: an integer of 64 bits"),
        (f"models.m.sampling.extra_body={{a={2**70}}}", "a: an integer of 64 bits"),
        ("models.m.sampling.temperature=inf", "finite"),
        ("models.m.sampling.extra_body={a=1e400}", "finite"),
        ("prompts=3", "a .prompts. table"),
        ('pairings=[{kind="compared", judges=["ratng"]}]', 'no such judge "ratng".*"rating"'),
        ('pairings=[{kind="correct_wrong", judge="gold"}]', 'no such judge "gold"'),
        ('pairings=[{kind="correct_wrong"}]', "no score can be 0"),
        ('score.judges=["ratng"]', 'no such judge "ratng"'),
    ],
)
def test_what_cannot_work_is_refused_before_any_call(
    trial: Path, override: str, complaint: str
) -> None:
    with pytest.raises(RecipeError, match=complaint):
        read(trial, override)


def test_judges_that_are_named_in_the_rows_of_a_source_may_be_named_in_the_recipe(
    trial: Path,
) -> None:
    write_recipe(trial, RATED + RECORDED)
    recipe = read(trial, 'score.judges=["human"]')
    assert recipe.score.judges == ("human",)


def test_a_sampler_can_ask_no_judge_that_only_rows_of_a_source_name(trial: Path) -> None:
    write_recipe(trial, RATED + RECORDED)
    revision = '{kind="revision", model="m", of=["independent"], which="best", judged_by="human"}'
    with pytest.raises(RecipeError, match='revision: judged_by: no such judge "human"; Valid: '):
        read(trial, f'samplers=[{{kind="independent", model="m"}}, {revision}]')


@pytest.mark.parametrize(
    "sampler",
    ['kind="mcts", model="m", outcome="votes"',
     'kind="instruction_search", model="m", responder="m", judge="votes"',
     'kind="revision", model="m", of=["answers"], which="best", rounds=2, judged_by="votes"'],
)  # fmt: skip
def test_a_recorded_judge_says_nothing_of_what_is_drawn(trial: Path, sampler: str) -> None:
    write_recipe(trial, RATED + RECORDED)
    recorded = '{kind="recorded", name="answers", text="question"}'
    with pytest.raises(RecipeError, match=r'"votes" was recorded, and .*; Valid: rating'):
        read(trial, f"samplers=[{recorded}, {{{sampler}}}]")


@pytest.mark.parametrize("kind", ["revision", "user_turn"])
@pytest.mark.parametrize("of", ['"independent"', '"answers", "independent"'])
def test_a_recorded_judge_says_nothing_of_what_another_sampler_draws(
    trial: Path, kind: str, of: str
) -> None:
    write_recipe(trial, RATED + RECORDED)
    recorded = '{kind="recorded", name="answers", text="question"}'
    drawn = '{kind="independent", model="m"}'
    further = f'kind="{kind}", model="m", of=[{of}], which="best", judged_by="votes"'
    with pytest.raises(RecipeError, match=r'"votes" was recorded, and .*; Valid: rating'):
        read(trial, f"samplers=[{recorded}, {drawn}, {{{further}}}]")


def test_a_recorded_judge_may_say_which_recorded_answer_is_revised(trial: Path) -> None:
    write_recipe(trial, RATED + RECORDED)
    recorded = '{kind="recorded", name="answers", text="question"}'
    revision = '{kind="revision", model="m", of=["answers"], which="best", judged_by="votes"}'
    read(trial, f"samplers=[{recorded}, {revision}]", 'score.judges=["rating"]')


@pytest.mark.parametrize(
    "judge",
    ['kind="pairwise", model="m"', 'kind="listwise", model="m"', 'kind="tournament", model="m"',
     'kind="pairs_search", model="m", read="verdict"', 'kind="self_consistency", answer="number"'],
)  # fmt: skip
@pytest.mark.parametrize(
    "sampler",
    ['kind="mcts", model="m", outcome="beside"',
     'kind="instruction_search", model="m", responder="m", judge="beside"'],
)  # fmt: skip
def test_a_judge_that_sets_answers_beside_each_other_cannot_say_what_one_is_worth(
    trial: Path, sampler: str, judge: str
) -> None:
    complaint = r'"beside" judges answers beside others, .*; Valid: rating\b'
    with pytest.raises(RecipeError, match=complaint):
        read(
            trial,
            f"samplers=[{{{sampler}}}]",
            f'judges=[{{kind="rating", model="m"}}, {{{judge}, name="beside"}}]',
        )


def test_the_faults_of_all_tables_are_told_at_once(trial: Path) -> None:
    with pytest.raises(RecipeError) as refused:
        read(
            trial,
            "fliters=[]",
            "limit=0",
            "models.m.windw=3",
            "judges.0.scale=1",
            "samplers.0.kind=independant",
            "pairings.0.margin=1",
            "sources.questions.path=nope.jsonl",
        )
    faults = str(refused.value).splitlines()
    assert len(faults) == 7
    assert all(fault.startswith(str(trial / "recipe.toml")) for fault in faults)
    for told in ('"filters"', "limit: ", '"window"', "scale: ", '"independent"', "no such file"):
        assert sum(told in fault for fault in faults) == 1


def test_faults_between_tables_are_told_with_those_of_tables(trial: Path) -> None:
    with pytest.raises(RecipeError) as refused:
        read(
            trial,
            "limit=0",
            "samplers.0.model=n",
            "prompts.source=answers",
            'score.judges=["ratng"]',
            'filters=[{kind="margin", min=20}, {kind="band", measure="lenght", max=1}]',
        )
    told = ("limit: ", 'model "n"', 'source "answers"', 'judge "ratng"', "margin", '"lenght"')
    faults = str(refused.value).splitlines()
    assert len(faults) == len(told)
    for one in told:
        assert sum(one in fault for fault in faults) == 1


@pytest.mark.parametrize(
    "faulty",
    ["models.m.windw=3", "sources.questions.path=nope", "judges.0.scael=1", "samplers.0.m=1",
     "pairings=3", "prompts=3", "samplers=3", "score.judgse=1", "publish.x=1", 'languages={of=["de", "en"], x=1}'],
)  # fmt: skip
def test_a_table_that_is_faulty_itself_is_not_said_to_be_missing(trial: Path, faulty: str) -> None:
    named = ('score.judges=["rating"]',) if not faulty.startswith("score") else ()
    with pytest.raises(RecipeError) as refused:
        read(trial, *named, faulty)
    (fault,) = str(refused.value).splitlines()
    assert "no such model" not in fault
    assert "is needed." not in fault


@pytest.mark.parametrize(
    ("override", "complaint"),
    [
        ("on_conflict=frist", r'on_conflict: no such choice "frist"; did you mean "first"\?'),
        ("models.m.policy=of", r'policy: no such choice "of"; .*Valid: off, on'),
        ('filters=[{kind="margin", min="two"}]', r'min: a number is wanted, not "two"'),
        ('models.m.rules=[{match="a", answer=["b"]}]', 'did you mean "answers"'),
        ("samplers.0.model=n", r"independent: model: no such model \"n\""),
        ('score.judges=["n"]', r"\[score\]: judges: no such judge"),
        (r'sources.questions.path="a\u0000b"', r"\[sources.questions\]: .*null byte"),
        (r'judges.0.template="a\u0000b"', r"\[\[judges\]\] #1 \(rating\): .*null byte"),
        ("name=\udcff", "not UTF-8"),
        (
            'sources.more={kind="jsonl", path="questions.jsonl"}',
            r"\[\[prompts\]\]: source: which of the sources is read\? Valid: more, questions",
        ),
        ("sources={}", r"source: there is no source to read: a \[sources.NAME\] table is needed"),
    ],
)
def test_a_fault_names_its_key_and_the_nearest_choice(
    trial: Path, override: str, complaint: str
) -> None:
    with pytest.raises(RecipeError, match=complaint):
        read(trial, override)
