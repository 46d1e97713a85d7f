import pytest

from pipelines.bias.duels import duels, ratings
from pipelines.bias.length import Length, length
from tests.pipelines.bias.rows import known


def of(*lengths: tuple[int, ...]) -> Length:
    """Prompts with answers of these lengths, each scored by its place."""
    answers = {
        f"{prompt}/{place}": {"n_chars": n_chars}
        for prompt, of_prompt in enumerate(lengths)
        for place, n_chars in enumerate(of_prompt)
    }
    said = [{"response_id": id_, "score": int(id_[-1])} for id_ in answers]
    everything = known(answers, said)
    own = everything.of("judge")
    return length(duels(own), ratings(own), everything.responses["n_chars"])


def test_the_spread_is_that_of_log_lengths_within_prompts() -> None:
    found = of((64, 128, 256), (1024, 4096))
    # about the means: -1, 0, 1 and -1, 1; 5 answers of 2 prompts
    assert found.spread == pytest.approx((4 / 3) ** 0.5)
    assert found.varies


def test_answers_of_nearly_one_length_do_not_vary_though_prompts_do() -> None:
    found = of((100, 110), (1000, 1100), (10, 11))
    assert found.slope == pytest.approx(1 / 0.1375, rel=1e-3)  # log2(1.1): an extrapolation
    assert found.spread == pytest.approx(0.1375 / 2**0.5, rel=1e-3)
    assert not found.varies


def test_single_answers_have_no_spread() -> None:
    found = of((100,), (200,))
    assert found.spread is None
    assert not found.varies
