"""Small published versions for tests: real staged evidence, real pairs, through the real writers."""

import random
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa

from pipelines.publishing.card import count_licences, render_card
from pipelines.publishing.layout import Publish
from pipelines.publishing.publish import schema_hashes, write_tables
from pipelines.publishing.store import Store
from pipelines.publishing.versions import Version
from pipelines.selection.columns import OF_DROPPED_PAIR, OF_EVERY_PAIR, OF_EVERY_RECIPE
from pipelines.selection.frames import PAIRS, PROMPTS, Frames
from pipelines.selection.measured import LONG
from pipelines.selection.selected import Selected
from pipelines.selection.staged import read_frames
from pipelines.selection.texts import norm_hash, text_hash
from pipelines.staging.runs import RunWriter
from schemas.rows import Drop, Judgment, Message, Prompt, Response, TreeNode, prompt_id, root_id
from schemas.tables import ORDER, STAGED
from schemas.version import FileInfo, Judge, Manifest, Run, Step, content_digest

DROPS = dict.fromkeys(("level", "id", "prompt_id", "step", "reason", "detail"), pl.String)
SEED = 7


@dataclass
class Content:
    """What a build has before it publishes."""

    prompts: list[Prompt] = field(default_factory=list)
    responses: list[Response] = field(default_factory=list)
    judgments: list[Judgment] = field(default_factory=list)
    staged_drops: list[Drop] = field(default_factory=list)
    drops: list[Drop] = field(default_factory=list)
    pairs: list[dict[str, Any]] = field(default_factory=list)
    dropped_pairs: list[dict[str, Any]] = field(default_factory=list)
    measures: list[dict[str, Any]] = field(default_factory=list)
    nodes: list[TreeNode] = field(default_factory=list)

    def selected(self, staged: Path) -> Selected:
        """What selection found: scores 3, 2, 1 of the responses 0, 1, 2 of each prompt."""
        frames = read_frames(staged, OF_EVERY_RECIPE)
        scores = {
            r.response_id: 3_000_000 - 1_000_000 * (r.sample_index or 0) for r in self.responses
        }
        counts = {
            "n_responses": 3,
            "n_scored": 3,
            "score_sum": 6_000_000,
            "score_sumsq": 14_000_000_000_000,
        }
        return Selected(
            pairs=self._numbered(self.pairs, frames).select(
                *OF_EVERY_PAIR,
                difficulty=pl.col("pair_id").replace_strict(
                    self.difficulties(), default=None, return_dtype=pl.Float64
                ),
            ),
            measures=pl.DataFrame(self.measures, schema=LONG),
            dropped_pairs=self._numbered(self.dropped_pairs, frames).select(OF_DROPPED_PAIR).lazy(),
            responses=frames.responses.with_columns(
                pl.col("response_id").replace_strict(scores, return_dtype=pl.Int64).alias("score"),
                n_scores=pl.lit(1),
                score_var=pl.lit(None, pl.Float64),
                kept=pl.lit(True),
            ),
            prompts=frames.prompts.with_columns(
                pl.lit(value, PROMPTS[name]).alias(name) for name, value in counts.items()
            ),
        )

    def _numbered(self, pairs: list[dict[str, Any]], frames: Frames) -> pl.DataFrame:
        """`pairs` with the numbers of their ids; null for an id that is not staged."""
        numbered = pl.DataFrame(pairs, schema=PAIRS)
        for number, table in {
            "prompt": frames.prompts.select("prompt", "prompt_id").unique("prompt_id"),
            **{
                side: frames.responses.select(
                    pl.col("response").alias(side),
                    pl.col("response_id").alias(f"{side}_response_id"),
                ).unique(f"{side}_response_id")
                for side in ("chosen", "rejected")
            },
        }.items():
            [key] = set(table.columns) - {number}
            numbered = numbered.join(table, on=key, how="left", maintain_order="left")
        return numbered

    def difficulties(self) -> dict[str, float]:
        """What the measure `difficulty` found, by pair."""
        found = [one for one in self.measures if one["measure"] == "difficulty"]
        return {one["pair_id"]: one["value"] for one in found}

    def counts(self) -> tuple[Step, ...]:
        """The funnel's last step."""
        dropped = len(self.dropped_pairs)
        step = Step(
            step="filters", level="pairs", in_=len(self.pairs) + dropped, kept=len(self.pairs),
            dropped=dropped, reasons={"below_min": dropped} if dropped else {},
        )  # fmt: skip
        return (step,)


def make_content(n_prompts: int = 6, *, text: str = "") -> Content:
    """Prompts with three responses each: best against worst is kept, best against middle dropped."""
    content = Content()
    for number in range(n_prompts):
        messages = (
            Message("system", "Be brief."),
            Message("user", f"Question {number}? Ünï {text}"),
        )
        group = "shared" if number in (0, 1) else None
        prompt = Prompt(
            prompt_id(messages), messages, group_id=group, licence="mit", sources=("s",)
        )
        content.prompts.append(prompt)
        add_answers(
            content, prompt, [f"{text} {grade} answer {number}" for grade in ("A", "B", "C")]
        )
    return content


def add_answers(
    content: Content, prompt: Prompt, texts: Sequence[str | None], **fields: Any
) -> None:
    """Adds three responses to `prompt`, their judgments, a kept pair and a dropped one."""
    ids = [f"{prompt.prompt_id[:24]}-r{index}" for index in range(3)]
    content.nodes.append(root_of(prompt))
    for index, (id_, text) in enumerate(zip(ids, texts, strict=True)):
        content.responses.append(
            Response(id_, prompt.prompt_id, text, f"model{index}", f"id{index}", "independent",
                     sample_index=index, reasoning="thought", **fields)
        )  # fmt: skip
        content.judgments.append(
            Judgment(f"j-{id_}", prompt.prompt_id, "rater", "rater-id", id_, score=3.0 - index)
        )
        content.nodes.append(one_step(prompt, id_, f"step {index}", 9 - index))
    content.pairs.append(pair(prompt, ids[0], ids[2], 2_000_000))
    dropped = pair(prompt, ids[0], ids[1], 1_000_000)
    content.dropped_pairs.append(dropped)
    content.drops.append(
        Drop("pairs", dropped["pair_id"], prompt.prompt_id, "filters.margin", "below_min", "1 < 2")
    )


def root_of(prompt: Prompt) -> TreeNode:
    """The root of a tree."""
    return TreeNode(root_id(prompt.prompt_id, "mcts"), prompt.prompt_id, "mcts", None, 0, "", 25,
                    0.5, None, 0.0, 0.0, None, terminal=False, on_path=True)  # fmt: skip


def one_step(prompt: Prompt, response: str, text: str, n_visits: int = 1) -> TreeNode:
    """A step below it that ends the answer."""
    root = root_id(prompt.prompt_id, "mcts")
    return TreeNode(response, prompt.prompt_id, "mcts", root, 1, text, n_visits,
                    0.5, 0.25, 0.25, 0.25, 0.5, terminal=True, outcome=1.0)  # fmt: skip


def pair(prompt: Prompt, chosen: str, rejected: str, margin: int) -> dict[str, Any]:
    """A row of `frames.PAIRS`."""
    return {
        "pair_id": f"{chosen}>{rejected}", "pairing": "best_worst", "prompt_id": prompt.prompt_id,
        "chosen_response_id": chosen, "rejected_response_id": rejected,
        "score_chosen": 3_000_000, "score_rejected": 3_000_000 - margin, "score_margin": margin,
        "n_votes": 1, "n_votes_chosen": 1, "n_votes_rejected": 0, "p_chosen": 0.75,
        "chosen_model": "model0", "rejected_model": "model2", "chosen_n_chars": 5,
        "rejected_n_chars": 6, "group_id": prompt.group_id, "licence": prompt.licence,
    }  # fmt: skip


def stage(content: Content, folder: Path, *, files: int = 1, order: int | None = None) -> Path:
    """Stages the evidence in `folder`, its rows shuffled by `order` over several files."""
    tables = {
        "prompts": [asdict(row) | {"n_chars": 9} for row in content.prompts],
        "responses": [asdict(row) | _text_facts(row.text) for row in content.responses],
        "judgments": [asdict(row) for row in content.judgments],
        "tree_nodes": [asdict(row) for row in content.nodes],
        "drops": [asdict(row) for row in content.staged_drops],
    }
    for table, rows in tables.items():
        (folder / table).mkdir(parents=True)
        if order is not None:
            random.Random(order).shuffle(rows)
        for file in range(files):
            runs = RunWriter(folder / table, str(file), STAGED[table], ORDER[table])
            with closing(runs):
                runs.write(pa.Table.from_pylist(rows[file::files], STAGED[table]))
    return folder


def _text_facts(text: str | None) -> dict[str, Any]:
    return {
        "n_chars": len(text or ""),
        "text_hash": text_hash(text),
        "norm_hash": norm_hash(text),
    }


def write(
    content: Content,
    folder: Path,
    *,
    publish: Publish | None = None,
    at_once: int | None = None,
    **staging: Any,
) -> dict[str, FileInfo]:
    """Writes the tables of a version to `folder / "version"`."""
    staged = stage(content, folder / "staged", **staging)
    drops = pl.DataFrame([asdict(drop) for drop in content.drops], schema=DROPS)
    selected, publish = content.selected(staged), publish or Publish()
    return write_tables(staged, selected, drops, publish, SEED, folder / "version", at_once)


def make_manifest(
    name: str, content: Content, files: dict[str, FileInfo], folder: Path
) -> Manifest:
    """The manifest of what `write` wrote."""
    return Manifest(
        name=name,
        recipe_fingerprint="f" * 64,
        content_digest=content_digest(files, "f" * 64),
        seed=SEED,
        counts=content.counts(),
        files=files,
        schema_hashes=schema_hashes(folder),
        models={"model0": "https://api.example/v1#m"},
        judges={"rater": Judge(identity="rater-id", asked=4, read=3, notes={"ties": 1})},
        code_version="0.1.0",
        run=Run(host="Linux", seconds=1.5, calls=3),
    )


def publish(
    store: Store, name: str, content: Content, change: Callable[[Manifest], Manifest] = lambda m: m
) -> tuple[Version, bool]:
    """Stages, writes and publishes `content`."""
    staging = store.staging()
    files = write(content, staging)
    folder = staging / "version"
    manifest = change(make_manifest(name, content, files, folder))
    (folder / "recipe.toml").write_text(f'name = "{name}"\n', encoding="utf-8")
    card = render_card(manifest, description="A test.", licences=count_licences(folder))
    (folder / "README.md").write_text(card, encoding="utf-8")
    return store.publish(name, folder, manifest)


def with_tool(prompt: Prompt) -> Prompt:
    """`prompt` with tool definitions."""
    return replace(prompt, tools='[{"type":"function"}]')
