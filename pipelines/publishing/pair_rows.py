"""The rows of `pairs`: texts are carried from where they are staged to where they are wanted.

prompts, responses (in the order of their ids) ─ carried ─> pairs (in their seeded order)
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.errors import StoreError
from pipelines.publishing import messages
from pipelines.publishing.carrying import Carried
from pipelines.publishing.found import units
from pipelines.publishing.walls import refuse
from schemas.tables import STAGED

OF_PAIRS = {
    "prompts": ("prompt_id", "messages", "tools", "group_id", "licence", "lang", "task"),
    "responses": ("response_id", "text", "tool_calls", "model", "policy", "n_chars"),
}
"""The staged columns that a pair takes from its prompt, and from each of its responses."""

SIDES = ("chosen", "rejected")


class PairRows:
    """Rows of `pairs` that wait for their texts."""

    def __init__(self, pairs: pl.DataFrame, stretch: int, folder: Path, most_held: int) -> None:
        """`pairs` are the kept ones in their published order.

        What they wait for waits in `folder`, if it has more than `most_held` bytes a table;
        `stretch` of them are put together at a time.
        """
        self._pairs = pairs
        self._wanted = {
            "prompts": [pairs["prompt"].to_numpy()],
            "responses": [pairs[side].to_numpy() for side in SIDES],
        }
        self._carried = {
            table: Carried(wanted, _schema_of(table), stretch, folder / table, most_held)
            for table, wanted in self._wanted.items()
        }
        self._seen: dict[str, list[Facts]] = {"prompts": [], "responses": []}

    @property
    def splits(self) -> pl.Series:
        """The split of each row: those of one lie together."""
        return self._pairs["split"]

    @property
    def rich(self) -> bool:
        """Whether a message of theirs uses a tool or a name, once all have passed."""
        return any(self._facts(table, "is_rich").any() for table in self._seen)

    def passing(self, table: str, rows: Iterator[pa.Table]) -> Iterator[pa.Table]:
        """Lets all prompts or responses pass, in the order of their ids, and keeps what is wanted."""
        for some in rows:
            self._seen[table].append(_FACTS[table](some))
            self._carried[table].put(some.select(OF_PAIRS[table]))
            yield some
        self._carried[table].close()

    def tables(self, *, rich: bool) -> Iterator[pa.Table]:
        """The rows, once all prompts and responses have passed.

        Columns `tables.PAIRS` of `rich` ones, else `tables.PLAIN_PAIRS`. Raises StoreError for a
        pair of blank texts.
        """
        self._refuse_blank()
        first = 0
        waiting = (
            one.take(partial(_MADE[table], rich=rich)) for table, one in self._carried.items()
        )
        for (prompts,), answers in zip(*waiting, strict=True):
            columns = _columns(prompts)
            for side, its_answers in zip(SIDES, answers, strict=True):
                columns |= _of_side(side, its_answers, rich=rich)
            yield pa.table(columns | _of_pairs(self._pairs.slice(first, prompts.num_rows)))
            first += prompts.num_rows

    def _refuse_blank(self) -> None:
        ids = self._pairs["pair_id"]
        names = ("prompt", *(f"{side} response" for side in SIDES))
        blank = (*self._facts("prompts", "is_blank"), *self._facts("responses", "is_blank"))
        for name, flags in zip(names, blank, strict=True):
            refuse(f"kept pairs have a blank {name}", ids.filter(pl.Series(flags)))

    def _facts(self, table: str, name: str) -> npt.NDArray[np.bool_]:
        """One fact about the rows that are wanted, a line for each side. Raises StoreError."""
        none, wanted = np.zeros(0, dtype=np.bool_), np.stack(self._wanted[table])
        of_all = np.concatenate([none, *(getattr(facts, name) for facts in self._seen[table])])
        if wanted.size and wanted.max() >= len(of_all):
            raise StoreError(f"{table} are missing that pairs are of, so nothing is published")
        return np.asarray(of_all[wanted], dtype=np.bool_)


class Facts(NamedTuple):
    """What must be known of each prompt, or response, before pairs of it are written."""

    is_blank: messages.Flags
    is_rich: messages.Flags


def _of_all_prompts(prompts: pa.Table) -> Facts:
    conversations = _array(prompts["messages"])
    is_rich = messages.rich_prompts(conversations, _array(prompts["tools"]))
    return Facts(messages.blank_prompts(conversations), is_rich)


def _of_all_responses(responses: pa.Table) -> Facts:
    calls = messages.has_calls(_array(responses["tool_calls"]))
    return Facts(messages.is_blank(_array(responses["text"])) & ~calls, calls)


_FACTS = {"prompts": _of_all_prompts, "responses": _of_all_responses}


def _of_prompts(prompts: pa.Table, *, rich: bool) -> pa.Table:
    """What pairs take of their prompts, as it is published."""
    return pa.table(
        {
            **{name: prompts[name] for name in ("prompt_id", "tools", "lang", "task")},
            "license": prompts["licence"],
            "prompt_group_id": pc.coalesce(prompts["group_id"], prompts["prompt_id"]),
            "prompt": messages.prompt_messages(_array(prompts["messages"]), rich=rich),
        }
    )


def _of_responses(responses: pa.Table, *, rich: bool) -> pa.Table:
    """What a side of a pair takes: its tool calls only where there are some."""
    return responses if rich else responses.drop_columns(["tool_calls"])


_MADE = {"prompts": _of_prompts, "responses": _of_responses}


def _of_side(side: str, responses: pa.Table, *, rich: bool) -> dict[str, Any]:
    calls = _array(responses["tool_calls"]) if rich else None
    return {
        **{f"{side}_{name}": responses[name] for name in ("response_id", "model", "policy")},
        f"n_chars_{side}": responses["n_chars"],
        side: messages.answer_messages(_array(responses["text"]), calls),
    }


def _of_pairs(pairs: pl.DataFrame) -> dict[str, Any]:
    scores = (units(pairs[f"score_{name}"]) for name in ("chosen", "rejected", "margin"))
    own = ("pair_id", "pairing", "comparison_id", "annotator_group", "n_votes", "n_votes_chosen",
           "n_votes_rejected", "p_chosen", "n_chars_prefix", "difficulty", "score_var",
           "order_key")  # fmt: skip
    table = pairs.select(*own, *scores, units(pairs["p_preferred"])).to_arrow()
    return _columns(table)


def _columns(table: pa.Table) -> dict[str, Any]:
    return dict(zip(table.column_names, table.columns, strict=True))


def _schema_of(table: str) -> pa.Schema:
    return pa.schema([STAGED[table].field(name) for name in OF_PAIRS[table]])


def _array(column: pa.ChunkedArray) -> pa.Array:
    """A column in one piece."""
    return pa.concat_arrays(column.chunks) if column.num_chunks != 1 else column.chunk(0)
