import numpy as np
import pytest

from pipelines.engine.shape import read_shape
from pipelines.errors import RecipeError
from tests.checkpoints import CONFIG


def test_sizes_that_are_left_out_follow_from_the_others() -> None:
    config = CONFIG | {"num_key_value_heads": None, "head_dim": None}
    shape = read_shape(config)
    assert (shape.kv_heads, shape.head_dim) == (4, 12)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"model_type": "qwen2"}, "model_type = 'qwen2' is not supported"),
        ({"attention_bias": True}, "attention_bias = True is not supported"),
        ({"hidden_act": "gelu"}, "runs hidden_act = 'silu'"),
        ({"quantization_config": {"bits": 4}}, "quantization_config = {'bits': 4} is not"),
        ({"rope_scaling": {"rope_type": "yarn"}}, 'rope_type "yarn" is not supported'),
        ({"rope_scaling": "linear"}, "not the config of a Llama"),
        (
            {"rope_scaling": {"rope_type": "llama3"}},
            r"not the config of a Llama: KeyError\('factor'\)",
        ),
        ({"hidden_size": None}, "not the config of a Llama"),
        ({"num_key_value_heads": 3}, "4 heads of 16 do not go with 3 of keys"),
    ],
)
def test_what_the_engine_does_not_run_is_refused_by_name(
    changed: dict[str, object], said: str
) -> None:
    with pytest.raises(RecipeError, match=said):
        read_shape(CONFIG | changed)


def test_a_first_pair_of_dimensions_turns_by_one_radian_a_token() -> None:
    cosines, sines = read_shape(CONFIG).rotations()
    assert cosines.shape == (96, 8)
    assert cosines[:3, 0] == pytest.approx(np.cos([0, 1, 2]), abs=1e-6)
    assert sines[1, 7] == pytest.approx(np.sin(10000 ** (-14 / 16)), abs=1e-6)


def test_newer_and_older_configs_say_the_same_of_positions() -> None:
    older = CONFIG | {"rope_theta": 5e5, "rope_scaling": None}
    newer = CONFIG | {
        "rope_theta": None,
        "rope_parameters": {"rope_theta": 5e5, "rope_type": "default"},
    }
    assert np.array_equal(read_shape(older).rotations(), read_shape(newer).rotations())


def test_llama3_slows_long_waves_keeps_short_ones_and_interpolates_between() -> None:
    """theta 10000, 8 dimensions: waves of 6.3, 62.8, 628 and 6283 tokens.

    With an original context of 1000 and factors 1 and 10, 1000/wave is 159, 15.9, 1.59, 0.159:
    the first two stay, the last is 4 times slower. The third: share (1.5915 - 1) / 9 = 0.065727,
    so (0.934273 / 4 + 0.065727) x 0.01 = 0.00299295.
    """
    rope = {
        "rope_type": "llama3",
        "factor": 4.0,
        "low_freq_factor": 1.0,
        "high_freq_factor": 10.0,
        "original_max_position_embeddings": 1000,
    }
    shape = read_shape(CONFIG | {"head_dim": 8, "rope_scaling": rope})
    _, sines = shape.rotations()
    assert sines[1] == pytest.approx(np.sin([1, 0.1, 0.00299295, 0.00025]), rel=1e-5)
