import json
import shlex
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest
from safetensors.numpy import load_file

from pipelines.build import run_build
from pipelines.errors import RecipeError, TrainingError
from pipelines.iterating.command import Command
from pipelines.iterating.events import Event
from pipelines.shipped import shipped
from tests.builds import OVER_HTTP, write_questions
from tests.iterations import PROMPTS, Bench, begun, builds, ending, trainings
from tools.chat_server import ChatServer

Two = tuple[Bench, Sequence[Event]]


@pytest.fixture
def done(two_rounds: Two, tmp_path: Path) -> Bench:
    """A bench where two rounds are done."""
    return two_rounds[0].twin(tmp_path / "twin")


@pytest.fixture
def command(two_rounds: Two) -> Command:
    """The command that did them."""
    return Command(two_rounds[0].command())


def test_each_round_samples_the_model_that_the_last_one_trained(two_rounds: Two) -> None:
    bench, events = two_rounds
    assert ending(events).why == "rounds"
    versions = [one.version for one in builds(events)]
    assert [version.ref for version in versions] == ["sums@v0001", "sums@v0002"]
    lineages = [version.manifest.run.lineage for version in versions]
    assert [one and one.round for one in lineages] == [1, 2]
    assert [one and one.trained_on for one in lineages] == [None, "sums@v0001"]
    assert [one and one.policy for one in lineages] == [one.manifest.models for one in versions]
    first, second = (version.manifest.models["student"] for version in versions)
    assert first != second
    assert all(version.manifest.run.samples_paid for version in versions)

    told = bench.runs()
    assert [Path(one["set"]).name for one in told] == ["v0001", "v0002"]
    trained = [str(one.answer.folder) for one in trainings(events)]
    assert [one["model"] for one in told] == [str(shipped("models/policy")), trained[0]]
    assert trained == [one["out"] for one in told]
    assert load_file(f"{trained[1]}/model.safetensors")["model.norm.weight"] == pytest.approx(
        load_file(shipped("models/policy/model.safetensors"))["model.norm.weight"] * 1.01**2,
        rel=1e-3,
    )


def test_a_second_run_builds_and_trains_nothing_and_tells_the_same(two_rounds: Two) -> None:
    bench, first = two_rounds
    again = list(bench.iteration(2).run())
    assert begun(again) == 0
    assert len(bench.runs()) == 2
    assert [one.figures for one in builds(again)] == [one.figures for one in builds(first)]
    assert [one.answer for one in trainings(again)] == [one.answer for one in trainings(first)]
    assert [one.before for one in trainings(first)] == [False, False]
    assert [one.before for one in trainings(again)] == [True, True]
    assert len(bench.store.versions("sums")) == 2


def test_more_rounds_go_on_where_the_first_ones_ended(done: Bench, command: Command) -> None:
    events = list(done.iteration(3, command=command).run())
    assert begun(events) == 1
    assert [one.version.label for one in builds(events)] == ["v0001", "v0002", "v0003"]


def test_a_model_that_changed_after_its_training_is_not_sampled_as_what_it_was(
    done: Bench, command: Command
) -> None:
    trained = trainings(list(done.iteration(2, command=command).run()))[-1]
    config = Path(str(trained.answer.folder)) / "generation_config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"note": 1}))
    with pytest.raises(TrainingError, match=r"round 2 was trained to has changed since.*round-02"):
        list(done.iteration(3, command=command).run())


def test_a_model_that_changed_is_not_trained_on_with_the_kept_build_of_what_it_was(
    done: Bench, command: Command
) -> None:
    iteration = done.iteration(2, command=command)
    first = trainings(list(iteration.run()))[0]
    (iteration.journal.round_folder(2) / "trained.json").unlink()
    config = Path(str(first.answer.folder)) / "generation_config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"note": 1}))
    before = len(done.runs())
    with pytest.raises(TrainingError, match=r"round 1 was trained to has changed since.*round-01"):
        list(done.iteration(2, command=command).run())
    assert len(done.runs()) == before


def test_a_round_whose_source_has_grown_since_is_built_and_trained_anew(
    done: Bench, command: Command
) -> None:
    problems = shipped("prompts/sums_train.jsonl").read_text(encoding="utf-8")
    (done.folder / "problems.jsonl").write_text("".join(problems.splitlines(True)[: PROMPTS + 1]))
    events = list(done.iteration(1, command=command).run())
    assert [(one.before, one.version.ref) for one in builds(events)] == [(False, "sums@v0003")]
    assert begun(events) == 1
    assert builds(events)[0].version.manifest.inputs["problems.jsonl"].rows == PROMPTS + 1


def test_a_source_that_is_gone_is_said_by_the_build(done: Bench, command: Command) -> None:
    (done.folder / "problems.jsonl").unlink()
    with pytest.raises(RecipeError, match=r"problems\.jsonl"):
        list(done.iteration(2, command=command).run())


def test_a_round_whose_folder_is_deleted_is_done_again(done: Bench, command: Command) -> None:
    iteration = done.iteration(2, command=command)
    shutil.rmtree(iteration.journal.round_folder(1))
    events = list(iteration.run())
    assert begun(events) == 1  # the same model comes of it, so that round 2 still follows
    assert builds(events)[0].version.manifest.run.samples_paid == 0


def test_a_version_that_is_gone_is_built_again_from_the_ledger(
    done: Bench, command: Command
) -> None:
    shutil.rmtree(done.store.root / "datasets")
    events = list(done.iteration(2, command=command).run())
    assert begun(events) == 0
    assert [one.version.ref for one in builds(events)] == ["sums@v0001", "sums@v0002"]
    assert [one.version.manifest.run.samples_paid for one in builds(events)] == [0, 0]


def test_a_training_that_fails_keeps_the_build_and_is_done_again(bench: Bench) -> None:
    failures = {
        "fail": r"exit code 3: out of memory \(all of it: .*round-01/training\.log\)",
        "silent": 'its last line is "loss 0.7"',
        "empty": r"cannot be the policy: .* holds no config\.json",
        "https://h.example/v1": "is the folder of a model: answer with that",
    }
    for mode, why in failures.items():
        bench.trainer_does(mode)
        with pytest.raises(TrainingError, match=why):
            list(bench.iteration(1).run())
    bench.trainer_does("copied")
    events = list(bench.iteration(3).run())
    assert ending(events).why == "unchanged"
    assert len(bench.store.versions("sums")) == 1
    assert len(bench.runs()) == len(failures) + 1


def test_another_recipe_or_command_is_another_iteration(bench: Bench) -> None:
    folders = {
        one.journal.folder
        for one in (
            bench.iteration(2),
            bench.iteration(3, "budget.calls=9", "models.student.window=3"),
            bench.iteration(2, command=Command("x")),
            bench.iteration(2, "seed=9"),
        )
    }
    assert len(folders) == 3


def test_a_score_that_does_not_rise_ends_it(bench: Bench) -> None:
    """Weights that hardly change answer nearly the same."""
    events = list(bench.iteration(5, patience=1).run())
    assert ending(events).why == "patience"
    assert len(builds(events)) == 2
    gained = builds(events)[1].rise
    assert gained is not None
    assert gained.interval is not None
    assert gained.interval.low <= 0


@pytest.mark.parametrize(
    ("overrides", "more", "why"),
    [
        (["publish.splits={train=1}"], {}, "publish.splits has no test"),
        (["judges=[{kind='rating',model='student',scale=[0,1]}]"], {}, "asks the policy itself"),
        ([], {"judge": "verifer"}, 'no such judge "verifer"; the recipe has verifier'),
    ],
)
def test_what_patience_cannot_be_told_by_is_refused_before_anything_is_built(
    bench: Bench, overrides: list[str], more: dict[str, str], why: str
) -> None:
    with pytest.raises(RecipeError, match=why):
        list(bench.iteration(2, *overrides, patience=1, **more).run())
    assert bench.store.names() == []


def test_the_budget_is_that_of_all_rounds(done: Bench, command: Command) -> None:
    """12 prompts make 12 calls a round: of 15, three are left to the second of a run."""
    events = list(done.iteration(4, "budget.calls=15", command=command).run())
    assert ending(events).why == "budget"
    assert "round 4" in ending(events).words
    assert [one.before for one in builds(events)] == [True, True, False]
    assert len(done.store.versions("sums")) == 3


def test_replies_without_usage_count_against_the_budget_of_all_rounds(tmp_path: Path) -> None:
    """Each at its worst case, as in one build: what is left would be spent twice otherwise."""
    write_questions(tmp_path, range(4))
    trained = '{"model": "policy", "identity": "r1"}'
    command = Command(f"echo {shlex.quote(trained)}")
    with ChatServer(no_usage=True) as server:
        bench = Bench(tmp_path)
        (tmp_path / "sums.toml").write_text(OVER_HTTP.format(url=server.url))
        bounded = ("models.critic.sampling={max_tokens=64}", "filters=[]", "gates.min_pairs=0")
        once = run_build(bench.recipe(*bounded, "budget.tokens=1000000"), tmp_path / "other")
        assert once.spent.tokens > 0
        enough_for_one = f"budget.tokens={once.spent.tokens * 3 // 2}"
        events = list(bench.iteration(2, *bounded, enough_for_one, command=command).run())
    assert ending(events).why == "budget"
    assert "round 2" in ending(events).words


def test_too_few_pairs_of_exactly_so_many_end_it_as_that(bench: Bench) -> None:
    events = list(bench.iteration(2, "exactly.pairs=500").run())
    assert ending(events).why == "missing"
    assert ending(events).words.startswith(
        "round 1 has too few pairs: 500 pairs are wanted, and 12"
    )


def test_an_endpoint_that_does_not_answer_loses_no_training(tmp_path: Path) -> None:
    write_questions(tmp_path, range(4))
    runs = tmp_path / "runs"
    with ChatServer() as server:
        bench = Bench(tmp_path)
        (tmp_path / "sums.toml").write_text(OVER_HTTP.format(url=server.url))
        gone = '{"base_url": "http://127.0.0.1:9/v1", "model": "r", "identity": "r"}'
        told = tmp_path / "answer"
        told.write_text(gone)
        command = Command(f"sh -c 'echo x >> {runs}; cat {told}'")
        with pytest.raises(TrainingError, match="round 1 was trained to does not answer"):
            list(bench.iteration(2, command=command).run())
        assert runs.read_text().count("x") == 1
        with pytest.raises(TrainingError, match="does not answer"):
            list(bench.iteration(2, command=command).run())
        assert runs.read_text().count("x") == 1


def test_an_endpoint_is_iterated_by_its_identity(tmp_path: Path) -> None:
    write_questions(tmp_path, range(4))
    with ChatServer() as server:
        bench = Bench(tmp_path)
        (tmp_path / "sums.toml").write_text(OVER_HTTP.format(url=server.url))
        answer = (
            f'{{"base_url": "{server.url}", "model": "policy", "identity": "r$PAIRWRIGHT_ROUND"}}'
        )
        command = Command(
            f"echo '{answer}' | sed \"s/.PAIRWRIGHT_ROUND/$PAIRWRIGHT_ROUND/\"", shell=True
        )
        events = list(bench.iteration(2, command=command).run())
    assert ending(events).why == "rounds"
    second = builds(events)[1].version.manifest
    assert second.models["policy"] == "r1#policy"
    assert second.run.spent["policy"].calls > 0
