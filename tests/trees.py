"""Searched trees for tests, written down as letters: "ab" is the step b below the step a.

`ORACLE` is the tree of two steps that is worked out by hand for the search itself, after 20 visits.
"""

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

import polars as pl

from pipelines.selection.frames import Frames
from pipelines.selection.numbering import number_nodes
from pipelines.selection.texts import text_hash
from schemas.rows import Message, Prompt, Response, TreeNode, prompt_id, root_id
from schemas.tables import TREE_NODES
from tests.pipelines.tables import numbered, rows_of
from tests.pipelines.versions import Content

Steps = Mapping[str, Mapping[str, Any]]

ENDED = {"terminal": True, "v": 0.0}

ORACLE: Steps = {
    "a": {"n": 19, "v": 0.99, "q": 1.59, "r": 0.6, "value": 0.6, "on_path": True},
    "b": {"n": 1, "v": -1.15, "q": -0.65, "r": 0.5, "value": 0.5},
    "aa": {"n": 0, "q": -1.1, "r": -1.1, "value": -0.5, "outcome": -1.0, **ENDED},
    "ab": {"n": 19, "q": 1.1, "r": 1.1, "value": 1.7, "outcome": 1.0, "on_path": True, **ENDED},
    "ba": {"n": 1, "q": -1.1, "r": -1.1, "value": -0.6, "outcome": -1.0, **ENDED},
    "bb": {"n": 0, "q": -1.2, "r": -1.2, "value": -0.7, "outcome": -1.0, **ENDED},
}
"""Visits N, V, Q, r and value of each; all priors are 1/2."""


def asked(question: str = "How?", **fields: Any) -> Prompt:
    """A prompt of one message."""
    messages = (Message("user", question),)
    return Prompt(prompt_id(messages), messages, sources=("s",), **fields)


def id_of(prompt: Prompt, path: str, sampler: str = "search") -> str:
    """The node id of a path of letters."""
    return (
        f"{prompt.prompt_id[:20]}-{sampler}-{path}" if path else root_id(prompt.prompt_id, sampler)
    )


def text_of(path: str, steps: Steps) -> str:
    """The answer so far: of each step its `text`, or a line that names it."""
    parts = (path[: end + 1] for end in range(len(path)))
    return "".join(steps[part].get("text", f"step {part}\n") for part in parts)


def grow(
    prompt: Prompt, steps: Steps = ORACLE, sampler: str = "search"
) -> tuple[list[Response], list[TreeNode]]:
    """The responses and the nodes of a tree, its root among them."""
    root = TreeNode(id_of(prompt, "", sampler), prompt.prompt_id, sampler, None, 0, "",
                    n_visits=1 + sum(step["n"] for path, step in steps.items() if len(path) == 1),
                    v=0.0, q=None, r=0.0, value=0.0, prior=None, terminal=False, on_path=True)  # fmt: skip
    responses, nodes = [], [root]
    for path, step in steps.items():
        id_, above = (id_of(prompt, one, sampler) for one in (path, path[:-1]))
        ended = step.get("terminal", False)
        responses.append(
            Response(id_, prompt.prompt_id, text_of(path, steps), "policy", "policy-id", sampler,
                     parent_id=above if len(path) > 1 else None, partial=not ended,
                     refused=step.get("refused", False),
                     finish_reason=step.get("finish_reason"))
        )  # fmt: skip
        nodes.append(
            TreeNode(id_, prompt.prompt_id, sampler, above, len(path),
                     step.get("text", f"step {path}\n"), step["n"], step.get("v"), step.get("q"),
                     step.get("r"), step.get("value"), step.get("prior", 0.5), ended,
                     step.get("outcome"), step.get("on_path", False), step.get("flags"))
        )  # fmt: skip
    return responses, nodes


def add_tree(
    content: Content, prompt: Prompt, steps: Steps = ORACLE, sampler: str = "search"
) -> None:
    """Adds a tree to what a build has before it publishes, and its prompt where it is new."""
    if prompt not in content.prompts:
        content.prompts.append(prompt)
    responses, nodes = grow(prompt, steps, sampler)
    content.responses += responses
    content.nodes += nodes


def frames_of(trees: dict[str, Steps], prompt: Prompt) -> Frames:
    """The trees of one prompt, by the name of their search."""
    grown = [grow(prompt, steps, sampler) for sampler, steps in trees.items()]
    responses = [
        {"response_id": one.response_id, "prompt_id": one.prompt_id, "refused": one.refused,
         "has_text": bool((one.text or "").strip()), "text_hash": text_hash(one.text),
         "n_chars": len(one.text or ""), "sampler": one.sampler}
        for responses, _ in grown for one in responses
    ]  # fmt: skip
    frames = numbered(
        rows_of("prompts", [{"prompt_id": prompt.prompt_id}]),
        rows_of("responses", responses),
        rows_of("judgments", []),
    )
    nodes = number_nodes(node_rows(trees, prompt), frames.prompts, frames.responses)
    return replace(frames, nodes=nodes)


def node_rows(trees: dict[str, Steps], prompt: Prompt) -> pl.DataFrame:
    """The nodes of `frames_of`, as they are staged."""
    grown = [grow(prompt, steps, sampler)[1] for sampler, steps in trees.items()]
    return pl.DataFrame(
        [asdict(node) for nodes in grown for node in nodes],
        schema=pl.DataFrame(TREE_NODES.empty_table()).schema,
    )
