"""Shipped recipes of preferences that are found, not asked for: edits, transcripts, wrong answers."""

import json
from pathlib import Path
from typing import Any

import pytest

from flows.cli import main
from flows.options.shipped_recipes import find_recipe
from pipelines.build import Outcome, run_build
from pipelines.calls.meter import Meter
from pipelines.exporting.export import export
from pipelines.publishing.store import Store
from pipelines.querying.safe_sql import run_sql
from pipelines.recipe import read_recipe
from tests.builds import published
from tests.exports import parquet_rows, part

ANSWERS = (
    "Red bikes have brakes, and north is north.",
    "* one\n* two\n* three",
    "DO NOT GO THERE. NOT NOW.",
    "all is quiet. all is calm. all is well.",
    '"Well done! See you soon!"',
    "Dear [name],\ncome to [place].\n\nP.S. Bring rain boots.",
    "<<Tea>>\n\nTake *leaves* and *water*.",
    '{"oak": 30}',
)
"""Of a model that keeps to some instructions, whatever they are."""


def scripted(*answers: str) -> str:
    """The override that puts a model with these answers in the place of the policy."""
    rule = f'{{ match = "", answers = {json.dumps(answers)} }}'
    return f'models.policy={{ kind = "scripted", policy = "on", rules = [{rule}] }}'


def rules(*each: dict[str, Any]) -> str:
    """Rules of a scripted model, as an override has them."""
    tables = (
        "{ " + ", ".join(f"{key} = {json.dumps(value)}" for key, value in rule.items()) + " }"
        for rule in each
    )
    return f"[{', '.join(tables)}]"


def built(name: str, store: Path, *overrides: str) -> tuple[Outcome, Meter]:
    meter = Meter()
    return run_build(read_recipe(find_recipe(name), overrides), store, meter), meter


def asked(store: Path, name: str, query: str) -> list[tuple[Any, ...]]:
    with run_sql(Store(store), query, name) as rows:
        return [tuple(row.values()) for row in rows.read_all().to_pylist()]


def test_wrong_answers_are_paired_by_how_often_the_policy_comes_to_them(tmp_path: Path) -> None:
    outcome, _ = built("shades_of_wrong", tmp_path, "limit=15")
    verdicts = {
        row["response_id"]: row["score"]
        for row in published(outcome, "judgments")
        if row["judge"] == "verifier"
    }
    pairs = published(outcome, "pairs")
    gaps = [pair["score_margin"] for pair in pairs]
    assert len(pairs) > 5
    for pair in pairs:
        sides = pair["chosen_response_id"], pair["rejected_response_id"]
        assert [verdicts[side] for side in sides] == [0.0, 0.0]
    (dropped,) = asked(
        tmp_path,
        "shades_of_wrong",
        "SELECT count(*), max(score_margin) FROM drops WHERE reason = 'too_hard'",
    )
    assert len(pairs) == (len(pairs) + dropped[0]) // 2
    assert dropped[1] <= min(gaps)


def test_an_edit_is_chosen_over_its_draft_unless_it_is_none(tmp_path: Path) -> None:
    outcome, meter = built("user_edits", tmp_path)
    assert meter.calls == 0
    pairs = published(outcome, "pairs")
    assert {(pair["chosen_model"], pair["rejected_model"]) for pair in pairs} == {("user", "draft")}
    finals = {pair["chosen"][0]["content"] for pair in pairs}
    assert "The train is cancelled today." in finals
    assert "forget it, I'll ask my mother" not in finals
    reasons = "SELECT reason, count(*) FROM drops GROUP BY 1 ORDER BY 1"
    assert asked(tmp_path, "user_edits", reasons) == [
        ("identical", 1),
        ("identical_texts", 1),
        ("jaccard_too_low", 3),
    ]


@pytest.mark.usefixtures("shared_data")
def test_hh_gives_a_pair_of_every_row_but_the_broken_ones_which_say_why(tmp_path: Path) -> None:
    outcome, meter = built("acceptance/hh", tmp_path)
    assert meter.calls == 0
    pairs = published(outcome, "pairs")
    assert len(pairs) == 1_173  # 1,181 - 6 broken - 2 with an empty chosen answer
    keys = "SELECT response_id, record_key FROM responses"
    row_of = dict(asked(tmp_path, "hh", keys))
    for pair in pairs:  # two prompts have two rows each: no answer stands against the other row's
        assert row_of[pair["chosen_response_id"]] == row_of[pair["rejected_response_id"]]
    assert len({pair["prompt_id"] for pair in pairs}) == 1_171
    assert asked(
        tmp_path,
        "hh",
        "SELECT step, reason, count(*), count(DISTINCT detail) FROM drops GROUP BY ALL ORDER BY ALL",
    ) == [
        ("pairings.origin", "no_chosen_response", 2, 0),
        ("samplers.other", "unreadable_row", 6, 6),
        ("samplers.preferred", "unreadable_row", 6, 6),
        ("source", "unreadable_row", 6, 6),
    ]


def test_every_answer_is_perfect_to_the_prompt_in_which_what_it_fails_is_reversed(
    tmp_path: Path,
) -> None:
    first, _ = built("constrained", tmp_path, scripted(*ANSWERS))
    outcome, meter = built("reverse_preferences", tmp_path)
    assert meter.calls == 0
    pairs = published(outcome, "pairs")
    assert len(pairs) > 50
    assert {pair["score_margin"] for pair in pairs} == {1.0, 2.0}
    whole = {
        row["response_id"]: row["score"]
        for row in published(outcome, "judgments")
        if row["judge"] == "verifiable" and row["dimension"] is None
    }
    for pair in pairs:  # checked once more, to the prompts as they are now
        assert whole[pair["chosen_response_id"]] == 1
        share = pair["score_rejected"] / pair["score_chosen"]
        assert whole[pair["rejected_response_id"]] == pytest.approx(share)
    groups = {row["prompt_id"]: row["group_id"] for row in published(outcome, "prompts")}
    assert set(groups.values()) <= {row["prompt_id"] for row in published(first, "prompts")}
    sides = {(pair["prompt_group_id"], pair["chosen"][0]["content"]) for pair in pairs}
    assert all((pair["prompt_group_id"], pair["rejected"][0]["content"]) in sides for pair in pairs)


@pytest.mark.usefixtures("shared_data")
def test_the_instructions_of_ifeval_are_checked_and_21_of_25_kinds_reversed(
    tmp_path: Path,
) -> None:
    first, _ = built("acceptance/ifeval", tmp_path, scripted(*ANSWERS))
    checked = asked(
        tmp_path,
        "ifeval",
        "SELECT count(*), count(DISTINCT (prompt_id, dimension)) FROM judgments "
        "WHERE dimension IS NOT NULL AND score IN (0, 1)",
    )
    assert checked == [(834 * 5, 834)]
    assert first.published
    second = (
        "sources.reversed.dataset=ifeval",
        "sources.reversed.not_found=append",
        "sources.reversed.most=3",
    )
    outcome, meter = built("reverse_preferences", tmp_path, *second)
    assert meter.calls == 0
    pairs = published(outcome, "pairs")
    assert len(pairs) > 400
    turned = asked(
        tmp_path,
        "reverse_preferences",
        "SELECT count(DISTINCT regexp_replace(one ->> 'id', '.*:', '')) FROM (SELECT "
        "unnest(from_json(reference, '[\"JSON\"]')) AS one FROM prompts WHERE n_pairs > 0) "
        "WHERE one ->> 'opposite' = 'true'",
    )
    assert turned == [(21,)]


def test_a_chat_with_a_complaint_ends_before_it_and_its_answer_is_rejected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # arXiv 2408.15549: dissatisfied in turn 2 -> the prompt ends at user turn 1, assistant turn 1 loses
    monkeypatch.setenv("OPENROUTER_API_KEY", "sk-test")
    turns = ["Wrong from the start!", "What is 2 + 2?", "5", "No, count again.", "4", "Thanks."]
    roles = ["user", "user", "assistant", "user", "assistant", "user"]
    messages = [{"role": role, "content": turn} for role, turn in zip(roles, turns, strict=True)]
    chats = tmp_path / "chats.jsonl"
    chats.write_text(json.dumps({"id": 1, "messages": messages}) + "\n")
    found = {"satisfied": [], "dissatisfied": ["error"], "preferences": ["The right sum."]}
    nothing = {"satisfied": ["thanks"], "dissatisfied": [], "preferences": []}
    script = rules(
        {"match": "says next\n\n<<<\\w+\nNo,", "answers": [json.dumps(found)]},
        {"match": "says next\n", "answers": [json.dumps(nothing)]},
        {"match": "right sum", "search": "conversation", "answers": ["It is 4."]},
    )
    outcome, meter = built(
        "wildfeedback",
        tmp_path,
        f"sources.turns.tables.chats={chats}",
        f'models.writer={{ kind = "scripted", rules = {script} }}',
    )
    [pair] = published(outcome, "pairs")
    assert [message["content"] for message in pair["prompt"]] == turns[:2]
    assert (pair["rejected"][0]["content"], pair["chosen"][0]["content"]) == ("5", "It is 4.")
    assert meter.calls == 3  # two turns read, one answer written anew
    assert asked(tmp_path, "wildfeedback", "SELECT reason FROM drops") == [("not_dissatisfied",)]


def write_chats(folder: Path, chats: dict[str, list[tuple[str, str]]]) -> str:
    """Chats of (role, text) in a file; the override that leads the recipe there."""
    rows = [
        {"id": id_, "messages": [{"role": role, "content": text} for role, text in chat]}
        for id_, chat in chats.items()
    ]
    path = folder / "chats.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return f"sources.turns.tables.chats={path}"


def wants(preference: str) -> str:
    """What the reader of feedback says."""
    found = {"satisfied": [], "dissatisfied": ["style"], "preferences": [preference]}
    return json.dumps(found)


READER: tuple[dict[str, Any], ...] = (
    {"match": "says next\n\n<<<\\w+\nToo long", "answers": [wants("Be short.")]},
    {"match": "says next\n\n<<<\\w+\nToo dry", "answers": [wants("Make a joke.")]},
    {
        "match": "says next\n",
        "answers": ['{"satisfied": ["thanks"], "dissatisfied": [], "preferences": []}'],
    },
)


def test_chats_that_begin_alike_each_have_their_pair_on_one_side_of_the_split(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENROUTER_API_KEY", "sk-test")
    chats = {
        f"{number} {kind}": [
            ("user", f"Question {number}?"),
            ("assistant", "An answer."),
            ("user", said),
            ("assistant", f"Another answer to {kind}."),
            ("user", "Too long again."),
        ]
        for number in range(6)
        for kind, said in (("one", "Too long!"), ("two", "Too dry!"), ("three", "Thanks."))
    }
    script = rules(
        *READER,
        {"match": "Be short", "search": "conversation", "answers": ["Short."]},
        {"match": "a joke", "search": "conversation", "answers": ["Knock, knock."]},
    )
    outcome, _ = built(
        "wildfeedback",
        tmp_path,
        write_chats(tmp_path, chats),
        f'models.writer={{ kind = "scripted", rules = {script} }}',
        "publish.splits={ train = 0.5, test = 0.5 }",
        "selectors=[]",
    )
    first = (
        "SELECT chosen[1].content, count(*) FROM pairs WHERE len(prompt) = 1 GROUP BY 1 ORDER BY 1"
    )
    assert asked(tmp_path, "wildfeedback", first) == [("Knock, knock.", 6), ("Short.", 6)]
    later = "SELECT count(*) FROM pairs WHERE len(prompt) = 3"
    assert asked(tmp_path, "wildfeedback", later) == [(18,)]
    sides = """
        SELECT count(DISTINCT split) FROM prompts GROUP BY messages[1].content ORDER BY 1
    """
    assert asked(tmp_path, "wildfeedback", sides) == [(1,)] * 6
    assert outcome.manifest is not None
    assert outcome.manifest.counts[0].in_ == 36  # every turn after an answer is a row
    assert outcome.manifest.counts[0].reasons == {"merged": 12}


def test_every_turn_after_an_answer_is_a_row_and_one_without_a_question_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENROUTER_API_KEY", "sk-test")
    chats = {
        "greeting": [("assistant", "Hello!"), ("user", "Too long!")],
        "twice": [("user", "Why?"), ("assistant", "So."), ("assistant", "So."), ("user", "Hm")],
        "system": [("system", "Be kind."), ("user", "Why?"), ("assistant", "So."), ("user", "Hm")],
        "tool": [("user", "Why?"), ("assistant", "?"), ("tool", "So."), ("assistant", "So."), ("user", "Hm")],
        "short": [("user", "Why?"), ("assistant", "So.")],
    }  # fmt: skip
    built(
        "wildfeedback",
        tmp_path,
        write_chats(tmp_path, chats),
        f'models.writer={{ kind = "scripted", rules = {rules(*READER)} }}',
        "gates.min_pairs=0",
    )
    drops = "SELECT reason FROM drops WHERE step = 'source' ORDER BY 1"
    assert asked(tmp_path, "wildfeedback", drops) == [("empty_prompt",), ("ends_with_assistant",)]
    roles = "SELECT list_transform(messages, lambda one: one.role) FROM prompts ORDER BY 1"
    assert asked(tmp_path, "wildfeedback", roles) == [
        (["system", "user"],),
        (["user", "assistant", "tool"],),
    ]


def test_in_the_second_version_both_answers_are_the_policys_and_the_checklist_decides(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # arXiv 2408.15549: chosen with the preferences in a system message, rejected without them; a pair
    # of which a judge with the preferences as a checklist does not prefer the chosen one is dropped
    monkeypatch.setenv("OPENROUTER_API_KEY", "sk-test")
    chats = {
        name: [("user", f"{name}?"), ("assistant", "Recorded."), ("user", said)]
        for name, said in (("Cake", "Too long!"), ("Rain", "Too dry!"), ("Tree", "Thanks."))
    }
    policy = rules(
        {"match": "Be short", "search": "conversation", "answers": ["Short."]},
        {"match": "a joke", "search": "conversation", "answers": ["No joke."]},
        {"match": "", "answers": ["What I would say."]},
    )
    writer = rules(*READER, {"match": "Short\\.", "answers": ["c1: yes"]})
    _, meter = built(
        "wildfeedback_policy",
        tmp_path,
        write_chats(tmp_path, chats),
        f'models.policy={{ kind = "scripted", policy = "on", rules = {policy} }}',
        f'models.writer={{ kind = "scripted", rules = {writer}, default = "c1: no" }}',
    )
    assert meter.calls == 3 + 2 * 2 + 2 * 2  # turns read; answers, and judgments, of two
    pairs = """
        SELECT prompt, chosen[1].content, rejected[1].content, score_chosen, score_rejected
        FROM pairs
    """
    [(prompt, *sides)] = asked(tmp_path, "wildfeedback_policy", pairs)
    assert [(one["role"], one["content"]) for one in prompt] == [("user", "Cake?")]
    assert sides == ["Short.", "What I would say.", 1.0, 0.0]
    policies = "SELECT DISTINCT chosen_policy, rejected_policy FROM pairs"
    assert asked(tmp_path, "wildfeedback_policy", policies) == [("on", "on")]
    drops = "SELECT reason FROM drops ORDER BY 1"
    assert asked(tmp_path, "wildfeedback_policy", drops) == [("not_agreed",), ("not_dissatisfied",)]


OVERLAP = '''
"""How many of its words stand in the reference."""

from pipelines.judge import Judge
from pipelines.judging.response_row import response_row


class Overlap(Judge):
    """The share of the response's words that are in the reference."""

    def judge_identity(self, unit):
        return "overlap"

    async def judge(self, unit, responses):
        known = set(unit.prompt.reference.lower().split())
        said = [(one, set(one.text.lower().split())) for one in responses]
        return [
            response_row(self, unit, one, score=len(words & known) / len(words))
            for one, words in said
        ]
'''
QUESTIONS = ("What helps a starter float?", "What does the author say?", "Why is it Monday?")


def test_the_answer_nearest_to_the_content_behind_a_question_is_chosen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENROUTER_API_KEY", "sk-test")
    script = rules(
        {"match": "sourdough(?s:.*)What helps", "answers": ["question: yes\nanswered: yes"]},
        {"match": "answered: X", "answers": ["question: yes\nanswered: no"]},
        {"match": "Write one question", "answers": list(QUESTIONS)},
    )
    writer = f'models.writer={{ kind = "scripted", rules = {script} }}'
    built("pugc_questions", tmp_path, writer, "samplers.independent.n=12")
    reasons = asked(tmp_path, "pugc_questions", "SELECT DISTINCT reason FROM drops ORDER BY 1")
    assert ("leak",) in reasons
    (tmp_path / "overlap.py").write_text(OVERLAP)
    answers = (
        "Feed it twelve hours before.",  # 4 of 5 words are in the content
        "feed it twelve hours before",  # 5 of 5
        "Buy another one today.",  # 0 of 4
    )
    outcome, _ = built(
        "pugc",
        tmp_path,
        scripted(*answers),
        "samplers.independent.n=20",
        f'judges=[{{ kind = "{tmp_path}/overlap.py" }}]',
    )
    [prompt] = published(outcome, "prompts")
    assert prompt["messages"][0]["content"] == QUESTIONS[0]
    assert prompt["reference"].startswith("My sourdough finally works.")
    [pair] = published(outcome, "pairs")
    assert (pair["chosen"][0]["content"], pair["rejected"][0]["content"]) == answers[1:]
    assert (pair["score_chosen"], pair["score_rejected"]) == (1.0, 0.0)


def test_questions_of_one_document_lie_on_one_side_of_the_split_in_both_builds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENROUTER_API_KEY", "sk-test")
    texts = [{"id": k, "thread": f"thread {k // 4}", "text": f"Post {k}."} for k in range(24)]
    (tmp_path / "posts.jsonl").write_text("".join(json.dumps(row) + "\n" for row in texts))
    script = rules(
        {"match": "answered: X", "answers": ["question: yes\nanswered: yes"]},
        {"match": "(?s).*Post (\\d+)\\..*", "answers": ["What is in post \\1?"]},
    )
    common = "publish.splits={ train = 0.5, test = 0.5 }", "publish.report=false"
    built(
        "pugc_questions",
        tmp_path,
        f'models.writer={{ kind = "scripted", rules = {script} }}',
        f'sources.content={{ kind = "jsonl", path = "{tmp_path}/posts.jsonl" }}',
        'prompts=[{ text = "text", reference = "text", key = "id", group = "thread" }]',
        *common,
    )
    judge = 'models.judge={ kind = "scripted", default = "Rating: 5" }'
    built("pugc", tmp_path, scripted("Yes.", "No."), judge, "gates.min_pairs=0", *common)
    sides = """
        SELECT count(*), count(DISTINCT group_id), count(DISTINCT split),
            bool_and(split = (SELECT any_value(split) FROM pugc_questions.prompts AS texts
                WHERE texts.group_id = prompts.group_id))
        FROM prompts
    """
    assert asked(tmp_path, "pugc", sides) == [(24, 6, 2, True)]


SAID = {
    "first": ("A", "B"),
    "second": ("B", "A"),
    "always A": ("A", "A"),
    "always B": ("B", "B"),
    "garbage": ("A", "I like both."),
}
"""What a judge says of a comparison in one order and in the other."""


def test_a_joint_preference_needs_both_orders_to_name_one_pair(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # arXiv 2404.00530: A then B -> the first; B then A -> the second; one letter twice -> a tie
    monkeypatch.setenv("OPENROUTER_API_KEY", "sk-test")
    store = tmp_path / "store"
    sides = [
        {
            "comparison": f"{kind}?",
            **{
                place: json.dumps({"instruction": f"{kind}: {place}", "response": f"{place} one"})
                for place in ("first", "second")
            },
        }
        for kind in SAID
    ]
    lines = "".join(json.dumps(row) + "\n" for row in sides)
    (tmp_path / "comparisons.jsonl").write_text(lines)
    script = rules(
        *(
            {
                "match": f"{kind}: {one}(?s:.*){kind}: {other}",
                "answers": [f"Verdict: {said}" if len(said) == 1 else said],
            }
            for kind, both in SAID.items()
            for (one, other), said in zip(
                (("first", "second"), ("second", "first")), both, strict=True
            )
        )
    )
    outcome, meter = built(
        "joint_preferences",
        store,
        f'sources.comparisons={{ kind = "jsonl", path = "{tmp_path}/comparisons.jsonl" }}',
        f'models.judge={{ kind = "scripted", rules = {script} }}',
        "judges.pairwise.reask=0",
        "gates.min_read_share=0",
    )
    assert meter.calls == 2 * len(SAID)
    assert outcome.version is not None
    export(Store(store), outcome.version, part("joint"), tmp_path / "out")
    assert sorted(row["i_chosen"] for row in parquet_rows(tmp_path / "out")) == [
        "first: first",
        "second: second",
    ]
    reasons = "SELECT reason, count(*) FROM drops WHERE level = 'comparisons' GROUP BY 1 ORDER BY 1"
    assert asked(store, "joint_preferences", reasons) == [("inconsistent", 2), ("unread", 1)]


def test_answers_to_two_prompts_make_a_comparison(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENROUTER_API_KEY", "sk-test")
    first, _ = built("user_edits", tmp_path, "limit=11")
    assert first.published
    outcome, _ = built(
        "joint_preferences",
        tmp_path,
        "sources.comparisons.dataset=user_edits",
        'models.judge={ kind = "scripted", default = "Verdict: A" }',
        "gates.min_pairs=0",
    )
    prompts = published(outcome, "prompts")
    assert len(prompts) == 5  # of 11 prompts, each in one comparison
    assert all(row["n_responses"] == 2 for row in prompts)
    left_over = "SELECT reason, detail FROM drops WHERE step = 'source'"
    assert asked(tmp_path, "joint_preferences", left_over) == [("missing_value", "comparison")]


def test_a_plan_counts_every_answer_as_written_anew_at_the_most(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OPENROUTER_API_KEY", "sk-test")
    settings = (
        'models.writer={ kind = "scripted", default = "Yes." }',
        'models.reader={ kind = "scripted", default = "No." }',
        "samplers.user_feedback.reader=reader",
    )
    chosen = [word for setting in settings for word in ("--set", setting)]
    assert main(["plan", "wildfeedback", *chosen, "--store", str(tmp_path)]) == 0
    # eight turns, read twice where a reply cannot be read; no answer is expected to be written yet
    assert "at the most: 24 calls" in capsys.readouterr().out
    policy = ["--set", 'models.policy={ kind = "scripted", policy = "on", default = "Yes." }']
    chosen += [*policy, "--set", "judges.checklist.reask=0"]
    assert main(["plan", "wildfeedback_policy", *chosen, "--store", str(tmp_path)]) == 0
    # and then two answers and two judgments, of each
    assert "at the most: 48 calls" in capsys.readouterr().out
