"""A reader of the documentation who does what every block says, to the letter."""

import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import chdir, suppress
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from flows.cli import main
from pipelines.publishing.safe_sql import run_sql
from pipelines.publishing.store import Store
from pipelines.recipe import Recipe, make_recipe, read_recipe

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(
    r"(?:<!-- not run: (?P<why>[^>]+) -->\n)?^```(?P<language>\w*) ?(?P<name>\S*)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


@dataclass
class Reader:
    """Someone who follows a page in a folder, to the letter."""

    folder: Path

    def __post_init__(self) -> None:
        self.folder.mkdir(exist_ok=True)
        cache = {"HF_HOME": str(self.folder / "cache"), "HF_HUB_OFFLINE": "1"}
        self.environment = {**os.environ, **cache, "PYTHONPATH": str(ROOT)}
        self.store = Store(self.folder / "data" / "store")
        self.recipes: list[Recipe] = []
        self.base: dict[str, Any] = {}
        """What a recipe in pieces is completed with: tables that stood on the page before."""

    def follow(self, page: Path) -> None:
        """Saves the files of a page, then does what its blocks say, in their order."""
        blocks = [match.groupdict() for match in BLOCK.finditer(page.read_text())]
        assert 2 * len(blocks) == page.read_text().count("\n```"), f"{page.name}: an odd fence"
        for block in blocks:
            if block["name"]:
                (self.folder / block["name"]).write_text(block["text"])
        for block in blocks:
            if not block["why"]:
                getattr(self, f"try_{block['language']}")(block["text"], block["name"])

    def try_sh(self, text: str, name: str) -> None:
        with chdir(self.folder), pytest.MonkeyPatch.context() as patch:
            patch.delenv("PAIRWRIGHT_STORE", raising=False)
            for words in commands(text):
                if words[0] != "pairwright":
                    self._run("sh", "-c", " ".join(words))
                else:
                    called, _, wanted = " ".join(words).partition(" || test $? -eq ")
                    end = words.index("||") if wanted else None
                    assert main(words[1:end]) == int(wanted or 0), called

    def try_python(self, text: str, name: str) -> None:
        if not name:
            self._run(sys.executable, "-W", "error", "-c", text)

    def try_jsonl(self, text: str, name: str) -> None:
        assert name

    try_jinja = try_jsonl

    def try_sql(self, text: str, name: str) -> None:
        with run_sql(self.store, text, "tutor") as rows:
            assert rows.read_all().num_rows, f"no row: {text}"

    def try_toml(self, text: str, name: str) -> None:
        path = self.folder / (name or "pieces.toml")
        table = tomllib.loads(text, parse_float=Decimal)
        if not name and "name" not in table:
            for key in ("sources", "models"):
                self.base[key] |= table.get(key, {})
            table = self.base | table | {key: self.base[key] for key in ("sources", "models")}
        self.recipes.append(read_recipe(path) if name else make_recipe(path, table))

    def complete_pieces_with(self, recipe: str) -> None:
        table = tomllib.loads((self.folder / recipe).read_text(), parse_float=Decimal)
        needed = ("name", "sources", "models", "samplers", "pairings")
        self.base = {key: table[key] for key in needed} | {"judges": table["judges"][:1]}
        self.base["prompts"] = table["prompts"] | {"source": "problems"}

    def _run(self, *command: str) -> None:
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True
        )
        assert done.returncode == 0, f"{command[-1]}\n{done.stdout}\n{done.stderr}"


def commands(text: str) -> Iterator[list[str]]:
    """The words of each command; `pairwright` runs in this process, however it is started."""
    command = ""
    for line in text.replace("\\\n", " ").splitlines():
        command += line.removeprefix("sh tools/uv.sh run ") + "\n"
        with suppress(ValueError):  # a quotation goes on in the next line
            yield shlex.split(command, comments=True)
            command = ""
    assert not command
