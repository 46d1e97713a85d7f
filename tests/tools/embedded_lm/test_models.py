"""The shipped models, and the training that makes them."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from safetensors import safe_open

from tools.embedded_lm.card import card, parameters
from tools.embedded_lm.tokenizer import make_tokenizer

ROOT = Path(__file__).parents[3]
MODELS = ROOT / "data" / "models"
PYTHON = ROOT / ".venv-trainers" / "bin" / "python"
NAMES = ("policy", "teacher")


@pytest.fixture(scope="module")
def checked(tmp_path_factory):
    """What `check_models.py` saw in the trainers' environment."""
    if not PYTHON.is_file():
        pytest.skip(".venv-trainers is not there: `sh tools/trainer_env.sh` makes it")
    work = tmp_path_factory.mktemp("models")
    ran = subprocess.run(
        [PYTHON, Path(__file__).with_name("check_models.py"), ROOT, work],
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(work),
            "HF_HUB_OFFLINE": "1",
            "CUDA_VISIBLE_DEVICES": "",
            "OMP_NUM_THREADS": "1",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout.splitlines()[-1])


def config(name):
    return json.loads((MODELS / name / "config.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", NAMES)
def test_the_weights_are_those_of_a_llama_of_the_config_in_float16(name):
    said = config(name)
    width, inner, head = said["hidden_size"], said["intermediate_size"], said["head_dim"]
    queries, keys = (head * said[f"num_{of}_heads"] for of in ("attention", "key_value"))
    block = {
        "input_layernorm": [width],
        "post_attention_layernorm": [width],
        "self_attn.q_proj": [queries, width],
        "self_attn.k_proj": [keys, width],
        "self_attn.v_proj": [keys, width],
        "self_attn.o_proj": [width, queries],
        "mlp.gate_proj": [inner, width],
        "mlp.up_proj": [inner, width],
        "mlp.down_proj": [width, inner],
    }
    expected = {
        "model.embed_tokens.weight": [said["vocab_size"], width],
        "model.norm.weight": [width],
    }
    for layer in range(said["num_hidden_layers"]):
        expected |= {f"model.layers.{layer}.{part}.weight": shape for part, shape in block.items()}
    with safe_open(MODELS / name / "model.safetensors", "np") as weights:
        kept = {key: weights.get_tensor(key) for key in weights.keys()}  # noqa: SIM118
    assert {key: list(weight.shape) for key, weight in kept.items()} == expected
    assert {str(weight.dtype) for weight in kept.values()} == {"float16"}
    assert sum(weight.size for weight in kept.values()) == parameters(said)
    assert 500_000 <= parameters(said) <= 3_000_000


def test_the_models_together_are_at_most_8_megabytes():
    files = [file for name in NAMES for file in (MODELS / name).iterdir()]
    assert sum(file.stat().st_size for file in files) <= 8_000_000


@pytest.mark.parametrize("name", NAMES)
def test_a_card_says_what_the_figures_say(name):
    assert (MODELS / name / "README.md").read_text(encoding="utf-8") == card(MODELS / name)


@pytest.mark.parametrize("name", NAMES)
def test_transformers_loads_the_very_model(checked, name):
    seen = checked[name]
    assert seen["apart"] < 1e-3  # of logits of about 30: the same, but for rounding
    assert seen["stored"] == "torch.float16"
    assert seen["special"] == [0, 2, None]
    assert seen["tied"]
    assert seen["parameters"] == parameters(config(name))
    assert seen["stops"]


def test_a_chat_is_laid_out_as_it_was_trained(checked):
    said = checked["policy"]
    question = "Tom has 17 pens, gets 25, loses 8. How many?"
    chat = f"<|im_start|>user\n{question}<|im_end|>\n<|im_start|>assistant\n17+25="
    assert said["chat"] == chat
    assert said["ids"] == make_tokenizer().encode(chat).ids


def test_a_training_learns_and_comes_out_the_same_again(checked):
    seen = checked["trained"]
    assert seen["losses"][-1] < seen["losses"][0] - 0.3
    assert seen["same"]
    assert seen["same_files"]
    assert seen["reloaded"]


def test_muon_brings_the_singular_values_near_one(checked):
    assert all(0.6 < value < 1.3 for value in checked["orthogonal"])


def test_the_policy_meets_its_targets_and_the_likelihood_judge_its_own():
    policy, teacher = (
        json.loads((MODELS / name / "figures.json").read_text())["figures"] for name in NAMES
    )
    assert 0.40 <= policy["right_sampled"]["low"] <= policy["right_sampled"]["high"] <= 0.65
    assert policy["mixed_prompts"]["low"] >= 0.5
    assert teacher["likelihood_auc"]["value"] >= 0.9
