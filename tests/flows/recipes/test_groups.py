"""Shipped recipes of groups of annotators, of crowds, and of values that a judge looks at."""

import math
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from flows.cli import main
from flows.options.shipped_recipes import find_recipe
from pipelines.build import run_build
from pipelines.calls.meter import Meter
from pipelines.publishing.store import Store
from pipelines.querying.safe_sql import run_sql
from pipelines.recipe import read_recipe


def built(name: str, store: Path, *overrides: str) -> Meter:
    """Builds a shipped recipe, which publishes."""
    meter = Meter()
    assert run_build(read_recipe(find_recipe(name), overrides), store, meter).published
    return meter


def ask(store: Path, name: str, query: str) -> list[tuple[Any, ...]]:
    with run_sql(Store(store), query, name) as rows:
        return [tuple(row.values()) for row in rows.read_all().to_pylist()]


@pytest.fixture(scope="module")
def groups(tmp_path_factory: pytest.TempPathFactory) -> Path:
    store = tmp_path_factory.mktemp("groups")
    assert built("annotator_groups", store).calls == 0
    return store


def test_each_group_has_the_pairs_that_most_of_its_members_want(groups: Path) -> None:
    # worked out by hand from data/prompts/opinions.jsonl
    made = """
        SELECT regexp_extract(prompt[1].content, 'knife|dough|tyre|photo|prune|SQL|tea|run') AS about,
            annotator_group, left(chosen[1].content, 9), n_votes, n_votes_chosen, n_votes_rejected
        FROM pairs WHERE about <> 'tea' ORDER BY ALL
    """
    assert ask(groups, "annotator_groups", made) == [
        ("SQL", "beginners", "Group the", 3, 3, 0),  # professionals: one for each, and a tie
        ("dough", "beginners", "That is n", 3, 2, 1),
        ("dough", "professionals", "Above 75 ", 3, 3, 0),
        ("knife", "beginners", "Use a whe", 3, 3, 0),
        ("knife", "professionals", "1000 grit", 3, 3, 0),
        ("photo", "beginners", "About one", 3, 2, 0),
        ("photo", "professionals", "0.5 to 2 ", 3, 2, 1),
        ("prune", "professionals", "Side shoo", 3, 2, 0),  # beginners: two ties of three
        ("run", "beginners", "Not while", 2, 2, 0),  # the third one skipped it
        ("tyre", "beginners", "Take the ", 3, 3, 0),
        ("tyre", "professionals", "Take the ", 3, 3, 0),
    ]
    # each beginner ranks three teas, and the three rankings together run in a circle
    tea = "SELECT annotator_group, count(*) FROM pairs WHERE contains(prompt[1].content, 'tea') GROUP BY 1"
    assert ask(groups, "annotator_groups", tea) == [("professionals", 3)]


def test_opposite_wishes_of_two_groups_are_two_pairs_and_a_group_never_contradicts_itself(
    groups: Path,
) -> None:
    reversed_ = "SELECT annotator_group, other_group, count(*) FROM reversals GROUP BY ALL"
    assert ask(groups, "annotator_groups", reversed_) == [("beginners", "professionals", 3)]
    assert ask(groups, "annotator_groups", "FROM annotator_groups ORDER BY ALL") == [
        ("beginners", 6, 6, 17, 15 / 17, 2),
        ("professionals", 8, 6, 24, 22 / 24, 2),
    ]
    assert ask(groups, "annotator_groups", "SELECT count(DISTINCT pair_id) FROM pairs") == [(14,)]


def test_what_a_group_disagrees_about_is_kept_vote_by_vote(groups: Path) -> None:
    of_sql = """
        SELECT judge, counts, alpha, mean FROM crowds JOIN prompts USING (prompt_id)
        WHERE contains(messages[1].content, 'SQL') ORDER BY judge
    """
    (beginners, beginners_mean), (professionals, even) = (
        (row[:3], row[3]) for row in ask(groups, "annotator_groups", of_sql)
    )
    assert beginners in (("beginners", [0, 0, 3], [1, 1, 4]), ("beginners", [3, 0, 0], [4, 1, 1]))
    assert beginners_mean in (pytest.approx(4.5 / 6), pytest.approx(1.5 / 6))
    assert (professionals, even) == (("professionals", [1, 1, 1], [2, 2, 2]), pytest.approx(0.5))
    votes = "SELECT count(*), count(DISTINCT annotator), count(verdict) FROM judgments"
    assert ask(groups, "annotator_groups", votes) == [(60, 6, 59)]


def test_each_annotator_may_be_a_group(tmp_path: Path) -> None:
    built("annotator_groups", tmp_path, "pairings.0.by='annotator'")
    pairs = ask(
        tmp_path, "annotator_groups", "SELECT annotator_group, n_pairs FROM annotator_groups"
    )
    # votes that are no tie, by hand: nobody runs in a circle alone
    assert sorted(pairs) == [("b1", 9), ("b2", 8), ("b3", 9), ("p1", 9), ("p2", 9), ("p3", 7)]


def test_one_model_learns_opposite_wishes_by_who_asks(tmp_path: Path) -> None:
    assert built("group_contexts", tmp_path).calls == 0
    made = """
        SELECT task, annotator_group, prompt[1].role, regexp_extract(prompt[1].content, '[^ ]+ time|every day'),
            left(chosen[1].content, 9), n_votes_chosen
        FROM pairs ORDER BY ALL
    """
    assert ask(tmp_path, "group_contexts", made) == [
        ("beginners", "beginners", "system", "first time", "About one", 2),
        ("beginners", "beginners", "system", "first time", "That is n", 2),
        ("beginners", "beginners", "system", "first time", "Use a whe", 3),
        ("professionals", "professionals", "system", "every day", "0.5 to 2 ", 2),
        ("professionals", "professionals", "system", "every day", "1000 grit", 3),
        ("professionals", "professionals", "system", "every day", "Above 75 ", 3),
    ]
    assert ask(tmp_path, "group_contexts", "SELECT count(*) FROM reversals") == [(3,)]
    split = "SELECT DISTINCT n FROM (SELECT count(DISTINCT prompt_id) AS n FROM pairs GROUP BY prompt_group_id)"
    assert ask(tmp_path, "group_contexts", split) == [(2,)]
    dropped = "SELECT reason, count(DISTINCT id) FROM drops WHERE level = 'pairs' GROUP BY 1"
    assert ask(tmp_path, "group_contexts", dropped) == [("not_reversed", 8)]


def test_a_group_is_exported_alone_and_of_all_together_it_is_said_what_contradicts(
    groups: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["export", "annotator_groups", "--store", str(groups), "--format", "trl"]
    assert main([*command, "--out", str(tmp_path / "all")]) == 0
    assert "6  reversed_by_another_group" in capsys.readouterr().out
    exported = {}
    for group in ("beginners", "professionals"):
        assert main([*command, "--group", group, "--out", str(tmp_path / group)]) == 0
        assert "reversed" not in capsys.readouterr().out
        [file] = (tmp_path / group).glob("*.parquet")
        exported[group] = pl.read_parquet(file)
    assert [table.height for table in exported.values()] == [6, 8]
    chosen = {
        group: set(table["chosen"].list[0].struct["content"]) for group, table in exported.items()
    }
    published = ask(
        groups, "annotator_groups", "SELECT annotator_group, chosen[1].content FROM pairs"
    )
    assert {(group, text) for group in chosen for text in chosen[group]} == set(published)
    assert '"annotator_group": "professionals"' in (tmp_path / group / "export.json").read_text()


def test_groups_may_weigh_the_same_and_have_a_curriculum_each(tmp_path: Path) -> None:
    weights = "by='annotator_group',weights={beginners=1,professionals=1}"
    store = tmp_path / "store"
    built(
        "annotator_groups",
        store,
        f"selectors=[{{kind='mixture',{weights}}}]",
        "measures=[{kind='column',name='difficulty',column='p_chosen'}]",
    )
    sizes = "SELECT annotator_group, n_pairs FROM annotator_groups ORDER BY ALL"
    assert ask(store, "annotator_groups", sizes) == [("beginners", 6), ("professionals", 6)]
    command = ["export", "annotator_groups", "--store", str(store), "--format", "soft"]
    command += [
        "--order",
        "easy_to_hard",
        "--group",
        "beginners",
        "--set",
        'measures=["difficulty"]',
    ]
    assert main([*command, "--out", str(tmp_path / "out")]) == 0
    [file] = (tmp_path / "out").glob("*.parquet")
    order = pl.read_parquet(file)["difficulty"]
    assert sorted(order) == pytest.approx([0.625, 0.75, 5 / 6, 0.875, 0.875, 0.875])


@pytest.mark.parametrize(
    ("group", "said"),
    [("beginer", 'no annotator group "beginer"; did you mean "beginners"?'), ("", 'group ""')],
)
def test_an_unknown_group_is_refused(
    groups: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], group: str, said: str
) -> None:
    command = ["export", "annotator_groups", "--store", str(groups), "--format", "trl"]
    assert main([*command, "--group", group, "--out", str(tmp_path / "out")]) == 2
    assert said in capsys.readouterr().err


def test_a_set_without_groups_has_none_to_export(
    crowds: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["export", "crowds", "--store", str(crowds), "--format", "trl", "--group", "x"]
    assert main([*command, "--out", str(tmp_path / "out")]) == 2
    assert "has no pairs of annotator groups" in capsys.readouterr().err


@pytest.fixture(scope="module")
def crowds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    store = tmp_path_factory.mktemp("crowds")
    assert built("crowds", store).calls == 0
    return store


def test_answers_that_divide_a_crowd_are_further_apart_than_their_means(crowds: Path) -> None:
    # alpha = votes + 1 at each of five levels; |F - F'| summed over the four steps, by hand
    measured = """
        SELECT left(messages[1].content, 14), round(value, 9), n_obs
        FROM measures JOIN prompts USING (prompt_id) ORDER BY ALL
    """
    assert ask(crowds, "crowds", measured) == [
        ("Suggest a name", 1.4, 10),  # (.1 .2 .3 .9) and (.5 .7 .8 .9)
        ("Tell a joke ab", 0.9, 10),  # (.3 .4 .5 .6) and (.1 .2 .7 .9): means 3.2 and 3.1
        ("Write a slogan", 1.3, 10),  # (.1 .2 .3 .6) and (.2 .6 .8 .9)
    ]
    said = """
        SELECT counts, alpha, mean, entropy FROM crowds JOIN responses USING (response_id)
        WHERE starts_with(text, 'I had a joke')
    """
    [(counts, alpha, mean, entropy)] = ask(crowds, "crowds", said)
    assert (counts, alpha, mean) == ([2, 0, 0, 0, 3], [3, 1, 1, 1, 4], pytest.approx(3.2))
    shares = [0.3, 0.1, 0.1, 0.1, 0.4]
    assert entropy == pytest.approx(-sum(share * math.log(share) for share in shares))
    reasons = "SELECT level, reason, count(DISTINCT id) FROM drops GROUP BY ALL ORDER BY ALL"
    assert ask(crowds, "crowds", reasons) == [
        ("pairs", "crowd_distance_too_low", 1),
        ("prompts", "all_tied", 1),
    ]


def test_a_pair_of_values_stays_where_a_judge_finds_the_own_answer_better(tmp_path: Path) -> None:
    writer = """models.writer={ kind = "scripted", rules = [
        { match = '(?s)- style: ([^\\n]*)\\n.*', answers = ['Style wanted: \\1.'] },
    ] }"""
    answerer = """models.answerer={ kind = "scripted", rules = [
        { search = "conversation", match = 'Style wanted: plain', answers = ['plain answer'] },
        { search = "conversation", match = 'Style wanted: precise', answers = ['precise answer'] },
    ], default = "some answer" }"""
    # four rubrics, three times: (5 + 3 + 3 + 3) / 4 = 3.5, else (1 + 3 + 3 + 3) / 4 = 2.5
    ratings = [
        f"style: {style}\\\\nbackground: 3\\\\ninformativeness: 3\\\\nharmlessness: 3"
        for style in (5, 1)
    ]
    judge = f"""models.judge={{ kind = "scripted", default = "{ratings[1]}", rules = [
        {{ match = '(?s)wanted: plain.*plain answer', answers = ["{ratings[0]}"] }},
        {{ match = '(?s)wanted: precise.*precise answer', answers = ["{ratings[0]}"] }},
    ] }}""".replace("\\\\n", "\\n")
    assert built("values", tmp_path, "limit=4", writer).calls == 12
    built("value_answers", tmp_path, answerer)
    built("value_judged", tmp_path, judge, "selectors=[]")
    made = """
        SELECT DISTINCT chosen[1].content, score_chosen, score_rejected,
            chosen[1].content[:5] = regexp_extract(prompt[1].content, 'wanted: (.....)', 1)
        FROM pairs ORDER BY ALL
    """
    rows = ask(tmp_path, "value_judged", made)
    assert rows
    assert {row[1:] for row in rows} == {(3.5, 2.5, True)}
    samples = (
        "SELECT DISTINCT dimension, max(sample_index) + 1 FROM judgments GROUP BY ALL ORDER BY ALL"
    )
    assert ask(tmp_path, "value_judged", samples) == [
        (name, 3) for name in ("background", "harmlessness", "informativeness", "style", None)
    ]
    values = """
        SELECT DISTINCT json_keys(reference) FROM pairs JOIN prompts USING (prompt_id)
    """
    assert ask(tmp_path, "value_judged", values) == [
        (["background knowledge", "harmlessness", "informativeness", "style"],)
    ]


def test_each_annotator_of_pandalm_has_pairs_that_agree_with_an_order(
    tmp_path: Path, shared_data: Path
) -> None:
    assert built("acceptance/pandalm_annotators", tmp_path).calls == 0
    made = """
        SELECT annotator_group, pairs.prompt_id, c.text AS won, r.text AS lost FROM pairs
        JOIN responses AS c ON c.response_id = chosen_response_id
        JOIN responses AS r ON r.response_id = rejected_response_id
    """
    pairs = ask(tmp_path, "pandalm_annotators", made)
    beats: dict[tuple[str, str], dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for annotator, prompt, chosen, rejected in pairs:
        beats[annotator, prompt][chosen].add(rejected)
    for of_prompt in beats.values():
        for text in list(of_prompt):
            assert text not in set(_below(text, of_prompt))
    # votes that are no tie, of two texts, less those on a circle of the same annotator
    counted = pl.DataFrame(pairs, schema=["annotator", "prompt", "a", "b"], orient="row")
    kept = counted.group_by("annotator").len().sort("annotator").rows()
    assert kept == [("1", 850 - 11), ("2", 831 - 14), ("3", 834 - 3)]
    reversed_ = {
        (one, other): len(
            {row[1:] for row in pairs if row[0] == one}
            & {(prompt, b, a) for who, prompt, a, b in pairs if who == other}
        )
        for one, other in ("12", "13", "23")
    }
    assert reversed_ == {("1", "2"): 39, ("1", "3"): 33, ("2", "3"): 37}


def _below(text: str, beats: dict[str, set[str]]) -> Iterator[str]:
    """All that `text` beats, if by way of others."""
    seen, waiting = set[str](), [text]
    while waiting:
        for other in beats.get(waiting.pop(), set()) - seen:
            seen.add(other)
            waiting.append(other)
            yield other


PERSONAS = """
name = "on_behalf"
[sources.asks]
kind = "jsonl"
path = "asks.jsonl"
[prompts]
text = "question"
[models.policy]
kind = "scripted"
rules = [{ match = "", answers = ["Stay with your family.", "Go and be free."] }]
[models.judge]
kind = "scripted"
default = "Rating: 2"
rules = [
    { search = "conversation", match = '(?s)an elder.*family', answers = ["Rating: 9"] },
    { search = "conversation", match = '(?s)a founder.*free', answers = ["Rating: 8"] },
]
[[samplers]]
kind = "independent"
model = "policy"
n = 2
[[judges]]
kind = "rating"
name = "elder"
model = "judge"
system = "You judge on behalf of an elder."
[[judges]]
kind = "rating"
name = "founder"
model = "judge"
system = "You judge on behalf of a founder."
[[pairings]]
kind = "annotator_groups"
[gates]
min_pairs = 0
"""


def test_judges_on_behalf_of_two_personas_make_opposite_pairs_of_one_prompt(tmp_path: Path) -> None:
    (tmp_path / "asks.jsonl").write_text('{"question": "Shall I move away?"}\n')
    (tmp_path / "on_behalf.toml").write_text(PERSONAS)
    built(str(tmp_path / "on_behalf.toml"), tmp_path)
    made = (
        "SELECT annotator_group, chosen[1].content, score_margin, prompt_id FROM pairs ORDER BY 1"
    )
    elder, founder = ask(tmp_path, "on_behalf", made)
    assert elder[:3] == ("elder", "Stay with your family.", 7)
    assert founder[:3] == ("founder", "Go and be free.", 6)
    assert elder[3] == founder[3]
