import asyncio
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.backend import Reply, Request, Sampling
from pipelines.backends.scripted import UNREADABLE, Scripted
from pipelines.calls.prices import Usage
from pipelines.errors import RecipeError, RequestRefused, TransientError
from pipelines.part import Where, load_part
from pipelines.wire.body import CONTINUE_FIELDS
from schemas.rows import Message


def scripted(root: Path = Path(), **fields: Any) -> Scripted:
    table = {"kind": "scripted", "name": "pupil"} | fields
    part = load_part("backends", table, Where("r.toml", "[models.pupil]", root))
    assert isinstance(part, Scripted)
    return part


def asking(*texts: str, n: int = 1, seed: int | None = 0) -> Request:
    roles = ["user", "assistant"] * len(texts)
    messages = tuple(
        Message(role, text)
        for role, text in zip(roles, texts, strict=False)  # type: ignore[arg-type]
    )
    return Request(messages, None, Sampling(), n, seed)


async def texts(backend: Scripted, request: Request) -> list[str | None]:
    return [completion.text for completion in (await backend.complete(request)).completions]


def rule(match: str, *answers: str, **fields: Any) -> dict[str, Any]:
    return {"match": match, "answers": answers} | fields


async def test_the_first_rule_that_is_found_answers() -> None:
    backend = scripted(rules=(rule("cat", "meow"), rule("c", "see")), default="?")
    assert await texts(backend, asking("a cat")) == ["meow"]
    assert await texts(backend, asking("a cow")) == ["see"]
    assert await texts(backend, asking("a dog")) == ["?"]


async def test_rules_search_the_last_user_message_or_the_conversation() -> None:
    last = scripted(rules=(rule("one", "found"),), default="not")
    whole = scripted(rules=(rule("one", "found", search="conversation"),), default="not")
    request = asking("one", "two", "three")
    assert await texts(last, request) == ["not"]
    assert await texts(whole, request) == ["found"]


async def test_groups_stand_in_answers_and_nothing_else_is_special() -> None:
    backend = scripted(rules=(rule(r"(\d+)\+(\d+)(!)?", r"\2+\1=\n{x} \0\3 \d"),))
    assert await texts(backend, asking("What is 3+4?")) == [r"4+3=\n{x} 3+4 \d"]


async def test_what_a_group_matched_is_not_expanded_again() -> None:
    backend = scripted(rules=(rule("say (.*)", r"\1"),))
    assert await texts(backend, asking(r"say \1 \0")) == [r"\1 \0"]


async def test_without_any_answer_the_request_is_refused() -> None:
    with pytest.raises(RequestRefused):
        await scripted().complete(asking("Hello"))


async def test_samples_are_drawn_one_by_one_and_all_answers_occur() -> None:
    backend = scripted(rules=(rule("", "a", "b", "c"),))
    drawn = await texts(backend, asking("x", n=60))
    assert set(drawn) == {"a", "b", "c"}
    assert drawn == await texts(scripted(rules=(rule("", "a", "b", "c"),)), asking("x", n=60))
    assert drawn != await texts(backend, asking("x", n=60, seed=1))
    assert drawn != await texts(backend, asking("y", n=60))


async def test_models_of_different_names_draw_differently() -> None:
    rules = (rule("", "a", "b"),)
    one, other = scripted(rules=rules, name="one"), scripted(rules=rules, name="other")
    assert await texts(one, asking("x", n=60)) != await texts(other, asking("x", n=60))


@pytest.mark.parametrize("suffix", [".jsonl", ".parquet"])
async def test_a_table_answers_exactly_its_prompts_before_the_rules(
    suffix: str, tmp_path: Path
) -> None:
    prompts, answers = ["q", "q", "r\n"], ["one", "two", "three"]
    if suffix == ".jsonl":
        (tmp_path / "t.jsonl").write_text(
            '{"prompt": "q", "answer": "one"}\n\n{"prompt": "q", "answer": "two", "x": 1}\n'
            '{"prompt": "r\\n", "answer": "three"}\n'
        )
    else:
        pq.write_table(pa.table({"prompt": prompts, "answer": answers}), tmp_path / "t.parquet")
    backend = scripted(tmp_path, table=f"t{suffix}", rules=(rule("", "rule"),))
    assert set(await texts(backend, asking("q", n=40))) == {"one", "two"}
    assert await texts(backend, asking("r\n")) == ["three"]
    assert await texts(backend, asking("r")) == ["rule"]


@pytest.mark.parametrize(
    ("file", "content", "why"),
    [
        ("t.jsonl", None, "No such file"),
        ("t.jsonl", '{"prompt": "q", "answer": "a"}\n{', "line 2: not JSON"),
        ("t.jsonl", '{"prompt": "q"}', 'line 1: texts "prompt" and "answer"'),
        ("t.jsonl", '{"prompt": "q", "answer": 3}', 'line 1: texts "prompt" and "answer"'),
        ("t.jsonl", "[1]", 'line 1: texts "prompt" and "answer"'),
        ("t.csv", "prompt,answer", "a .jsonl or .parquet file is wanted"),
        ("t.parquet", "no", "t.parquet"),
    ],
)
def test_a_table_that_cannot_be_read_is_a_wrong_recipe(
    file: str, content: str | None, why: str, tmp_path: Path
) -> None:
    if content is not None:
        (tmp_path / file).write_text(content)
    with pytest.raises(RecipeError, match="table: ") as refused:
        scripted(tmp_path, table=file)
    assert why in str(refused.value)


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (rule("(", "a"), "not a regular expression"),
        (rule("a", r"\1"), "match has 0 groups"),
        (rule("a"), "answers"),
        (rule("a", "b", search="system"), "search"),
    ],
)
def test_a_wrong_rule_is_a_wrong_recipe(wrong: dict[str, Any], why: str) -> None:
    with pytest.raises(RecipeError, match="rules") as refused:
        scripted(rules=(wrong,))
    assert why in str(refused.value)


def test_the_identity_depends_on_what_answers_are_taken_from(tmp_path: Path) -> None:
    for name, answer in (("a", "one"), ("b", "one"), ("c", "two")):
        (tmp_path / f"{name}.jsonl").write_text(f'{{"prompt": "q", "answer": "{answer}"}}')
    a, b, c = (scripted(tmp_path, table=f"{name}.jsonl") for name in "abc")
    assert a.model_identity() == b.model_identity() != c.model_identity()
    assert a.identity() == b.identity() != c.identity()
    slow = scripted(tmp_path, table="a.jsonl", latency_ms=5, error_rate=0.5)
    assert slow.identity() == a.identity()
    plain = scripted(default="x")
    for fields in ({"default": "y"}, {"bad_rate": 0.5}, {"rules": (rule("a", "b"),)}):
        assert scripted(**({"default": "x"} | fields)).model_identity() != plain.model_identity()


async def test_tokens_are_words() -> None:
    backend = scripted(default="four little words here")
    one = await backend.complete(asking("two  words"))
    three = await backend.complete(asking("two  words", n=3))
    assert one.usage is not None
    assert three.usage is not None
    assert (one.usage.prompt_tokens, one.usage.completion_tokens) == (2, 4)
    assert one.completions[0].completion_tokens == 4
    assert three.usage.completion_tokens == 12
    assert three.completions[0].completion_tokens is None


async def test_the_bad_share_of_the_samples_is_unreadable() -> None:
    drawn = await texts(scripted(default="7", bad_rate=0.25), asking("x", n=128))
    assert set(drawn) == {"7", UNREADABLE}
    assert 16 <= drawn.count(UNREADABLE) <= 48
    assert set(await texts(scripted(default="7", bad_rate=1), asking("x", n=9))) == {UNREADABLE}


async def until_answered(backend: Scripted, request: Request) -> tuple[int, Reply]:
    failures = 0
    while True:
        try:
            return failures, await backend.complete(request)
        except TransientError:
            failures += 1


async def test_failures_end_before_the_last_try_and_change_no_answer() -> None:
    always = scripted(rules=(rule("", "a", "b"),), error_rate=1, max_tries=4)
    never = scripted(rules=(rule("", "a", "b"),))
    for seed in range(5):
        failures, reply = await until_answered(always, asking("x", seed=seed))
        assert failures == 3
        assert reply == await never.complete(asking("x", seed=seed))


async def test_failures_are_the_given_share_of_attempts() -> None:
    backend = scripted(default="a", error_rate=0.2)
    failed = [(await until_answered(backend, asking("x", seed=seed)))[0] for seed in range(400)]
    assert 60 <= sum(failed) <= 140  # 0.2 / 0.8 * 400 = 100 expected


async def test_latency_changes_the_order_of_arrival_and_nothing_else() -> None:
    slow, fast = (
        scripted(rules=(rule("", "a", "b"),), latency_ms=20),
        scripted(rules=(rule("", "a", "b"),)),
    )
    arrived: list[int] = []

    async def call(seed: int) -> Reply:
        reply = await slow.complete(asking("x", seed=seed))
        arrived.append(seed)
        return reply

    replies = await asyncio.gather(*(call(seed) for seed in range(20)))
    assert arrived != sorted(arrived)
    assert list(replies) == [await fast.complete(asking("x", seed=seed)) for seed in range(20)]


def asking_for_odds(text: str, top: int | None = 20) -> Request:
    sampling = Sampling(logprobs=bool(top), top_logprobs=top)
    return Request((Message("user", text),), None, sampling, 1, 0)


async def test_odds_are_told_where_log_probabilities_are_asked_for() -> None:
    odds = {"4": 0.5, "5": 0.25}
    backend = scripted(rules=(rule("cat", "4", odds=odds), rule("dog", "3")))
    [told] = (await backend.complete(asking_for_odds("a cat"))).completions
    assert told.logprobs is not None
    [token] = told.logprobs
    assert (token.token, token.logprob) == ("4", math.log(0.5))
    assert token.top == (("4", math.log(0.5)), ("5", math.log(0.25)))
    for request in (asking_for_odds("a cat", None), asking_for_odds("a dog")):
        [silent] = (await backend.complete(request)).completions
        assert silent.logprobs is None


def test_odds_are_in_the_identity_and_none_are_as_before_there_were_any() -> None:
    with_odds = scripted(rules=(rule("cat", "4", odds={"4": 1.0}),))
    without = scripted(rules=(rule("cat", "4"),))
    assert with_odds.model_identity() != without.model_identity()
    assert "odds" not in without.identity()["rules"][0]


@pytest.mark.parametrize("share", [0.0, 1.5, -0.1])
def test_odds_that_are_no_probabilities_are_refused(share: float) -> None:
    with pytest.raises(RecipeError, match="odds"):
        scripted(rules=(rule("cat", "4", odds={"4": share}),))


def test_log_probabilities_that_no_rule_tells_are_refused_before_any_call() -> None:
    where = Where("r.toml", "[[judges]] #1", Path())
    asked = Sampling(logprobs=True, top_logprobs=20)
    with pytest.raises(RecipeError, match=r"no rule of models\.pupil has `odds`"):
        scripted(rules=(rule("cat", "4"),)).check_sampling(asked, where)
    scripted(rules=(rule("cat", "4", odds={"4": 1.0}),)).check_sampling(asked, where)


async def test_an_unended_answer_is_gone_on_with_by_the_answers_that_begin_so() -> None:
    backend = scripted(rules=(rule("How", "It is 4.", "It is 5.", "Four."),))
    for begun, expected in (("It is", {" 4.", " 5."}), ("Fo", {"ur."}), ("No", {""})):
        asked = asking("How much?", begun, n=30)
        going_on = replace(asked, sampling=Sampling(extra_body=dict(CONTINUE_FIELDS)))
        assert set(await texts(backend, going_on)) == expected
        assert set(await texts(backend, asked)) == {"It is 4.", "It is 5.", "Four."}


def test_what_is_written_down_is_not_paid_unless_prices_say_so() -> None:
    free = scripted()
    assert free.prices.money(Usage(prompt_tokens=1000, completion_tokens=1000)) == 0
    rehearsal = scripted(prices={"input": 1.0, "output": 2.0})
    assert rehearsal.prices.money(Usage(prompt_tokens=10**6, completion_tokens=10**6)) == 3
