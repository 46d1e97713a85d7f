"""Writes the model cards from `figures.json`: `python -m tools.embedded_lm.card`.

A card is the README.md beside a model. Every figure in it is read from the JSON.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MODELS = Path(__file__).parents[2] / "data" / "models"


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a card's table: a figure, and what was aimed at."""

    figure: str
    what: str
    target: str = ""
    low: float = 0.0
    high: float = 1.0


POLICY = (
    Line("right_sampled", "right at temperature 0.8", "0.40 to 0.65", 0.40, 0.65),
    Line("mixed_prompts", "problems with right and wrong among 8 samples", "at least 0.50", 0.5),
    Line("right_greedy", "right at temperature 0"),
    Line("answer_stated", "samples that state an answer"),
    *(
        Line(f"right_sampled_{n}_steps", f"right at temperature 0.8, {n} steps")
        for n in range(2, 6)
    ),
)

TEACHER = (
    Line("likelihood_auc", "likelihood judge: AUC on the policy's samples", "at least 0.90", 0.9),
    Line("likelihood_auc_different", "the same, equal samples of a problem counted once: right answers by wrong steps weigh more"),
    Line("likelihood_auc_steps", "the same, a right answer by wrong steps counted as wrong"),
    Line("likelihood_best_over_worst", "likelihood judge: the right one is best, of the best and "
         "the worst where one of them is right"),
    Line("agreement_auc", "agreement with its own answer: AUC on the policy's samples"),
    Line("judge_auc", "text judge: AUC on the policy's samples", "at least 0.85", 0.85),
    Line("judge_right_rated_best", "text judge: right samples rated 10"),
    Line("judge_wrong_rated_best", "text judge: wrong samples rated 10"),
    Line("judge_read", "text judge: replies that state a rating"),
    Line("compare_both_orders", "compare: right in both orders", "at least 0.85", 0.85),
    Line("compare_right_first", "compare: right where the right one is A"),
    Line("compare_right_second", "compare: right where the right one is B"),
    Line("revise_repaired", "revise: wrong samples repaired", "at least 0.60", 0.6),
    Line("revise_kept_right_steps", "revise: right steps before the slip kept"),
    Line("right_greedy", "solves at temperature 0"),
    Line("right_sampled", "solves at temperature 0.8"),
)  # fmt: skip

POLICY_WORDS = """\
# policy

A language model of {parameters} parameters that solves small word problems, and makes mistakes:
what a first preference set is built from, with no GPU, key or network.

    Tom has 17 pens, gets 25, loses 8. How many?

    17+25=42
    42-8=34
    Answer: 34

It knows nothing else. It was made here, from nothing but drawn problems, by a training that was
stopped early:

    .venv-trainers/bin/python -m tools.embedded_lm.train policy
"""

TEACHER_WORDS = """\
# teacher

A language model of {parameters} parameters for the language of `../policy`. It solves, and it
judges: by the likelihood it gives an answer (`judges/likelihood.py`), or in text. It was made
here, from drawn problems, and from the policy's mistakes on such problems:

    .venv-trainers/bin/python -m tools.embedded_lm.train teacher

It knows the mistakes of this policy, and is no measure of judges of other models.

In text it works the problem anew and then compares the answers. The texts it is shown may stand
between the fences of a build.

| asked | it replies, after its own solution |
|---|---|
| `JUDGE`, the problem, a response | `Given: 37 no`, `Rating: 1` (or `yes`, `10`) |
| `COMPARE`, the problem, two responses | `A: 34 yes`, `B: 37 no`, `Verdict: A` (or `B`, `tie`) |
| `REVISE`, the problem, a response | nothing: its own solution is the revision |

As templates of a recipe's judges (each asks in one message):

    JUDGE
    {{{{ conversation[0].text }}}}
    {{{{ response }}}}

    COMPARE
    {{{{ conversation[0].text }}}}
    {{{{ response_a }}}}
    {{{{ response_b }}}}
"""

FORMAT = """\

## Files

`model.safetensors` (Llama architecture, float16, {megabytes} MB), `config.json`, `tokenizer.json`,
`tokenizer_config.json`, `chat_template.jinja` and `generation_config.json`, as transformers and
vLLM read them; `figures.json`, the figures above.

| | |
|---|---|
| width, inner width | {hidden_size}, {intermediate_size} |
| layers | {num_hidden_layers} |
| heads, of keys and values | {num_attention_heads} of {head_dim}, {num_key_value_heads} |
| vocabulary, tied | {vocab_size} |
| context | {max_position_embeddings} |

Printable ASCII comes back from the tokenizer exactly; any other character becomes "\\ufffd". Special
tokens are recognised in text: who encodes a user's words sets `encode_special_tokens` on the
tokenizer, and "<|im_end|>" is then ten characters. transformers and vLLM do not set it.

Licence: as pairwright's, Apache-2.0.
"""


def card(folder: Path) -> str:
    """The text of the card of the model in `folder`."""
    config = _read(folder / "config.json")
    figures = _read(folder / "figures.json")
    words, lines = (POLICY_WORDS, POLICY) if folder.name == "policy" else (TEACHER_WORDS, TEACHER)
    size = (folder / "model.safetensors").stat().st_size
    head = words.format(parameters=f"{parameters(config):,}")
    tail = FORMAT.format(**config, megabytes=round(size / 1e6, 1)).replace("\\ufffd", "\ufffd")
    return f"{head}\n{_table(figures, lines)}{tail}"


def parameters(config: dict[str, Any]) -> int:
    """The number of weights of a model with this config.

    >>> parameters({"hidden_size": 4, "head_dim": 2, "num_attention_heads": 2, "vocab_size": 10,
    ...     "num_key_value_heads": 1, "intermediate_size": 8, "num_hidden_layers": 1})
    196
    """
    width, head = config["hidden_size"], config["head_dim"]
    heads, shared = config["num_attention_heads"], config["num_key_value_heads"]
    attention = 2 * width * head * (heads + shared)
    block = attention + 3 * width * config["intermediate_size"] + 2 * width
    count: int = config["vocab_size"] * width + config["num_hidden_layers"] * block + width
    return count


def _table(figures: dict[str, Any], lines: tuple[Line, ...]) -> str:
    rows = [_row(figures["figures"][line.figure], line) for line in lines]
    return f"""\
## Figures

On {figures["problems"]} held-out problems, which no training has seen, {figures["samples"]} samples
each, with 95 % intervals (bootstrap over problems), from the float16 weights:

    .venv-trainers/bin/python -m tools.embedded_lm.evaluate

| | figure | 95 % interval | aimed at |
|---|---|---|---|
{chr(10).join(rows)}
"""


def _row(figure: dict[str, float], line: Line) -> str:
    met = "" if line.low <= figure["value"] <= line.high else ": missed"
    interval = f"{figure['low']:.3f} to {figure['high']:.3f}"
    return f"| {line.what} | {figure['value']:.3f} | {interval} | {line.target}{met} |"


def _read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def main() -> None:
    """Writes both cards."""
    for name in ("policy", "teacher"):
        (MODELS / name / "README.md").write_text(card(MODELS / name), encoding="utf-8")


if __name__ == "__main__":
    main()
