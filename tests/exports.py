"""What the tests of exports share: published versions of known pairs, and a tokenizer's folder."""

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from pipelines.exporter import Exporter
from pipelines.exporting.check import Checker
from pipelines.exporting.export import Exported, export
from pipelines.part import Where, load_part
from pipelines.publishing.store import Store
from pipelines.publishing.versions import Version
from schemas.rows import Message, Prompt, ToolCall, prompt_id
from tests.pipelines.versions import Content, make_content, one_step, pair, publish, root_of

TOOLS = '[{"function":{"name":"weather","parameters":{}},"type":"function"}]'

TEMPLATE = """\
{%- if tools %}<|im_start|>tools
{{ tools | tojson }}<|im_end|>
{% endif %}
{%- for message in messages %}
{%- if message.role == "user" and not loop.first and messages[loop.index0 - 1].role == "user" %}
{{- raise_exception("Conversation roles must alternate") }}
{%- endif %}<|im_start|>{{ message.role }}
{% if message.content is defined %}{{ message.content | trim }}{% endif %}
{%- for call in message.tool_calls or [] %}
<call>{{ call.function.name }} {{ call.function.arguments | tojson }}</call>
{%- endfor %}<|im_end|>
{% endfor %}
{%- if add_generation_prompt %}<|im_start|>assistant
{% endif %}"""
"""A chat template in the manner of ChatML, that refuses two users in a row."""


def part(kind: str, **settings: Any) -> Exporter:
    """An exporter as the command line makes it."""
    made = load_part("exporters", {"kind": kind, **settings}, Where("test", "", Path()))
    assert isinstance(made, Exporter)
    return made


def exported(
    version: Version, kind: str, out: Path, *, checker: Checker | None = None, **settings: Any
) -> dict[str, Exported]:
    """Exports every split of `version` to `out`."""
    store = Store(version.folder.parents[2])
    return export(store, version, part(kind, **settings), out, checker=checker)


def parquet_rows(folder: Path, split: str = "*") -> list[dict[str, Any]]:
    """The rows of all shards, in their order."""
    files = sorted(folder.glob(f"{split}-*.parquet"))
    return [row for file in files for row in pq.read_table(file).to_pylist()]


def json_lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def plain_version(folder: Path, prompts: int = 24) -> Version:
    """Pairs without tools, two messages in each prompt, margin 2, difficulties 0, 1, 2..."""
    content = make_content(prompts)
    for number, row in enumerate(content.pairs):
        add_measure(content, row, number)
    return publish(Store(folder / "store"), "toy", content)[0]


def version_of(folder: Path, pairs: Iterable[dict[str, Any]], name: str = "toy") -> Version:
    """A version with these pairs: `prompt`, `chosen`, `rejected` (messages or a text), `tools`,
    `margin` in score units or None, `difficulty` or None."""
    content = Content()
    for number, given in enumerate(pairs):
        add_pair(content, number, **given)
    return publish(Store(folder / "store"), name, content)[0]


def add_pair(
    content: Content,
    number: int,
    prompt: str | tuple[Message, ...],
    chosen: str | Message,
    rejected: str | Message,
    tools: str | None = None,
    margin: int | None = 2,
    difficulty: float | None = 1.0,
) -> None:
    """Adds one pair. Equal prompts are one prompt, equal answers to it one response."""
    asked = (Message("user", prompt),) if isinstance(prompt, str) else prompt
    one = Prompt(prompt_id(asked, tools), asked, tools=tools, sources=("s",))
    if one not in content.prompts:
        content.prompts.append(one)
        content.nodes.append(root_of(one))
    ids = [_add_answer(content, one, answer) for answer in (chosen, rejected)]
    row = pair(one, ids[0], ids[1], (margin or 0) * 1_000_000)
    scores = ("score_chosen", "score_rejected", "score_margin")
    content.pairs.append(row if margin is not None else row | dict.fromkeys(scores))
    if difficulty is not None:
        add_measure(content, row, difficulty)


def add_measure(
    content: Content, row: dict[str, Any], value: float, measure: str = "difficulty"
) -> None:
    """Adds what a measure found of a pair."""
    found = {"pair_id": row["pair_id"], "prompt_id": row["prompt_id"], "measure": measure}
    content.measures.append(found | {"value": value, "n_obs": 1})


def _add_answer(content: Content, prompt: Prompt, answer: str | Message) -> str:
    message = Message("assistant", answer) if isinstance(answer, str) else answer
    template = make_content(1).responses[0]
    number = len(content.responses)
    for there in content.responses:
        if (there.prompt_id, there.text, there.tool_calls) == (
            prompt.prompt_id,
            message.content,
            message.tool_calls,
        ):
            return there.response_id
    response = replace(
        template,
        response_id=f"r{number:05d}",
        prompt_id=prompt.prompt_id,
        text=message.content,
        tool_calls=message.tool_calls,
        sample_index=0,
    )
    content.responses.append(response)
    content.nodes.append(one_step(prompt, response.response_id, message.content or ""))
    return response.response_id


def call(arguments: str, name: str = "weather") -> Message:
    """An assistant's message that calls a tool and says nothing."""
    return Message("assistant", None, tool_calls=(ToolCall("c1", name, arguments),))


def tool_pairs(count: int = 8) -> list[dict[str, Any]]:
    """Pairs with tools: a call that was answered, then a right and a wrong next call."""
    return [
        {
            "prompt": (
                Message("system", "Use the tools."),
                Message("user", f"Weather in city {number}, then in Rome?"),
                call(f'{{"city": "{number}"}}'),
                Message("tool", "rain", tool_call_id="c1"),
            ),
            "chosen": call('{"city": "Rome"}'),
            "rejected": call('{"city": "Paris"}'),
            "tools": TOOLS,
        }
        for number in range(count)
    ]


def write_tokenizer(folder: Path, template: str = TEMPLATE) -> Path:
    """A tokenizer of bytes with two special tokens, as `save_pretrained` would leave it."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {letter: place for place, letter in enumerate(alphabet)}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(
        [AddedToken(token, special=True) for token in ("<|im_start|>", "<|im_end|>", "<|pad|>")]
    )
    folder.mkdir(parents=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "eos_token": "<|im_end|>",
        "pad_token": {"__type": "AddedToken", "content": "<|pad|>", "special": True},
        "model_max_length": 4096,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(config), encoding="utf-8")
    (folder / "chat_template.jinja").write_text(template, encoding="utf-8")
    return folder
