"""The rows of every dataset: messages, prompts, responses, judgments, and nodes of searches.

    Prompt 1 ── n Response 1 ── n Judgment      (a judgment of one response, or of a comparison)
                    ├─ parent_id ─> Response    (a revision, or a step of a search)
                    └─ 1 TreeNode               (what the search knows of that step)

Identifiers are hashes of content (`schemas.canonical.make_id`), so they are stable across runs,
machines and row order, and tables are joined by them and never by position.
"""

from dataclasses import dataclass
from typing import Any, Literal

from schemas.canonical import canonical_json, make_id

Role = Literal["system", "developer", "user", "assistant", "tool"]
Verdict = Literal["a", "b", "tie"]
Order = Literal["AB", "BA"]
Policy = Literal["on", "off"]
Relation = Literal["revision", "worsening", "step", "user_turn", "system_message"]


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One call of a tool that a message asks for."""

    id: str
    name: str
    arguments: str
    """The arguments as JSON text, exactly as the model wrote them."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation."""

    role: Role
    content: str | None
    reasoning: str | None = None
    """The model's thinking, split off: neither judged nor exported unless asked."""
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None
    name: str | None = None

    def canonical(self) -> dict[str, Any]:
        """The message as JSON values, absent fields left out (so that new fields change no id)."""
        fields: dict[str, Any] = {"role": self.role, "content": self.content}
        if self.reasoning is not None:
            fields["reasoning"] = self.reasoning
        if self.tool_calls:
            fields["tool_calls"] = [
                {"id": call.id, "name": call.name, "arguments": call.arguments}
                for call in self.tool_calls
            ]
        if self.tool_call_id is not None:
            fields["tool_call_id"] = self.tool_call_id
        if self.name is not None:
            fields["name"] = self.name
        return fields


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a model is asked: a conversation that ends where the answer belongs, and its tools."""

    prompt_id: str
    messages: tuple[Message, ...]
    tools: str | None = None
    """Canonical JSON of the tool definitions; None without tools."""
    reference: str | None = None
    """The gold answer, for verifiers and reference-guided judges; outside the id."""
    group_id: str | None = None
    """Prompts of one group stay on one side of a split; None: the prompt is its own group."""
    sources: tuple[str, ...] = ()
    """Names of the recipe's sources that the prompt came from, sorted."""
    licence: str | None = None
    lang: str | None = None
    task: str | None = None


def prompt_id(messages: tuple[Message, ...], tools: str | None = None) -> str:
    """The id of a prompt: a hash of its canonical messages and tools, nothing normalised."""
    return make_id("prompt", [message.canonical() for message in messages], tools)


@dataclass(frozen=True, slots=True)
class Response:
    """One answer to a prompt: sampled, recorded, revised, or a step of a search.

    Empty, refused, truncated and failed responses are rows too; filters say why they go.
    """

    response_id: str
    prompt_id: str
    text: str | None
    """None: the model gave no text (tool calls only, an error), or only a hash was recorded."""
    model: str
    """Name of the model in the recipe, or as recorded."""
    model_identity: str
    """What decided the text: endpoint identity and model id; for recorded rows the record's."""
    sampler: str
    policy: Policy | None = None
    """Whether the model is the policy to be trained ("on") or another one ("off")."""
    parent_id: str | None = None
    reasoning: str | None = None
    tool_calls: tuple[ToolCall, ...] = ()
    params: str = "{}"
    """Canonical JSON of the sampling parameters."""
    sample_index: int | None = None
    record_key: str | None = None
    external_hash: str | None = None
    finish_reason: str | None = None
    refused: bool = False
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    """Tokens of this response. With several choices in one reply, its share is unknown: None."""
    sum_logprob: float | None = None
    """Summed log-probability of the response's tokens, in nats, <= 0."""
    error: str | None = None
    """Why there is no answer: the endpoint's final refusal of this request (a 4xx), or what its
    sampler could not make of the completion, which is then in `reasoning`."""
    partial: bool = False
    """No answer by itself, but a step of one, or another message: never judged, nor paired by score."""
    relation: Relation | None = None
    """What it is to its parent: a better revision, a worse one, a further step, what the user says
    to it; or to the prompt: a system message for it. None for an answer."""
    notes: str | None = None
    """Canonical JSON of what its sampler knows of it beside: its place in a set that was drawn
    together, the spans that a revision changed."""
    lang: str | None = None
    """The language of its text, where the recipe asks for languages and they can be told."""
    same_lang: bool | None = None
    """Whether that is the prompt's; None where either is not known."""


def response_id(
    *,
    prompt_id: str,
    parent_id: str | None,
    model_identity: str,
    sampler: str,
    params: str,
    index: int | str | None,
    text: str | None,
) -> str:
    """The id of a response; `index` is the sample index, or the record's key."""
    return make_id("response", prompt_id, parent_id, model_identity, sampler, params, index, text)


@dataclass(frozen=True, slots=True)
class TreeNode:
    """A node of the tree that a search grew for one prompt: a step, and its statistics.

    A node is the response that the path to it spells: `text` of that response is the whole answer
    so far, and `text` here the step alone. The root has no response.
    """

    node_id: str
    """The response's id; of a root, `root_id`."""
    prompt_id: str
    sampler: str
    """Name of the search in the recipe."""
    parent_id: str | None
    """The parent's node id; None for a root."""
    depth: int
    """Steps from the root, which is 0."""
    text: str
    n_visits: int
    """N, how often the search came through."""
    v: float | None
    """V, the value of what follows."""
    q: float | None
    """Q = r + gamma V, what a choice among siblings goes by."""
    r: float | None
    """The node's own reward."""
    value: float | None
    """What the evaluation of this state said, before any backup."""
    prior: float | None
    """p, what the policy thinks of the step, in [0, 1]."""
    terminal: bool
    """Whether the answer ends here."""
    outcome: float | None = None
    """What a verifier says of the ended answer; None where it did not end or cannot be checked."""
    on_path: bool = False
    """Whether it lies on the path that the search decided for."""
    flags: str | None = None
    """What was wrong or missing here: names, joined by blanks."""


def root_id(prompt_id: str, sampler: str) -> str:
    """The node id of the root of a search."""
    return make_id("root", prompt_id, sampler)


@dataclass(frozen=True, slots=True)
class Judgment:
    """What one judge said once, about one response or about one comparison of two.

    A reply that could not be read has neither score nor verdict, and keeps its `raw` text.
    """

    judgment_id: str
    prompt_id: str
    judge: str
    """Name of the judge in the recipe."""
    judge_identity: str
    """What decided the judgment: model identity, template hash, scale, decoding."""
    response_id: str | None = None
    response_a_id: str | None = None
    response_b_id: str | None = None
    comparison_id: str | None = None
    """Joins all votes on one comparison: both orders, every judge, annotator and sample."""
    order: str | None = None
    """The order in which a comparison was shown, an `Order`; `a` and `b` never depend on it. Of a
    response judged beside others, its place among them: "2/4"."""
    annotator: str | None = None
    sample_index: int | None = None
    record_key: str | None = None
    score: float | None = None
    score_a: float | None = None
    score_b: float | None = None
    rank: int | None = None
    """Rank of the response among those it was compared with, smaller is better."""
    position: int | None = None
    """Place, from 1, at which a list showed the response to the judge."""
    verdict: Verdict | None = None
    p_a: float | None = None
    """Probability that `a` is better, in [0, 1]."""
    dimension: str | None = None
    """What alone was judged: a rubric's dimension, one constraint. None: the response as a whole."""
    mass: float | None = None
    """Probability, in [0, 1], that the judge gave to valid answers; the rest is renormalised away."""
    raw: str | None = None
    reasoning: str | None = None
    error: str | None = None
    """Why no score or verdict could be read."""


def judgment_id(
    *,
    target: str,
    judge_identity: str,
    judge: str,
    order: str | None,
    annotator: str | None,
    index: int | str | None,
    dimension: str | None = None,
) -> str:
    """The id of a judgment of `target` (a response id or a comparison id)."""
    of_dimension = () if dimension is None else (dimension,)
    return make_id(
        "judgment", target, judge, judge_identity, order, annotator, index, *of_dimension
    )


@dataclass(frozen=True, slots=True)
class Drop:
    """One reason why one row went no further. A row that fails several filters has several."""

    level: Literal["rows", "prompts", "responses", "comparisons", "pairs"]
    id: str
    """Id of the dropped row; for `rows`, source name and position."""
    prompt_id: str | None
    step: str
    """What dropped it: "source", "sampling", "pairings.best_worst", "filters.margin"..."""
    reason: str
    detail: str | None = None


def tools_json(tools: Any) -> str | None:
    """Canonical JSON of tool definitions; None for none, so that [] and null are one prompt."""
    return canonical_json(tools).decode() if tools else None
