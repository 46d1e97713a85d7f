"""The embedded engine against transformers and torch: equal tokens, log-probabilities within 1e-4."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from pipelines.engine.ask import Draw, Sample, Score
from pipelines.engine.batch import Batch
from pipelines.engine.checkpoint import Checkpoint, find_checkpoint
from pipelines.engine.model import Model, load_model
from pipelines.shipped import shipped
from schemas.rows import Message
from tests.checkpoints import make_checkpoint

PYTHON = Path(__file__).parents[2] / ".venv-trainers" / "bin" / "python"
NEAR = {"abs": 1e-4, "rel": 2e-5}
"""The larger counts. A token that no text would have here, at -30 nats, is less exact in float32:
each of the two is as far from double precision as from the other."""
MOST = 24
LLAMA3 = {
    "rope_type": "llama3",
    "rope_theta": 500000.0,
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 32,
}
MADE = {
    "plain": {},
    "as many key heads, untied": {"num_key_value_heads": 4, "tie_word_embeddings": False},
    "one key head, odd sizes": {"num_key_value_heads": 1, "hidden_size": 44, "head_dim": 6},
    "llama3": {"rope_parameters": LLAMA3},
}
MODELS = ("policy", "teacher", *MADE)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The shipped models, and random ones of other shapes."""
    place = tmp_path_factory.mktemp("models")
    shipped_ones = {name: find_checkpoint(name, place).folder for name in ("policy", "teacher")}
    return shipped_ones | {
        name: make_checkpoint(place / str(number), **config)
        for number, (name, config) in enumerate(MADE.items())
    }


@pytest.fixture(scope="module")
def report(folders: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the reference says, all in one process: importing torch takes longer than the rest."""
    if not PYTHON.is_file():
        pytest.skip(".venv-trainers is not there: `sh tools/trainer_env.sh` makes it")
    lines = shipped("prompts/sums_held_out.jsonl").read_text(encoding="utf-8").splitlines()[:12]
    sums = [json.loads(line)["question"] for line in lines]
    chats = [[{"role": "user", "content": question[:50]}] for question in sums]
    texts = ["17+25=42\nAnswer: 42", "Answer: 7", "no idea, ~{}"] * 4
    place = tmp_path_factory.mktemp("report")
    order = {
        str(folder): {"chats": chats, "texts": texts, "most": MOST} for folder in folders.values()
    }
    (place / "order.json").write_text(json.dumps(order), encoding="utf-8")
    ran = subprocess.run(
        [PYTHON, Path(__file__).with_name("reference.py"), "order.json", "report.json"],
        cwd=place,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(place),
            "HF_HUB_OFFLINE": "1",
            "CUDA_VISIBLE_DEVICES": "",
            "OMP_NUM_THREADS": "1",
        },
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert ran.returncode == 0, ran.stderr[-4000:]
    found: dict[str, Any] = json.loads((place / "report.json").read_text(encoding="utf-8"))
    return {
        name: [
            reply | {"question": chat[0]["content"], "text": text}
            for reply, chat, text in zip(found[str(folder)], chats, texts, strict=True)
        ]
        for name, folder in folders.items()
    }


def load(folder: Path) -> Model:
    return load_model(Checkpoint(folder))


def computed(model: Model, asks: list[Draw | Score]) -> list[Sample]:
    """The first sample of each request, all of them in one batch."""
    batch = Batch(model)
    groups = [batch.join(ask) for ask in asks]
    while batch.groups:
        batch.step()
    return [group.samples[0] for group in groups]


@pytest.mark.parametrize("name", MODELS)
def test_conversations_and_texts_have_the_same_tokens(
    folders: dict[str, Path], report: dict[str, Any], name: str
) -> None:
    vocabulary = load(folders[name]).vocabulary
    for reply in report[name]:
        assert vocabulary.conversation([Message("user", reply["question"])]) == reply["prompt"]
        assert vocabulary.encode_literally(reply["text"]) == reply["scored"]


@pytest.mark.parametrize("name", MODELS)
def test_greedy_answers_have_the_same_tokens_and_log_probabilities(
    folders: dict[str, Path], report: dict[str, Any], name: str
) -> None:
    model = load(folders[name])
    asks = [Draw(reply["prompt"], temperature=0.0, max_tokens=MOST) for reply in report[name]]
    for sample, reply in zip(computed(model, list(asks)), report[name], strict=True):
        drawn = [token.id for token in sample.tokens]
        ended = reply["drawn"][len(drawn) :]
        assert reply["drawn"][: len(drawn)] == drawn
        assert len(ended) <= 1
        assert set(ended) <= set(model.ends)
        theirs = reply["drawn_logprobs"][: len(drawn)]
        assert [token.logprob for token in sample.tokens] == pytest.approx(theirs, **NEAR)


@pytest.mark.parametrize("name", MODELS)
def test_given_texts_have_the_same_log_probabilities(
    folders: dict[str, Path], report: dict[str, Any], name: str
) -> None:
    asks = [
        Score([*reply["prompt"], *reply["scored"]], len(reply["prompt"])) for reply in report[name]
    ]
    for sample, reply in zip(computed(load(folders[name]), list(asks)), report[name], strict=True):
        ours = [token.logprob for token in sample.tokens]
        assert ours == pytest.approx(reply["scored_logprobs"], **NEAR)
