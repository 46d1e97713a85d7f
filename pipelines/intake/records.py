"""Records: the prompts of a build, and the responses and judgments that its sources hold already.

    prompts        in the order of the sources; distinct, and some of them selected
    prompt keys    key -> prompt              response keys    key -> response
    responses, judgments                      of the selected prompts, by part

One SQLite file, looked up by prompt: millions of rows need little memory. Keys are held as hashes;
what a key means is its text in the rows. One reading of the sources writes it; then any number of
threads and processes open it to read.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from pipelines.intake.draw import EVERY, ORDER, Draw
from pipelines.intake.payloads import judgment_of, payload_of, prompt_of, response_of
from pipelines.intake.records_file import new_database, read_database
from schemas.canonical import draw_unit
from schemas.rows import Judgment, Prompt, Response

Rows = Literal["responses", "judgments"]
Noun = Literal["prompt", "response"]


@dataclass(frozen=True, slots=True)
class Found:
    """What a key leads to. A `prompt_id` of "" means a row that was dropped."""

    place: str
    """Where the row stands that has the key, for people."""
    prompt_id: str
    response_id: str | None = None

    @property
    def dropped(self) -> bool:
        """Whether the row that has the key was dropped."""
        return not self.prompt_id


@dataclass(frozen=True, slots=True)
class Earlier:
    """A row that was there before one with the same id or key."""

    place: str
    same: bool
    """Whether all of its content is the same."""


class Records:
    """The records of one build, in a file beside its evidence. As a context manager it closes it.

    What is written is there for other readers once the context is left.
    """

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        """Starts a new file; or opens one that is written, if `read_only`."""
        self.path = path
        self._db = read_database(path) if read_only else new_database(path)
        self._examples: dict[Noun, str] = {}
        self._all_selected = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._db.in_transaction:
            self._db.execute("COMMIT")
        self._db.close()

    # what a build reads

    def prompts(
        self, wanted: Callable[[str], bool] = lambda _: True, draw: Draw = EVERY
    ) -> Iterator[Prompt]:
        """The selected prompts whose id is `wanted`, in the order of the sources; streamed.

        Those of one `draw` come in the order that `put_in_order` gave them.
        """
        rows = "SELECT prompt_id, payload FROM prompts WHERE"
        if draw.is_all:
            found = self._db.execute(f"{rows} selected ORDER BY position")
        else:
            places = draw.first, draw.last
            found = self._db.execute(f"{rows} place >= ? AND place < ? ORDER BY place", places)
        for prompt_id, payload in found:
            if wanted(prompt_id):
                yield prompt_of(payload)

    def labelled(self) -> dict[str, str]:
        """What the prompts ask that are kept out of the build -> the labels that they belong to."""
        return dict(self._db.execute("SELECT asked, labels FROM labelled"))

    def count(self) -> int:
        """How many prompts are selected."""
        return self._count("prompts WHERE selected")

    def responses(self, part: str, prompt_id: str) -> list[Response]:
        """The responses that a recorded sampler has for a prompt, sorted by id."""
        return [response_of(row) for row in self._payloads("responses", part, prompt_id)]

    def judgments(self, part: str, prompt_id: str) -> list[Judgment]:
        """The judgments that a recorded judge has for a prompt, sorted by id."""
        return [judgment_of(row) for row in self._payloads("judgments", part, prompt_id)]

    # what reading the sources writes

    def prompt(self, prompt_id: str) -> tuple[Prompt, str | None] | None:
        """A prompt that is there already, and where its reference stands; None if it is new."""
        query = "SELECT payload, reference_place FROM prompts WHERE prompt_id = ?"
        row = self._db.execute(query, [prompt_id]).fetchone()
        return (prompt_of(row[0]), row[1]) if row else None

    def put_prompt(self, prompt: Prompt, reference_place: str | None) -> None:
        """Adds a prompt, or puts it in the place of the one with its id."""
        self._db.execute(
            "INSERT INTO prompts (prompt_id, payload, reference_place) VALUES (?, ?, ?) "
            "ON CONFLICT DO UPDATE SET payload = excluded.payload, "
            "reference_place = excluded.reference_place",
            [prompt.prompt_id, payload_of(prompt), reference_place],
        )

    def add_prompt_key(self, key: str | None, prompt_id: str | None, place: str) -> None:
        """Lets recorded rows find a prompt. No `prompt_id`: a row that became no prompt."""
        if key is not None:
            self._examples.setdefault("prompt", key)
            self._db.execute(
                "INSERT OR IGNORE INTO prompt_keys VALUES (?, ?, ?)",
                [_hash(key), prompt_id or "", place],
            )

    def add_labelled(self, asked: Mapping[str, str]) -> None:
        """Keeps prompts out of the build that judges were checked on: see `labelled`."""
        self._db.executemany("INSERT OR IGNORE INTO labelled VALUES (?, ?)", asked.items())

    def count_all(self) -> int:
        """How many distinct prompts were read."""
        return self._count("prompts")

    def select(self, *, limit: int | None, sample: int | None, seed: int) -> None:
        """Selects the first `limit` prompts, and of these the `sample` with the smallest draws."""
        self._db.create_function(
            "draw", 1, lambda prompt_id: draw_unit(seed, "sample", prompt_id), deterministic=True
        )
        first = "SELECT position, prompt_id FROM prompts ORDER BY position LIMIT ?"
        order = "position" if sample is None else "draw(prompt_id), prompt_id"
        chosen = f"SELECT position FROM ({first}) ORDER BY {order} LIMIT ?"  # noqa: S608 - our own names
        self._db.execute(
            f"UPDATE prompts SET selected = 1 WHERE position IN ({chosen})",  # noqa: S608
            [-1 if limit is None else limit, -1 if sample is None else sample],
        )
        self._all_selected = self.count() == self.count_all()

    def put_in_order(self, seed: int) -> None:
        """Gives the selected prompts the places 0, 1... in the seeded order of `[exactly]`."""
        self._db.create_function(
            "draw", 1, lambda prompt_id: draw_unit(seed, ORDER, prompt_id), deterministic=True
        )
        place = "row_number() OVER (ORDER BY draw(prompt_id), prompt_id) - 1"
        self._db.execute(
            f"UPDATE prompts SET place = placed.place FROM (SELECT position, {place} AS place "  # noqa: S608 - our own names
            "FROM prompts WHERE selected) AS placed WHERE prompts.position = placed.position"
        )
        self._db.execute("CREATE INDEX place_of ON prompts (place)")

    def is_selected(self, prompt_id: str) -> bool:
        """Whether a prompt that was read is selected."""
        if self._all_selected:
            return True
        query = "SELECT selected FROM prompts WHERE prompt_id = ?"
        row = self._db.execute(query, [prompt_id]).fetchone()
        return bool(row and row[0])

    def find(self, noun: Noun, key: str) -> list[Found]:
        """What a key leads to: none, one, or several that make the key ambiguous.

        A dropped row is found only where no other has the key.
        """
        query = (
            "SELECT place, prompt_id FROM prompt_keys WHERE key = ? ORDER BY prompt_id"
            if noun == "prompt"
            else "SELECT place, prompt_id, response_id FROM response_keys WHERE key = ? ORDER BY part"
        )
        found = [Found(*row) for row in self._db.execute(query, [_hash(key)])]
        return [one for one in found if not one.dropped] or found[:1]

    def example(self, noun: Noun) -> str:
        """One of the keys, to show beside a key that leads nowhere."""
        return self._examples.get(noun, "nothing: there are none")

    def add_response_key(
        self, part: str, key: str | None, response: Response | None, place: str
    ) -> Earlier | None:
        """Lets recorded judgments find a response. None: a row that became no response.

        Returns the response of this part that has the key already, if there is one; it stays.
        """
        if key is None:
            return None
        self._examples.setdefault("response", key)
        content = _hash(payload_of(response)) if response else b""
        ids = (response.response_id, response.prompt_id) if response else ("", "")
        inserted = self._db.execute(
            "INSERT INTO response_keys VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET "
            "response_id = excluded.response_id, prompt_id = excluded.prompt_id, "
            "content = excluded.content, place = excluded.place WHERE content = x''",
            [_hash(key), part, *ids, content, place],
        )
        if inserted.rowcount:
            return None
        query = "SELECT content, place FROM response_keys WHERE key = ? AND part = ?"
        known, known_place = self._db.execute(query, [_hash(key), part]).fetchone()
        return Earlier(known_place, same=content in (known, b""))

    def add(self, part: str, row: Response | Judgment, place: str) -> Earlier | None:
        """Adds a recorded row. Returns the row that has its id already, if there is one.

        Of two rows with one id the one whose content sorts first stays, whichever came first.
        """
        table, id_ = _table_and_id(row)
        payload = payload_of(row)
        insert = f"INSERT INTO {table} VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"  # noqa: S608 - our own names
        if self._db.execute(insert, [part, row.prompt_id, id_, payload, place]).rowcount:
            return None
        query = f"SELECT payload, place FROM {table} WHERE id = ?"  # noqa: S608
        known, known_place = self._db.execute(query, [id_]).fetchone()
        if payload < known:
            update = f"UPDATE {table} SET payload = ?, place = ? WHERE id = ?"  # noqa: S608
            self._db.execute(update, [payload, place, id_])
        return Earlier(known_place, same=known == payload)

    def occurrence(self, content: str) -> int:
        """How many rows of this content were asked about before: 0, 1, 2..."""
        query = (
            "INSERT INTO occurrences VALUES (?, 0) ON CONFLICT DO UPDATE SET n = n + 1 RETURNING n"
        )
        return int(self._db.execute(query, [_hash(content)]).fetchone()[0])

    def _count(self, rows: str) -> int:
        return int(self._db.execute(f"SELECT count(*) FROM {rows}").fetchone()[0])  # noqa: S608

    def _payloads(self, table: Rows, part: str, prompt_id: str) -> Iterator[bytes]:
        query = f"SELECT payload FROM {table} WHERE part = ? AND prompt_id = ? ORDER BY id"  # noqa: S608
        return (row[0] for row in self._db.execute(query, [part, prompt_id]).fetchall())


def _hash(text: str | bytes) -> bytes:
    content = text.encode() if isinstance(text, str) else text
    return hashlib.sha256(content).digest()[:16]


def _table_and_id(row: Response | Judgment) -> tuple[Rows, str]:
    if isinstance(row, Response):
        return "responses", row.response_id
    return "judgments", row.judgment_id
