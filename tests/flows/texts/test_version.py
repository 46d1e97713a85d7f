from collections.abc import Callable

from flows.texts.version import version_text
from pipelines.publishing.versions import Version
from schemas.version import Step

STEPS = (
    Step(step="pairings.all", level="prompts", in_=5, kept=3, dropped=2, reasons={"tied": 2}),
    Step(step="filters", level="pairs", in_=4, kept=4, dropped=0),
)


def toy(make_version: Callable[..., Version]) -> Version:
    def pair(margin: float, chosen: int, model: str) -> dict[str, object]:
        return {
            "score_margin": margin,
            "n_chars_chosen": chosen,
            "n_chars_rejected": 100,
            "chosen_model": model,
            "rejected_model": "base",
        }

    pairs = [pair(1.0, 150, "a"), pair(1.0, 50, "a"), pair(2.0, 150, "b"), pair(0.5, 100, "a")]
    return make_version(pairs, steps=STEPS)


def test_the_page_says_the_funnel_margins_lengths_and_models(
    make_version: Callable[..., Version],
) -> None:
    version = toy(make_version)
    head, *paragraphs, files = version_text(version).split("\n\n")
    assert head == "toy@v0001\n4 pairs (4 train) of 0 prompts and 0 responses"
    assert paragraphs == [
        (
            "step          of       in  kept\n"
            "pairings.all  prompts   5     3\n"
            "                             -2  tied\n"
            "filters       pairs     4     4\n"
            "published     pairs           4"
        ),
        (
            "margin  lowest  10%  25%  median  75%  90%  highest\n"
            "           0.5  0.5  0.5       1    1    2        2"
        ),
        "margin  pairs\n   0.5      1\n     1      2\n     2      1",
        (
            "characters  mean  median  longer one of\n"
            "chosen       112     125  2 pairs (50.0%)\n"
            "rejected     100     100  1 pair (25.0%)"
        ),
        (
            "model  chosen  rejected  chosen share\n"
            "a           3         0        100.0%\n"
            "b           1         0        100.0%\n"
            "base        0         4          0.0%"
        ),
    ]
    assert files.endswith(f" bytes: {version.folder}")


def test_bars_are_for_terminals(make_version: Callable[..., Version]) -> None:
    version = toy(make_version)
    assert "█" not in version_text(version)
    assert "█" in version_text(version, bars=True)


def test_a_version_without_pairs_has_a_page_too(make_version: Callable[..., Version]) -> None:
    assert version_text(make_version([], steps=STEPS)).startswith("toy@v0001\n0 pairs")


def test_each_measure_has_a_row_of_its_quartiles(make_version: Callable[..., Version]) -> None:
    measures = [{"measure": "pass_rate", "value": value / 8} for value in (4, 0, 8, 6, 2)]
    measures += [{"measure": "difficulty", "value": 0.25}]
    assert (
        "\n\n"
        "measure     pairs measured  least   25%  median   75%  most\n"
        "difficulty               1   0.25  0.25    0.25  0.25  0.25\n"
        "pass_rate                5      0  0.25     0.5  0.75     1\n\n"
    ) in version_text(make_version([], measures=measures))
